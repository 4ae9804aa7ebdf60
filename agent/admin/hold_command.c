#include "agent/admin/commands.h"
#include "agent/admin/custody.h"

#include <string.h>

/* Holds, quarantine, and the restriction of use: one annotation each. */

typedef struct {
    const char *word; /* behind the command; NULL: none */
    AnnotationKind kind;
    AuditKind event;
    const char *done; /* as a person reads it */
} Act;

static int
act_on(CommandContext *context, const Act *act, const char *session, const char *matter,
       const char *reason)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    g_autoptr(Annotation) next = NULL;
    const char *left_out = NULL;
    const AuditEvent event = {.kind = act->event, .matter = matter, .reason = reason};

    if (act->kind == ANNOTATION_HOLD_PLACED)
        command_context_leave_out(context); /* it only ever protects */
    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, session, &error);
    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    left_out = command_context_left_out(context, log->org);
    if (left_out != NULL) {
        g_printerr("sealtape: %s: nobody's role there can be looked up, so root and the owner of "
                   "%s may place a hold\n",
                   left_out, custody.settings->path);
    }
    next = annotation_new(log->org, session, act->kind);
    annotation_set(next, ANNOTATION_MATTER, matter);
    annotation_set(next, ANNOTATION_REASON, reason);
    if (!custody_annotate(&custody, next, event, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:s, s:s?, s:i}", "session", session, "kind",
                                             annotation_kind_name(act->kind), "matter", matter,
                                             "number", (int) next->number));
    } else {
        g_print("%s: %s%s%s.\n", session, act->done, matter != NULL ? " " : "",
                matter != NULL ? matter : "");
    }
    return EXIT_CODE_OK;
}

static int
list_holds(CommandContext *context, const char *session)
{
    g_auto(Custody) custody = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = NULL;
    json_t *matters = NULL;

    if (custody_open(&custody, context, &error))
        log = custody_read(&custody, session, &error);
    if (log == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    matters = json_array();
    for (guint i = 0; i < log->view->matters->len; i++) {
        const char *matter = log->view->matters->pdata[i];

        json_array_append_new(matters, json_string(matter));
        if (!command_context_as_json(context))
            g_print("%s\n", matter);
    }
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:o}", "session", session, "holds", matters));
        return EXIT_CODE_OK;
    }
    if (json_array_size(matters) == 0)
        g_print("%s: no hold.\n", session);
    json_decref(matters);
    return EXIT_CODE_OK;
}

int
hold_command_run(CommandContext *context, int argc, char **argv)
{
    static const Act acts[] = {
        {"place",   ANNOTATION_HOLD_PLACED,   AUDIT_HOLD_PLACED,   "on hold for"          },
        {"release", ANNOTATION_HOLD_RELEASED, AUDIT_HOLD_RELEASED, "no longer on hold for"},
    };
    g_autofree char *matter = NULL;
    g_autofree char *reason = NULL;
    const GOptionEntry entries[] = {
        {"matter", 0, 0, G_OPTION_ARG_STRING, &matter, "Id of the matter it is held for", "ID"  },
        {"reason", 0, 0, G_OPTION_ARG_STRING, &reason, "Why, in one word of a-z and '-'", "WORD"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "hold",
        "place SESSION --matter ID | release SESSION --matter ID | list SESSION",
        "Keeps a recording from every deletion, whatever its date, until each matter is released.",
        entries,
        2,
        2};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (strcmp(argv[1], "list") == 0)
        return list_holds(context, argv[2]);
    for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
        if (strcmp(argv[1], acts[i].word) == 0 && matter != NULL)
            return act_on(context, &acts[i], argv[2], matter, reason);
    }
    g_printerr("sealtape hold: give `place` or `release` with --matter, or `list`\n");
    return EXIT_CODE_USAGE;
}

typedef struct {
    const char *name, *description;
    Act places, lifts;
} Mood;

static int
run_mood(CommandContext *context, const Mood *mood, int argc, char **argv)
{
    gboolean is_lifted = FALSE;
    g_autofree char *reason = NULL;
    const GOptionEntry entries[] = {
        {"lift",   0, 0, G_OPTION_ARG_NONE,   &is_lifted, "Ends it",                         NULL  },
        {"reason", 0, 0, G_OPTION_ARG_STRING, &reason,    "Why, in one word of a-z and '-'", "WORD"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        mood->name, "SESSION [--reason WORD | --lift]", mood->description, entries, 1, 1};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    return act_on(context, is_lifted ? &mood->lifts : &mood->places, argv[1], NULL, reason);
}

int
restrict_command_run(CommandContext *context, int argc, char **argv)
{
    static const Mood restriction = {
        "restrict",
        "A client's right: the recording is kept, and not used, until that is lifted.",
        {NULL, ANNOTATION_RESTRICTED,         AUDIT_RESTRICTED,         "its use is restricted"},
        {NULL, ANNOTATION_RESTRICTION_LIFTED, AUDIT_RESTRICTION_LIFTED,
          "its use is no longer restricted"                                                     },
    };

    return run_mood(context, &restriction, argc, argv);
}

int
quarantine_command_run(CommandContext *context, int argc, char **argv)
{
    static const Mood quarantine = {
        "quarantine",
        "Keeps a recording from being opened until somebody has looked, and lifts that.",
        {NULL, ANNOTATION_QUARANTINED,       AUDIT_QUARANTINED,       "in quarantine"          },
        {NULL, ANNOTATION_QUARANTINE_LIFTED, AUDIT_QUARANTINE_LIFTED, "no longer in quarantine"},
    };

    return run_mood(context, &quarantine, argc, argv);
}
