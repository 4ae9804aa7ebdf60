#include "agent/opener/grant_request.h"

#include <string.h>

static GrantRequest *
parse(const char *text, char **fault)
{
    json_t *body = json_loads(text, 0, NULL);
    GrantRequest *request = grant_request_parse(body, fault);

    json_decref(body);
    return request;
}

static void
test_reads_all_members(void)
{
    g_autofree char *fault = NULL;
    g_autoptr(GrantRequest) request = parse(
        "{\"session\":\"s-1\",\"org\":\"clinic-a\",\"purpose\":\"BTG\",\"tracks\":[\"a\",\"b\"],"
        "\"from_us\":5,\"to_us\":9,\"reason\":\" because \"}",
        &fault);

    g_assert_null(fault);
    g_assert_cmpstr(request->session, ==, "s-1");
    g_assert_cmpstr(request->org, ==, "clinic-a");
    g_assert_cmpstr(request->purpose, ==, "BTG");
    g_assert_cmpuint(g_strv_length(request->tracks), ==, 2);
    g_assert_cmpint(request->from_us, ==, 5);
    g_assert_cmpint(request->until_us, ==, 9);
    g_assert_cmpstr(request->reason, ==, "because");
}

static void
test_says_what_is_wrong(void)
{
    static const char *const rows[][2] = {
        {"[]",                                                                  "needs a body"            },
        {"{\"purpose\":\"TREAT\"}",                                             "`session` is missing"    },
        {"{\"session\":\"../x\",\"purpose\":\"TREAT\"}",                        "`session` must be an id" },
        {"{\"session\":\"s\"}",                                                 "`purpose` is missing"    },
        {"{\"session\":\"s\",\"purpose\":\"treat\"}",                           "`purpose` must be a code"},
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"track\":[\"a\"]}",
         "a member that nobody knows"                                                                     },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"tracks\":[]}",             "`tracks` must be a list" },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"tracks\":[\"a\",7]}",
         "`tracks` must be a list"                                                                        },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"tracks\":[\"a\",\"a\"]}",
         "`tracks` names a track twice"                                                                   },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"from_us\":-1}",            "`from_us` must be"       },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"from_us\":2,\"to_us\":2}",
         "`to_us` is not after"                                                                           },
        {"{\"session\":\"s\",\"purpose\":\"TREAT\",\"reason\":\"  \"}",
         "`reason` must say something"                                                                    },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *fault = NULL;
        g_autoptr(GrantRequest) request = parse(rows[i][0], &fault);

        g_assert_null(request);
        if (strstr(fault, rows[i][1]) == NULL)
            g_error("`%s` is not in: %s", rows[i][1], fault);
    }
}

static void
test_reads_parts_of_a_path(void)
{
    g_auto(GStrv) good = grant_request_split_tracks("a,b-1");
    int64_t time_us = 0;

    g_assert_cmpuint(g_strv_length(good), ==, 2);
    g_assert_null(grant_request_split_tracks(""));
    g_assert_null(grant_request_split_tracks("a,,b"));
    g_assert_null(grant_request_split_tracks("a,../b"));
    g_assert_true(grant_request_read_time("12", &time_us));
    g_assert_cmpint(time_us, ==, 12);
    g_assert_false(grant_request_read_time("-1", &time_us));
    g_assert_false(grant_request_read_time("1s", &time_us));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/grant_request/reads-all-members", test_reads_all_members);
    g_test_add_func("/grant_request/says-what-is-wrong", test_says_what_is_wrong);
    g_test_add_func("/grant_request/reads-parts-of-a-path", test_reads_parts_of_a_path);
    return g_test_run();
}
