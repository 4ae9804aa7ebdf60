#include "agent/admin/transcribe_voices.h"

#include "agent/admin/transcribe_worker.h"
#include "agent/media/exporter.h"
#include "agent/media/layout_exporter.h"
#include "agent/media/web_vtt.h"

#include <string.h>

static void
free_cue(void *data)
{
    web_vtt_cue_free(data);
}

void
transcribe_voices_init(TranscribeVoices *self, const TranscriptionSettings *settings)
{
    *self = (TranscribeVoices){settings, g_ptr_array_new_with_free_func(free_cue), 0};
}

GPtrArray *
transcribe_voices_list(const GArray *tracks)
{
    GPtrArray *voices = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < tracks->len; i++) {
        const char *participant = g_array_index(tracks, LayoutTrack, i).participant;

        if (!g_ptr_array_find_with_equal_func(voices, participant, g_str_equal, NULL))
            g_ptr_array_add(voices, g_strdup(participant));
    }
    return voices;
}

static bool
is_of(const LayoutTrack *track, const char *participant)
{
    return strcmp(track->participant, participant) == 0;
}

/* Returns: GArray of ExporterInput, of this participant's tracks alone; owned. */
static GArray *
inputs_of(const TranscribeSound *sound, const char *participant)
{
    GArray *own = g_array_new(FALSE, FALSE, sizeof(ExporterInput));

    for (guint i = 0; i < sound->inputs->len; i++) {
        const ExporterInput input = g_array_index(sound->inputs, ExporterInput, i);

        for (guint j = 0; j < sound->tracks->len; j++) {
            const LayoutTrack *track = &g_array_index(sound->tracks, LayoutTrack, j);

            if (strcmp(track->id, input.title) == 0 && is_of(track, participant))
                g_array_append_val(own, input);
        }
    }
    return own;
}

bool
transcribe_voices_hear(TranscribeVoices *self, const TranscribeSound *sound,
                       const char *participant, GError **error)
{
    g_autoptr(GArray) own = inputs_of(sound, participant);
    g_autofree char *voice = NULL;
    TranscribeWork work = {self->settings, own, sound->end_us, INT64_MAX, 0, NULL};

    if (own->len == 0)
        return true;
    for (guint i = 0; i < sound->tracks->len; i++) {
        const LayoutTrack *track = &g_array_index(sound->tracks, LayoutTrack, i);

        if (!is_of(track, participant))
            continue;
        if (voice == NULL)
            voice = g_strdup_printf("%s %s", track->caption, participant);
        work.from_us = MIN(work.from_us, track->from_us);
        work.gone_us = MAX(work.gone_us, track->until_us);
    }
    work.voice = voice;
    self->n_voices++;
    if (transcribe_worker_run(&work, self->cues, error))
        return true;
    g_prefix_error(error, "participant %s: ", participant);
    return false;
}

static int
compare_cues(gconstpointer a, gconstpointer b)
{
    const WebVttCue *x = *(const WebVttCue *const *) a;
    const WebVttCue *y = *(const WebVttCue *const *) b;

    return (x->start_us > y->start_us) - (x->start_us < y->start_us);
}

char *
transcribe_voices_write(TranscribeVoices *self)
{
    g_ptr_array_sort(self->cues, compare_cues);
    return web_vtt_write(self->cues);
}

void
transcribe_voices_clear(TranscribeVoices *self)
{
    g_clear_pointer(&self->cues, g_ptr_array_unref);
}
