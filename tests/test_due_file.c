#include "storage/due_file.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *ledger;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->folder = scratch_new("due");
    self->ledger = g_build_filename(self->folder, "erased", NULL);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_free(self->ledger);
    scratch_remove(self->folder);
}

static void
test_comes_back(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    const DueFile written = {1764000000, 3, 2, 1, 4};
    DueFile due;

    g_assert_false(due_file_read(self->ledger, "clinic-a", &due));
    g_assert_true(due_file_write(self->ledger, "clinic-a", &written, &error));
    g_assert_no_error(error);

    g_assert_true(due_file_read(self->ledger, "clinic-a", &due));
    g_assert_cmpmem(&due, sizeof due, &written, sizeof written);
    g_assert_false(due_file_read(self->ledger, "clinic-b", &due));
}

static void
test_damage_is_none(Fixture *self, gconstpointer data)
{
    static const char *const texts[] = {
        "",
        "sealtape-due/v2\nat 1\ndue 1\nlocked 1\nheld 1\nfailed 1\n",
        "sealtape-due/v1\nat 1\ndue 1\nlocked 1\nheld 1\n",
        "sealtape-due/v1\nat 1\ndue x\nlocked 1\nheld 1\nfailed 1\n",
        "sealtape-due/v1\nat 1\ndue 1\nlocked 1\nheld 1\nfailed 1\nmore 1\n",
    };
    g_autofree char *path = g_build_filename(self->ledger, "clinic-a.due", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir(self->ledger, 0700), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        DueFile due = {.n_due = 9};

        g_assert_true(g_file_set_contents(path, texts[i], -1, &error));
        g_assert_false(due_file_read(self->ledger, "clinic-a", &due));
        g_assert_cmpuint(due.n_due, ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/due-file/comes-back", Fixture, NULL, set_up, test_comes_back, tear_down);
    g_test_add("/due-file/damage-is-none", Fixture, NULL, set_up, test_damage_is_none, tear_down);
    return g_test_run();
}
