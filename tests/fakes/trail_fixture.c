#include "tests/fakes/trail_fixture.h"

#include "crypto/crypto_error.h"
#include "storage/dir_store.h"
#include "tests/fakes/scratch.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

static void
write_key(const NoteSigner *signer, const char *path)
{
    g_autoptr(Secret) text = note_signer_to_text(signer, NULL);

    g_assert_true(g_file_set_contents_full(path, (const char *) secret_peek(text),
                                           (gssize) secret_length(text), G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
}

static void
free_org(gpointer data)
{
    OrgSettings *org = data;

    g_free(org->id);
    g_free(org->digest);
    g_free(org);
}

static void
set_up(TrailFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) admin = note_signer_generate("admin.host-1", NULL);
    g_autofree char *store = NULL;
    OrgSettings *org = g_new0(OrgSettings, 1);

    fixture->folder = scratch_new("trail");
    fixture->signer = note_signer_generate("access.host-1", NULL);
    fixture->settings = g_new0(Settings, 1);
    fixture->settings->path = g_build_filename(fixture->folder, "sealtape.conf", NULL);
    fixture->settings->audit_path = g_build_filename(fixture->folder, "audit", NULL);
    fixture->settings->audit = g_new0(AuditSettings, 1);
    fixture->settings->keys = g_new0(KeySettings, 1);
    fixture->settings->keys->audit_path = g_strdup(fixture->settings->audit_path);
    fixture->settings->keys->signing_key_path =
        g_build_filename(fixture->folder, "admin.key", NULL);
    write_key(admin, fixture->settings->keys->signing_key_path);
    org->id = g_strdup("clinic-a");
    org->digest = g_strdup("0a");
    fixture->settings->orgs = g_ptr_array_new_with_free_func(free_org);
    g_ptr_array_add(fixture->settings->orgs, org);
    store = g_build_filename(fixture->folder, "store", NULL);
    g_assert_cmpint(g_mkdir(store, 0700), ==, 0);
    fixture->store = dir_store_open(store, &error);
    g_assert_no_error(error);
}

static void
tear_down(TrailFixture *fixture, gconstpointer unused)
{
    object_store_free(fixture->store);
    note_signer_free(fixture->signer);
    settings_free(fixture->settings);
    scratch_remove(fixture->folder);
}

void
trail_fixture_start(void)
{
    g_assert_true(crypto_start(NULL));
}

void
trail_fixture_add(const char *suite, const char *name,
                  void (*test)(TrailFixture *fixture, gconstpointer unused))
{
    g_autofree char *path = g_strdup_printf("/%s/%s", suite, name);

    g_test_add(path, TrailFixture, NULL, set_up, test, tear_down);
}

char *
trail_fixture_log(const TrailFixture *self, const char *origin)
{
    g_autofree char *name = g_strconcat(origin, ".log", NULL);
    g_autofree char *path = g_build_filename(self->folder, "audit", "clinic-a", name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

unsigned
trail_fixture_anchors(const TrailFixture *self, const char *origin)
{
    g_autofree char *prefix = g_strdup_printf("clinic-a/audit/%s/", origin);
    g_autoptr(GPtrArray) names = object_store_list(self->store, prefix, NULL);

    return names == NULL ? 0 : names->len;
}
