#include "crypto/digest.h"
#include "tests/fakes/settings_fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_organisation_has_the_digest_of_its_file(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = settings_fixture_good_org();
    Digest digest = digest_of(text, strlen(text));
    g_autofree char *hex = digest_to_hex(&digest);
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(settings_org(settings, "clinic-a")->digest, ==, hex);
}

/* One change to the good file, and the sentence it gives. */
typedef struct {
    const char *what;
    const char *with;
    const char *sentence;
} Row;

static void
test_names_the_fault_of_an_organisation(SettingsFixture *fixture, gconstpointer unused)
{
    const Row rows[] = {
        {"purposes =",                            "purpose =",
         "clinic-a.conf:21: purpose: there is no such setting; here may stand: recipients, "
         "enabled, valid_until, purposes, consent, regions, on_withdrawal, transcription, "
         "operators, issuers, access"                                    },
        {"\"record-video\" ];",                   "\"record-screen\" ];",
         "clinic-a.conf:21: purposes: must be a list of \"record-audio\", \"record-video\", "
         "\"transcribe\", "
         "\"ai-note\", \"quality-review\", \"training\", \"ai-train\", \"sud-tpo\", "
         "\"sud-other\", \"sud-legal\" and \"sud-notes\"; entry 2 is not"},
        {"\"record-audio\", \"record-video\" ];", "\"record-audio\", \"record-audio\" ];",
         "purposes: entries 1 and 2 are the same"                        },
        {settings_fixture_recipients[1],          settings_fixture_recipients[0],
         "recipients: entries 1 and 2 are the same"                      },
        {settings_fixture_recipients[1],          "age1qqqq",
         "recipients: must be two to sixteen age recipients"             },
        {"evidence_required = false",             "evidence_required = 0",
         "consent.evidence_required: must be true or false"              },
        {"evidence_required = false",             "evidence_required = false; text_version = \"\"",
         "consent.text_version: must be the version of the text"         },
        {"evidence_required = false",             "evidence_requird = true",
         "consent.evidence_requird: there is no such setting; here may stand: text_version, "
         "evidence_required, max_age_days, roles, minors"                },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *good = settings_fixture_good_org();
        g_autofree char *bad = settings_fixture_replace(good, rows[i].what, rows[i].with);

        settings_fixture_write(fixture->org_path, bad);
        settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
}

static void
test_one_recipient_is_not_enough(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *text =
        g_strdup_printf("recipients = [ \"%s\" ]; purposes = [ \"record-audio\" ];",
                        settings_fixture_recipients[0]);

    settings_fixture_write(fixture->org_path, text);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID,
                           "recipients: must be two to sixteen age recipients");
}

static void
test_reads_what_an_organisation_says(SettingsFixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("recipients = ( \"%s\", \"%s\" ); purposes = [ ];\n"
                        "consent: { text_version = \"2026-01\"; evidence_required = true; };",
                        settings_fixture_recipients[0], settings_fixture_recipients[1]);
    g_autoptr(Settings) settings = NULL;
    const OrgSettings *org = NULL;

    settings_fixture_write(fixture->org_path, text);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    org = settings_org(settings, "clinic-a");

    g_assert_cmpuint(g_strv_length(org->consent->purposes), ==, 0);
    g_assert_cmpstr(org->consent->text_version, ==, "2026-01");
    g_assert_true(org->consent->evidence_required);
}

static void
test_organisation_files_are_named_by_id(SettingsFixture *fixture, gconstpointer unused)
{
    g_autofree char *folder = g_path_get_dirname(fixture->org_path);
    g_autofree char *wrong = g_build_filename(folder, "Clinic B.conf", NULL);
    g_autofree char *backup = g_build_filename(folder, "clinic-a.conf~", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    settings_fixture_write(backup, "not read");
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(settings->orgs->len, ==, 1);

    settings_fixture_write(wrong, "");
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID,
                           "Clinic B.conf: the name of an organisation's file must be its id");
    g_assert_cmpint(g_unlink(wrong), ==, 0);
    g_assert_cmpint(g_unlink(backup), ==, 0);
}

static void
test_needs_an_organisation(SettingsFixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(g_unlink(fixture->org_path), ==, 0);
    settings_fixture_fault(fixture, CONFIG_ERROR_INVALID, "has no <organisation>.conf");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    settings_fixture_start();
    settings_fixture_add("org-settings", "organisation-has-the-digest-of-its-file",
                         test_organisation_has_the_digest_of_its_file);
    settings_fixture_add("org-settings", "names-the-fault-of-an-organisation",
                         test_names_the_fault_of_an_organisation);
    settings_fixture_add("org-settings", "one-recipient-is-not-enough",
                         test_one_recipient_is_not_enough);
    settings_fixture_add("org-settings", "reads-what-an-organisation-says",
                         test_reads_what_an_organisation_says);
    settings_fixture_add("org-settings", "organisation-files-are-named-by-id",
                         test_organisation_files_are_named_by_id);
    settings_fixture_add("org-settings", "needs-an-organisation", test_needs_an_organisation);
    return g_test_run();
}
