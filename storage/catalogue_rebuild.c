#include "storage/catalogue_build.h"
#include "storage/catalogue_lock.h"
#include "storage/catalogue_query.h"
#include "storage/catalogue_rows.h"
#include "storage/catalogue_session.h"
#include "storage/storage_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In this order:
 * 1. a new file is filled from the store, while everybody goes on with the old one;
 * 2. the lock is taken alone: from here on nobody changes the old one;
 * 3. what was added to the old one since is read from the store as well, and what only the
 *    catalogue knows is copied;
 * 4. the new file is closed, flushed, and given the old one's place and owner. A journal of the old
 *    one would be rolled back into the new: opening the old one has emptied it, or it was set aside
 *    together with it. */

enum { ALONE_MS = 30000 };

typedef struct {
    Catalogue *old, *fresh;
    const CatalogueSource *source;
    GError *error;
} Carry;

static bool
refresh(Carry *carry, const CatalogueEntry *known, GError **error)
{
    g_autoptr(CatalogueEntry) entry = catalogue_entry_new(known->org, known->session);
    bool has_news = false;

    if (!catalogue_session_read(entry, carry->source, &has_news, error))
        return false;
    return !has_news || catalogue_save(carry->fresh, entry, error);
}

static bool
carry_entry(Carry *carry, const CatalogueEntry *known, GError **error)
{
    CatalogueScrub scrub = {.org = known->org, .session = known->session};
    g_autoptr(GError) fault = NULL;
    g_autoptr(CatalogueEntry) fresh =
        catalogue_load(carry->fresh, known->org, known->session, &fault);

    if (fresh == NULL && !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if ((fresh == NULL || strcmp(fresh->state, "erased") != 0) &&
        (fresh == NULL || fresh->n_parts < known->n_parts ||
         fresh->envelopes->len < known->envelopes->len) &&
        !refresh(carry, known, error))
        return false;
    return catalogue_get_scrub(carry->old, &scrub, error) &&
           (scrub.scrubbed_us == 0 && scrub.place == 0
                ? true
                : catalogue_set_scrub(carry->fresh, &scrub, error));
}

static bool
on_old_entry(const CatalogueEntry *known, void *user_data)
{
    Carry *carry = user_data;

    return carry_entry(carry, known, &carry->error);
}

/* Step 3. */
static bool
carry_over(Catalogue *old, Catalogue *fresh, const CatalogueSource *source, GError **error)
{
    Carry carry = {.old = old, .fresh = fresh, .source = source};
    int64_t running = 0;
    bool is_good = false;

    if (!catalogue_begin(fresh, error))
        return false;
    is_good = catalogue_fact(old, "running", &running, error) &&
              catalogue_set_fact(fresh, "running", running, error) &&
              catalogue_each(old, on_old_entry, &carry, error);
    if (carry.error != NULL) {
        g_propagate_error(error, carry.error);
        is_good = false;
    }
    if (is_good)
        return catalogue_end(fresh, true, error);
    (void) !catalogue_end(fresh, false, NULL); /* `error` is set already */
    return false;
}

static bool
remove_leftovers(const char *path, GError **error)
{
    g_autofree char *journal = g_strconcat(path, "-journal", NULL);

    if ((unlink(journal) == 0 || errno == ENOENT) && (unlink(path) == 0 || errno == ENOENT))
        return true;
    return storage_fail_errno(error, "remove", path);
}

static bool
flush_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_auto(Fd) dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (dir >= 0 && fsync(dir) == 0) || storage_fail_errno(error, "flush", folder);
}

/* Step 4. */
static bool
put_in_place(const char *fresh_path, const char *path, GError **error)
{
    g_auto(Fd) fresh = open(fresh_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    struct stat old;

    if (fresh < 0)
        return storage_fail_errno(error, "open", fresh_path);
    if (stat(path, &old) == 0 && geteuid() == 0 && fchown(fresh, old.st_uid, old.st_gid) != 0)
        return storage_fail_errno(error, "give away", fresh_path);
    if (fsync(fresh) != 0)
        return storage_fail_errno(error, "flush", fresh_path);
    if (rename(fresh_path, path) != 0)
        return storage_fail_errno(error, "rename", fresh_path);
    return flush_folder(path, error);
}

/* Returns: the catalogue that is there, owned; NULL if there is none, or it is `is_damaged`, or
 * `error` is set. */
static Catalogue *
open_old(const char *path, bool *is_damaged, GError **error)
{
    g_autoptr(GError) fault = NULL;
    Catalogue *old = catalogue_open(path, CATALOGUE_READ, &fault);

    *is_damaged = g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    if (old == NULL && !*is_damaged &&
        !g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&fault));
    return old;
}

static bool
note_complete(Catalogue *fresh, GError **error)
{
    if (!catalogue_begin(fresh, error))
        return false;
    if (catalogue_set_fact(fresh, "behind_us", 0, error))
        return catalogue_end(fresh, true, error);
    (void) !catalogue_end(fresh, false, NULL); /* `error` is set already */
    return false;
}

/* Steps 2 to 4. Takes `fresh`. */
static bool
replace(const char *path, const char *fresh_path, Catalogue *fresh_taken,
        const CatalogueSource *source, GError **error)
{
    g_autoptr(Catalogue) fresh = fresh_taken;
    g_auto(Fd) lock = catalogue_lock_take(path, true, ALONE_MS, error);
    g_autoptr(GError) fault = NULL;
    g_autoptr(Catalogue) old = NULL;
    bool is_damaged = false;

    if (lock < 0)
        return false;
    old = open_old(path, &is_damaged, &fault);
    if (fault == NULL && old != NULL && !carry_over(old, fresh, source, &fault))
        is_damaged = g_error_matches(fault, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    if (fault != NULL && !is_damaged) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    g_clear_pointer(&old, catalogue_free);
    if (!note_complete(fresh, error))
        return false;
    g_clear_pointer(&fresh, catalogue_free);
    if (is_damaged && !catalogue_set_aside_locked(path, error))
        return false;
    return put_in_place(fresh_path, path, error);
}

bool
catalogue_rebuild(const char *path, const CatalogueSource *source, GError **error)
{
    g_autofree char *fresh_path = g_strconcat(path, ".new", NULL);
    g_auto(Fd) turn = catalogue_lock_take(fresh_path, true, 0, error);
    g_autoptr(GError) fault = NULL;
    g_autoptr(Catalogue) old = NULL;
    g_autoptr(Catalogue) fresh = NULL;
    bool is_damaged = false;

    if (turn < 0)
        return false;
    old = open_old(path, &is_damaged, &fault);
    g_clear_pointer(&old, catalogue_free);
    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if (!remove_leftovers(fresh_path, error))
        return false;
    fresh = catalogue_open(fresh_path, CATALOGUE_FILL, error);
    if (fresh == NULL || !catalogue_update(fresh, source, error) ||
        !replace(path, fresh_path, g_steal_pointer(&fresh), source, error)) {
        (void) !remove_leftovers(fresh_path, NULL); /* the next rebuild does it */
        return false;
    }
    return true;
}
