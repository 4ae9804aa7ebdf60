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

    upload_bodies_begin(bodies, 11);
    one = put(bodies, "first");
    other = put(bodies, "second");
    assert_body(one, "first");
    assert_body(other, "second");
}

/* What could not be read whole is not taken, and its room is the next one's. */
static void
test_room_not_taken_is_used_again(void)
{
    g_autoptr(UploadBodies) bodies = upload_bodies_new();
    g_autoptr(GBytes) body = NULL;

    upload_bodies_begin(bodies, 4);
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

    upload_bodies_begin(bodies, 100);
    body = put(bodies, "first");
    place = g_bytes_get_data(body, NULL);
    g_bytes_unref(body);
    upload_bodies_begin(bodies, 200);
    g_assert_true(upload_bodies_room(bodies, 200) == place);
}

/* A store may hold on to a body after it has answered. */
static void
test_a_held_body_stays_as_it_was(void)
{
    UploadBodies *bodies = upload_bodies_new();
    g_autoptr(GBytes) held = NULL;
    g_autoptr(GBytes) next = NULL;

    upload_bodies_begin(bodies, 5);
    held = put(bodies, "first");
    upload_bodies_begin(bodies, 5);
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
    upload_bodies_begin(bodies, 3);
    upload_bodies_rest(bodies);
    memcpy(upload_bodies_room(bodies, 3), "abc", 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/upload-bodies/lie-side-by-side", test_bodies_lie_side_by_side);
    g_test_add_func("/upload-bodies/room-not-taken-is-used-again",
                    test_room_not_taken_is_used_again);
    g_test_add_func("/upload-bodies/the-next-batch-takes-the-same-memory",
                    test_the_next_batch_takes_the_same_memory);
    g_test_add_func("/upload-bodies/a-held-body-stays-as-it-was", test_a_held_body_stays_as_it_was);
    g_test_add_func("/upload-bodies/rest-after-nothing-is-harmless",
                    test_rest_after_nothing_is_harmless);
    return g_test_run();
}
