#include "config/settings.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/digest.h"
#include "crypto/signed_note.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* A folder with sealtape.conf and orgs/clinic-a.conf. */
typedef struct {
    char *folder;
    char *path;
    char *org_path;
} Fixture;

static const char *recipient_a, *recipient_b, *verifier_key; /* made once in main() */

static char *
replaced(const char *text, const char *what, const char *with)
{
    g_auto(GStrv) pieces = g_strsplit(text, what, -1);

    g_assert_cmpuint(g_strv_length(pieces), >, 1);
    return g_strjoinv(with, pieces);
}

static char *
read_example(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "config", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    return text;
}

static char *
good_settings(void)
{
    g_autofree char *text = read_example("sealtape.conf.example");

    return replaced(text, "VERIFIER-KEY-OF-THE-RECORDER", verifier_key);
}

static char *
good_org(void)
{
    g_autofree char *text = read_example("orgs/clinic-a.conf.example");
    g_autofree char *half = replaced(text, "AGE-RECIPIENT-OF-THE-ORGANISATION", recipient_a);

    return replaced(half, "AGE-RECIPIENT-FOR-BREAK-GLASS", recipient_b);
}

static void
write_file(const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(path, text, -1, &error));
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *settings = good_settings();
    g_autofree char *org = good_org();
    g_autofree char *orgs = NULL;

    fixture->folder = g_dir_make_tmp("settings-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "sealtape.conf", NULL);
    orgs = g_build_filename(fixture->folder, "orgs", NULL);
    fixture->org_path = g_build_filename(orgs, "clinic-a.conf", NULL);
    g_assert_cmpint(g_mkdir(orgs, 0700), ==, 0);
    write_file(fixture->path, settings);
    write_file(fixture->org_path, org);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
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

static void
assert_fault(const Fixture *fixture, ConfigError code, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);

    if (settings != NULL)
        g_error("accepted, instead of: %s", sentence);
    if (!g_error_matches(error, CONFIG_ERROR, (int) code) ||
        strstr(error->message, sentence) == NULL)
        g_error("`%s` is not in: %s", sentence, error->message);
}

static void
test_examples_load(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_load(fixture->path, &error);
    const OrgSettings *org = NULL;
    g_autofree char *socket = g_build_filename(fixture->folder, "run", "recorder.sock", NULL);
    g_autofree char *key = g_build_filename(fixture->folder, "keys", "recorder.key", NULL);

    g_assert_no_error(error);
    g_assert_cmpstr(settings->socket_path, ==, socket);
    g_assert_cmpstr(settings->signing_key_path, ==, key);
    g_assert_cmpstr(settings->rtp_address, ==, "127.0.0.1");
    g_assert_cmpuint(settings->rtp_first_port, ==, 40000);
    g_assert_cmpuint(settings->rtp_last_port, ==, 43999);
    g_assert_cmpuint(settings->segment_ms, ==, 4000);
    g_assert_cmpuint(settings->object_ms, ==, 20000);
    g_assert_cmpuint(settings->reorder_ms, ==, 250);
    g_assert_cmpuint(settings->max_tracks, ==, 2000);
    g_assert_cmpuint(settings->verifier_keys->len, ==, 1);
    org = settings_org(settings, "clinic-a");
    g_assert_nonnull(org);
    g_assert_cmpuint(org->recipients->len, ==, 2);
    g_assert_cmpstr(org->recipients->pdata[0], ==, recipient_a);
    g_assert_cmpuint(org->purposes->len, ==, 2);
    g_assert_null(org->consent_text_version);
    g_assert_false(org->evidence_required);
    g_assert_null(settings_org(settings, "clinic-b"));
}

/* The placeholders must be filled in: nobody records for a key that nobody holds. */
static void
test_examples_do_not_load_unfilled(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *org = read_example("orgs/clinic-a.conf.example");
    g_autofree char *settings = read_example("sealtape.conf.example");

    write_file(fixture->org_path, org);
    assert_fault(fixture, CONFIG_ERROR_INVALID,
                 "recipients: must be two to sixteen age recipients");
    write_file(fixture->path, settings);
    assert_fault(fixture, CONFIG_ERROR_INVALID, "trusted_recorders: must be a list");
}

static void
test_what_is_left_out_has_a_value(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf(
        "recorder: { socket = \"/run/s\"; spool = \"../spool\"; signing_key = \"k\"; };\n"
        "store: { type = \"directory\"; path = \"/srv/store/\"; };\n"
        "trusted_recorders = [ \"%s\" ];\norgs = \"orgs\";\n",
        verifier_key);
    g_autofree char *parent = g_path_get_dirname(fixture->folder);
    g_autofree char *spool = g_build_filename(parent, "spool", NULL);
    g_autoptr(Settings) settings = NULL;

    write_file(fixture->path, text);
    settings = settings_load(fixture->path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(settings->socket_path, ==, "/run/s");
    g_assert_cmpstr(settings->spool_path, ==, spool);
    g_assert_cmpstr(settings->rtp_address, ==, "127.0.0.1");
    g_assert_cmpuint(settings->rtp_first_port, ==, 40000);
    g_assert_cmpuint(settings->segment_ms, ==, 4000);
    g_assert_cmpuint(settings->max_tracks, ==, 2000);
}

static void
test_organisation_has_the_digest_of_its_file(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = good_org();
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
test_names_the_fault_of_the_settings(Fixture *fixture, gconstpointer unused)
{
    static const Row rows[] = {
        {"segment_ms",         "segment_msec",
         "sealtape.conf:30: recorder.segment_msec: there is no such setting; here may stand: "
         "socket, spool, "                                                                                                   },
        {"spool = \"spool\"",  "spool = 7",
         "sealtape.conf:13: recorder.spool: must be a path in double quotes"                                                 },
        {"spool = \"spool\"",  "spool = \"\"",                        "recorder.spool: must be a text that is not empty"     },
        {"spool = \"spool\";", "",
         "sealtape.conf: recorder.spool: is missing; it must be a path in double quotes"                                     },
        {"segment_ms = 4000",  "segment_ms = 999",
         "sealtape.conf:30: recorder.segment_ms: must be 1000 to 30000 (milliseconds), and is 999"                           },
        {"segment_ms = 4000",  "segment_ms = 30001",
         "must be 1000 to 30000 (milliseconds), and is 30001"                                                                },
        {"segment_ms = 4000",  "segment_ms = 4000.5",                 "recorder.segment_ms: must be 1000 to 30000"           },
        {"segment_ms = 4000",  "segment_ms = \"4000\"",
         "recorder.segment_ms: must be 1000 to 30000"                                                                        },
        {"segment_ms = 4000",  "segment_ms = 99999999999999999999",   "sealtape.conf:30: "                                   },
        {"object_ms = 20000",  "object_ms = 3999",
         "recorder.object_ms: must be segment_ms (4000) to 300000 (milliseconds), and is 3999"                               },
        {"reorder_ms = 250",   "reorder_ms = -1",                     "recorder.reorder_ms: must be 0 to 5000"               },
        {"max_tracks = 2000",  "max_tracks = 0",                      "recorder.max_tracks: must be 1 to 30000"              },
        {"first_port = 40000", "first_port = 40001",
         "recorder.rtp.first_port: must be an even port"                                                                     },
        {"first_port = 40000", "first_port = 44000",
         "recorder.rtp.last_port: must be greater than first_port, which is 44000"                                           },
        {"last_port = 43999",  "last_port = 65536",
         "recorder.rtp.last_port: must be a port, 1025 to 65535, and is 65536"                                               },
        {"\"127.0.0.1\"",      "\"localhost\"",                       "recorder.rtp.address: must be an IPv4 or IPv6 address"},
        {"rtp:\n    {",        "rtp:\n    { ports = 3;",
         "recorder.rtp.ports: there is no such setting; here may stand: address, first_port, "
         "last_port"                                                                                                         },
        {"\"directory\"",      "\"tape\"",                            "store.type: must be \"directory\""                    },
        {"orgs = \"orgs\"",    "orgs = \"elsewhere\"",                "elsewhere"                                            },
        {"orgs = \"orgs\"",    "orgs = \"orgs\";\norgs = \"orgs\"",   "duplicate setting name"                               },
        {"orgs = \"orgs\"",    "orgs = { a = 1; }",
         "orgs: must be the folder of the organisations' files"                                                              },
        {"max_tracks = 2000;", "max_tracks == 2000;",                 "syntax error"                                         },
        {"recorder:",          "@include \"more.conf\"\nrecorder:",   "must not use @include"                                },
        {"recorder:",          "  @include \"more.conf\"\nrecorder:", "must not use @include"                                },
        {"typo",               "\xff\xfe",                            "is not UTF-8 text"                                    },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *good = good_settings();
        g_autofree char *bad = replaced(good, rows[i].what, rows[i].with);

        write_file(fixture->path, bad);
        assert_fault(fixture,
                     strcmp(rows[i].with, "orgs = \"elsewhere\"") == 0 ? CONFIG_ERROR_UNREADABLE
                                                                       : CONFIG_ERROR_INVALID,
                     rows[i].sentence);
    }
}

static void
test_names_the_fault_of_an_organisation(Fixture *fixture, gconstpointer unused)
{
    const Row rows[] = {
        {"purposes =",                            "purpose =",
         "clinic-a.conf:14: purpose: there is no such setting; here may stand: recipients, "
         "purposes, consent"                                                                                                                           },
        {"\"record-video\" ];",                   "\"record-screen\" ];",
         "clinic-a.conf:14: purposes: must be a list of \"record-audio\" and \"record-video\"; "
         "entry 2 is not"                                                                                                                              },
        {"\"record-audio\", \"record-video\" ];", "\"record-audio\", \"record-audio\" ];",
         "purposes: entries 1 and 2 are the same"                                                                                                      },
        {recipient_b,                             recipient_a,                                      "recipients: entries 1 and 2 are the same"         },
        {recipient_b,                             "age1qqqq",                                       "recipients: must be two to sixteen age recipients"},
        {"evidence_required = false",             "evidence_required = 0",
         "consent.evidence_required: must be true or false"                                                                                            },
        {"evidence_required = false",             "evidence_required = false; text_version = \"\"",
         "consent.text_version: must be the version of the text"                                                                                       },
        {"evidence_required = false",             "evidence_requird = true",
         "consent.evidence_requird: there is no such setting; here may stand: text_version, "
         "evidence_required"                                                                                                                           },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *good = good_org();
        g_autofree char *bad = replaced(good, rows[i].what, rows[i].with);

        write_file(fixture->org_path, bad);
        assert_fault(fixture, CONFIG_ERROR_INVALID, rows[i].sentence);
    }
}

static void
test_one_recipient_is_not_enough(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text =
        g_strdup_printf("recipients = [ \"%s\" ]; purposes = [ \"record-audio\" ];", recipient_a);

    write_file(fixture->org_path, text);
    assert_fault(fixture, CONFIG_ERROR_INVALID,
                 "recipients: must be two to sixteen age recipients");
}

static void
test_reads_what_an_organisation_says(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("recipients = ( \"%s\", \"%s\" ); purposes = [ ];\n"
                        "consent: { text_version = \"2026-01\"; evidence_required = true; };",
                        recipient_a, recipient_b);
    g_autoptr(Settings) settings = NULL;
    const OrgSettings *org = NULL;

    write_file(fixture->org_path, text);
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    org = settings_org(settings, "clinic-a");

    g_assert_cmpuint(org->purposes->len, ==, 0);
    g_assert_cmpstr(org->consent_text_version, ==, "2026-01");
    g_assert_true(org->evidence_required);
}

static void
test_organisation_files_are_named_by_id(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *folder = g_path_get_dirname(fixture->org_path);
    g_autofree char *wrong = g_build_filename(folder, "Clinic B.conf", NULL);
    g_autofree char *backup = g_build_filename(folder, "clinic-a.conf~", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    write_file(backup, "not read");
    settings = settings_load(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(settings->orgs->len, ==, 1);

    write_file(wrong, "");
    assert_fault(fixture, CONFIG_ERROR_INVALID,
                 "Clinic B.conf: the name of an organisation's file must be its id");
    g_assert_cmpint(g_unlink(wrong), ==, 0);
    g_assert_cmpint(g_unlink(backup), ==, 0);
}

static void
test_needs_an_organisation(Fixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(g_unlink(fixture->org_path), ==, 0);
    assert_fault(fixture, CONFIG_ERROR_INVALID, "has no <organisation>.conf");
}

static void
test_names_a_missing_file(Fixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    assert_fault(fixture, CONFIG_ERROR_UNREADABLE, "sealtape.conf");
}

static void
test_refuses_a_giant_file(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *comment = g_strnfill((1 << 20) + 1, '#');

    write_file(fixture->path, comment);
    assert_fault(fixture, CONFIG_ERROR_INVALID, "is longer than 1 MiB");
}

/* Whatever is cut off, the answer is a sentence and never settings that lack something. */
static void
test_refuses_every_cut(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *good = good_settings();
    size_t needed = (size_t) (strstr(good, "orgs = \"orgs\"") - good) + strlen("orgs = \"orgs\"");

    for (size_t length = 0; length < needed; length += 7) {
        g_autofree char *cut = g_strndup(good, length);
        g_autoptr(GError) error = NULL;

        write_file(fixture->path, cut);
        g_assert_null(settings_load(fixture->path, &error));
        g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID);
    }
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/settings/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
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

int
main(int argc, char **argv)
{
    g_autofree char *a = NULL, *b = NULL, *key = NULL;
    g_autoptr(NoteSigner) signer = NULL;
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    a = new_recipient();
    b = new_recipient();
    signer = note_signer_generate("recorder-1", &error);
    g_assert_no_error(error);
    key = note_signer_verifier_key(signer);
    recipient_a = a;
    recipient_b = b;
    verifier_key = key;

    add("examples-load", test_examples_load);
    add("examples-do-not-load-unfilled", test_examples_do_not_load_unfilled);
    add("what-is-left-out-has-a-value", test_what_is_left_out_has_a_value);
    add("organisation-has-the-digest-of-its-file", test_organisation_has_the_digest_of_its_file);
    add("names-the-fault-of-the-settings", test_names_the_fault_of_the_settings);
    add("names-the-fault-of-an-organisation", test_names_the_fault_of_an_organisation);
    add("one-recipient-is-not-enough", test_one_recipient_is_not_enough);
    add("reads-what-an-organisation-says", test_reads_what_an_organisation_says);
    add("organisation-files-are-named-by-id", test_organisation_files_are_named_by_id);
    add("needs-an-organisation", test_needs_an_organisation);
    add("names-a-missing-file", test_names_a_missing_file);
    add("refuses-a-giant-file", test_refuses_a_giant_file);
    add("refuses-every-cut", test_refuses_every_cut);
    return g_test_run();
}
