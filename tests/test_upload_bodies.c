#include "storage/direct_write.h"
#include "storage/upload_bodies.h"

#include <string.h>

static GBytes *
put(UploadBodies *bodies, const char *text)
{
    memcpy(upload_bodies_room(bodies, strlen(text)), text, strlen(text));
    return upload_bodies_take(bodies, strlen(text));
}

static void
assert_body(GBytes *body, const char *text)
{
    g_autoptr(GBytes) expected = g_bytes_new_static(text, strlen(text));

    g_assert_true(g_bytes_equal(body, expected));
}

static void
test_bodies_lie_side_by_side(void)
{
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    g_autoptr(GBytes) one = NULL;
    g_autoptr(GBytes) other = NULL;

    upload_bodies_begin(bodies, 11, 2);
    one = put(bodies, "first");
    other = put(bodies, "second");
    assert_body(one, "first");
    assert_body(other, "second");
}

/* Whatever its neighbours' sizes. */
static void
test_each_begins_with_a_block(void)
{
    enum { BLOCK = DIRECT_WRITE_BLOCK, N_BODIES = 1024 };
    static const size_t sizes[] = {1, BLOCK + 1, BLOCK, 3 * BLOCK - 1, 0, 2 * BLOCK + 1};

    for (size_t first = 0; first < G_N_ELEMENTS(sizes); first++) {
        g_autoptr(UploadBodies) bodies = upload_bodies_new();
        g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
        size_t n_bytes = 0;

        for (size_t i = 0; i < N_BODIES; i++)
            n_bytes += sizes[(first + i) % G_N_ELEMENTS(sizes)];
        upload_bodies_begin(bodies, n_bytes, N_BODIES);
        for (size_t i = 0; i < N_BODIES; i++) {
            const size_t n = sizes[(first + i) % G_N_ELEMENTS(sizes)];

            memset(upload_bodies_room(bodies, n), (int) (i % 251), n);
            g_ptr_array_add(taken, upload_bodies_take(bodies, n));
        }
        for (size_t i = 0; i < N_BODIES; i++) {
            gsize n = 0;
            const uint8_t *bytes = g_bytes_get_data(g_ptr_array_index(taken, i), &n);

            g_assert_cmpuint(n, ==, sizes[(first + i) % G_N_ELEMENTS(sizes)]);
            g_assert_cmpuint((uintptr_t) bytes % BLOCK, ==, 0);
            for (size_t j = 0; j < n; j++)
                g_assert_cmpuint(bytes[j], ==, i % 251);
        }
    }
}

/* The worst there is: each leaves nearly a block behind it. */
static void
test_the_gaps_have_room_too(void)
{
    enum { N_BODIES = 4096 };
    g_autoptr(UploadBodies) bodies = upload_bodies_new();

    upload_bodies_begin(bodies, N_BODIES, N_BODIES);
    for (size_t i = 0; i < N_BODIES; i++)
        g_bytes_unref(put(bodies, "x"));
}

/* What could not be read whole is not taken, and its room is the next one's. */
static void
test_room_not_taken_is_used_again(void)
{
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    g_autoptr(GBytes) body = NULL;

    upload_bodies_begin(bodies, 4, 1);
    memcpy(upload_bodies_room(bodies, 4), "torn", 4);
    body = put(bodies, "good");
    assert_body(body, "good");
}

static void
test_the_next_batch_takes_the_same_memory(void)
{
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    const uint8_t *place = NULL;
    GBytes *body = NULL;

    upload_bodies_begin(bodies, 100, 1);
    body = put(bodies, "first");
    place = g_bytes_get_data(body, NULL);
    g_bytes_unref(body);
    upload_bodies_begin(bodies, 200, 1);
    g_assert_true(upload_bodies_room(bodies, 200) == place);
}

/* A store may hold on to a body after it has answered. */
static void
test_a_held_body_stays_as_it_was(void)
{
    UploadBodies *bodies = upload_bodies_new();
    g_autoptr(GBytes) held = NULL;
    g_autoptr(GBytes) next = NULL;

    upload_bodies_begin(bodies, 5, 1);
    held = put(bodies, "first");
    upload_bodies_begin(bodies, 5, 1);
    next = put(bodies, "other");
    upload_bodies_free(bodies);
    assert_body(held, "first");
    assert_body(next, "other");
}

static void
test_rest_after_nothing_is_harmless(void)
{
    g_autoptr(UploadBodies) bodies = upload_bodies_new();

    upload_bodies_rest(bodies);
    upload_bodies_begin(bodies, 3, 1);
    upload_bodies_rest(bodies);
    memcpy(upload_bodies_room(bodies, 3), "abc", 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/upload-bodies/lie-side-by-side", test_bodies_lie_side_by_side);
    g_test_add_func("/upload-bodies/each-begins-with-a-block", test_each_begins_with_a_block);
    g_test_add_func("/upload-bodies/the-gaps-have-room-too", test_the_gaps_have_room_too);
    g_test_add_func("/upload-bodies/room-not-taken-is-used-again",
                    test_room_not_taken_is_used_again);
    g_test_add_func("/upload-bodies/the-next-batch-takes-the-same-memory",
                    test_the_next_batch_takes_the_same_memory);
    g_test_add_func("/upload-bodies/a-held-body-stays-as-it-was", test_a_held_body_stays_as_it_was);
    g_test_add_func("/upload-bodies/rest-after-nothing-is-harmless",
                    test_rest_after_nothing_is_harmless);
    return g_test_run();
}
