/* Drives an S3 store from a test: options as `name=value` arguments, commands as lines on standard
 * input, words parted by spaces; one line of answer for each, `ok ...` or `error CODE sentence`.
 *   put|replace KEY BODY    get KEY    list|folders [PREFIX]    putmany COUNT PREFIX BODY    probe
 *   keep 0|1 (whether the region is kept, from now on)
 *   range KEY OFFSET LENGTH    versions PREFIX    erase PREFIX
 * BODY: `<letter>*<count>`. */
#include "crypto/crypto_error.h"
#include "crypto/digest.h"
#include "storage/s3_probe.h"
#include "storage/s3_store.h"
#include "storage/storage_error.h"

#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {"io",        "full",     "transient", "denied",
                                         "not-found", "conflict", "corrupt",   "busy"};

static int *region_rule;

static void
tell_error(const GError *error)
{
    if (error->domain == STORAGE_ERROR)
        (void) printf("error %s %s\n", code_names[error->code], error->message);
    else
        (void) printf("error other %s\n", error->message);
}

static GBytes *
body_of(const char *word)
{
    const gsize n_bytes = (gsize) g_ascii_strtoull(word + 2, NULL, 10);
    char *bytes = g_malloc(n_bytes + 1);

    g_assert(word[0] != '\0' && word[1] == '*');
    memset(bytes, word[0], n_bytes);
    return g_bytes_new_take(bytes, n_bytes);
}

static void
put(ObjectStore *store, char **words)
{
    g_autoptr(GBytes) body = body_of(words[2]);
    g_autoptr(GError) error = NULL;
    const bool is_done = words[0][0] == 'p' ? object_store_put(store, words[1], body, &error)
                                            : object_store_replace(store, words[1], body, &error);

    if (is_done)
        (void) printf("ok\n");
    else
        tell_error(error);
}

static void
put_many(ObjectStore *store, char **words)
{
    const size_t n_puts = (size_t) g_ascii_strtoull(words[1], NULL, 10);
    g_autofree ObjectPut *puts = g_new0(ObjectPut, n_puts);
    g_autoptr(GBytes) body = body_of(words[3]);
    size_t n_failed = 0;

    for (size_t i = 0; i < n_puts; i++) {
        puts[i].key = g_strdup_printf("%s%05zu.tape", words[2], i);
        puts[i].body = body;
    }
    object_store_put_all(store, puts, n_puts);
    for (size_t i = 0; i < n_puts; i++) {
        n_failed += puts[i].error != NULL;
        g_clear_error(&puts[i].error);
        g_free((char *) puts[i].key);
    }
    (void) printf("ok %zu failed\n", n_failed);
}

static void
get(ObjectStore *store, char **words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = object_store_get(store, words[1], &error);

    if (body == NULL) {
        tell_error(error);
    } else {
        const Digest digest = digest_of_bytes(body);
        g_autofree char *hex = digest_to_hex(&digest);

        (void) printf("ok %zu %s\n", g_bytes_get_size(body), hex);
    }
}

static void
get_range(ObjectStore *store, char **words)
{
    g_autoptr(GError) error = NULL;
    const size_t n_bytes = (size_t) g_ascii_strtoull(words[3], NULL, 10);
    g_autofree uint8_t *bytes = g_malloc(n_bytes);
    ObjectRange range = {
        .offset = g_ascii_strtoull(words[2], NULL, 10), .bytes = bytes, .n_bytes = n_bytes};

    if (!object_store_get_range(store, words[1], &range, &error)) {
        tell_error(error);
    } else {
        const Digest digest = digest_of(bytes, range.n_read);
        g_autofree char *hex = digest_to_hex(&digest);

        (void) printf("ok %zu %s\n", range.n_read, hex);
    }
}

static void
list(ObjectStore *store, char **words)
{
    g_autoptr(GError) error = NULL;
    const char *prefix = words[1] == NULL ? "" : words[1];
    g_autoptr(GPtrArray) names = words[0][0] == 'l'
                                     ? object_store_list(store, prefix, &error)
                                     : object_store_list_folders(store, prefix, &error);

    if (names == NULL) {
        tell_error(error);
        return;
    }
    (void) printf("ok");
    for (guint i = 0; i < names->len; i++)
        (void) printf(" %s", (const char *) g_ptr_array_index(names, i));
    (void) printf("\n");
}

static void
versions(ObjectStore *store, const char *prefix)
{
    static const char *const kinds[] = {"bytes", "marker", "upload"};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = object_store_list_versions(store, prefix, &error);

    if (found == NULL) {
        tell_error(error);
        return;
    }
    (void) printf("ok");
    for (guint i = 0; i < found->len; i++) {
        const ObjectVersion *version = g_ptr_array_index(found, i);

        (void) printf(" %s=%s=%" G_GUINT64_FORMAT, version->key, kinds[version->kind],
                      version->n_bytes);
    }
    (void) printf("\n");
}

/* Removes every version below the prefix. `ok REMOVED gone LOCKED locked FAILED failed [UNTIL]` */
static void
erase(ObjectStore *store, const char *prefix)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = object_store_list_versions(store, prefix, &error);
    const guint n_found = found == NULL ? 0 : found->len;
    g_autofree ObjectRemoval *removals = g_new0(ObjectRemoval, n_found + 1);
    guint n_locked = 0;
    guint n_failed = 0;
    int64_t until_s = 0;

    if (found == NULL) {
        tell_error(error);
        return;
    }
    for (guint i = 0; i < n_found; i++)
        removals[i].what = found->pdata[i];
    object_store_remove_versions(store, removals, n_found);
    for (guint i = 0; i < n_found; i++) {
        const bool is_locked = removals[i].locked_until_s > 0 || removals[i].has_legal_hold;

        n_locked += removals[i].error != NULL && is_locked;
        n_failed += removals[i].error != NULL && !is_locked;
        until_s = MAX(until_s, removals[i].locked_until_s);
        g_clear_error(&removals[i].error);
    }
    (void) printf("ok %u gone %u locked %u failed %" G_GINT64_FORMAT "\n",
                  n_found - n_locked - n_failed, n_locked, n_failed, until_s);
}

static void
probe(const S3StoreOptions *options)
{
    static const char *const verdicts[] = {"good", "warning", "bad"};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = s3_probe(options, &error);

    if (rows == NULL) {
        tell_error(error);
        return;
    }
    (void) printf("ok");
    for (guint i = 0; i < rows->len; i++) {
        const S3ProbeRow *row = g_ptr_array_index(rows, i);

        (void) printf("\t%s: %s: %s", row->name, verdicts[row->verdict], row->finding);
    }
    (void) printf("\n");
}

static void
obey(ObjectStore *store, const S3StoreOptions *options, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    if (strcmp(words[0], "keep") == 0) {
        g_atomic_int_set(region_rule, words[1][0] - '0');
        (void) printf("ok\n");
    } else if (strcmp(words[0], "probe") == 0)
        probe(options);
    else if (strcmp(words[0], "get") == 0)
        get(store, words);
    else if (strcmp(words[0], "range") == 0)
        get_range(store, words);
    else if (strcmp(words[0], "list") == 0 || strcmp(words[0], "folders") == 0)
        list(store, words);
    else if (strcmp(words[0], "versions") == 0)
        versions(store, words[1]);
    else if (strcmp(words[0], "erase") == 0)
        erase(store, words[1]);
    else if (strcmp(words[0], "putmany") == 0)
        put_many(store, words);
    else
        put(store, words);
    (void) fflush(stdout);
}

static bool
is_option(const char *argument, const char *name, const char **value)
{
    const size_t n_name = strlen(name);

    if (strncmp(argument, name, n_name) != 0 || argument[n_name] != '=')
        return false;
    *value = argument + n_name + 1;
    return true;
}

static void
read_option(S3StoreOptions *options, const char *argument)
{
    static char *pins[2];
    const char *value = NULL;
    const struct {
        const char *name;
        const char **text;
        unsigned *number;
    } rows[] = {
        {"endpoint",          &options->endpoint,      NULL                       },
        {"bucket",            &options->bucket,        NULL                       },
        {"region",            &options->region,        NULL                       },
        {"prefix",            &options->prefix,        NULL                       },
        {"credentials",       &options->credentials,   NULL                       },
        {"ca_file",           &options->ca_file,       NULL                       },
        {"proxy",             &options->proxy,         NULL                       },
        {"encryption",        &options->encryption,    NULL                       },
        {"kms_key_id",        &options->kms_key_id,    NULL                       },
        {"storage_class",     &options->storage_class, NULL                       },
        {"tags",              &options->tags,          NULL                       },
        {"max_concurrent",    NULL,                    &options->max_concurrent   },
        {"attempt_ms",        NULL,                    &options->attempt_ms       },
        {"retry_ms",          NULL,                    &options->retry_ms         },
        {"max_upload_kbit_s", NULL,                    &options->max_upload_kbit_s},
        {"lock_days",         NULL,                    &options->lock_days        },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!is_option(argument, rows[i].name, &value))
            continue;
        if (rows[i].text != NULL)
            *rows[i].text = value;
        else
            *rows[i].number = (unsigned) g_ascii_strtoull(value, NULL, 10);
        return;
    }
    if (is_option(argument, "style", &value))
        options->style = strcmp(value, "host") == 0 ? S3_STYLE_HOST : S3_STYLE_PATH;
    else if (is_option(argument, "lock", &value))
        options->lock = strcmp(value, "compliance") == 0 ? S3_LOCK_COMPLIANCE : S3_LOCK_GOVERNANCE;
    else if (is_option(argument, "keeps_region", &value))
        g_atomic_int_set(region_rule, strcmp(value, "on") == 0);
    else if (is_option(argument, "legal_hold", &value))
        options->legal_hold = true;
    else if (is_option(argument, "pin", &value)) {
        pins[0] = (char *) value;
        options->pins = (const char *const *) pins;
    } else
        g_error("unknown option %s", argument);
}

int
main(int argc, char **argv)
{
    S3StoreOptions options = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(ObjectStore) store = NULL;
    char *line = NULL;
    size_t size = 0;

    options.keeps_region = region_rule = g_atomic_rc_box_new0(int);
    for (int i = 1; i < argc; i++)
        read_option(&options, argv[i]);
    g_assert(crypto_start(&error));
    store = s3_store_open(&options, &error);
    if (store == NULL)
        tell_error(error);
    else
        (void) printf("ok\n");
    (void) fflush(stdout);
    while (store != NULL && getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        obey(store, &options, line);
    }
    free(line);
    g_atomic_rc_box_release(region_rule);
    return store == NULL ? 1 : 0;
}
