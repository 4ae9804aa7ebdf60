#include "storage/s3_endpoint.h"
#include "storage/s3_gate.h"
#include "storage/storage_error.h"

static void
test_addresses_both_styles(void)
{
    static const struct {
        const char *url;
        S3Style style;
        const char *prefix, *host, *target, *bucket_target;
    } rows[] = {
        {"https://h.example",      S3_STYLE_PATH, "",     "h.example",             "/bucket/a/b",   "/bucket"},
        {"https://h.example/",     S3_STYLE_HOST, "",     "bucket.h.example",      "/a/b",          "/"      },
        {"https://h.example:443",  S3_STYLE_PATH, "p/",   "h.example",             "/bucket/p/a/b", "/bucket"},
        {"https://h.example:9000", S3_STYLE_HOST, "p/q/", "bucket.h.example:9000", "/p/q/a/b",      "/"      },
        {"http://127.0.0.1:80",    S3_STYLE_PATH, "",     "127.0.0.1",             "/bucket/a/b",   "/bucket"},
        {"http://[::1]:443",       S3_STYLE_PATH, "",     "[::1]:443",             "/bucket/a/b",   "/bucket"},
        {"http://localhost",       S3_STYLE_PATH, "",     "localhost",             "/bucket/a/b",   "/bucket"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(S3Endpoint) endpoint =
            s3_endpoint_new(rows[i].url, "bucket", rows[i].style, rows[i].prefix, &error);
        g_autoptr(AwsRequest) object = NULL;
        g_autoptr(AwsRequest) bucket = NULL;

        g_assert_no_error(error);
        object = s3_endpoint_request(endpoint, "GET", "a/b");
        bucket = s3_endpoint_request(endpoint, "GET", NULL);
        g_assert_cmpstr(object->host, ==, rows[i].host);
        g_assert_cmpstr(object->path, ==, rows[i].target);
        g_assert_cmpstr(bucket->path, ==, rows[i].bucket_target);
        g_assert_true(g_str_has_suffix(endpoint->base, rows[i].host));
    }
}

static void
test_refuses_what_is_no_place(void)
{
    static const struct {
        const char *url, *bucket;
        S3Style style;
        const char *prefix;
    } rows[] = {
        {"http://h.example",         "bucket",    S3_STYLE_PATH, ""   },
        {"http://10.0.0.1",          "bucket",    S3_STYLE_PATH, ""   },
        {"http://localhost.example", "bucket",    S3_STYLE_PATH, ""   },
        {"https://user@h.example",   "bucket",    S3_STYLE_PATH, ""   },
        {"https://h.example/x",      "bucket",    S3_STYLE_PATH, ""   },
        {"https://h.example?x",      "bucket",    S3_STYLE_PATH, ""   },
        {"https://h.example#x",      "bucket",    S3_STYLE_PATH, ""   },
        {"https://",                 "bucket",    S3_STYLE_PATH, ""   },
        {"h.example",                "bucket",    S3_STYLE_PATH, ""   },
        {"",                         "bucket",    S3_STYLE_PATH, ""   },
        {"https://h.example",        "",          S3_STYLE_PATH, ""   },
        {"https://h.example",        "ab",        S3_STYLE_PATH, ""   },
        {"https://h.example",        "Bucket",    S3_STYLE_PATH, ""   },
        {"https://h.example",        "../bucket", S3_STYLE_PATH, ""   },
        {"https://h.example",        "-bucket",   S3_STYLE_PATH, ""   },
        {"https://h.example",        "a.bucket",  S3_STYLE_HOST, ""   },
        {"https://192.0.2.1",        "bucket",    S3_STYLE_HOST, ""   },
        {"https://h.example",        "bucket",    S3_STYLE_PATH, "p"  },
        {"https://h.example",        "bucket",    S3_STYLE_PATH, "/p/"},
        {"https://h.example",        "bucket",    S3_STYLE_PATH, "p//"},
        {"https://h.example",        "bucket",    S3_STYLE_PATH, "../"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(S3Endpoint) endpoint =
            s3_endpoint_new(rows[i].url, rows[i].bucket, rows[i].style, rows[i].prefix, &error);

        g_test_message("%s %s %s", rows[i].url, rows[i].bucket, rows[i].prefix);
        g_assert_null(endpoint);
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    }
}

static void
test_gate_halves_and_grows(void)
{
    g_autoptr(S3Gate) gate = s3_gate_new(8);
    unsigned n_good = 0;

    for (unsigned wanted = 4; wanted > 0; wanted /= 2) {
        s3_gate_enter(gate);
        s3_gate_leave(gate, true);
        g_assert_cmpuint(s3_gate_limit(gate), ==, wanted);
    }
    s3_gate_enter(gate);
    s3_gate_leave(gate, true);
    g_assert_cmpuint(s3_gate_limit(gate), ==, 1); /* never to a halt */
    while (s3_gate_limit(gate) < 8 && n_good < 1000) {
        s3_gate_enter(gate);
        s3_gate_leave(gate, false);
        n_good++;
    }
    g_assert_cmpuint(n_good, ==, 7 * 16);
    for (int i = 0; i < 100; i++) {
        s3_gate_enter(gate);
        s3_gate_leave(gate, false);
    }
    g_assert_cmpuint(s3_gate_limit(gate), ==, 8);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/s3_endpoint/addresses-both-styles", test_addresses_both_styles);
    g_test_add_func("/s3_endpoint/refuses-what-is-no-place", test_refuses_what_is_no_place);
    g_test_add_func("/s3_gate/halves-and-grows", test_gate_halves_and_grows);
    return g_test_run();
}
