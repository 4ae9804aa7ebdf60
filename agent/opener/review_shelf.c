#include "agent/opener/review_shelf.h"

#include "crypto/age_file.h"
#include "crypto/age_recipients.h"
#include "storage/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".review"

static bool
fail(GError **error, const char *what, const char *path)
{
    g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(errno), "cannot %s %s: %s", what,
                path, g_strerror(errno));
    return false;
}

static GBytes *
seal(const OrgSettings *org, const json_t *form, GError **error)
{
    g_autoptr(GPtrArray) recipients = age_recipients_parse(org->recipients, error);
    char *text = NULL;
    GBytes *sealed = NULL;

    if (recipients == NULL)
        return NULL;
    text = json_dumps(form, JSON_COMPACT);
    g_assert(text != NULL);
    sealed = age_file_seal(recipients, NULL, &(struct iovec){text, strlen(text)}, 1, error);
    explicit_bzero(text, strlen(text));
    free(text);
    return sealed;
}

bool
review_shelf_put(const char *folder, const OrgSettings *org, const char *id, const json_t *form,
                 GError **error)
{
    g_autofree char *place = g_build_filename(folder, org->id, NULL);
    g_autofree char *name = g_strconcat(id, SUFFIX, NULL);
    g_autoptr(GBytes) sealed = seal(org, form, error);
    g_auto(Fd) dir = -1;

    if (sealed == NULL)
        return false;
    if (g_mkdir_with_parents(place, 0700) < 0)
        return fail(error, "make", place);
    dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return fail(error, "open", place);
    return durable_file_create(dir, name, 0600, sealed, error);
}

/* Returns: what the file says, with its id, owned. */
static json_t *
open_one(const char *path, const char *id, GPtrArray *identities)
{
    g_autofree char *sealed = NULL;
    gsize n_bytes = 0;
    GByteArray *plain = NULL;
    json_t *form = NULL;

    if (g_file_get_contents(path, &sealed, &n_bytes, NULL))
        plain = age_file_open(identities, NULL, (const uint8_t *) sealed, n_bytes, NULL);
    if (plain != NULL) {
        form = json_loadb((const char *) plain->data, plain->len, JSON_REJECT_DUPLICATES, NULL);
        age_file_wipe(plain);
    }
    if (!json_is_object(form)) {
        json_decref(form);
        form = json_object();
    }
    json_object_set_new(form, "review", json_string(id));
    return form;
}

static char *
path_of(const char *folder, const char *org, const char *id)
{
    g_autofree char *name = g_strconcat(id, SUFFIX, NULL);

    return g_build_filename(folder, org, name, NULL);
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
    const json_t *x = *(json_t *const *) a;
    const json_t *y = *(json_t *const *) b;

    return g_strcmp0(json_string_value(json_object_get(x, "at")),
                     json_string_value(json_object_get(y, "at")));
}

json_t *
review_shelf_list(const char *folder, const char *org, GPtrArray *identities, GError **error)
{
    g_autofree char *place = g_build_filename(folder, org, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autoptr(GDir) dir = NULL;
    const char *name = NULL;
    json_t *list = NULL;

    if (!g_file_test(place, G_FILE_TEST_EXISTS))
        return json_array(); /* nobody has broken the glass yet */
    dir = g_dir_open(place, 0, error);
    if (dir == NULL)
        return NULL;
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, SUFFIX)) {
            g_autofree char *id = g_strndup(name, strlen(name) - strlen(SUFFIX));
            g_autofree char *path = path_of(folder, org, id);

            g_ptr_array_add(found, open_one(path, id, identities));
        }
    }
    g_ptr_array_sort(found, compare_times);
    list = json_array();
    for (guint i = 0; i < found->len; i++)
        json_array_append_new(list, found->pdata[i]);
    return list;
}

/* What comes from outside never is a way out of the folder. */
static bool
is_id(const char *id)
{
    return *id != '\0' && strspn(id, "0123456789abcdef") == strlen(id);
}

json_t *
review_shelf_find(const char *folder, const char *org, const char *id, GPtrArray *identities)
{
    g_autofree char *path = is_id(id) ? path_of(folder, org, id) : NULL;

    return path != NULL && g_file_test(path, G_FILE_TEST_EXISTS) ? open_one(path, id, identities)
                                                                 : NULL;
}

bool
review_shelf_remove(const char *folder, const char *org, const char *id, GError **error)
{
    g_autofree char *path = path_of(folder, org, id);
    g_autofree char *place = g_build_filename(folder, org, NULL);
    g_auto(Fd) dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 || unlink(path) < 0 || fsync(dir) < 0)
        return fail(error, "remove", path);
    return true;
}
