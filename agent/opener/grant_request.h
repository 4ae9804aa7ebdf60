#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What somebody asks to have opened: the body of `POST /v1/grants`, read and checked. */
typedef struct {
    char *session;
    char *org; /* NULL: the caller's only one */
    char *purpose;
    unsigned role; /* 1 << AccessRole: the only one to be decided by; 0: any the person has */
    char **tracks; /* NULL: all that may be had */
    int64_t from_us, until_us;
    char *reason;    /* NULL: none given */
    char *recipient; /* whom it is disclosed to: an id of the organisation's; NULL: nobody but who
                        asks */
} GrantRequest;

/* Returns: NULL with `fault` set to one sentence, owned, that names the member. */
GrantRequest *grant_request_parse(const json_t *body, char **fault) G_GNUC_WARN_UNUSED_RESULT;

GrantRequest *grant_request_copy(const GrantRequest *self);

/* Reads ids that commas separate. Returns: owned; NULL for an empty or impossible id. */
char **grant_request_split_tracks(const char *text);

/* Reads a time on a session's timeline. Returns: false for anything but 0 to INT64_MAX. */
bool grant_request_read_time(const char *text, int64_t *time_us);

void grant_request_free(GrantRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GrantRequest, grant_request_free)
