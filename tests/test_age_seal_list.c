#include "crypto/age_file.h"
#include "crypto/age_seal_list.h"
#include "crypto/age_wrap.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

static GBytes *
seal(const AgeContext *context)
{
    g_autoptr(GBytes) plain = g_bytes_new_static("keys", 4);

    return age_fixture_seal(plain, context);
}

static char **
claimed(GBytes *sealed)
{
    g_autoptr(GError) error = NULL;
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(sealed, &n_bytes);
    char **marks = age_seal_list_claimed(bytes, n_bytes, &error);

    g_assert_no_error(error);
    return marks;
}

static void
test_names_whom_an_envelope_is_for(void)
{
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 1);
    g_autoptr(GBytes) sealed = seal(context);
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autofree char *mark = age_seal_list_mark(age_recipient_text(recipients->pdata[0]));
    g_auto(GStrv) marks = claimed(sealed);

    g_assert_cmpuint(strlen(mark), ==, 16);
    g_assert_cmpuint(g_strv_length(marks), ==, 1);
    g_assert_cmpstr(marks[0], ==, mark);
}

static void
test_does_not_stand_in_segments(void)
{
    g_autoptr(AgeContext) context = age_context_new_segment("clinic-a", "visit", "p1-audio", 0, 0);
    g_autoptr(GBytes) segment = seal(context);
    g_autoptr(GBytes) other = seal(NULL);
    g_auto(GStrv) marks = claimed(segment);
    g_auto(GStrv) no_marks = claimed(other);

    g_assert_cmpuint(g_strv_length(marks), ==, 0);
    g_assert_cmpuint(g_strv_length(no_marks), ==, 0);
}

/* Files from before there were lists, and what no writer writes. Each has a right MAC. */
static void
test_has_one_place(void)
{
    static const struct {
        const char *stanzas[3];
        bool is_good;
    } rows[] = {
        {{"sealtape-envelope clinic-a visit 1"},                             true },
        {{"sealtape-envelope clinic-a visit 1", "sealtape-recipients 0123"}, true },
        {{"sealtape-recipients 0123", "sealtape-envelope clinic-a visit 1"}, false},
        {{"sealtape-envelope clinic-a visit 1", "sealtape-recipients 0123",
          "sealtape-recipients 4567"},
         false                                                                    },
        {{"sealtape-recipients 0123"},                                       false},
    };
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(AgeContext) context = age_context_new_envelope("clinic-a", "visit", 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) file_key = secret_new_random(AGE_FILE_KEY_BYTES, &error);
        g_autoptr(GPtrArray) stanzas =
            g_ptr_array_new_with_free_func((GDestroyNotify) age_stanza_free);
        g_autoptr(GBytes) plain = g_bytes_new_static("keys", 4);
        g_autoptr(GBytes) sealed = NULL;
        g_autoptr(GByteArray) opened = NULL;

        for (unsigned j = 0; j < 3 && rows[i].stanzas[j] != NULL; j++)
            g_ptr_array_add(stanzas,
                            age_stanza_new(g_strsplit(rows[i].stanzas[j], " ", -1), NULL, 0));
        g_ptr_array_add(stanzas, age_wrap(recipients->pdata[0], file_key, &error));
        sealed = age_fixture_seal_stanzas(stanzas, file_key, plain);
        opened = age_file_open(identities, context, g_bytes_get_data(sealed, NULL),
                               g_bytes_get_size(sealed), &error);
        g_test_message("row %u", i);
        if (rows[i].is_good) {
            g_assert_no_error(error);
        } else {
            g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_CONTEXT);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age-seal-list/names-whom-an-envelope-is-for",
                    test_names_whom_an_envelope_is_for);
    g_test_add_func("/age-seal-list/does-not-stand-in-segments", test_does_not_stand_in_segments);
    g_test_add_func("/age-seal-list/has-one-place", test_has_one_place);
    return g_test_run();
}
