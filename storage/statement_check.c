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

/* Returns: the whole name of the object that holds the statement now, owned. */
static char *
place_of(const AnnotationCheck *check, const char *digest, Digest *now)
{
    g_autofree char *relative = check->resealed != NULL
                                    ? reseal_chain_statement(check->resealed, digest, now)
                                    : g_strdup_printf("said/%s.sealed", digest);

    if (check->resealed == NULL && !digest_from_hex(now, digest))
        *now = digest_of("", 0);
    return object_key_join(check->org, check->session, relative);
}

static void
check_body(const AnnotationCheck *check, const char *key, const char *wanted, const Digest *now)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = object_store_get(check->store, key, &error);
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
    if (!digest_equal(&digest, now))
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
        Digest now;

        if (digest == NULL)
            continue;
        key = place_of(check, digest, &now);
        if (g_ptr_array_find_with_equal_func((GPtrArray *) check->keys, key, g_str_equal, NULL)) {
            check_body(check, key, digest, &now);
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

        if (!g_str_has_prefix(relative, "said/") || g_hash_table_contains(named, key) ||
            (check->resealed != NULL && reseal_chain_has_replaced(check->resealed, relative)))
            continue;
        sentence = g_strdup_printf(
            "%s lies in the store, but no annotation names it: an `amend` was cut short, and the "
            "next one on its host signs for it, or nobody here put it",
            relative);
        check->on_fault("statement-unsigned", sentence, check->user_data);
    }
}
