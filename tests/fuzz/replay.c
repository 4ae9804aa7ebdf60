#include <glib.h>
#include <stdint.h>

/* Gives every file of a folder to a fuzz target, so that what the seeds show stays true in builds
 * without a fuzzer: fuzz_x CORPUS */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void
replay(gconstpointer path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;
    gsize n_bytes = 0;

    g_file_get_contents(path, &content, &n_bytes, &error);
    g_assert_no_error(error);
    /* Without the NUL behind it, so that a look past the end shows. */
    g_autofree uint8_t *bytes = g_memdup2(content, MAX(n_bytes, 1));
    LLVMFuzzerTestOneInput(bytes, n_bytes);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    g_autoptr(GDir) folder = g_dir_open(argv[1], 0, &error);
    g_assert_no_error(error);
    for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder)) {
        char *path = g_build_filename(argv[1], name, NULL);
        g_autofree char *test = g_strdup_printf("/corpus/%s", name);
        g_ptr_array_add(paths, path);
        g_test_add_data_func(test, path, replay);
    }
    g_assert_cmpuint(paths->len, >, 0);
    return g_test_run();
}
