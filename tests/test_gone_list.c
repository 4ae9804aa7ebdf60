#include "agent/admin/gone_list.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#define ORG "clinic-a"

enum { NOW_S = 1796000000, DAY_S = 86400 };

static const char *const notes[] = {"clinic-a/s1/notes/1.note", "clinic-a/s1/notes/2.note"};

static GPtrArray *
keys_of(const char *const *names, guint n_names)
{
    GPtrArray *keys = g_ptr_array_new();

    for (guint i = 0; i < n_names; i++)
        g_ptr_array_add(keys, (void *) names[i]);
    return keys;
}

static char *
ledger_for_test(void)
{
    char *ledger = g_dir_make_tmp("gone-XXXXXX", NULL);

    g_assert_nonnull(ledger);
    return ledger;
}

static void
note_s1(const char *ledger, int64_t at_s)
{
    g_autoptr(GoneList) list = gone_list_read(ledger, ORG);
    g_autoptr(GPtrArray) keys = keys_of(notes, 2);
    g_autoptr(GError) error = NULL;
    GDate newest;

    g_date_clear(&newest, 1);
    g_date_set_dmy(&newest, 29, G_DATE_NOVEMBER, 2026);
    gone_list_note(list, "s1", keys, at_s, &newest);
    g_assert_true(gone_list_write(list, at_s, &error));
    g_assert_no_error(error);
}

static bool
knows(const char *ledger, const char *session, const char *const *names, guint n_names,
      int64_t now_s)
{
    g_autoptr(GoneList) list = gone_list_read(ledger, ORG);
    g_autoptr(GPtrArray) keys = keys_of(names, n_names);
    GDate newest;
    const bool is_known = gone_list_knows(list, session, keys, now_s, &newest);

    if (is_known) {
        g_assert_cmpuint(g_date_get_day(&newest), ==, 29);
        g_assert_cmpuint(g_date_get_month(&newest), ==, G_DATE_NOVEMBER);
    }
    return is_known;
}

static void
test_knows_the_same_names_alone(void)
{
    g_autofree char *ledger = ledger_for_test();
    const char *const more[] = {notes[0], notes[1], "clinic-a/s1/notes/3.note"};
    const char *const others[] = {notes[0], "clinic-a/s1/notes/3.note"};
    const char *const back[] = {"clinic-a/s1/env/1.age", notes[0], notes[1]};

    note_s1(ledger, NOW_S);

    g_assert_true(knows(ledger, "s1", notes, 2, NOW_S));
    g_assert_false(knows(ledger, "s1", more, 3, NOW_S)); /* something was said of it */
    g_assert_false(knows(ledger, "s1", others, 2, NOW_S));
    g_assert_false(knows(ledger, "s1", notes, 1, NOW_S)); /* taken away */
    g_assert_false(knows(ledger, "s1", notes, 0, NOW_S));
    g_assert_false(knows(ledger, "s1", back, 3, NOW_S));
    g_assert_false(knows(ledger, "s2", notes, 2, NOW_S));
}

static void
test_looks_again_in_time(void)
{
    g_autofree char *ledger = ledger_for_test();
    const int64_t end_s = NOW_S + (int64_t) GONE_LIST_DAYS * DAY_S;

    note_s1(ledger, NOW_S);

    g_assert_true(knows(ledger, "s1", notes, 2, end_s - 1));
    g_assert_false(knows(ledger, "s1", notes, 2, end_s));
    g_assert_false(knows(ledger, "s1", notes, 2, NOW_S - 1)); /* the clock was set back */
}

static void
test_keeps_what_is_fresh(void)
{
    g_autofree char *ledger = ledger_for_test();
    g_autoptr(GError) error = NULL;

    note_s1(ledger, NOW_S);
    for (int day = 1; day < GONE_LIST_DAYS; day++) {
        g_autoptr(GoneList) list = gone_list_read(ledger, ORG);

        g_assert_true(gone_list_write(list, NOW_S + (int64_t) day * DAY_S, &error));
    }
    g_assert_true(knows(ledger, "s1", notes, 2, NOW_S));
    {
        g_autoptr(GoneList) list = gone_list_read(ledger, ORG);

        g_assert_true(gone_list_write(list, NOW_S + (int64_t) GONE_LIST_DAYS * DAY_S, &error));
    }
    g_assert_false(knows(ledger, "s1", notes, 2, NOW_S));
}

static void
test_notes_nothing_but_annotations(void)
{
    g_autofree char *ledger = ledger_for_test();
    const char *const left[] = {"clinic-a/s1/env/1.age", notes[0]};
    g_autoptr(GoneList) list = gone_list_read(ledger, ORG);
    g_autoptr(GPtrArray) keys = keys_of(left, 2);
    g_autoptr(GError) error = NULL;
    GDate newest;

    g_date_clear(&newest, 1);
    gone_list_note(list, "s1", keys, NOW_S, &newest);
    g_assert_true(gone_list_write(list, NOW_S, &error));

    g_assert_false(knows(ledger, "s1", left, 2, NOW_S));
}

static void
test_believes_no_other_file(void)
{
    g_autofree char *ledger = ledger_for_test();
    g_autofree char *path = g_build_filename(ledger, ORG ".gone", NULL);
    g_autofree char *good = NULL;
    gsize n_good = 0;

    note_s1(ledger, NOW_S);
    g_assert_true(g_file_get_contents(path, &good, &n_good, NULL));
    for (gsize n = 0; n < n_good; n++) { /* cut at each length */
        g_assert_true(g_file_set_contents(path, good, (gssize) n, NULL));
        g_assert_false(knows(ledger, "s1", notes, 2, NOW_S));
    }
    {
        g_autofree char *more = g_strconcat(good, "s3 nonsense\n", NULL);

        g_assert_true(g_file_set_contents(path, more, -1, NULL));
        g_assert_false(knows(ledger, "s1", notes, 2, NOW_S));
    }
    g_assert_true(g_file_set_contents(path, good, (gssize) n_good, NULL));
    g_assert_true(knows(ledger, "s1", notes, 2, NOW_S));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/gone-list/knows-the-same-names-alone", test_knows_the_same_names_alone);
    g_test_add_func("/gone-list/looks-again-in-time", test_looks_again_in_time);
    g_test_add_func("/gone-list/keeps-what-is-fresh", test_keeps_what_is_fresh);
    g_test_add_func("/gone-list/notes-nothing-but-annotations", test_notes_nothing_but_annotations);
    g_test_add_func("/gone-list/believes-no-other-file", test_believes_no_other_file);
    return g_test_run();
}
