#include "storage/reseal_note.h"

#include <string.h>

/* What is accepted is written again byte for byte. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree char *text = g_strndup((const char *) data, n_bytes);
    g_autoptr(ResealNote) note = reseal_note_parse(text, NULL);
    g_autofree char *again = note == NULL ? NULL : reseal_note_to_text(note);

    if (note != NULL)
        g_assert_cmpstr(again, ==, text);
    return 0;
}
