#include "agent/media/web_vtt.h"

#include <glib.h>
#include <string.h>

/* Whatever is read is written in one form, which reads as the same again; a fault repeats nothing
 * of what was said. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void
check_cue(const WebVttCue *cue)
{
    g_autofree char *clean = web_vtt_clean(cue->text);

    g_assert_cmpint(cue->start_us, >=, 0);
    g_assert_cmpint(cue->end_us, >, cue->start_us);
    g_assert_cmpstr(clean, ==, cue->text);
    g_assert_cmpuint(strlen(cue->text), >, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) cues = web_vtt_parse((const char *) data, n_bytes, &error);
    g_autoptr(GPtrArray) again = NULL;
    g_autofree char *once = NULL;
    g_autofree char *twice = NULL;

    if (cues == NULL) {
        g_assert_cmpuint(strlen(error->message), <, 100);
        return 0;
    }
    for (guint i = 0; i < cues->len; i++)
        check_cue(cues->pdata[i]);
    once = web_vtt_write(cues);
    again = web_vtt_parse(once, strlen(once), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(again->len, ==, cues->len);
    twice = web_vtt_write(again);
    g_assert_cmpstr(once, ==, twice);
    return 0;
}
