#include "crypto/crypto_error.h"
#include "crypto/key_ring_read.h"
#include "crypto/signed_note.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

#define ONE  "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define TWO  "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e"
#define TIME "2026-11-29T07:00:00Z"

static NoteSigner *signer;
static GPtrArray *verifiers;

static NoteSigner *
new_signer(const char *name)
{
    g_autoptr(GError) error = NULL;
    NoteSigner *made = note_signer_generate(name, &error);

    g_assert_no_error(error);
    return made;
}

static KeyRing *
ring_of_two(void)
{
    KeyRing *ring = key_ring_new("clinic-a");

    ring->made = g_strdup(TIME);
    ring->by = g_strdup("anna");
    (void) key_ring_add(ring, ONE, KEY_RING_ORGANISATION, TIME);
    (void) key_ring_add(ring, TWO, KEY_RING_BREAK_GLASS, TIME);
    return ring;
}

static GBytes *
sign(const NoteSigner *with, const KeyRing *ring)
{
    g_autofree char *text = key_ring_to_text(ring);
    char *note = note_sign(with, text);

    return g_bytes_new_take(note, strlen(note));
}

static KeyRing *
next_of(const KeyRing *ring, GBytes *note)
{
    const Digest digest = digest_of_bytes(note);
    KeyRing *next = key_ring_next(ring, &digest);

    next->made = g_strdup(TIME);
    next->by = g_strdup("anna");
    return next;
}

static KeyRing *
open_notes(GBytes *first, GBytes *second, GError **error)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new();

    g_ptr_array_add(notes, first);
    if (second != NULL)
        g_ptr_array_add(notes, second);
    return key_ring_open(notes, "clinic-a", verifiers, error);
}

static void
test_reads_what_it_writes(void)
{
    static const char expected[] = "sealtape-keyring/v1\n"
                                   "org clinic-a\n"
                                   "version 1\n"
                                   "prev -\n"
                                   "made " TIME "\n"
                                   "by anna\n"
                                   "key " ONE " organisation active listed " TIME " " TIME " -\n"
                                   "key " TWO " break-glass active listed " TIME " " TIME " -\n";
    g_autoptr(KeyRing) ring = ring_of_two();
    g_autofree char *text = key_ring_to_text(ring);
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) again = key_ring_parse(text, &error);
    g_autofree char *same = NULL;

    g_assert_cmpstr(text, ==, expected);
    g_assert_no_error(error);
    same = key_ring_to_text(again);
    g_assert_cmpstr(same, ==, text);
}

static void
test_names_only_active_keys(void)
{
    g_autoptr(KeyRing) ring = ring_of_two();
    g_autoptr(GPtrArray) active = NULL;

    key_ring_find(ring, ONE)->state = KEY_RING_OPEN_ONLY;
    active = key_ring_active(ring);

    g_assert_cmpuint(active->len, ==, 1);
    g_assert_cmpstr(active->pdata[0], ==, TWO);
}

static void
test_refuses_what_is_not_a_ring(void)
{
    static const struct {
        const char *what, *with, *message;
    } rows[] = {
        {"/v1",                "/v2",                 "line 1 of"        },
        {"org clinic-a",       "org Clinic",          "line 2 of"        },
        {"version 1",          "version 01",          "line 3 of"        },
        {"version 1",          "version 2",           "line 4 of"        },
        {"made " TIME,         "made yesterday",      "line 5 of"        },
        {"by anna",            "by anna smith",       "line 6 of"        },
        {"organisation",       "organization",        "line 7 of"        },
        {"break-glass active", "break-glass asleep",  "line 8 of"        },
        {"break-glass active", "break-glass retired", "has 1 active key,"},
        {TWO,                  ONE,                   "line 8 of"        },
        {TIME " -\n",          TIME " -",             "does not end"     },
    };
    g_autoptr(KeyRing) ring = ring_of_two();
    g_autofree char *text = key_ring_to_text(ring);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *place = g_strrstr(text, rows[i].what);
        g_autofree char *before = g_strndup(text, place - text);
        g_autofree char *changed =
            g_strconcat(before, rows[i].with, place + strlen(rows[i].what), NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(KeyRing) parsed = key_ring_parse(changed, &error);

        g_test_message("%s -> %s", rows[i].what, rows[i].with);
        g_assert_null(parsed);
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_nonnull(strstr(error->message, rows[i].message));
    }
}

static void
test_takes_the_next_version_only(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) first = ring_of_two();
    g_autoptr(GBytes) first_note = sign(signer, first);
    g_autoptr(KeyRing) second = next_of(first, first_note);
    g_autoptr(GBytes) second_note = sign(signer, second);
    g_autoptr(KeyRing) opened = open_notes(first_note, second_note, &error);
    g_autoptr(KeyRing) alone = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(opened->version, ==, 2);
    alone = open_notes(second_note, NULL, &error);
    g_assert_null(alone);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
}

static void
test_refuses_a_version_that_forgets(void)
{
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(KeyRing) first = ring_of_two();
    g_autoptr(GBytes) first_note = NULL;

    key_ring_add(first, age_recipient_text(recipients->pdata[0]), KEY_RING_ORGANISATION, TIME)
        ->state = KEY_RING_RETIRED;
    first_note = sign(signer, first);
    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KeyRing) second = next_of(first, first_note);
        g_autoptr(GBytes) second_note = NULL;
        g_autoptr(KeyRing) opened = NULL;

        if (i == 0)
            g_ptr_array_set_size(second->keys, 2); /* a key is gone */
        else if (i == 1)
            ((KeyRingKey *) second->keys->pdata[2])->state = KEY_RING_ACTIVE; /* back again */
        else
            second->previous.bytes[0] ^= 1;
        second_note = sign(signer, second);
        opened = open_notes(first_note, second_note, &error);
        g_assert_null(opened);
        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
        g_assert_true(g_str_has_prefix(error->message, "version 2: "));
    }
}

static void
test_refuses_a_stranger(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) stranger = new_signer("stranger");
    g_autoptr(KeyRing) ring = ring_of_two();
    g_autoptr(GBytes) note = sign(stranger, ring);
    g_autoptr(KeyRing) opened = open_notes(note, NULL, &error);

    g_assert_null(opened);
    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_NO_MATCH);
}

static void
test_refuses_each_changed_byte(void)
{
    g_autoptr(KeyRing) ring = ring_of_two();
    g_autoptr(GBytes) note = sign(signer, ring);
    gsize n_bytes = 0;
    const uint8_t *bytes = g_bytes_get_data(note, &n_bytes);

    for (gsize i = 0; i < n_bytes; i++) {
        g_autofree uint8_t *changed = g_memdup2(bytes, n_bytes);
        g_autoptr(GBytes) other = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(KeyRing) opened = NULL;

        changed[i] ^= 1;
        other = g_bytes_new(changed, n_bytes);
        opened = open_notes(other, NULL, &error);
        g_assert_null(opened);
        g_assert_nonnull(error);
    }
}

static void
test_keeps_who_was_revoked(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(KeyRing) ring = ring_of_two();
    KeyRingSigner *row = g_new0(KeyRingSigner, 1);
    g_autofree char *text = NULL;
    g_autoptr(KeyRing) again = NULL;
    const KeyRingSigner *read = NULL;

    row->verifier_key = note_signer_verifier_key(signer);
    row->enrolled = g_strdup(TIME);
    row->revoked = g_strdup(TIME);
    row->n_records = 4711;
    g_ptr_array_add(ring->signers, row);
    text = key_ring_to_text(ring);
    again = key_ring_parse(text, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(again->signers->len, ==, 1);
    read = again->signers->pdata[0];
    g_assert_cmpstr(read->revoked, ==, TIME);
    g_assert_cmpuint(read->n_records, ==, 4711);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *verifier_key = NULL;

    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    signer = new_signer("admin.host");
    verifier_key = note_signer_verifier_key(signer);
    verifiers = g_ptr_array_new();
    g_ptr_array_add(verifiers, note_verifier_parse(verifier_key, &error));
    g_assert_no_error(error);
#define ADD(name, test) g_test_add_func("/key-ring/" name, test)
    ADD("reads-what-it-writes", test_reads_what_it_writes);
    ADD("names-only-active-keys", test_names_only_active_keys);
    ADD("refuses-what-is-not-a-ring", test_refuses_what_is_not_a_ring);
    ADD("takes-the-next-version-only", test_takes_the_next_version_only);
    ADD("refuses-a-version-that-forgets", test_refuses_a_version_that_forgets);
    ADD("refuses-a-stranger", test_refuses_a_stranger);
    ADD("refuses-each-changed-byte", test_refuses_each_changed_byte);
    ADD("keeps-who-was-revoked", test_keeps_who_was_revoked);
    return g_test_run();
}
