#include "crypto/age_armor.h"
#include "tests/fakes/age_fixture.h"

#include <string.h>

/* What comes out of an armour is again the same after one more armour. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static GByteArray *
take_off(GBytes *text, size_t step)
{
    g_autoptr(AgeTape) tape = age_tape_new(text, step);
    g_autoptr(AgeArmorReader) reader = age_armor_reader_new(age_tape_read, tape);
    g_autoptr(GByteArray) inside = g_byte_array_new();
    uint8_t buffer[77];
    size_t n_read = 1;

    while (n_read > 0) {
        if (!age_armor_reader_read(reader, buffer, sizeof(buffer), &n_read, NULL))
            return NULL;
        g_byte_array_append(inside, buffer, (guint) n_read);
    }
    return g_steal_pointer(&inside);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GBytes) text = g_bytes_new(data, n_bytes);
    g_autoptr(GByteArray) inside = take_off(text, 0);
    g_autoptr(GByteArray) slowly = take_off(text, 1);
    g_autoptr(AgeTape) tape = age_tape_new(NULL, 0);
    g_autoptr(AgeArmorWriter) writer = age_armor_writer_new(age_tape_write, tape);

    g_assert_true((inside == NULL) == (slowly == NULL));
    if (inside == NULL)
        return 0;
    g_assert_true(age_armor_writer_write(writer, inside->data, inside->len, NULL));
    g_assert_true(age_armor_writer_finish(writer, NULL));
    g_autoptr(GBytes) again = g_bytes_new(tape->bytes->data, tape->bytes->len);
    g_autoptr(GByteArray) same = take_off(again, 0);
    g_assert_nonnull(same);
    g_assert_cmpmem(same->data, same->len, inside->data, inside->len);
    return 0;
}
