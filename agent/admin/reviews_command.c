#include "agent/admin/access_client.h"
#include "agent/admin/commands.h"

#include <string.h>

/* What of break-glass waits for an auditor: asked of the opener, which keeps the list. */

typedef struct {
    char *token_path, *org, *verdict;
} ReviewOptions;

static void
review_options_clear(ReviewOptions *self)
{
    g_free(self->token_path);
    g_free(self->org);
    g_free(self->verdict);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ReviewOptions, review_options_clear)

/* `request`: up to its query. Returns: the answer, owned. */
static json_t *
ask(CommandContext *context, const ReviewOptions *options, const char *request, const json_t *body,
    GError **error)
{
    g_autoptr(Secret) token = NULL;
    g_autofree char *escaped =
        options->org != NULL ? g_uri_escape_string(options->org, NULL, FALSE) : NULL;
    g_autofree char *whole =
        escaped != NULL ? g_strconcat(request, "?org=", escaped, NULL) : g_strdup(request);

    if (options->token_path != NULL) {
        token = access_client_read_token(options->token_path, error);
        if (token == NULL)
            return NULL;
    }
    return access_client_request(context, whole, body, token, error);
}

static const char *
text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text != NULL ? text : "-";
}

/* What somebody wrote freely goes to a terminal without anything a terminal would obey. */
static void
print_reason(const json_t *row)
{
    g_autoptr(GString) clean = g_string_new(NULL);

    for (const char *at = text_of(row, "reason"); *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar character = g_utf8_get_char(at);

        g_string_append_unichar(clean, g_unichar_isprint(character) ? character : ' ');
    }
    g_print("    %s\n", clean->str);
}

static void
print_list(const json_t *answer)
{
    const json_t *reviews = json_object_get(answer, "reviews");

    for (size_t i = 0; i < json_array_size(reviews); i++) {
        const json_t *row = json_array_get(reviews, i);

        g_print("%s  %s  %s  %s\n", text_of(row, "review"), text_of(row, "at"),
                text_of(row, "session"), text_of(row, "person"));
        print_reason(row);
    }
    if (json_array_size(reviews) == 0)
        g_print("Nothing waits for a review.\n");
}

static int
list_reviews(CommandContext *context, const ReviewOptions *options)
{
    g_autoptr(GError) error = NULL;
    json_t *answer = ask(context, options, "GET /v1/reviews", NULL, &error);

    if (answer == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(answer);
    } else {
        print_list(answer);
        json_decref(answer);
    }
    return EXIT_CODE_OK;
}

static int
close_review(CommandContext *context, const ReviewOptions *options, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *escaped = g_uri_escape_string(id, NULL, FALSE);
    g_autofree char *request = g_strdup_printf("POST /v1/reviews/%s/close", escaped);
    json_t *body = json_pack("{s:s}", "verdict", options->verdict);
    json_t *answer = ask(context, options, request, body, &error);

    json_decref(body);
    if (answer == NULL)
        return command_context_fail(context, g_steal_pointer(&error));
    if (command_context_as_json(context)) {
        command_context_print_json(answer);
    } else {
        g_print("Review %s is closed: %s.\n", id, options->verdict);
        json_decref(answer);
    }
    return EXIT_CODE_OK;
}

int
reviews_command_run(CommandContext *context, int argc, char **argv)
{
    g_auto(ReviewOptions) options = {0};
    const GOptionEntry entries[] = {
        {"token-file", 0, 0, G_OPTION_ARG_FILENAME, &options.token_path,
         "Access token; - for standard input (default: you, as a local operator)",                                   "FILE"},
        {"org",        0, 0, G_OPTION_ARG_STRING,   &options.org,        "Organisation, for an operator of several",
         "ID"                                                                                                              },
        {"verdict",    0, 0, G_OPTION_ARG_STRING,   &options.verdict,
         "`justified` or `not-justified`, to close with",                                                            "WORD"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "reviews",
        "list | close REVIEW --verdict justified|not-justified",
        "The openings by break-glass that wait for an auditor, who closes each.",
        entries,
        1,
        2};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (strcmp(argv[1], "list") == 0 && argc == 2 && options.verdict == NULL)
        return list_reviews(context, &options);
    if (strcmp(argv[1], "close") == 0 && argc == 3 && options.verdict != NULL)
        return close_review(context, &options, argv[2]);
    g_printerr("sealtape reviews: give `list`, or `close REVIEW --verdict WORD`\n");
    return EXIT_CODE_USAGE;
}
