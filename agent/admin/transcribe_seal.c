#include "agent/admin/transcribe_seal.h"

#include "agent/service/http_client.h"
#include "storage/object_key.h"
#include "storage/object_numbers.h"

#include <gio/gio.h>
#include <string.h>

/* Returns: the note as text, owned. */
static char *
read_note(ObjectStore *store, const ManifestPart *manifest, uint32_t number, GError **error)
{
    g_autofree char *key = object_key_manifest(manifest->org, manifest->session, number);
    g_autoptr(GBytes) note = object_store_get(store, key, error);

    return note != NULL ? g_strndup(g_bytes_get_data(note, NULL), g_bytes_get_size(note)) : NULL;
}

/* The last part, and the first that names a track: with it goes the clock. */
static json_t *
read_notes(ObjectStore *store, const ManifestPart *manifest, GError **error)
{
    g_autofree char *last = read_note(store, manifest, manifest->number, error);
    g_autofree char *first = NULL;
    json_t *notes = NULL;

    for (uint32_t i = 1; last != NULL && i <= manifest->number; i++) {
        g_free(first);
        first = read_note(store, manifest, i, error);
        if (first == NULL)
            return NULL;
        if (strstr(first, "\ntrack ") != NULL)
            break;
    }
    if (last == NULL || first == NULL)
        return NULL;
    notes = json_pack("[s]", last);
    if (strcmp(first, last) != 0)
        json_array_append_new(notes, json_string(first));
    return notes;
}

/* Returns: the generation that is still free; 0 sets `error`. */
static uint32_t
next_generation(ObjectStore *store, const ManifestPart *manifest, GError **error)
{
    g_autofree char *prefix = object_key_join(manifest->org, manifest->session, "");
    g_autoptr(GPtrArray) keys = object_store_list(store, prefix, error);

    return keys != NULL ? object_numbers_newest(keys, prefix, "env", ".age") + 1 : 0;
}

static json_t *
post(CommandContext *context, const ManifestPart *manifest, const json_t *body, GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    g_autofree char *request =
        g_strdup_printf("POST /v1/sessions/%s/transcripts", manifest->session);
    unsigned status = 0;
    json_t *answer = settings != NULL
                         ? http_client_request(settings->socket_path, request, body, &status, error)
                         : NULL;
    const char *detail = json_string_value(json_object_get(answer, "detail"));

    if (answer == NULL) {
        g_prefix_error(error, "the recorder, which seals the transcript, does not answer: ");
        return NULL;
    }
    if (status == 201)
        return answer;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                "the recorder does not seal the transcript: %s (HTTP status %u)",
                detail != NULL ? detail : "it does not say why", status);
    json_decref(answer);
    return NULL;
}

json_t *
transcribe_seal(CommandContext *context, ObjectStore *store, const ManifestPart *manifest,
                const char *text, GError **error)
{
    const uint32_t generation = next_generation(store, manifest, error);
    json_t *notes = generation > 0 ? read_notes(store, manifest, error) : NULL;
    json_t *body = NULL;
    json_t *answer = NULL;

    if (notes == NULL)
        return NULL;
    body = json_pack("{s:s, s:I, s:o, s:s}", "org", manifest->org, "generation",
                     (json_int_t) generation, "notes", notes, "transcript", text);
    g_assert(body != NULL);
    answer = post(context, manifest, body, error);
    json_decref(body);
    return answer;
}
