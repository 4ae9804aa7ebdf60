#include "tests/fakes/settings_fixture.h"

#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"

#include <glib/gstdio.h>
#include <string.h>

const char *settings_fixture_recipients[2];
const char *settings_fixture_verifier_key;

char *
settings_fixture_replace(const char *text, const char *what, const char *with)
{
    g_auto(GStrv) pieces = g_strsplit(text, what, -1);

    g_assert_cmpuint(g_strv_length(pieces), >, 1);
    return g_strjoinv(with, pieces);
}

char *
settings_fixture_example(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "config", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    return text;
}

char *
settings_fixture_good(void)
{
    static const char *const keys[] = {"VERIFIER-KEY-OF-THE-RECORDER", "VERIFIER-KEY-OF-THE-OPENER",
                                       "VERIFIER-KEY-OF-THE-COMMAND-LINE"};
    char *text = settings_fixture_example("sealtape.conf.example");

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *before = text;

        text = settings_fixture_replace(before, keys[i], settings_fixture_verifier_key);
    }
    return text;
}

char *
settings_fixture_good_org(void)
{
    g_autofree char *text = settings_fixture_example("orgs/clinic-a.conf.example");
    g_autofree char *half = settings_fixture_replace(text, "AGE-RECIPIENT-OF-THE-ORGANISATION",
                                                     settings_fixture_recipients[0]);

    return settings_fixture_replace(half, "AGE-RECIPIENT-FOR-BREAK-GLASS",
                                    settings_fixture_recipients[1]);
}

void
settings_fixture_write(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, text, -1, &error));
}

static void
set_up(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *settings = settings_fixture_good();
    g_autofree char *org = settings_fixture_good_org();
    g_autofree char *orgs = NULL;

    fixture->folder = g_dir_make_tmp("settings-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "sealtape.conf", NULL);
    orgs = g_build_filename(fixture->folder, "orgs", NULL);
    fixture->org_path = g_build_filename(orgs, "clinic-a.conf", NULL);
    g_assert_cmpint(g_mkdir(orgs, 0700), ==, 0);
    settings_fixture_write(fixture->path, settings);
    settings_fixture_write(fixture->org_path, org);
}

static void
tear_down(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *orgs = g_path_get_dirname(fixture->org_path);

    (void) g_unlink(fixture->org_path);
    (void) g_unlink(fixture->path);
    g_assert_cmpint(g_rmdir(orgs), ==, 0);
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->org_path);
}

void
settings_fixture_fault(const SettingsFixture *fixture, ConfigError code, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    if (settings != NULL)
        g_error("accepted, instead of: %s", sentence);
    if (!g_error_matches(error, CONFIG_ERROR, (int) code) ||
        strstr(error->message, sentence) == NULL)
        g_error("`%s` is not in: %s", sentence, error->message);
}

static char *
new_recipient(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AgeIdentity) identity = age_identity_generate(&error);
    g_autoptr(AgeRecipient) recipient = NULL;

    g_assert_no_error(error);
    recipient = age_identity_recipient(identity);
    return g_strdup(age_recipient_text(recipient));
}

void
settings_fixture_start(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) signer = NULL;

    g_assert_true(crypto_start(&error));
    for (gsize i = 0; i < G_N_ELEMENTS(settings_fixture_recipients); i++)
        settings_fixture_recipients[i] = new_recipient();
    signer = note_signer_generate("recorder-1", &error);
    g_assert_no_error(error);
    settings_fixture_verifier_key = note_signer_verifier_key(signer);
}

void
settings_fixture_add(const char *suite, const char *name,
                     void (*test)(SettingsFixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/%s/%s", suite, name);

    g_test_add(path, SettingsFixture, NULL, set_up, test, tear_down);
}
