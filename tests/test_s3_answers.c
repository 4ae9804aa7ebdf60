#include "storage/s3_fault.h"
#include "storage/s3_xml.h"

#include <string.h>

/* What an S3 server says: its XML, its errors, its headers. */

static bool
on_leaf(const char *path, const char *text, void *user_data)
{
    g_string_append_printf(user_data, "%s=%s;", path, text);
    return strcmp(text, "refuse") != 0;
}

/* Returns: the leaves as one text, owned; NULL if the document is refused. */
static char *
read_xml(const char *xml)
{
    g_autoptr(GBytes) bytes = g_bytes_new(xml, strlen(xml));
    g_autoptr(GError) error = NULL;
    GString *leaves = g_string_new(NULL);

    if (s3_xml_read(bytes, "R", on_leaf, leaves, &error)) {
        g_assert_no_error(error);
        return g_string_free(leaves, FALSE);
    }
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    (void) g_string_free(leaves, TRUE);
    return NULL;
}

static void
test_xml_reads_leaves(void)
{
    static const char *const rows[][2] = {
        {"<R/>",                                       ""                 },
        {"<?xml version=\"1.0\"?>\n<R xmlns=\"http://x/\">\n <A>1</A>\n <B><C> x y "
         "</C><C/></B>\n</R>\n",              "A=1;B/C=x y;B/C=;"},
        {"<R><A>&lt;&amp;&#233;</A><!-- said --></R>", "A=<&\xc3\xa9;"    },
        {"<R><A><![CDATA[<a>]]></A></R>",              "A=<a>;"           },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *leaves = read_xml(rows[i][0]);

        g_assert_cmpstr(leaves, ==, rows[i][1]);
    }
}

static void
test_xml_refuses_what_is_no_answer(void)
{
    static const char *const rows[] = {
        "",
        " ",
        "R",
        "<Q/>",
        "<R>",
        "<R><A>1</A>",
        "<R><A>1</R></A>",
        "<R/><R/>",
        "<R/>x",
        "<R>text<A/></R>",
        "<R><A/>text</R>",
        "<R><A>&unknown;</A></R>",
        "<R><A>\xff</A></R>",
        "<!DOCTYPE R><R/>",
        "<R><A>refuse</A></R>",
        "<html><body>Sign in</body></html>",
        "<R><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></"
        "a></a>"
        "</a></a></a></a></a></R>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *leaves = read_xml(rows[i]);

        g_test_message("row %zu", i);
        g_assert_null(leaves);
    }
}

/* Every cut of an answer is noticed. */
static void
test_xml_refuses_each_cut(void)
{
    static const char xml[] = "<R><A>1</A><B><C>2</C></B></R>";

    for (size_t n = 0; n < strlen(xml); n++) {
        g_autofree char *cut = g_strndup(xml, n);
        g_autofree char *leaves = read_xml(cut);

        g_assert_null(leaves);
    }
}

static HttpResponse *
response_for_test(unsigned status, const char *body)
{
    HttpResponse *response = g_new0(HttpResponse, 1);

    response->status = status;
    response->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    response->body = g_bytes_new(body, strlen(body));
    return response;
}

static void
set_header(HttpResponse *response, const char *name, const char *value)
{
    g_hash_table_replace(response->headers, g_strdup(name), g_strdup(value));
}

static void
test_fault_goes_by_code(void)
{
    static const struct {
        unsigned status;
        const char *code; /* NULL: no XML */
        S3FaultKind kind;
        StorageError error;
    } rows[] = {
        {403, "RequestTimeTooSkewed",         S3_FAULT_CLOCK,     STORAGE_ERROR_DENIED   },
        {403, "ExpiredToken",                 S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
        {400, "ExpiredToken",                 S3_FAULT_EXPIRED,   STORAGE_ERROR_DENIED   },
        {403, "AccessDenied",                 S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
        {403, "SomethingNew",                 S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
        {403, "SlowDown",                     S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
        {400, "RequestTimeout",               S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {400, "AuthorizationHeaderMalformed", S3_FAULT_REGION,    STORAGE_ERROR_DENIED   },
        {404, "NoSuchKey",                    S3_FAULT_FINAL,     STORAGE_ERROR_NOT_FOUND},
        {404, "NoSuchBucket",                 S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
        {404, NULL,                           S3_FAULT_FINAL,     STORAGE_ERROR_NOT_FOUND},
        {409, "ConditionalRequestConflict",   S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {412, "PreconditionFailed",           S3_FAULT_EXISTS,    STORAGE_ERROR_CONFLICT },
        {412, NULL,                           S3_FAULT_EXISTS,    STORAGE_ERROR_CONFLICT },
        {200, "InternalError",                S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {200, NULL,                           S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {500, NULL,                           S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {502, NULL,                           S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {503, NULL,                           S3_FAULT_THROTTLED, STORAGE_ERROR_TRANSIENT},
        {520, NULL,                           S3_FAULT_PASSING,   STORAGE_ERROR_TRANSIENT},
        {507, NULL,                           S3_FAULT_FINAL,     STORAGE_ERROR_FULL     },
        {501, "NotImplemented",               S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
        {301, "PermanentRedirect",            S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
        {418, NULL,                           S3_FAULT_FINAL,     STORAGE_ERROR_DENIED   },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml =
            rows[i].code == NULL
                ? g_strdup("<html>")
                : g_strdup_printf("<Error><Code>%s</Code><Region>eu-x-1</Region></Error>",
                                  rows[i].code);
        g_autoptr(HttpResponse) response = response_for_test(rows[i].status, xml);
        g_autoptr(S3Fault) fault = s3_fault_read(response);

        g_test_message("%u %s", rows[i].status, rows[i].code);
        g_assert_cmpint(fault->kind, ==, rows[i].kind);
        g_assert_cmpint(fault->code, ==, rows[i].error);
        g_assert_cmpstr(fault->region, ==, rows[i].code == NULL ? NULL : "eu-x-1");
    }
}

static void
test_fault_sentence_is_tame(void)
{
    g_autoptr(HttpResponse) response = response_for_test(
        403, "<Error><Code>AccessDenied</Code><Message>no\nway \xe2\x9d\x8c</Message></Error>");
    g_autoptr(S3Fault) fault = NULL;

    set_header(response, "x-amz-request-id", "ID1");
    set_header(response, "x-amz-id-2", "ID2");
    fault = s3_fault_read(response);

    g_assert_cmpstr(fault->sentence, ==,
                    "status 403, AccessDenied: no?way ???; x-amz-request-id ID1; x-amz-id-2 ID2");
}

static void
test_retry_after_is_bounded(void)
{
    static const struct {
        const char *text;
        unsigned ms;
    } rows[] = {
        {"3",                    3000  },
        {"0",                    0     },
        {"600",                  600000},
        {"86400",                600000},
        {"99999999999999999999", 0     },
        {"-1",                   0     },
        {"soon",                 0     },
        {"",                     0     },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HttpResponse) response = response_for_test(503, "");

        set_header(response, "retry-after", rows[i].text);
        g_assert_cmpuint(s3_fault_retry_after_ms(response), ==, rows[i].ms);
    }
}

static void
test_clock_offset_reads_date(void)
{
    g_autoptr(HttpResponse) response = response_for_test(403, "");
    int64_t offset_s = 7;

    g_assert_false(s3_fault_clock_offset(response, 1000, &offset_s));
    set_header(response, "date", "yesterday, or so");
    g_assert_false(s3_fault_clock_offset(response, 1000, &offset_s));
    set_header(response, "date", "Fri, 24 May 2013 00:00:00 GMT");
    g_assert_true(s3_fault_clock_offset(response, 1369353600 + 3600, &offset_s));
    g_assert_cmpint(offset_s, ==, -3600);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/s3_xml/reads-leaves", test_xml_reads_leaves);
    g_test_add_func("/s3_xml/refuses-what-is-no-answer", test_xml_refuses_what_is_no_answer);
    g_test_add_func("/s3_xml/refuses-each-cut", test_xml_refuses_each_cut);
    g_test_add_func("/s3_fault/goes-by-code", test_fault_goes_by_code);
    g_test_add_func("/s3_fault/sentence-is-tame", test_fault_sentence_is_tame);
    g_test_add_func("/s3_fault/retry-after-is-bounded", test_retry_after_is_bounded);
    g_test_add_func("/s3_fault/clock-offset-reads-date", test_clock_offset_reads_date);
    return g_test_run();
}
