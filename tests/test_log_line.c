#include "agent/service/log_line.h"

#define NOON_US ((int64_t) 1795348800123456) /* 2026-11-22T12:00:00.123Z */

static void
test_shows_level_domain_message_and_fields(void)
{
    static const GLogField fields[] = {
        {"PRIORITY",    "5",                 -1},
        {"GLIB_DOMAIN", "recorder",          -1},
        {"CODE_FILE",   "x.c",               -1},
        {"MESSAGE",     "track added",       -1},
        {"SESSION",     "5f00",              -1},
        {"TRACK",       "p1-audio-and-more", 8 },
    };
    g_autofree char *line =
        log_line_format(G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS(fields), NOON_US);

    g_assert_cmpstr(
        line, ==,
        "2026-11-22T12:00:00.123Z message recorder: track added session=5f00 track=p1-audio\n");
}

static void
test_stays_one_line(void)
{
    static const GLogField fields[] = {
        {"MESSAGE", "one\ntwo\x1b[2J", -1},
        {"SESSION", "a\rb",            -1}
    };
    g_autofree char *line =
        log_line_format(G_LOG_LEVEL_WARNING, fields, G_N_ELEMENTS(fields), NOON_US);

    g_assert_cmpstr(line, ==, "2026-11-22T12:00:00.123Z warning one two [2J session=a b\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log-line/shows-level-domain-message-and-fields",
                    test_shows_level_domain_message_and_fields);
    g_test_add_func("/log-line/stays-one-line", test_stays_one_line);
    return g_test_run();
}
