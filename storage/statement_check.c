#include "storage/statement_check.h"

#include "storage/object_key.h"
#include "storage/storage_error.h"

#include <string.h>

static void
tell(const AnnotationCheck *check, const char *code, const char *digest, const char *what)
{
    g_autofree char *sentence = g_strdup_printf("the statement said/%s.sealed %s", digest, what);

    check->on_fault(code, sentence, check->user_data);
}

static void
check_body(const AnnotationCheck *check, const char *key, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = object_store_get(check->store, key, &error);
    g_autofree char *found = NULL;
    Digest digest;

    if (body == NULL) {
        tell(check,
             g_error_matches(error, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)
                 ? "statement-missing"
                 : "statement-unreadable",
             wanted, error->message);
        return;
    }
    digest = digest_of_bytes(body);
    found = digest_to_hex(&digest);
    if (strcmp(found, wanted) != 0)
        tell(check, "statement-changed", wanted, "does not hold the bytes that were signed for");
}

/* Returns: the names of all statements that annotations name; all that are there were looked at. */
static GHashTable *
check_named(const AnnotationCheck *check, const AnnotationLog *log)
{
    GHashTable *named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];
        const char *digest = told->values[ANNOTATION_STATEMENT];
        g_autofree char *key = NULL;

        if (digest == NULL)
            continue;
        key = object_key_statement(check->org, check->session, digest);
        if (g_ptr_array_find_with_equal_func((GPtrArray *) check->keys, key, g_str_equal, NULL)) {
            check_body(check, key, digest);
        } else {
            tell(check, "statement-missing", digest, "is missing");
        }
        g_hash_table_add(named, g_steal_pointer(&key));
    }
    return named;
}

void
statement_check(const AnnotationCheck *check, const AnnotationLog *log)
{
    g_autofree char *prefix = object_key_join(check->org, check->session, "");
    g_autoptr(GHashTable) named = NULL;

    if (log->view->is_erasing || log->view->is_erased)
        return;
    named = check_named(check, log);
    for (guint i = 0; i < check->keys->len; i++) {
        const char *key = check->keys->pdata[i];
        const char *relative = key + strlen(prefix);
        g_autofree char *sentence = NULL;

        if (!g_str_has_prefix(relative, "said/") || g_hash_table_contains(named, key))
            continue;
        sentence = g_strdup_printf("%s lies in the store, but no annotation names it", relative);
        check->on_fault("statement-unsigned", sentence, check->user_data);
    }
}
