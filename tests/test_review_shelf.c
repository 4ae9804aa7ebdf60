#include "agent/opener/review_shelf.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

#define ID "00112233445566778899aabbccddeeff"

typedef struct {
    char *folder;
    OrgSettings org;
    GPtrArray *identities;
} Shelf;

static Shelf
shelf_for_test(void)
{
    g_autoptr(GError) error = NULL;
    AgeIdentity *identity = age_identity_generate(&error);
    g_autoptr(AgeRecipient) recipient = age_identity_recipient(identity);
    Shelf shelf = {.folder = scratch_new("shelf")};

    g_assert_no_error(error);
    shelf.org.id = g_strdup("clinic-a");
    shelf.org.recipients = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(shelf.org.recipients, g_strdup(age_recipient_text(recipient)));
    shelf.identities = g_ptr_array_new_with_free_func((GDestroyNotify) age_identity_free);
    g_ptr_array_add(shelf.identities, identity);
    return shelf;
}

static void
shelf_clear(Shelf *self)
{
    scratch_remove(self->folder);
    g_free(self->org.id);
    g_ptr_array_unref(self->org.recipients);
    g_ptr_array_unref(self->identities);
}

static void
put(const Shelf *shelf, const char *id, const char *at)
{
    g_autoptr(GError) error = NULL;
    json_t *form = json_pack("{s:s, s:s}", "at", at, "reason", "the heart stopped");

    g_assert_true(review_shelf_put(shelf->folder, &shelf->org, id, form, &error));
    g_assert_no_error(error);
    json_decref(form);
}

static json_t *
list(const Shelf *shelf, GPtrArray *identities)
{
    g_autoptr(GError) error = NULL;
    json_t *found = review_shelf_list(shelf->folder, "clinic-a", identities, &error);

    g_assert_no_error(error);
    return found;
}

static void
test_keeps_what_waits_until_removed(void)
{
    Shelf shelf = shelf_for_test();
    g_autoptr(GError) error = NULL;
    json_t *none = list(&shelf, shelf.identities);
    json_t *two = NULL;
    json_t *one = NULL;

    g_assert_cmpuint(json_array_size(none), ==, 0);
    put(&shelf, "bb", "2026-02-02T00:00:00Z");
    put(&shelf, "aa", "2026-03-02T00:00:00Z");
    two = list(&shelf, shelf.identities);
    g_assert_cmpuint(json_array_size(two), ==, 2);
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(two, 0), "review")), ==, "bb");
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(two, 1), "reason")), ==,
                    "the heart stopped");
    g_assert_true(review_shelf_remove(shelf.folder, "clinic-a", "bb", &error));
    g_assert_false(review_shelf_remove(shelf.folder, "clinic-a", "bb", NULL));
    one = list(&shelf, shelf.identities);
    g_assert_cmpuint(json_array_size(one), ==, 1);
    json_decref(none);
    json_decref(two);
    json_decref(one);
    shelf_clear(&shelf);
}

static void
test_nothing_stands_in_clear_text(void)
{
    Shelf shelf = shelf_for_test();
    g_autofree char *path = NULL;
    g_autofree char *bytes = NULL;
    gsize n_bytes = 0;
    GStatBuf info = {0};

    put(&shelf, ID, "2026-02-02T00:00:00Z");
    path = g_build_filename(shelf.folder, "clinic-a", ID ".review", NULL);
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    g_assert_null(g_strstr_len(bytes, (gssize) n_bytes, "heart"));
    g_assert_true(g_str_has_prefix(bytes, "age-encryption.org/v1"));
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
    shelf_clear(&shelf);
}

static void
test_what_no_identity_opens_still_waits(void)
{
    Shelf shelf = shelf_for_test();
    Shelf other = shelf_for_test();
    json_t *found = NULL;

    put(&shelf, ID, "2026-02-02T00:00:00Z");
    found = list(&shelf, other.identities);
    g_assert_cmpuint(json_array_size(found), ==, 1);
    g_assert_cmpuint(json_object_size(json_array_get(found, 0)), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(found, 0), "review")), ==, ID);
    json_decref(found);
    shelf_clear(&other);
    shelf_clear(&shelf);
}

static void
test_an_id_is_no_way_out(void)
{
    static const char *const ids[] = {"",   "..",  "../clinic-a/" ID, ID "x",
                                      "AA", "bb/", "clinic-b/" ID,    NULL};
    Shelf shelf = shelf_for_test();

    put(&shelf, ID, "2026-02-02T00:00:00Z");
    for (int i = 0; ids[i] != NULL; i++)
        g_assert_null(review_shelf_find(shelf.folder, "clinic-a", ids[i], shelf.identities));
    g_assert_null(review_shelf_find(shelf.folder, "clinic-b", ID, shelf.identities));
    shelf_clear(&shelf);
}

static void
test_without_room_it_says_so(void)
{
    Shelf shelf = shelf_for_test();
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_build_filename(shelf.folder, "no-folder", NULL);
    json_t *form = json_object();

    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_false(review_shelf_put(file, &shelf.org, ID, form, &error));
    g_assert_nonnull(error);
    json_decref(form);
    shelf_clear(&shelf);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/review_shelf/keeps-what-waits-until-removed",
                    test_keeps_what_waits_until_removed);
    g_test_add_func("/review_shelf/nothing-stands-in-clear-text",
                    test_nothing_stands_in_clear_text);
    g_test_add_func("/review_shelf/what-no-identity-opens-still-waits",
                    test_what_no_identity_opens_still_waits);
    g_test_add_func("/review_shelf/an-id-is-no-way-out", test_an_id_is_no_way_out);
    g_test_add_func("/review_shelf/without-room-it-says-so", test_without_room_it_says_so);
    return g_test_run();
}
