#include "crypto/checkpoint.h"
#include "crypto/crypto_error.h"

#include <string.h>

typedef struct {
    NoteSigner *signer;
    GPtrArray *verifiers;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *key = NULL;

    fixture->signer = note_signer_generate("recorder.example", &error);
    g_assert_no_error(error);
    key = note_signer_verifier_key(fixture->signer);
    fixture->verifiers = g_ptr_array_new_with_free_func((GDestroyNotify) note_verifier_free);
    g_ptr_array_add(fixture->verifiers, note_verifier_parse(key, &error));
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    note_signer_free(fixture->signer);
    g_ptr_array_unref(fixture->verifiers);
}

static bool
open_text(Fixture *fixture, const char *note, Checkpoint *checkpoint, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(note, strlen(note));

    return checkpoint_open(checkpoint, bytes, fixture->verifiers, error);
}

static void
test_opens_what_it_signed(Fixture *fixture, gconstpointer unused)
{
    const Checkpoint signed_one = {(char *) "recorder.example/clinic-a", 20852163,
                                   digest_of("x", 1)};
    g_autofree char *note = checkpoint_sign(&signed_one, fixture->signer);
    g_auto(Checkpoint) opened = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(open_text(fixture, note, &opened, &error));

    g_assert_no_error(error);
    g_assert_cmpstr(opened.origin, ==, "recorder.example/clinic-a");
    g_assert_cmpuint(opened.n_leaves, ==, 20852163);
    g_assert_true(digest_equal(&opened.root, &signed_one.root));
}

/* As the specification writes it. */
static void
test_has_the_published_form(Fixture *fixture, gconstpointer unused)
{
    const Checkpoint empty = {(char *) "o/c", 0, digest_of("", 0)};
    g_autofree char *note = checkpoint_sign(&empty, fixture->signer);

    g_assert_true(g_str_has_prefix(note, "o/c\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
                                         "\n\xe2\x80\x94 recorder.example "));
}

static void
test_refuses_what_is_none(Fixture *fixture, gconstpointer unused)
{
    static const char *const texts[] = {
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n",
        "o\n1\n",
        "o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n1 \n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n99999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==\n",
        "o\n1\n47DEQpj8HBSa\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *note = note_sign(fixture->signer, texts[i]);
        g_auto(Checkpoint) opened = {0};
        g_autoptr(GError) error = NULL;

        g_assert_false(open_text(fixture, note, &opened, &error));
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
    }
}

static void
test_reads_over_extensions(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *note = note_sign(
        fixture->signer, "o\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\nand more\n");
    g_auto(Checkpoint) opened = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(open_text(fixture, note, &opened, &error));
    g_assert_cmpuint(opened.n_leaves, ==, 7);
}

static void
test_refuses_a_changed_one(Fixture *fixture, gconstpointer unused)
{
    const Checkpoint signed_one = {(char *) "o/c", 5, digest_of("x", 1)};
    g_autofree char *note = checkpoint_sign(&signed_one, fixture->signer);
    g_auto(Checkpoint) opened = {0};
    g_autoptr(GError) error = NULL;

    note[4] = '6';
    g_assert_false(open_text(fixture, note, &opened, &error));
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } rows[] = {
        {"opens-what-it-signed",   test_opens_what_it_signed  },
        {"has-the-published-form", test_has_the_published_form},
        {"refuses-what-is-none",   test_refuses_what_is_none  },
        {"reads-over-extensions",  test_reads_over_extensions },
        {"refuses-a-changed-one",  test_refuses_a_changed_one },
    };
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    g_assert_true(crypto_start(&error));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/checkpoint/", rows[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, rows[i].test, tear_down);
    }
    return g_test_run();
}
