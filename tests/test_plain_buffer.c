#include "crypto/plain_buffer.h"

#include <string.h>

static void
test_uses_its_block_again(void)
{
    g_auto(PlainBuffer) buffer = {0};
    const uint8_t *block = NULL;

    plain_buffer_resize(&buffer, 1000);
    block = buffer.bytes;
    plain_buffer_resize(&buffer, 900);

    g_assert_true(buffer.bytes == block);
    g_assert_cmpuint(buffer.n_bytes, ==, 900);
}

static void
test_wipes_what_it_held(void)
{
    static const uint8_t nothing[1000] = {0};
    g_auto(PlainBuffer) buffer = {0};

    plain_buffer_resize(&buffer, sizeof(nothing));
    memset(buffer.bytes, 'a', sizeof(nothing));
    plain_buffer_resize(&buffer, 10);

    g_assert_cmpmem(buffer.bytes, sizeof(nothing), nothing, sizeof(nothing));
}

static void
test_grows(void)
{
    g_auto(PlainBuffer) buffer = {0};

    for (size_t n_bytes = 1; n_bytes < (size_t) 3 << 20; n_bytes *= 3) {
        plain_buffer_resize(&buffer, n_bytes);
        memset(buffer.bytes, 'a', n_bytes);
        g_assert_cmpuint(buffer.n_bytes, ==, n_bytes);
        g_assert_cmpuint(buffer.n_room, >=, n_bytes);
    }
}

static void
test_is_empty_once_cleared(void)
{
    PlainBuffer buffer = {0};

    plain_buffer_resize(&buffer, 0);
    g_assert_nonnull(buffer.bytes);

    plain_buffer_clear(&buffer);
    plain_buffer_clear(&buffer);

    g_assert_null(buffer.bytes);
    g_assert_cmpuint(buffer.n_bytes, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_test_add_func("/plain-buffer/uses-its-block-again", test_uses_its_block_again);
    g_test_add_func("/plain-buffer/wipes-what-it-held", test_wipes_what_it_held);
    g_test_add_func("/plain-buffer/grows", test_grows);
    g_test_add_func("/plain-buffer/is-empty-once-cleared", test_is_empty_once_cleared);
    return g_test_run();
}
