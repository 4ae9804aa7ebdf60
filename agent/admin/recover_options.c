#include "agent/admin/recover_options.h"

#include "agent/admin/time_text.h"

#include <string.h>
#include <unistd.h>

/* As they come from the command line. */
typedef struct {
    bool is_export;
    char **identities;
    char *purpose;
    char *reason;
    char *recipient;
    char *token;
    char *org;
    char *output;
    char *amendments;
    char *tracks;
    char *from;
    char *to;
    char *container;
    char *layout;
    gboolean may_overwrite;
    gboolean is_partial;
    gboolean even_apart;
    gboolean is_untold;
    gboolean is_transcript;
} Raw;

static bool
fail(const char *format, const char *word)
{
    g_autofree char *message = g_strdup_printf("%s%s%s", word != NULL ? "`" : "",
                                               word != NULL ? word : "", word != NULL ? "` " : "");

    g_printerr("%s: %s%s\nTry `%s --help`.\n", g_get_prgname(), message, format, g_get_prgname());
    return false;
}

static bool
read_times(RecoverOptions *self, const Raw *raw)
{
    static const char form[] = "is no time: give seconds, or [HH:]MM:SS[.mmm]";

    self->from_us = 0;
    self->until_us = INT64_MAX;
    if (raw->from != NULL && !time_text_parse(raw->from, &self->from_us))
        return fail(form, raw->from);
    if (raw->to != NULL && !time_text_parse(raw->to, &self->until_us))
        return fail(form, raw->to);
    if (self->until_us <= self->from_us)
        return fail("is not after --from", raw->to != NULL ? raw->to : raw->from);
    return true;
}

static bool
has_suffix(const char *path, const char *suffix)
{
    size_t n_path = strlen(path), n_suffix = strlen(suffix);

    return n_path > n_suffix && g_ascii_strcasecmp(path + n_path - n_suffix, suffix) == 0;
}

static bool
read_container(RecoverOptions *self, const Raw *raw)
{
    if (raw->container == NULL) {
        self->container = has_suffix(self->output, ".mp4") || has_suffix(self->output, ".m4v")
                              ? EXPORTER_MP4
                              : EXPORTER_MATROSKA;
    } else if (strcmp(raw->container, "mkv") == 0) {
        self->container = EXPORTER_MATROSKA;
    } else if (strcmp(raw->container, "mp4") == 0) {
        self->container = EXPORTER_MP4;
    } else {
        return fail("is no container: mkv or mp4", raw->container);
    }
    if (self->container == EXPORTER_MP4 && strcmp(self->output, "-") == 0)
        return fail("MP4 needs a file to write to, not standard output", NULL);
    return true;
}

static bool
read_layout(RecoverOptions *self, const Raw *raw)
{
    self->has_layout = raw->layout != NULL;
    if (!self->has_layout)
        return true;
    if (!layout_kind_parse(raw->layout, &self->layout))
        return fail("is no layout: grid, speaker or tracks", raw->layout);
    if (raw->container != NULL && self->container != EXPORTER_MP4)
        return fail("does not go with --layout, which always gives MP4", raw->container);
    if (strcmp(self->output, "-") == 0) {
        return fail("--layout gives MP4, which needs a file to write to, not standard output",
                    NULL);
    }
    if (raw->container == NULL && has_suffix(self->output, ".mkv"))
        return fail("is no name for what --layout gives: that is MP4 (.mp4)", self->output);
    return true;
}

static bool
read_tracks(RecoverOptions *self, const Raw *raw)
{
    if (raw->tracks == NULL)
        return true;
    self->tracks = g_strsplit(raw->tracks, ",", -1);
    for (char **track = self->tracks; *track != NULL; track++) {
        if (**track == '\0')
            return fail("names an empty track", raw->tracks);
    }
    return self->tracks[0] != NULL || fail("--tracks names none", NULL);
}

static bool
read_all(RecoverOptions *self, Raw *raw)
{
    self->identity_paths = g_steal_pointer(&raw->identities);
    self->purpose = g_steal_pointer(&raw->purpose);
    self->reason = g_steal_pointer(&raw->reason);
    self->recipient = g_steal_pointer(&raw->recipient);
    self->token_path = g_steal_pointer(&raw->token);
    self->org = g_steal_pointer(&raw->org);
    self->output = g_steal_pointer(&raw->output);
    self->amendments = g_steal_pointer(&raw->amendments);
    self->may_overwrite = raw->may_overwrite;
    self->is_partial = raw->is_partial;
    self->even_apart = raw->even_apart;
    self->is_untold = raw->is_untold;
    self->is_transcript = raw->is_transcript;
    if (!raw->is_export && self->identity_paths == NULL)
        return fail("--identity FILE is missing", NULL);
    if (raw->is_export && self->purpose == NULL)
        return fail("--purpose CODE is missing: TREAT, PATRQT, HOPERAT, ...", NULL);
    if (self->output == NULL)
        return fail("--output FILE is missing", NULL);
    if (self->is_transcript &&
        (raw->container != NULL || raw->layout != NULL || raw->from != NULL || raw->to != NULL))
        return fail("--transcript goes with none of --container, --layout, --from and --to", NULL);
    if (self->is_transcript)
        return read_tracks(self, raw);
    if (strcmp(self->output, "-") == 0 && isatty(STDOUT_FILENO) == 1)
        return fail("media is not for a terminal: name a file, or send it into a pipe", NULL);
    return read_times(self, raw) && read_container(self, raw) && read_layout(self, raw) &&
           read_tracks(self, raw);
}

static bool
parse(CommandContext *context, Raw *raw, int *argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"identity",      'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->identities,
         "age identity file of a recipient; may be given again",                                                               "FILE"},
        {"output",        'o', 0, G_OPTION_ARG_FILENAME,       &raw->output,        "Where to; - for standard output",
         "FILE"                                                                                                                      },
        {"tracks",        0,   0, G_OPTION_ARG_STRING,         &raw->tracks,        "Only these",                              "A,B" },
        {"from",          0,   0, G_OPTION_ARG_STRING,         &raw->from,          "Start here: seconds or [HH:]MM:SS[.mmm]",
         "TIME"                                                                                                                      },
        {"to",            0,   0, G_OPTION_ARG_STRING,         &raw->to,            "End here",                                "TIME"},
        {"container",     0,   0, G_OPTION_ARG_STRING,         &raw->container,
         "mkv or mp4 (default: by the suffix, else mkv)",                                                                      "KIND"},
        {"layout",        0,   0, G_OPTION_ARG_STRING,         &raw->layout,
         "One MP4 (H.264, AAC) that plays everywhere: grid, speaker or tracks",                                                "KIND"},
        {"overwrite",     0,   0, G_OPTION_ARG_NONE,           &raw->may_overwrite,
         "Replace the output file if it is there",                                                                             NULL  },
        {"partial",       0,   0, G_OPTION_ARG_NONE,           &raw->is_partial,
         "Leave damaged segments out and go on",                                                                               NULL  },
        {"even-apart",    0,   0, G_OPTION_ARG_NONE,           &raw->even_apart,
         "Open it although it is in quarantine, restricted or to be erased",                                                   NULL  },
        {"without-audit", 0,   0, G_OPTION_ARG_NONE,           &raw->is_untold,
         "Open it although this host's audit log can not be told",                                                             NULL  },
        {"transcript",    0,   0, G_OPTION_ARG_NONE,           &raw->is_transcript,
         "The newest transcript, as WebVTT, in place of the media",                                                            NULL  },
        {"amendments",    0,   0, G_OPTION_ARG_FILENAME,       &raw->amendments,
         "Write the statements that amend it to this file too, one JSON object a line",                                        "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "recover",
        "SESSION --identity FILE --output FILE",
        "Opens a recording with an identity file, without any running service, and puts its "
        "tracks\n"
        "into one file that plays, without transcoding, or with --layout into one MP4 that\n"
        "plays everywhere, participants side by side, gaps as cards that say why. The output is "
        "not encrypted.",
        entries,
        1,
        1,
    };

    return command_context_parse(context, &syntax, argc, argv);
}

static bool
parse_export(CommandContext *context, Raw *raw, int *argc, char **argv)
{
    const GOptionEntry entries[] = {
        {"purpose",    'p', 0, G_OPTION_ARG_STRING,   &raw->purpose,
         "Purpose of use: TREAT, PATRQT, HOPERAT, BTG, ...",                                                           "CODE"},
        {"output",     'o', 0, G_OPTION_ARG_FILENAME, &raw->output,        "Where to; - for standard output",
         "FILE"                                                                                                              },
        {"reason",     0,   0, G_OPTION_ARG_STRING,   &raw->reason,        "Why, where that is asked",                 "TEXT"},
        {"recipient",  0,   0, G_OPTION_ARG_STRING,   &raw->recipient,
         "Whom it is disclosed to: an id of yours",                                                                    "ID"  },
        {"token-file", 0,   0, G_OPTION_ARG_FILENAME, &raw->token,
         "Access token; - for standard input (default: you, as a local operator)",                                     "FILE"},
        {"org",        0,   0, G_OPTION_ARG_STRING,   &raw->org,           "Organisation, for an operator of several",
         "ID"                                                                                                                },
        {"tracks",     0,   0, G_OPTION_ARG_STRING,   &raw->tracks,        "Only these",                               "A,B" },
        {"from",       0,   0, G_OPTION_ARG_STRING,   &raw->from,          "Start here: seconds or [HH:]MM:SS[.mmm]",
         "TIME"                                                                                                              },
        {"to",         0,   0, G_OPTION_ARG_STRING,   &raw->to,            "End here",                                 "TIME"},
        {"format",     0,   0, G_OPTION_ARG_STRING,   &raw->container,
         "mkv or mp4 (default: by the suffix, else mkv)",                                                              "KIND"},
        {"layout",     0,   0, G_OPTION_ARG_STRING,   &raw->layout,
         "One MP4 (H.264, AAC) that plays everywhere: grid, speaker or tracks",                                        "KIND"},
        {"overwrite",  0,   0, G_OPTION_ARG_NONE,     &raw->may_overwrite,
         "Replace the output file if it is there",                                                                     NULL  },
        {"amendments", 0,   0, G_OPTION_ARG_FILENAME, &raw->amendments,
         "Write the statements that amend it to this file too, one JSON object a line",                                "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "export",
        "SESSION --purpose CODE --output FILE",
        "Asks the opener (sealtape-accessd) for a recording and puts its tracks into one file "
        "that\n"
        "plays. The opener decides, and leaves a record first. The output is not encrypted.",
        entries,
        1,
        1,
    };

    return command_context_parse(context, &syntax, argc, argv);
}

static RecoverOptions *
parse_any(CommandContext *context, bool is_export, int argc, char **argv)
{
    g_autoptr(RecoverOptions) self = g_new0(RecoverOptions, 1);
    Raw raw = {.is_export = is_export};
    bool is_good = (is_export ? parse_export(context, &raw, &argc, argv)
                              : parse(context, &raw, &argc, argv)) &&
                   read_all(self, &raw);

    if (is_good)
        self->session = g_strdup(argv[1]);
    g_strfreev(raw.identities);
    g_free(raw.purpose);
    g_free(raw.reason);
    g_free(raw.recipient);
    g_free(raw.token);
    g_free(raw.org);
    g_free(raw.output);
    g_free(raw.amendments);
    g_free(raw.tracks);
    g_free(raw.from);
    g_free(raw.to);
    g_free(raw.container);
    g_free(raw.layout);
    return is_good ? g_steal_pointer(&self) : NULL;
}

RecoverOptions *
recover_options_parse(CommandContext *context, int argc, char **argv)
{
    return parse_any(context, false, argc, argv);
}

RecoverOptions *
recover_options_parse_export(CommandContext *context, int argc, char **argv)
{
    return parse_any(context, true, argc, argv);
}

bool
recover_options_wants(const RecoverOptions *self, const char *track)
{
    return self->tracks == NULL || g_strv_contains((const char *const *) self->tracks, track);
}

void
recover_options_free(RecoverOptions *self)
{
    if (self == NULL)
        return;
    g_free(self->session);
    g_strfreev(self->identity_paths);
    g_free(self->purpose);
    g_free(self->reason);
    g_free(self->recipient);
    g_free(self->token_path);
    g_free(self->org);
    g_free(self->output);
    g_free(self->amendments);
    g_strfreev(self->tracks);
    g_free(self);
}
