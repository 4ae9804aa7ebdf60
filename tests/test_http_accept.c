#include "tests/fakes/http_fixture.h"

#include <errno.h>
#include <malloc.h>
#include <unistd.h>

/* Fails the next call with `code`, for somebody who asks. Returns: how long until the one after. */
static gint64
fail_once(HttpFixture *fixture, int code)
{
    const int fd = http_fixture_connect(fixture->path);
    gint64 failed_us = 0;
    gint64 again_us = 0;
    g_autofree char *answer = NULL;

    http_fixture_fail_accept(code);
    while (http_fixture_accepts(NULL) < 1)
        g_main_context_iteration(NULL, TRUE);
    (void) http_fixture_accepts(&failed_us);
    while (http_fixture_accepts(NULL) < 2)
        g_main_context_iteration(NULL, TRUE);
    (void) http_fixture_accepts(&again_us);
    close(fd);
    answer = http_fixture_ask(fixture->path, "GET", "/text");
    http_fixture_status(answer, 200);
    return again_us - failed_us;
}

/* A machine that stands still for a while is slow with each of them, but not again and again. */
static void
test_goes_on_after_one_peer(HttpFixture *fixture, gconstpointer unused)
{
    static const int codes[] = {ECONNABORTED, EPERM,    EPROTO,      ENOPROTOOPT,
                                EOPNOTSUPP,   ENETDOWN, ENETUNREACH, EHOSTDOWN,
                                EHOSTUNREACH, ENONET,   EINTR};

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        unsigned n_tries = 1;

        while (fail_once(fixture, codes[i]) >= 190000 && n_tries < 10)
            n_tries++;
        g_assert_cmpuint(n_tries, <, 10);
    }
}

static void
test_rests_when_all_would_fail(HttpFixture *fixture, gconstpointer unused)
{
    static const int codes[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_test_expect_message("sealtape-service", G_LOG_LEVEL_WARNING,
                              "a connection could not be taken: *");
        g_assert_cmpint(fail_once(fixture, codes[i]), >=, 190000);
        g_test_assert_expected_messages();
    }
}

/* What malloc has given out stays the same, to less than libsoup's own listener left behind of
 * each. Under a sanitizer nothing is counted. */
static void
test_leaves_nothing_behind(HttpFixture *fixture, gconstpointer unused)
{
    const unsigned n_warm = 200;
    const unsigned n_asked = 2000;
    size_t before = 0;

    for (unsigned i = 0; i < n_warm + n_asked; i++) {
        g_autofree char *answer = NULL;

        if (i == n_warm)
            before = mallinfo2().uordblks;
        answer = http_fixture_ask(fixture->path, "GET", "/text");
        http_fixture_status(answer, 200);
    }
    g_assert_cmpuint(mallinfo2().uordblks, <, before + n_asked * 64);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    http_fixture_add("http_accept", "goes-on-after-one-peer", test_goes_on_after_one_peer);
    http_fixture_add("http_accept", "rests-when-all-would-fail", test_rests_when_all_would_fail);
    http_fixture_add("http_accept", "leaves-nothing-behind", test_leaves_nothing_behind);
    return g_test_run();
}
