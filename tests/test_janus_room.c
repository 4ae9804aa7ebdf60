#include "agent/recorder/janus_room.h"
#include "tests/fakes/janus_fake.h"
#include "tests/fakes/recorder_fixture.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

/* A room, and files for its secrets. */
typedef struct {
    char *folder;
    JanusFake *janus;
    JanusSettings settings;
    JanusRoom room;
    unsigned n_up;
} Fixture;

static void
on_up(void *user_data)
{
    ((Fixture *) user_data)->n_up++;
}

static void
on_down(const char *problem, void *user_data)
{
    g_error("the connection broke: %s", problem);
}

static void
set_up(Fixture *self, gconstpointer data)
{
    *self = (Fixture){.janus = janus_fake_new()};
    self->folder = scratch_new("room");
    self->settings.url = g_strdup(janus_fake_url(self->janus));
    self->room = (JanusRoom){.id = json_string("visit 7"), .host = "127.0.0.1"};
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    janus_room_clear(&self->room);
    g_free(self->settings.url);
    g_free(self->settings.api_secret_path);
    g_free(self->settings.room_secret_path);
    g_free(self->settings.room_pin_path);
    g_free(self->settings.admin_key_path);
    janus_fake_free(self->janus);
    scratch_remove(self->folder);
}

/* Returns: the path of a file with `text`, owned. */
static char *
file_with(const Fixture *self, const char *name, const char *text)
{
    char *path = g_build_filename(self->folder, name, NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error);
    g_assert_no_error(error);
    return path;
}

static bool
connect_room(Fixture *self, GError **error)
{
    const JanusClientOptions callbacks = {.on_up = on_up, .on_down = on_down, .user_data = self};

    return janus_room_connect(&self->room, &self->settings, &callbacks, error);
}

static void
assert_form(json_t *form, const char *wanted)
{
    char *text = json_dumps(form, JSON_COMPACT | JSON_SORT_KEYS);

    g_assert_cmpstr(text, ==, wanted);
    free(text);
    json_decref(form);
}

static bool
is_up(void *data)
{
    return ((const Fixture *) data)->n_up > 0;
}

/* An editor's line end is none of the secret's. */
static void
test_its_secrets_go_where_each_belongs(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sent = NULL;

    self->settings.api_secret_path = file_with(self, "api", "for the gateway\n");
    self->settings.room_secret_path = file_with(self, "secret", "for the room\n");
    self->settings.room_pin_path = file_with(self, "pin", "at the door");
    self->settings.admin_key_path = file_with(self, "admin", "for the plugin\n");
    g_assert_true(connect_room(self, &error));
    recorder_fixture_until(is_up, self);

    sent = janus_fake_last(self->janus, "create", "apisecret");
    g_assert_cmpstr(sent, ==, "for the gateway");
    assert_form(janus_room_request(&self->room, "listforwarders"),
                "{\"admin_key\":\"for the plugin\",\"request\":\"listforwarders\",\"room\":"
                "\"visit 7\",\"secret\":\"for the room\"}");
    assert_form(janus_room_join(&self->room),
                "{\"display\":\"sealtape\",\"pin\":\"at the door\",\"ptype\":\"publisher\","
                "\"request\":\"join\",\"room\":\"visit 7\"}");
}

static void
test_without_secrets_it_sends_none(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sent = NULL;

    g_assert_true(connect_room(self, &error));
    recorder_fixture_until(is_up, self);
    sent = janus_fake_last(self->janus, "create", "apisecret");
    g_assert_null(sent);
    assert_form(janus_room_request(&self->room, "listforwarders"),
                "{\"request\":\"listforwarders\",\"room\":\"visit 7\"}");
    assert_form(janus_room_join(&self->room), "{\"display\":\"sealtape\",\"ptype\":\"publisher\","
                                              "\"request\":\"join\",\"room\":\"visit 7\"}");
}

/* A secret that is changed on disk counts from the next connection on, and none is kept that its
 * file has not any more. */
static void
test_reads_its_secrets_anew(Fixture *self, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    self->settings.room_secret_path = file_with(self, "secret", "the old one\n");
    g_assert_true(connect_room(self, &error));
    g_clear_pointer(&self->room.client, janus_client_free);
    g_free(self->settings.room_secret_path);
    self->settings.room_secret_path = file_with(self, "secret", "the new one\n");
    g_assert_true(connect_room(self, &error));
    g_assert_cmpstr(self->room.secret, ==, "the new one");

    g_clear_pointer(&self->room.client, janus_client_free);
    g_assert_cmpint(g_unlink(self->settings.room_secret_path), ==, 0);
    g_assert_false(connect_room(self, &error));
    g_assert_nonnull(strstr(error->message, self->settings.room_secret_path));
    g_assert_null(self->room.secret);
    g_assert_null(self->room.client);
}

static void
test_what_can_not_be_asked_is_not(Fixture *self, gconstpointer data)
{
    static const char *const urls[] = {"", "janus", "ftp://127.0.0.1/janus", "http://"};

    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;

        g_free(self->settings.url);
        self->settings.url = g_strdup(urls[i]);
        g_assert_false(connect_room(self, &error));
        g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
        g_assert_nonnull(strstr(error->message, "janus.url"));
        g_assert_null(self->room.client);
    }
}

#define ADD(name, function)                                                                        \
    g_test_add("/janus-room/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    recorder_fixture_start();
    ADD("its-secrets-go-where-each-belongs", test_its_secrets_go_where_each_belongs);
    ADD("without-secrets-it-sends-none", test_without_secrets_it_sends_none);
    ADD("reads-its-secrets-anew", test_reads_its_secrets_anew);
    ADD("what-can-not-be-asked-is-not", test_what_can_not_be_asked_is_not);
    return g_test_run();
}
