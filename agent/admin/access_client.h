#pragma once

#include "agent/admin/command_context.h"
#include "agent/media/exporter.h"
#include "agent/playback/layout_plan.h"
#include "crypto/secret.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What the commands ask of the opener, sealtape-accessd: a grant, and under it the opened segments.
 * The grant is given back at the end. */
typedef struct AccessClient AccessClient;

typedef struct {
    const char *session, *purpose;
    const char *role; /* the only one to be asked as; NULL: any of the person's */
    const char *org;  /* NULL: the person's only one; as all that follows: not said */
    const char *reason;
    const char *recipient;
    char **tracks;
    int64_t from_us, until_us;
    const Secret *token; /* borrowed; NULL: who runs this program is who asks */
} AccessClientOptions;

/* Reads a token from the file at `path`, `-` for standard input. Errors: any. */
Secret *access_client_read_token(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One request; `body`: borrowed, NULL for none. Returns: the answer, owned. Errors: what the opener
 * says of it, in one sentence, for anything but a success; nobody serves. */
json_t *access_client_request(CommandContext *context, const char *request, const json_t *body,
                              const Secret *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks for a grant. Errors: as above. */
AccessClient *access_client_open(CommandContext *context, const AccessClientOptions *options,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: GArray of ExporterInput, borrowed: one for each part of each track, in order. */
const GArray *access_client_inputs(const AccessClient *self);

/* Returns: GArray of LayoutTrack, borrowed; where the last of them ends. */
const GArray *access_client_tracks(const AccessClient *self);
int64_t access_client_end_us(const AccessClient *self);

/* Returns: what goes with each copy of what 42 CFR part 2 protects, as the opener tells of it,
 * borrowed; NULL: it does not. */
const json_t *access_client_part2(const AccessClient *self);

/* How many statements amend it. */
int64_t access_client_amendments(const AccessClient *self);

/* Returns: them, as the opener tells them: one JSON object a line; to be wiped with
 * age_file_wipe(). */
GByteArray *access_client_read_amendments(const AccessClient *self,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives the grant back. NULL is allowed. */
void access_client_free(AccessClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AccessClient, access_client_free)
