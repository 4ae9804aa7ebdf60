#include "agent/audit/atna_message.h"
#include "tests/fakes/audit_samples.h"

#include <glib/gstdio.h>
#include <string.h>

/* Returns: the message of a line, owned. */
static char *
message_of(const char *line)
{
    g_auto(AuditRecord) record = {0};

    audit_samples_parse(&record, line);
    return atna_message(&record, &audit_samples_source);
}

static void
test_reads_as_it_must(void)
{
    g_autofree char *xml = message_of(
        "7 2026-11-21T17:00:23.672566Z media-exported ok "
        "session=3b0c5a9e-6f0e-4f0e-9a55-8a6f1d1f2a11 actor=https://idp.example%7Csub-1 "
        "role=custodian use=HLEGAL grant=g1 address=192.0.2.7 client=p-00 recipient=law-firm-12 "
        "basis=other");

    g_assert_cmpstr(
        xml, ==,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>"
        "<EventIdentification EventActionCode=\"R\" EventDateTime=\"2026-11-21T17:00:23.672566Z\" "
        "EventOutcomeIndicator=\"0\">"
        "<EventID csd-code=\"110106\" codeSystemName=\"DCM\" originalText=\"Export\"/>"
        "<EventTypeCode csd-code=\"media-exported\" codeSystemName=\"99TSRA\" "
        "originalText=\"media-exported\"/></EventIdentification>"
        "<ActiveParticipant UserID=\"https://idp.example|sub-1\" UserIsRequestor=\"true\" "
        "NetworkAccessPointID=\"192.0.2.7\" NetworkAccessPointTypeCode=\"2\">"
        "<RoleIDCode csd-code=\"custodian\" codeSystemName=\"99TSRA\" originalText=\"custodian\"/>"
        "</ActiveParticipant>"
        "<ActiveParticipant UserID=\"recorder.host-1\" UserIsRequestor=\"false\" "
        "NetworkAccessPointID=\"host-1.example\" NetworkAccessPointTypeCode=\"1\">"
        "<RoleIDCode csd-code=\"110153\" codeSystemName=\"DCM\" originalText=\"Source Role ID\"/>"
        "</ActiveParticipant>"
        "<ActiveParticipant UserID=\"law-firm-12\" UserIsRequestor=\"false\">"
        "<RoleIDCode csd-code=\"110152\" codeSystemName=\"DCM\" "
        "originalText=\"Destination Role ID\"/></ActiveParticipant>"
        "<ActiveParticipant UserID=\"g1\" UserIsRequestor=\"false\">"
        "<RoleIDCode csd-code=\"110154\" codeSystemName=\"DCM\" originalText=\"Destination "
        "Media\"/>"
        "<MediaIdentifier><MediaType csd-code=\"110037\" codeSystemName=\"DCM\" "
        "originalText=\"URI\"/></MediaIdentifier></ActiveParticipant>"
        "<AuditSourceIdentification AuditEnterpriseSiteID=\"clinic-a\" "
        "AuditSourceID=\"recorder.host-1\"><AuditSourceTypeCode csd-code=\"4\"/>"
        "</AuditSourceIdentification>"
        "<ParticipantObjectIdentification ParticipantObjectID=\"p-00\" "
        "ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\">"
        "<ParticipantObjectIDTypeCode csd-code=\"2\" codeSystemName=\"RFC-3881\" "
        "originalText=\"Patient Number\"/><ParticipantObjectName>-</ParticipantObjectName>"
        "</ParticipantObjectIdentification>"
        "<ParticipantObjectIdentification "
        "ParticipantObjectID=\"urn:uuid:3b0c5a9e-6f0e-4f0e-9a55-8a6f1d1f2a11\" "
        "ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"3\" "
        "ParticipantObjectDataLifeCycle=\"10\">"
        "<ParticipantObjectIDTypeCode csd-code=\"12\" codeSystemName=\"RFC-3881\" "
        "originalText=\"URI\"/><ParticipantObjectName>Recording</ParticipantObjectName>"
        "<ParticipantObjectDetail type=\"role\" value=\"Y3VzdG9kaWFu\"/>"
        "<ParticipantObjectDetail type=\"use\" value=\"SExFR0FM\"/>"
        "<ParticipantObjectDetail type=\"grant\" value=\"ZzE=\"/>"
        "<ParticipantObjectDetail type=\"address\" value=\"MTkyLjAuMi43\"/>"
        "<ParticipantObjectDetail type=\"basis\" value=\"b3RoZXI=\"/>"
        "</ParticipantObjectIdentification>"
        "<ParticipantObjectIdentification ParticipantObjectID=\"recorder.host-1/clinic-a\" "
        "ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"13\">"
        "<ParticipantObjectIDTypeCode csd-code=\"log\" codeSystemName=\"99TSRA\" "
        "originalText=\"audit log\"/>"
        "<ParticipantObjectName>Security Audit Log</ParticipantObjectName>"
        "<ParticipantObjectDetail type=\"record\" value=\"Nw==\"/>"
        "</ParticipantObjectIdentification></AuditMessage>");
}

static unsigned
count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *next = strstr(text, what); next != NULL; next = strstr(next + 1, what))
        n++;
    return n;
}

static void
test_has_one_requestor_at_most_and_fits(void)
{
    g_autoptr(GPtrArray) lines = audit_samples_lines();

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *xml = message_of(lines->pdata[i]);

        g_assert_cmpuint(count(xml, "UserIsRequestor=\"true\""), <=, 1);
        g_assert_cmpuint(strlen(xml), <, 31 << 10); /* 32 KiB with the header of syslog */
        g_assert_true(g_utf8_validate(xml, -1, NULL));
        g_assert_true(g_str_has_prefix(xml, "<?xml"));
    }
}

/* Runs xmllint over `files` (NULL at the end; the program's own arguments first). */
static int
validate(GPtrArray *arguments, char **output)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_ptr_array_add(arguments, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **) arguments->pdata, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               output, &status, &error));
    return status;
}

static GPtrArray *
xmllint(void)
{
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(arguments, g_strdup("xmllint"));
    g_ptr_array_add(arguments, g_strdup("--noout"));
    g_ptr_array_add(arguments, g_strdup("--relaxng"));
    g_ptr_array_add(arguments, g_test_build_filename(G_TEST_DIST, "atna.rng", NULL));
    return arguments;
}

static char *
write_file(const char *folder, guint number, const char *xml)
{
    g_autofree char *name = g_strdup_printf("%u.xml", number);
    char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, xml, -1, NULL));
    return path;
}

static void
remove_files(const char *folder, guint n_files)
{
    for (guint i = 0; i < n_files; i++) {
        g_autofree char *name = g_strdup_printf("%s/%u.xml", folder, i);

        g_assert_cmpint(g_remove(name), ==, 0);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_is_valid_by_the_grammar(void)
{
    g_autoptr(GPtrArray) lines = audit_samples_lines();
    g_autofree char *folder = g_dir_make_tmp("atna-XXXXXX", NULL);
    g_autoptr(GPtrArray) arguments = xmllint();
    g_autofree char *output = NULL;

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *xml = message_of(lines->pdata[i]);

        g_ptr_array_add(arguments, write_file(folder, i, xml));
    }
    if (validate(arguments, &output) != 0)
        g_test_message("%s", output);
    g_assert_null(strstr(output, "fails"));
    g_assert_cmpuint(count(output, " validates\n"), ==, lines->len);
    remove_files(folder, lines->len);
}

static void
test_the_grammar_knows_what_is_wrong(void)
{
    static const char *const changes[][2] = {
        {"csd-code=\"110106\"",                   "code=\"110106\""            },
        {"UserIsRequestor=\"false\"",             "UserIsRequestor=\"true\""   },
        {"EventOutcomeIndicator=\"0\"",           "EventOutcomeIndicator=\"1\""},
        {">Recording<",                           ">Anna Example<"             },
        {"672566Z",                               "672566"                     },
        {"value=\"ZzE=\"",                        "value=\"g1\""               },
        {"<AuditSourceTypeCode csd-code=\"4\"/>", ""                           },
    };
    g_autofree char *folder = g_dir_make_tmp("atna-XXXXXX", NULL);
    g_autofree char *good = message_of("7 2026-11-21T17:00:23.672566Z media-exported ok session=s1 "
                                       "actor=a recipient=b grant=g1");

    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_auto(GStrv) pieces = g_strsplit(good, changes[i][0], -1);
        g_autofree char *bad = g_strjoinv(changes[i][1], pieces);
        g_autoptr(GPtrArray) arguments = xmllint();
        g_autofree char *output = NULL;

        g_assert_cmpuint(g_strv_length(pieces), >=, 2);
        g_ptr_array_add(arguments, write_file(folder, i, bad));
        g_assert_cmpint(validate(arguments, &output), !=, 0);
        g_assert_nonnull(strstr(output, "fails to validate"));
    }
    remove_files(folder, G_N_ELEMENTS(changes));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/atna-message/reads-as-it-must", test_reads_as_it_must);
    g_test_add_func("/atna-message/has-one-requestor-at-most-and-fits",
                    test_has_one_requestor_at_most_and_fits);
    g_test_add_func("/atna-message/is-valid-by-the-grammar", test_is_valid_by_the_grammar);
    g_test_add_func("/atna-message/the-grammar-knows-what-is-wrong",
                    test_the_grammar_knows_what_is_wrong);
    return g_test_run();
}
