#include "agent/admin/audit_disclosures.h"

#include "agent/admin/audit_filter.h"
#include "agent/admin/client_ref.h"
#include "agent/audit/disclosure.h"

#include <string.h>

/* 45 CFR 164.528: six years back from the day it is asked for. */
enum { YEARS = 6 };

typedef struct {
    json_t *rows;
    unsigned n_exempt;
    json_t *read;      /* words of the logs that were */
    json_t *elsewhere; /* of those that the store has checkpoints of alone; JSON null: unknown */
    GError *fault;     /* why that is unknown */
} Account;

static void
account_clear(Account *account)
{
    json_decref(account->rows);
    json_decref(account->read);
    json_decref(account->elsewhere);
    g_clear_error(&account->fault);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Account, account_clear)

static bool
has_read(const AuditSources *sources, const char *word)
{
    for (guint i = 0; i < sources->logs->len; i++) {
        const AuditSource *source = sources->logs->pdata[i];

        if (strcmp(source->word, word) == 0)
            return true;
    }
    return false;
}

/* Each program of each host puts the checkpoints of its log into the store, and never the log: so
 * what others have disclosed can not be read here, and that there are others can. */
static void
find_logs(Account *account, CommandContext *context, const AuditSources *sources, const char *org)
{
    g_autofree char *prefix = g_strdup_printf("%s/audit/", org);
    ObjectStore *store = command_context_store(context, &account->fault);
    g_autoptr(GPtrArray) folders =
        store != NULL ? object_store_list_folders(store, prefix, &account->fault) : NULL;

    account->read = json_array();
    for (guint i = 0; i < sources->logs->len; i++) {
        const AuditSource *source = sources->logs->pdata[i];

        json_array_append_new(account->read, json_string(source->word));
    }
    account->elsewhere = folders != NULL ? json_array() : json_null();
    for (guint i = 0; folders != NULL && i < folders->len; i++) {
        const char *word = (const char *) folders->pdata[i] + strlen(prefix);

        if (!has_read(sources, word))
            json_array_append_new(account->elsewhere, json_string(word));
    }
}

/* Returns: owned. */
static char *
join(const json_t *words)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i = 0;
    const json_t *word = NULL;

    json_array_foreach(words, i, word)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", json_string_value(word));
    return g_strdup(text->len > 0 ? text->str : "none");
}

static void
print_logs(const Account *account)
{
    g_autofree char *read = join(account->read);
    g_autofree char *elsewhere = join(account->elsewhere);

    g_print("Logs that were read, of this host: %s.\n", read);
    if (account->fault != NULL) {
        g_print("Whether other hosts keep logs of their own is not known: %s.\n",
                account->fault->message);
    } else if (json_array_size(account->elsewhere) > 0) {
        g_print("NOT read, for their logs lie on other hosts: %s. Ask there too.\n", elsewhere);
    } else {
        g_print("The store knows of no other.\n");
    }
}

static bool
is_disclosure(const AuditEvent *event)
{
    return event->outcome == AUDIT_OK &&
           (event->kind == AUDIT_MEDIA_OPENED || event->kind == AUDIT_MEDIA_EXPORTED ||
            event->kind == AUDIT_MEDIA_DISCLOSED);
}

static json_t *
or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static bool
add_record(const AuditSource *source, const char *line, const AuditRecord *record, void *user_data)
{
    Account *account = user_data;
    const AuditEvent *event = record == NULL ? NULL : &record->event;
    g_autofree char *description = NULL;

    if (event == NULL || !is_disclosure(event))
        return true;
    if (!disclosure_is_countable(event->basis)) {
        account->n_exempt++;
        return true;
    }
    description = g_strdup_printf("recording of session %s, %s",
                                  event->session == NULL ? "-" : event->session,
                                  event->tracks == NULL ? "all tracks" : event->tracks);
    json_array_append_new(account->rows,
                          json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "date", record->time,
                                    "recipient",
                                    event->recipient != NULL ? event->recipient
                                    : event->actor != NULL   ? event->actor
                                                             : "-",
                                    "description", description, "origin", source->word, "purpose",
                                    or_null(event->use), "session", or_null(event->session),
                                    "record", (json_int_t) record->number));
    return true;
}

static int
compare_dates(gconstpointer a, gconstpointer b)
{
    const json_t *one = *(json_t *const *) a;
    const json_t *other = *(json_t *const *) b;

    return strcmp(json_string_value(json_object_get(one, "date")),
                  json_string_value(json_object_get(other, "date")));
}

/* The logs are each in order; together they are not. Takes `rows`. */
static json_t *
sort_rows(json_t *rows)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    json_t *sorted = json_array();
    size_t i = 0;
    json_t *row = NULL;

    json_array_foreach(rows, i, row) g_ptr_array_add(order, row);
    g_ptr_array_sort(order, compare_dates);
    for (guint at = 0; at < order->len; at++)
        json_array_append(sorted, order->pdata[at]);
    json_decref(rows);
    return sorted;
}

static void
print_for_person(const Account *account, const char *client, const char *span)
{
    size_t i = 0;
    const json_t *row = NULL;

    g_print("Disclosures of the recordings of %s %s:\n", client, span);
    json_array_foreach(account->rows, i, row)
    {
        const char *purpose = json_string_value(json_object_get(row, "purpose"));

        g_print("  %s  to %s: %s, for %s\n", json_string_value(json_object_get(row, "date")),
                json_string_value(json_object_get(row, "recipient")),
                json_string_value(json_object_get(row, "description")),
                purpose == NULL ? "an unknown purpose" : purpose);
    }
    g_print("%zu in all; %u for treatment, payment, operations, to the client, or as the client\n"
            "authorised are exempt and not listed.\n",
            json_array_size(account->rows), account->n_exempt);
    print_logs(account);
}

static char *
date_of(int64_t unix_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(unix_us / G_USEC_PER_SEC);

    return g_date_time_format(time, "%Y-%m-%d");
}

/* What is older is listed only for whoever says from when. */
static int64_t
six_years_ago(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) since = g_date_time_add_years(now, -YEARS);

    return g_date_time_to_unix(since) * G_USEC_PER_SEC;
}

typedef struct {
    const char *org, *client;
} Question;

static int
give_account(CommandContext *context, const AuditSources *sources, const AuditFilter *filter,
             const Question *question)
{
    g_auto(Account) account = {.rows = json_array()};
    g_autofree char *from = date_of(filter->from_us);
    g_autofree char *until = filter->until_us != 0 ? date_of(filter->until_us) : NULL;
    g_autofree char *span = until == NULL ? g_strconcat("since ", from, NULL)
                                          : g_strconcat("from ", from, " to ", until, NULL);

    audit_filter_each(sources, filter, add_record, &account);
    account.rows = sort_rows(account.rows);
    find_logs(&account, context, sources, question->org);
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack(
            "{s:s, s:s, s:s?, s:i, s:O, s:O, s:O, s:s?}", "client", filter->client, "since", from,
            "until", until, "exempt", (int) account.n_exempt, "disclosures", account.rows,
            "logs_read", account.read, "logs_elsewhere", account.elsewhere, "fault",
            account.fault != NULL ? account.fault->message : NULL));
    } else {
        print_for_person(&account, question->client, span);
    }
    return EXIT_CODE_OK;
}

int
audit_disclosures_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *client = NULL;
    g_autofree char *from = NULL;
    g_autofree char *until = NULL;
    const GOptionEntry entries[] = {
        {"org",    0, 0, G_OPTION_ARG_STRING, &org,    "Of this organisation",                         "ID"  },
        {"client", 0, 0, G_OPTION_ARG_STRING, &client, "The client's subject, or pseudonym (p-...)",
         "REF"                                                                                               },
        {"from",   0, 0, G_OPTION_ARG_STRING, &from,   "From this moment on (default: six years ago)",
         "TIME"                                                                                              },
        {"until",  0, 0, G_OPTION_ARG_STRING, &until,  "Up to this moment",                            "TIME"},
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "audit disclosures",
        "--org ID --client REF [--from TIME] [--until TIME]",
        "Lists what was disclosed of a client's recordings, and to whom: in the last six years,\n"
        "or as --from and --until say.",
        entries,
        0,
        0,
    };
    g_autoptr(AuditSources) sources = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *pseudonym = NULL;
    AuditFilter filter = {.from_us = six_years_ago()};

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (org == NULL || client == NULL) {
        g_printerr("sealtape audit disclosures: give --org and --client\n");
        return EXIT_CODE_USAGE;
    }
    if (!audit_filter_parse_moment("--from", from, &filter.from_us) ||
        !audit_filter_parse_moment("--until", until, &filter.until_us))
        return EXIT_CODE_USAGE;
    sources = audit_sources_load(context, org, false, &error);
    if (sources != NULL) {
        pseudonym =
            client_ref_pseudonym(command_context_settings(context, NULL), org, client, &error);
    }
    filter.client = pseudonym;
    if (pseudonym == NULL || !audit_filter_tell(context, sources, "disclosures", &filter, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    return give_account(context, sources, &filter, &(Question){org, client});
}
