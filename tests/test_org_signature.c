#include "config/org_signature.h"
#include "crypto/digest.h"
#include "crypto/signed_note.h"
#include "tests/fakes/settings_fixture.h"

#include <string.h>
#include <unistd.h>

/* `org`, `file`: what is signed. */
static void
sign(const SettingsFixture *fixture, const NoteSigner *signer, const char *org, const char *file)
{
    const Digest digest = digest_of(file, strlen(file));
    g_autofree char *hex = digest_to_hex(&digest);
    g_autofree char *text = org_signature_text(org, hex);
    g_autofree char *note = note_sign(signer, text);
    g_autofree char *path = org_signature_path(fixture->org_path);

    settings_fixture_write(path, note);
}

static void
take_away(const SettingsFixture *fixture)
{
    g_autofree char *path = org_signature_path(fixture->org_path);

    g_assert_cmpint(unlink(path), ==, 0);
}

static NoteSigner *
make_signer(void)
{
    g_autoptr(GError) error = NULL;
    NoteSigner *signer = note_signer_generate("policy", &error);

    g_assert_no_error(error);
    return signer;
}

/* Has the installation believe `signer` alone. */
static void
trust(const SettingsFixture *fixture, const NoteSigner *signer)
{
    g_autofree char *good = settings_fixture_good();
    g_autofree char *key = note_signer_verifier_key(signer);
    g_autofree char *list =
        g_strdup_printf("trusted_policies = [ \"%s\" ];\ntrusted_admins = [", key);
    g_autofree char *text = settings_fixture_replace(good, "trusted_admins = [", list);

    settings_fixture_write(fixture->path, text);
}

static void
test_takes_what_is_signed(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(NoteSigner) signer = make_signer();
    g_autofree char *file = settings_fixture_good_org();
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    trust(fixture, signer);
    settings_fixture_write(fixture->org_path, file);
    sign(fixture, signer, "clinic-a", file);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(settings->keys->policy_keys->len, ==, 1);
    take_away(fixture);
}

static void
test_refuses_what_is_not(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(NoteSigner) signer = make_signer();
    g_autoptr(NoteSigner) other = make_signer();
    g_autofree char *file = settings_fixture_good_org();
    g_autofree char *newer = g_strconcat(file, "# changed\n", NULL);
    g_autofree char *path = org_signature_path(fixture->org_path);

    trust(fixture, signer);
    settings_fixture_write(fixture->org_path, file);
    settings_fixture_fault(fixture, CONFIG_ERROR_UNREADABLE, "has to be signed by one of");
    sign(fixture, other, "clinic-a", file);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "clinic-a.signed does not sign it");
    sign(fixture, signer, "clinic-b", file);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "signed for another file");
    settings_fixture_write(path, "no note at all");
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "clinic-a.signed does not sign it");
    sign(fixture, signer, "clinic-a", file);
    settings_fixture_write(fixture->org_path, newer);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "or an older one");
    take_away(fixture);
}

static void
test_path_of_no_organisation(void)
{
    g_assert_null(org_signature_path("orgs/clinic-a.retention"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    settings_fixture_start();
    settings_fixture_add("org-signature", "takes-what-is-signed", test_takes_what_is_signed);
    settings_fixture_add("org-signature", "refuses-what-is-not", test_refuses_what_is_not);
    g_test_add_func("/org-signature/path-of-no-organisation", test_path_of_no_organisation);
    return g_test_run();
}
