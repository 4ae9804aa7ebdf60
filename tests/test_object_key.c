#include "storage/object_key.h"

static void
test_valid_keys(void)
{
    static const char *const good[] = {"a", "clinic-a/visit-1/tp1-audio/0-0.tape", "0/1.2_3-4"};
    static const char *const bad[] = {"",     "/", "a/",  "/a",   "a//b", ".",  "..",   "a/..",
                                      "a/.x", "A", "a b", "a\tb", "a/-b", "_a", "a\\b", "\303\251"};
    g_autofree char *long_word = g_strnfill(256, 'a');
    g_autofree char *fitting_word = g_strnfill(255, 'a');

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(object_key_is_valid(good[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(object_key_is_valid(bad[i]));
    g_assert_false(object_key_is_valid(NULL));
    g_assert_false(object_key_is_valid(long_word));
    g_assert_true(object_key_is_valid(fitting_word));
}

static void
test_names_follow_the_layout(void)
{
    g_autofree char *tape = object_key_tape("p1-audio", 2, 14);
    g_autofree char *key = object_key_join("clinic-a", "visit-1", tape);
    g_autofree char *note = object_key_manifest("clinic-a", "visit-1", 7);

    g_assert_cmpstr(key, ==, "clinic-a/visit-1/tp1-audio/2-14.tape");
    g_assert_cmpstr(note, ==, "clinic-a/visit-1/manifest/7.note");
}

static void
test_numbers_have_one_spelling(void)
{
    static const char *const bad[] = {
        "manifest/0.note", "manifest/01.note", "manifest/+1.note",         "manifest/1.note.x",
        "manifest/1",      "manifest/.note",   "manifest/4294967296.note", "manifest1.note",
        "env/1.note",      "manifest/ 1.note",
    };
    uint32_t number = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(object_key_parse_number(bad[i], "manifest", ".note", &number));
    g_assert_true(
        object_key_parse_number("manifest/4294967295.note", "manifest", ".note", &number));
    g_assert_cmpuint(number, ==, UINT32_MAX);
}

static void
test_sorts_each_once(void)
{
    static const char *const given[] = {"b/2", "a", "b/10", "a", "b", "b/2"};
    static const char *const wanted[] = {"a", "b", "b/10", "b/2"};
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GPtrArray) sorted = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
        g_ptr_array_add(names, (gpointer) given[i]);
    sorted = object_key_sort(names);

    g_assert_cmpuint(sorted->len, ==, G_N_ELEMENTS(wanted));
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpstr(sorted->pdata[i], ==, wanted[i]);
    g_assert_cmpuint(names->len, ==, G_N_ELEMENTS(given));
    g_assert_cmpstr(names->pdata[0], ==, "b/2");
}

static void
test_knows_what_is_secret(void)
{
    static const char *const secret[] = {"env/1.age", "meta.age", "said/ab.sealed",
                                         "r12/said/ab.sealed"};
    static const char *const other[] = {"ta/0-0.tape",     "r2/ta/0-0.tape", "r2/ta/0-0.past",
                                        "manifest/1.note", "notes/1.note",   "resealed/1.note",
                                        "rx/said/a",       "r/said/a"};

    for (size_t i = 0; i < G_N_ELEMENTS(secret); i++)
        g_assert_true(object_key_is_secret(secret[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(other); i++)
        g_assert_false(object_key_is_secret(other[i]));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/object-key/knows-what-is-secret", test_knows_what_is_secret);
    g_test_add_func("/object-key/valid-keys", test_valid_keys);
    g_test_add_func("/object-key/names-follow-the-layout", test_names_follow_the_layout);
    g_test_add_func("/object-key/numbers-have-one-spelling", test_numbers_have_one_spelling);
    g_test_add_func("/object-key/sorts-each-once", test_sorts_each_once);
    return g_test_run();
}
