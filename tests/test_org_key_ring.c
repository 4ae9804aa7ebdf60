#include "config/org_key_ring.h"
#include "crypto/signed_note.h"
#include "tests/fakes/settings_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define TIME "2026-11-29T07:00:00Z"

static NoteSigner *admin;

/* Writes version 1 of clinic-a's ring, of both recipients and a third one that only opens. */
static void
write_ring(const SettingsFixture *fixture, const NoteSigner *signer)
{
    g_autofree char *orgs = g_path_get_dirname(fixture->org_path);
    g_autofree char *folder = org_key_ring_folder(orgs, "clinic-a");
    g_autofree char *path = g_build_filename(folder, "1.note", NULL);
    g_autoptr(KeyRing) ring = key_ring_new("clinic-a");
    g_autofree char *text = NULL;
    g_autofree char *note = NULL;

    ring->made = g_strdup(TIME);
    ring->by = g_strdup("anna");
    key_ring_add(ring, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
                 KEY_RING_ORGANISATION, TIME)
        ->state = KEY_RING_OPEN_ONLY;
    (void) key_ring_add(ring, settings_fixture_recipients[1], KEY_RING_ORGANISATION, TIME);
    (void) key_ring_add(ring, settings_fixture_recipients[0], KEY_RING_BREAK_GLASS, TIME);
    text = key_ring_to_text(ring);
    note = note_sign(signer, text);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    settings_fixture_write(path, note);
}

static void
remove_ring(const SettingsFixture *fixture)
{
    g_autofree char *orgs = g_path_get_dirname(fixture->org_path);
    g_autofree char *folder = org_key_ring_folder(orgs, "clinic-a");
    g_autofree char *path = g_build_filename(folder, "1.note", NULL);

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Settings that trust `admin`. */
static void
write_settings(const SettingsFixture *fixture)
{
    g_autofree char *text = settings_fixture_good();
    g_autofree char *key = note_signer_verifier_key(admin);
    const char *start = strstr(text, "\ntrusted_admins");
    const char *end = strstr(start, "];");
    g_autofree char *before = g_strndup(text, start - text);
    g_autofree char *whole = g_strdup_printf("%s\ntrusted_admins = [ \"%s\" %s", before, key, end);

    settings_fixture_write(fixture->path, whole);
}

static void
test_ring_counts_in_place_of_the_list(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    const OrgSettings *org = NULL;

    write_settings(fixture);
    write_ring(fixture, admin);
    settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    org = settings_org(settings, "clinic-a");
    g_assert_cmpuint(org->ring_version, ==, 1);
    g_assert_cmpuint(org->recipients->len, ==, 2);
    g_assert_cmpstr(org->recipients->pdata[0], ==, settings_fixture_recipients[1]);
    remove_ring(fixture);
}

static void
test_ring_of_a_stranger_stops_everything(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) stranger = note_signer_generate("stranger", &error);

    write_settings(fixture);
    write_ring(fixture, stranger);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "the key ring does not count");
    remove_ring(fixture);
}

static void
test_one_of_both_has_to_be_there(SettingsFixture *fixture, gconstpointer unused)
{
    write_settings(fixture);
    settings_fixture_write(fixture->org_path, "purposes = [ \"record-audio\" ];\n");
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "recipients: is missing");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    settings_fixture_start();
    admin = note_signer_generate("admin.host", &error);
    g_assert_no_error(error);
    settings_fixture_add("org-key-ring", "ring-counts-in-place-of-the-list",
                         test_ring_counts_in_place_of_the_list);
    settings_fixture_add("org-key-ring", "ring-of-a-stranger-stops-everything",
                         test_ring_of_a_stranger_stops_everything);
    settings_fixture_add("org-key-ring", "one-of-both-has-to-be-there",
                         test_one_of_both_has_to_be_there);
    return g_test_run();
}
