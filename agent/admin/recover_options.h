#pragma once

#include "agent/admin/command_context.h"
#include "agent/media/exporter.h"
#include "agent/media/layout_exporter.h"

#include <stdbool.h>
#include <stdint.h>

/* What the person asked `sealtape recover` or `sealtape export` for, read and checked. */
typedef struct {
    char *session;
    char **identity_paths; /* recover: NULL-terminated, at least one */
    char *purpose;         /* export: a code */
    char *reason;          /* export: NULL: none, as the three that follow */
    char *recipient;
    char *token_path;
    char *org;
    char *output;     /* a path, or `-` */
    char *amendments; /* where the statements go that amend it; NULL: nowhere */
    char **tracks;    /* NULL: all */
    int64_t from_us;
    int64_t until_us; /* INT64_MAX: to the end */
    ExporterContainer container;
    LayoutKind layout; /* if has_layout: decoded and put together anew, always as MP4 */
    bool has_layout;
    bool is_transcript; /* what was said, as text, and no media */
    bool may_overwrite;
    bool even_apart; /* recover: also one that is quarantined, restricted or to be erased */
    bool is_untold;  /* recover: no audit log is told of it */
    bool is_partial; /* go on past damaged segments */
} RecoverOptions;

/* Returns: NULL has said on standard error what is wrong: end with EXIT_CODE_USAGE. */
RecoverOptions *recover_options_parse(CommandContext *context, int argc,
                                      char **argv) G_GNUC_WARN_UNUSED_RESULT;

/* The same of `sealtape export`. */
RecoverOptions *recover_options_parse_export(CommandContext *context, int argc,
                                             char **argv) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the track was asked for. */
bool recover_options_wants(const RecoverOptions *self, const char *track);
void recover_options_free(RecoverOptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecoverOptions, recover_options_free)
