#include "agent/recorder/transcript_request.h"

#include "agent/media/web_vtt.h"
#include "agent/recorder/request_members.h"
#include "agent/recorder/session.h"
#include "crypto/signed_note.h"

#include <string.h>

#define MAX_NOTES 8

static bool
fail(GError **error, const char *sentence)
{
    g_set_error_literal(error, RECORDER_ERROR, RECORDER_ERROR_INVALID, sentence);
    return false;
}

static bool
read_members(TranscriptRequest *self, const json_t *body, GError **error)
{
    static const char *const known[] = {"org", "generation", "notes", "transcript", NULL};
    const int64_t generations[] = {2, UINT32_MAX};
    g_autofree char *fault = NULL;

    if (!json_is_object(body))
        return fail(error, "the body must be an object");
    if (request_members_are_known(body, known, &fault))
        self->org = request_members_id(body, "org", &fault);
    self->generation =
        (uint32_t) request_members_number(body, "generation", generations, -1, &fault);
    return fault == NULL || fail(error, fault);
}

/* One form only, so that what is sealed holds nothing that no reader was meant to show. */
static bool
read_text(TranscriptRequest *self, const json_t *body, GError **error)
{
    const char *text = json_string_value(json_object_get(body, "transcript"));
    g_autoptr(GPtrArray) cues = NULL;
    g_autoptr(GError) cause = NULL;

    if (text == NULL)
        return fail(error, "transcript must be a text: WebVTT");
    cues = web_vtt_parse(text, strlen(text), &cause);
    if (cues == NULL) {
        g_prefix_error(&cause, "transcript: ");
        return fail(error, cause->message);
    }
    for (guint i = 0; i < cues->len; i++)
        self->end_us = MAX(self->end_us, ((const WebVttCue *) cues->pdata[i])->end_us);
    self->text = web_vtt_write(cues);
    return g_strcmp0(self->text, text) == 0 ||
           fail(error, "transcript must be WebVTT in its plainest form: cues with hours in their "
                       "times and one line of text, and nothing else");
}

static ManifestPart *
open_note(const TranscriptRequest *self, const char *note, GPtrArray *verifiers, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = note_open(note, strlen(note), verifiers, &cause);
    g_autoptr(ManifestPart) part = text != NULL ? manifest_part_parse(text, &cause) : NULL;

    if (part == NULL) {
        g_prefix_error(&cause, "notes: this is no genuine part of a manifest: ");
        (void) fail(error, cause->message);
    } else if (g_strcmp0(part->org, self->org) != 0 ||
               g_strcmp0(part->session, self->session) != 0) {
        (void) fail(error, "notes: a part is of another session's manifest");
    } else {
        return g_steal_pointer(&part);
    }
    return NULL;
}

static bool
take_note(TranscriptRequest *self, const char *note, GPtrArray *verifiers, GError **error)
{
    g_autoptr(ManifestPart) part = open_note(self, note, verifiers, error);

    if (part == NULL)
        return false;
    if (part->tracks->len > 0)
        self->anchor_unix_us = ((const ManifestTrack *) part->tracks->pdata[0])->anchor_unix_us;
    if (self->last == NULL || part->number > self->last->number) {
        manifest_part_free(self->last);
        self->last = g_steal_pointer(&part);
        self->digest = digest_of(note, strlen(note));
    }
    return true;
}

static bool
read_notes(TranscriptRequest *self, const json_t *body, GPtrArray *verifiers, GError **error)
{
    const json_t *notes = json_object_get(body, "notes");
    size_t i = 0;
    const json_t *note = NULL;

    if (!json_is_array(notes) || json_array_size(notes) < 1 || json_array_size(notes) > MAX_NOTES)
        return fail(error, "notes must be a list of one to eight signed parts of the manifest");
    json_array_foreach(notes, i, note)
    {
        if (!json_is_string(note))
            return fail(error, "notes must be texts");
        if (!take_note(self, json_string_value(note), verifiers, error))
            return false;
    }
    if (self->anchor_unix_us == 0)
        return fail(error, "notes: none of the parts names a track, so nothing says when it began");
    if (self->last->state != SESSION_OPEN)
        return true;
    g_set_error(error, RECORDER_ERROR, RECORDER_ERROR_CONFLICT,
                "session %s has not ended, as far as the parts of its manifest say", self->session);
    return false;
}

TranscriptRequest *
transcript_request_parse(const json_t *body, const char *session, GPtrArray *verifiers,
                         GError **error)
{
    g_autoptr(TranscriptRequest) self = g_new0(TranscriptRequest, 1);

    self->session = g_strdup(session);
    if (!read_members(self, body, error) || !read_text(self, body, error) ||
        !read_notes(self, body, verifiers, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
transcript_request_free(TranscriptRequest *self)
{
    if (self == NULL)
        return;
    if (self->text != NULL)
        explicit_bzero(self->text, strlen(self->text));
    g_free(self->text);
    g_free(self->org);
    g_free(self->session);
    manifest_part_free(self->last);
    g_free(self);
}
