#include "crypto/age_reader.h"
#include "crypto/age_stream.h"
#include "crypto/age_writer.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/age_fixture.h"

#include <gio/gio.h>
#include <string.h>

#define CHUNK  AGE_STREAM_CHUNK_BYTES
#define SEALED AGE_STREAM_SEALED_BYTES
#define PLAIN  (3 * CHUNK + 1000) /* three full chunks and a short one */

/* Where the payload's chunks begin in `sealed`, of `n_plain` bytes in `n_chunks` chunks. */
static size_t
payload_start(GBytes *sealed, size_t n_plain, size_t n_chunks)
{
    return g_bytes_get_size(sealed) - n_plain - n_chunks * AGE_STREAM_TAG_BYTES;
}

static void
test_gives_the_same_however_the_bytes_arrive(void)
{
    static const size_t steps[] = {0, 1, 7, 4096, 65537};
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) released = NULL;

        g_assert_true(age_fixture_read(sealed, steps[i], &released, &error));

        g_assert_no_error(error);
        g_assert_cmpmem(released->data, released->len, g_bytes_get_data(plain, NULL), PLAIN);
    }
}

static void
test_writes_the_same_however_the_bytes_arrive(void)
{
    static const size_t steps[] = {1, 1000, 65535, 65536, 65537, 131072, PLAIN};
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    const uint8_t *bytes = g_bytes_get_data(plain, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AgeTape) tape = age_tape_new(NULL, 0);
        g_autoptr(AgeWriter) writer =
            age_writer_new(recipients, NULL, age_tape_write, tape, &error);
        g_autoptr(GByteArray) released = NULL;
        for (size_t done = 0; done < PLAIN; done += steps[i])
            g_assert_true(
                age_writer_write(writer, bytes + done, MIN(steps[i], PLAIN - done), &error));
        g_assert_true(age_writer_finish(writer, &error));

        g_autoptr(GBytes) sealed = g_bytes_new(tape->bytes->data, tape->bytes->len);
        g_assert_true(age_fixture_read(sealed, 0, &released, &error));

        g_assert_no_error(error);
        g_assert_cmpmem(released->data, released->len, bytes, PLAIN);
    }
}

/* What an attacker does to the chunks of a file: a list of those to put, by their old numbers. */
static void
test_releases_nothing_beyond_the_first_wrong_chunk(void)
{
    static const struct {
        const char *name;
        const char *order; /* digits: chunks; `-`: the last byte of the one before is cut */
        guint n_genuine;   /* full chunks that may come out */
    } rows[] = {
        {"first two swapped", "1023",     0},
        {"last two swapped",  "0132",     2},
        {"first dropped",     "123",      0},
        {"middle dropped",    "013",      2},
        {"last dropped",      "012",      2},
        {"last two dropped",  "01",       1},
        {"all but the first", "0",        0},
        {"all dropped",       "",         0},
        {"first repeated",    "00123",    1},
        {"third repeated",    "01223",    3},
        {"last repeated",     "01233",    3},
        {"last first",        "3012",     0},
        {"all repeated",      "01230123", 3},
        {"last cut",          "0123-",    3},
        {"middle cut",        "01-23",    1},
    };
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);
    const size_t start = payload_start(sealed, PLAIN, 4);
    const uint8_t *bytes = g_bytes_get_data(sealed, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) released = NULL;
        GByteArray *changed = g_byte_array_new();
        g_test_message("%s", rows[i].name);
        g_byte_array_append(changed, bytes, (guint) start);
        for (const char *c = rows[i].order; *c != '\0'; c++) {
            const size_t number = (size_t) (*c - '0');
            if (*c == '-')
                g_byte_array_set_size(changed, changed->len - 1);
            else
                g_byte_array_append(changed, bytes + start + number * SEALED,
                                    number == 3 ? 1000 + AGE_STREAM_TAG_BYTES : SEALED);
        }
        g_autoptr(GBytes) file = g_byte_array_free_to_bytes(changed);

        g_assert_false(age_fixture_read(file, 0, &released, &error));

        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
        g_assert_true(age_fixture_is_prefix(released, plain));
        g_assert_cmpuint(released->len, ==, rows[i].n_genuine * CHUNK);
    }
}

static void
test_every_cut_around_a_chunks_end_is_noticed(void)
{
    g_autoptr(GBytes) plain = age_fixture_pattern(2 * CHUNK);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);
    const size_t start = payload_start(sealed, 2 * CHUNK, 2);

    for (size_t n_bytes = start + SEALED - 40; n_bytes < start + SEALED + 40; n_bytes++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) released = NULL;
        g_autoptr(GBytes) file = g_bytes_new_from_bytes(sealed, 0, n_bytes);

        g_assert_false(age_fixture_read(file, 0, &released, &error));

        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
        g_assert_true(released->len == 0 || released->len == CHUNK);
        g_assert_true(age_fixture_is_prefix(released, plain));
    }
}

static void
test_flipped_byte_in_a_later_chunk_keeps_it_back(void)
{
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);
    const size_t start = payload_start(sealed, PLAIN, 4);

    for (size_t chunk = 0; chunk < 4; chunk++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) released = NULL;
        gsize n_sealed = g_bytes_get_size(sealed);
        uint8_t *changed = g_memdup2(g_bytes_get_data(sealed, NULL), n_sealed);
        changed[start + chunk * SEALED + 500] ^= 0x80;
        g_autoptr(GBytes) file = g_bytes_new_take(changed, n_sealed);

        g_assert_false(age_fixture_read(file, 0, &released, &error));

        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
        g_assert_cmpuint(released->len, ==, chunk * CHUNK);
        g_assert_true(age_fixture_is_prefix(released, plain));
    }
}

/* A file whose last chunk is empty, sealed by someone who has the key, is still not well-formed. */
static void
test_refuses_an_empty_last_chunk(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) released = NULL;
    g_autoptr(GBytes) file = age_fixture_seal_with_empty_last_chunk();

    g_assert_false(age_fixture_read(file, 0, &released, &error));

    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_AUTHENTICATION);
    g_assert_cmpuint(released->len, ==, CHUNK); /* that chunk was genuine */
}

static void
test_hands_through_what_source_and_sink_say(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recipients = age_fixture_recipients();
    g_autoptr(GPtrArray) identities = age_fixture_identities();
    g_autoptr(GBytes) plain = age_fixture_pattern(PLAIN);
    g_autoptr(GBytes) sealed = age_fixture_seal(plain, NULL);
    g_autoptr(AgeTape) tape = age_tape_new(sealed, 0);
    const uint8_t *chunk = NULL;
    size_t n_chunk = 0;

    tape->is_broken = true;
    g_assert_null(age_writer_new(recipients, NULL, age_tape_write, tape, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(age_reader_new(identities, NULL, age_tape_read, tape, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
    g_clear_error(&error);

    tape->is_broken = false;
    g_autoptr(AgeReader) reader = age_reader_new(identities, NULL, age_tape_read, tape, &error);
    g_assert_no_error(error);
    tape->is_broken = true;
    g_assert_false(age_reader_next(reader, &chunk, &n_chunk, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
test_endless_header_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) released = NULL;
    GString *text = g_string_new("age-encryption.org/v1\n");
    while (text->len < 3 * 1024 * 1024)
        g_string_append(text, "-> stanza without end\n\n");
    const gsize n_bytes = text->len;
    g_autoptr(GBytes) file = g_bytes_new_take(g_string_free(text, FALSE), n_bytes);

    g_assert_false(age_fixture_read(file, 0, &released, &error));

    g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
}

static void
test_what_is_no_age_file_is_refused_at_once(void)
{
    static const char *const rows[] = {"",
                                       "a",
                                       "hello, world",
                                       "age-encryption.org/v2\n",
                                       "\nage-encryption.org/v1\n",
                                       "age-encryption.org/v1\n"};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GByteArray) released = NULL;
        g_autoptr(GBytes) file = g_bytes_new_static(rows[i], strlen(rows[i]));

        g_assert_false(age_fixture_read(file, 1, &released, &error));

        g_assert_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED);
        g_assert_cmpuint(released->len, ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    age_fixture_start();
    g_test_add_func("/age_reader/gives-the-same-however-the-bytes-arrive",
                    test_gives_the_same_however_the_bytes_arrive);
    g_test_add_func("/age_writer/writes-the-same-however-the-bytes-arrive",
                    test_writes_the_same_however_the_bytes_arrive);
    g_test_add_func("/age_reader/releases-nothing-beyond-the-first-wrong-chunk",
                    test_releases_nothing_beyond_the_first_wrong_chunk);
    g_test_add_func("/age_reader/every-cut-around-a-chunks-end-is-noticed",
                    test_every_cut_around_a_chunks_end_is_noticed);
    g_test_add_func("/age_reader/flipped-byte-in-a-later-chunk-keeps-it-back",
                    test_flipped_byte_in_a_later_chunk_keeps_it_back);
    g_test_add_func("/age_reader/refuses-an-empty-last-chunk", test_refuses_an_empty_last_chunk);
    g_test_add_func("/age_reader/hands-through-what-source-and-sink-say",
                    test_hands_through_what_source_and_sink_say);
    g_test_add_func("/age_reader/endless-header-is-refused", test_endless_header_is_refused);
    g_test_add_func("/age_reader/what-is-no-age-file-is-refused-at-once",
                    test_what_is_no_age_file_is_refused_at_once);
    return g_test_run();
}
