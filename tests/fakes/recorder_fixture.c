#include "tests/fakes/recorder_fixture.h"

#include "agent/media/media_format.h"
#include "crypto/age_key.h"
#include "crypto/crypto_error.h"
#include "crypto/signed_note.h"
#include "tests/fakes/ingress_fixture.h"
#include "tests/fakes/scratch.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US (20 * G_TIME_SPAN_SECOND)
enum { FRAME = 960 }; /* 20 ms at 48 kHz */

static char *recipients[2];
static char *signing_key, *verifier_key;

static void
draw_signer(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NoteSigner) signer = note_signer_generate("recorder-1", &error);
    g_autoptr(Secret) text = NULL;

    g_assert_no_error(error);
    text = note_signer_to_text(signer, &error);
    g_assert_no_error(error);
    signing_key = g_strndup((const char *) secret_peek(text), secret_length(text));
    verifier_key = note_signer_verifier_key(signer);
}

void
recorder_fixture_start(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(crypto_start(&error));
    g_assert_true(media_start(&error));
    draw_signer();
    for (gsize i = 0; i < G_N_ELEMENTS(recipients); i++) {
        g_autoptr(AgeIdentity) identity = age_identity_generate(&error);
        g_autoptr(AgeRecipient) recipient = NULL;

        g_assert_no_error(error);
        recipient = age_identity_recipient(identity);
        recipients[i] = g_strdup(age_recipient_text(recipient));
    }
}

static void
write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, &error));
}

static void
write_settings(const char *folder, const char *settings)
{
    const unsigned first = 2 * (unsigned) g_random_int_range(10000, 15000);
    g_autofree char *text =
        g_strdup_printf("recorder:\n{\n    socket = \"recorder.sock\";\n    spool = \"spool\";\n"
                        "    signing_key = \"recorder.key\";\n    segment_ms = 1000;\n"
                        "    spool_free: { warn = \"3M\"; refuse = \"2M\"; critical = \"1M\"; };\n"
                        "    rtp: { address = \"%s\"; first_port = %u; last_port = %u; };\n%s\n};\n"
                        "store: { type = \"directory\"; path = \"store\"; };\n"
                        "trusted_recorders = [ \"%s\" ];\norgs = \"orgs\";\n",
                        ingress_fixture_address(), first, first + 199,
                        settings != NULL ? settings : "", verifier_key);
    g_autofree char *org = g_strdup_printf("recipients = [ \"%s\", \"%s\" ];\n"
                                           "purposes = [ \"record-audio\", \"record-video\" ];\n",
                                           recipients[0], recipients[1]);

    write_file(folder, "sealtape.conf", text);
    write_file(folder, "orgs/clinic-a.conf", org);
    write_file(folder, "recorder.key", signing_key);
    write_file(folder, "store/.keep", "");
    write_file(folder, "spool/.keep", "");
}

RecorderFixture *
recorder_fixture_new(const char *settings)
{
    RecorderFixture *self = g_new0(RecorderFixture, 1);
    g_autofree char *config = NULL;
    g_autoptr(GError) error = NULL;

    self->folder = scratch_new("recorder");
    write_settings(self->folder, settings);
    config = g_build_filename(self->folder, "sealtape.conf", NULL);
    self->settings = settings_load(config, &error);
    g_assert_no_error(error);
    self->recorder = recorder_new(self->settings, &error);
    g_assert_no_error(error);
    return self;
}

void
recorder_answer_take(Session *session, const char *reason, const GError *error, void *user_data)
{
    RecorderAnswer *self = user_data;

    g_assert_false(self->is_answered);
    self->is_answered = true;
    self->session = session;
    self->error = error != NULL ? g_error_copy(error) : NULL;
    self->reason = g_strdup(reason);
}

void
recorder_answer_clear(RecorderAnswer *self)
{
    g_clear_error(&self->error);
    g_free(self->reason);
    *self = (RecorderAnswer){0};
}

static gboolean
on_patience_ends(gpointer data)
{
    g_error("waited 20 s for something that does not happen");
    return G_SOURCE_REMOVE;
}

/* So that a change which nobody tells of is seen. */
static gboolean
on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

void
recorder_fixture_until(bool (*is_so)(void *data), void *data)
{
    const guint limit = g_timeout_add(PATIENCE_US / 1000, on_patience_ends, NULL);
    const guint tick = g_timeout_add(10, on_tick, NULL);

    while (!is_so(data))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(tick);
    g_source_remove(limit);
}

static bool
is_answered(void *data)
{
    const RecorderAnswer *answer = data;

    return answer->is_answered;
}

void
recorder_fixture_begin(RecorderFixture *self, const char *consents, const char *tracks,
                       RecorderAnswer *answer)
{
    g_autofree char *text = g_strdup_printf(
        "{\"org\":\"clinic-a\",\"reference\":\"visit-4711\",\"tracks\":%s,\"participants\":["
        "{\"id\":\"p1\",\"role\":\"provider\",\"consents\":" RECORDER_FIXTURE_CONSENTS
        "},{\"id\":\"p2\",\"role\":\"client\",\"consents\":%s}]}",
        tracks, consents);
    json_t *body = json_loads(text, 0, NULL);
    char *fault = NULL;
    SessionRequest *request = session_request_parse(body, &fault);

    g_assert_cmpstr(fault, ==, NULL);
    json_decref(body);
    *answer = (RecorderAnswer){0};
    recorder_start_session(self->recorder, request, recorder_answer_take, answer);
    recorder_fixture_until(is_answered, answer);
}

typedef struct {
    const Session *session;
    SessionState state;
} Wanted;

static bool
is_in_state(void *data)
{
    const Wanted *wanted = data;

    return session_state(wanted->session) == wanted->state;
}

void
recorder_fixture_until_state(const Session *session, SessionState state)
{
    recorder_fixture_until(is_in_state, &(Wanted){session, state});
}

void
recorder_fixture_send(uint16_t port, unsigned n_packets)
{
    const int fd = ingress_fixture_socket(port);

    for (unsigned i = 0; i < n_packets; i++) {
        const uint32_t timestamp = g_htonl(i * FRAME);
        uint8_t packet[15] = {0x80, 111, 0, (uint8_t) i, 0, 0, 0, 0, 0, 0, 0, 9, 0xf8, 0xff, 0xfe};

        memcpy(packet + 4, &timestamp, sizeof timestamp);
        g_assert_cmpint(send(fd, packet, sizeof packet, 0), ==, sizeof packet);
    }
    (void) close(fd); /* all was sent */
}

json_t *
recorder_fixture_member(const Session *session, const char *name)
{
    json_t *form = session_to_json(session);
    json_t *member = json_incref(json_object_get(form, name));

    json_decref(form);
    return member;
}

static void
on_stopped(void *user_data)
{
    bool *is_stopped = user_data;

    *is_stopped = true;
}

static bool
is_set(void *data)
{
    return *(bool *) data;
}

void
recorder_fixture_free(RecorderFixture *self)
{
    bool is_stopped = false;

    if (self == NULL)
        return;
    recorder_stop(self->recorder, on_stopped, &is_stopped);
    recorder_fixture_until(is_set, &is_stopped);
    recorder_free(self->recorder);
    settings_free(self->settings);
    scratch_remove(self->folder);
    g_free(self);
}
