#include "storage/due_file.h"

#include <glib/gstdio.h>
#include <string.h>

static char *
ledger_for_test(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("due-XXXXXX", &error);

    g_assert_no_error(error);
    return g_build_filename(folder, "erased", NULL);
}

static void
test_comes_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *ledger = ledger_for_test();
    const DueFile written = {1764000000, 3, 2, 1, 4};
    DueFile due;

    g_assert_false(due_file_read(ledger, "clinic-a", &due));
    g_assert_true(due_file_write(ledger, "clinic-a", &written, &error));
    g_assert_no_error(error);

    g_assert_true(due_file_read(ledger, "clinic-a", &due));
    g_assert_cmpmem(&due, sizeof due, &written, sizeof written);
    g_assert_false(due_file_read(ledger, "clinic-b", &due));
}

static void
test_damage_is_none(void)
{
    static const char *const texts[] = {
        "",
        "sealtape-due/v2\nat 1\ndue 1\nlocked 1\nheld 1\nfailed 1\n",
        "sealtape-due/v1\nat 1\ndue 1\nlocked 1\nheld 1\n",
        "sealtape-due/v1\nat 1\ndue x\nlocked 1\nheld 1\nfailed 1\n",
        "sealtape-due/v1\nat 1\ndue 1\nlocked 1\nheld 1\nfailed 1\nmore 1\n",
    };
    g_autofree char *ledger = ledger_for_test();
    g_autofree char *path = g_build_filename(ledger, "clinic-a.due", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(ledger, 0700), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        DueFile due = {.n_due = 9};

        g_assert_true(g_file_set_contents(path, texts[i], -1, &error));
        g_assert_false(due_file_read(ledger, "clinic-a", &due));
        g_assert_cmpuint(due.n_due, ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/due-file/comes-back", test_comes_back);
    g_test_add_func("/due-file/damage-is-none", test_damage_is_none);
    return g_test_run();
}
