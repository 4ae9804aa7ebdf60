#include "agent/admin/recover_options.h"

#include "agent/admin/time_text.h"

#include <stddef.h>
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

/* Which of the two commands has an option. */
enum { RECOVER = 1, EXPORT = 2, BOTH = RECOVER | EXPORT };

static const CommandSyntax recover_syntax = {
    "recover",
    "SESSION --identity FILE --output FILE",
    "Opens a recording with an identity file, without any running service, and puts its "
    "tracks\n"
    "into one file that plays, without transcoding, or with --layout into one MP4 that\n"
    "plays everywhere, participants side by side, gaps as cards that say why. The output is "
    "not encrypted.",
    NULL, /* filled in */
    1,
    1,
};

static const CommandSyntax export_syntax = {
    "export",
    "SESSION --purpose CODE --output FILE",
    "Asks the opener (sealtape-accessd) for a recording and puts its tracks into one file "
    "that\n"
    "plays. The opener decides, and leaves a record first. The output is not encrypted.",
    NULL, /* filled in */
    1,
    1,
};

/* In the order of both helps; the value goes to `offset` of Raw. */
static const struct {
    unsigned of;
    size_t offset;
    GOptionEntry entry;
} rows[] = {
    {RECOVER,
     offsetof(Raw,          identities),
     {"identity", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, NULL,
      "age identity file of a recipient; may be given again", "FILE"}                                       },
    {EXPORT,
     offsetof(Raw,          purpose),
     {"purpose", 'p', 0, G_OPTION_ARG_STRING, NULL,
      "Purpose of use: TREAT, PATRQT, HOPERAT, BTG, ...", "CODE"}                                           },
    {BOTH,
     offsetof(Raw,          output),
     {"output", 'o', 0, G_OPTION_ARG_FILENAME, NULL, "Where to; - for standard output", "FILE"}             },
    {EXPORT,
     offsetof(Raw,          reason),
     {"reason", 0, 0, G_OPTION_ARG_STRING, NULL, "Why, where that is asked", "TEXT"}                        },
    {EXPORT,
     offsetof(Raw,          recipient),
     {"recipient", 0, 0, G_OPTION_ARG_STRING, NULL, "Whom it is disclosed to: an id of yours",
      "ID"}                                                                                                 },
    {EXPORT,
     offsetof(Raw,          token),
     {"token-file", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      "Access token; - for standard input (default: you, as a local operator)", "FILE"}                     },
    {EXPORT,
     offsetof(Raw,          org),
     {"org", 0, 0, G_OPTION_ARG_STRING, NULL, "Organisation, for an operator of several", "ID"}             },
    {BOTH,    offsetof(Raw, tracks),        {"tracks", 0, 0, G_OPTION_ARG_STRING, NULL, "Only these", "A,B"}},
    {BOTH,
     offsetof(Raw,          from),
     {"from", 0, 0, G_OPTION_ARG_STRING, NULL, "Start here: seconds or [HH:]MM:SS[.mmm]", "TIME"}           },
    {BOTH,    offsetof(Raw, to),            {"to", 0, 0, G_OPTION_ARG_STRING, NULL, "End here", "TIME"}     },
    {RECOVER,
     offsetof(Raw,          container),
     {"container", 0, 0, G_OPTION_ARG_STRING, NULL, "mkv or mp4 (default: by the suffix, else mkv)",
      "KIND"}                                                                                               },
    {EXPORT,
     offsetof(Raw,          container),
     {"format", 0, 0, G_OPTION_ARG_STRING, NULL, "mkv or mp4 (default: by the suffix, else mkv)",
      "KIND"}                                                                                               },
    {BOTH,
     offsetof(Raw,          layout),
     {"layout", 0, 0, G_OPTION_ARG_STRING, NULL,
      "One MP4 (H.264, AAC) that plays everywhere: grid, speaker or tracks", "KIND"}                        },
    {BOTH,
     offsetof(Raw,          may_overwrite),
     {"overwrite", 0, 0, G_OPTION_ARG_NONE, NULL, "Replace the output file if it is there", NULL}           },
    {RECOVER,
     offsetof(Raw,          is_partial),
     {"partial", 0, 0, G_OPTION_ARG_NONE, NULL, "Leave damaged segments out and go on", NULL}               },
    {RECOVER,
     offsetof(Raw,          even_apart),
     {"even-apart", 0, 0, G_OPTION_ARG_NONE, NULL,
      "Open it although it is in quarantine, restricted or to be erased", NULL}                             },
    {RECOVER,
     offsetof(Raw,          is_untold),
     {"without-audit", 0, 0, G_OPTION_ARG_NONE, NULL,
      "Open it although this host's audit log can not be told", NULL}                                       },
    {RECOVER,
     offsetof(Raw,          is_transcript),
     {"transcript", 0, 0, G_OPTION_ARG_NONE, NULL,
      "The newest transcript, as WebVTT, in place of the media", NULL}                                      },
    {BOTH,
     offsetof(Raw,          amendments),
     {"amendments", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      "Write the statements that amend it to this file too, one JSON object a line", "FILE"}                },
};

static bool
parse(CommandContext *context, Raw *raw, int *argc, char **argv)
{
    const unsigned own = raw->is_export ? EXPORT : RECOVER;
    GOptionEntry entries[G_N_ELEMENTS(rows) + 1] = {G_OPTION_ENTRY_NULL};
    CommandSyntax syntax = raw->is_export ? export_syntax : recover_syntax;
    unsigned n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if ((rows[i].of & own) == 0)
            continue;
        entries[n] = rows[i].entry;
        entries[n++].arg_data = (char *) raw + rows[i].offset;
    }
    syntax.entries = entries;
    return command_context_parse(context, &syntax, argc, argv);
}

static RecoverOptions *
parse_any(CommandContext *context, bool is_export, int argc, char **argv)
{
    g_autoptr(RecoverOptions) self = g_new0(RecoverOptions, 1);
    Raw raw = {.is_export = is_export};
    bool is_good = parse(context, &raw, &argc, argv) && read_all(self, &raw);

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
