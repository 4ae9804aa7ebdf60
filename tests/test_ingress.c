#include "agent/recorder/ingress.h"
#include "tests/fakes/ingress_fixture.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND G_GINT64_CONSTANT(1000000)

static void
assert_last_gap(const IngressFixture *self, int64_t end_us, const char *reason)
{
    const LoggedGap *last = receiver_log_gap(self->log, self->log->gaps->len - 1);

    g_assert_cmpstr(last->reason, ==, reason);
    g_assert_cmpint(last->end_us, ==, end_us);
}

static void
test_receives_what_is_sent(IngressFixture *self, gconstpointer data)
{
    ingress_fixture_send(self, 0, 20);
    const RtpReceiverStatus status =
        ingress_fixture_wait(self, 20); /* only time makes the first ones come */

    g_assert_cmpuint(status.n_packets, ==, 20);
    g_assert_cmpuint(status.n_bytes, ==, 20 * 32);
    g_assert_cmpuint(status.ssrc, ==, SENT_SSRC);
    g_assert_cmpuint(status.n_kernel_dropped, ==, 0);
    ingress_fixture_finish(self, 5 * SECOND);
    g_assert_cmpuint(self->log->packets->len, ==, 20);
    assert_last_gap(self, 5 * SECOND, "no-media");
}

static void
test_finish_takes_what_has_arrived(IngressFixture *self, gconstpointer data)
{
    ingress_fixture_send(
        self, 0, 1000); /* more than one recvmmsg takes; fewer bytes than the smallest buffer */
    ingress_fixture_finish(self, 30 * SECOND);

    g_assert_cmpuint(self->log->packets->len, ==, 1000);
}

/* Far more than the socket holds, while nothing is taken: those behind the last that is taken too.
 */
static void
test_what_found_no_room_is_counted_to_the_end(IngressFixture *self, gconstpointer data)
{
    g_mutex_lock(&self->busy);
    ingress_fixture_send(self, 0, 60000);
    g_mutex_unlock(&self->busy);
    ingress_fixture_finish(self, 90 * SECOND);

    g_assert_cmpuint(self->last.n_kernel_dropped, >, 0);
    g_assert_cmpuint(self->last.n_packets + self->last.n_kernel_dropped, ==, 60000);
}

static void
test_foreign_datagrams_are_counted_only(IngressFixture *self, gconstpointer data)
{
    static uint8_t bytes[65507] = {0x80, SENT_TYPE};
    static const uint8_t cut_rtcp[8] = {0x80, 203, 0, 2};

    ingress_fixture_send(self, 0, 10);
    (void) ingress_fixture_wait(self, 10);
    g_assert_cmpint(send(self->fd, bytes, 0, 0), ==, 0);
    g_assert_cmpint(send(self->fd, bytes, sizeof(bytes), 0), ==, sizeof(bytes));
    g_assert_cmpint(send(self->fd, bytes, 2049, 0), ==, 2049);
    g_assert_cmpint(send(self->fd, bytes, 1, 0), ==, 1);
    g_assert_cmpint(send(self->fd, cut_rtcp, sizeof(cut_rtcp), 0), ==, sizeof(cut_rtcp));
    ingress_fixture_send(self, 10, 20);
    const RtpReceiverStatus status = ingress_fixture_wait(self, 25);

    g_assert_cmpuint(status.n_packets, ==, 20);
    g_assert_cmpuint(status.n_foreign, ==, 5);
}

static void
test_a_full_range_is_said_and_used_again(void)
{
    g_autoptr(GError) error = NULL;
    IngressFixture fixtures[3] = {0};
    Ingress *ingress = NULL;

    /* Somewhere where nobody else has a port. */
    for (unsigned tries = 0; tries < 100 && ingress == NULL; tries++) {
        ingress = ingress_fixture_ingress(2);
        for (unsigned i = 0; i < 2; i++) {
            const IngressTrackOptions options = ingress_fixture_options(&fixtures[i]);
            fixtures[i].log = receiver_log_new();
            fixtures[i].track = ingress_add_track(ingress, &options, NULL);
        }
        if (fixtures[0].track != NULL && fixtures[1].track != NULL)
            break;
        for (unsigned i = 0; i < 2; i++) {
            ingress_fixture_finish(&fixtures[i], 0);
            receiver_log_free(fixtures[i].log);
        }
        g_clear_pointer(&ingress, ingress_free);
    }
    g_assert_nonnull(ingress);
    const uint16_t port = ingress_track_port(fixtures[0].track);
    const IngressTrackOptions options = ingress_fixture_options(&fixtures[2]);
    fixtures[2].log = receiver_log_new();

    g_assert_cmpuint(port % 2, ==, 0);
    g_assert_cmpuint(ingress_track_port(fixtures[1].track), !=, port);
    g_assert_null(ingress_add_track(ingress, &options, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);

    ingress_fixture_finish(&fixtures[0], 0);
    fixtures[2].track = ingress_add_track(ingress, &options, NULL);
    g_assert_nonnull(fixtures[2].track);
    g_assert_cmpuint(ingress_track_port(fixtures[2].track), ==, port);

    for (unsigned i = 0; i < 3; i++) {
        ingress_fixture_finish(&fixtures[i], 0);
        receiver_log_free(fixtures[i].log);
    }
    ingress_free(ingress);
}

static void
test_a_taken_port_is_passed_over(IngressFixture *self, gconstpointer data)
{
    const uint16_t taken = ingress_track_port(self->track);
    g_autoptr(GError) error = NULL;
    g_autoptr(Ingress) other = ingress_new(
        &(IngressOptions){ingress_fixture_address(), taken, (uint16_t) (taken + 99)}, &error);
    IngressFixture second = {.log = receiver_log_new()};
    const IngressTrackOptions options = ingress_fixture_options(&second);

    g_assert_no_error(error);
    second.track = ingress_add_track(other, &options, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(ingress_track_port(second.track), >, taken);

    ingress_fixture_finish(&second, 0);
    receiver_log_free(second.log);
}

static void
test_a_pause_lets_nothing_through(IngressFixture *self, gconstpointer data)
{
    ingress_fixture_send(self, 0, 10);
    (void) ingress_fixture_wait(self, 10);
    ingress_track_pause(self->track, "consent-withdrawn");
    ingress_track_pause(self->track, NULL);
    ingress_track_pause(self->track, "consent-withdrawn");
    ingress_fixture_send(self, 10, 20);
    const RtpReceiverStatus status = ingress_fixture_wait(self, 20);

    g_assert_cmpuint(status.n_packets + status.n_paused, ==, 20);
    ingress_fixture_finish(self, 10 * SECOND);
    g_assert_cmpuint(self->log->packets->len, ==, status.n_packets);
    assert_last_gap(self, 10 * SECOND, "consent-withdrawn");
}

static void
test_says_why_it_can_not_start(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(ingress_new(&(IngressOptions){"media.example", 40000, 40100}, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_clear_error(&error);
    g_assert_null(ingress_new(&(IngressOptions){"192.0.2.1", 40000, 40100}, &error));
    g_assert_nonnull(error); /* TEST-NET-1 is nobody's address */
    g_clear_error(&error);
    g_assert_null(ingress_new(&(IngressOptions){"127.0.0.1", 40001, 40002}, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test)                                                                            \
    g_test_add("/ingress/" path, IngressFixture, NULL, ingress_fixture_set_up, test,               \
               ingress_fixture_tear_down)
    ADD("receives-what-is-sent", test_receives_what_is_sent);
    ADD("finish-takes-what-has-arrived", test_finish_takes_what_has_arrived);
    ADD("what-found-no-room-is-counted-to-the-end", test_what_found_no_room_is_counted_to_the_end);
    ADD("foreign-datagrams-are-counted-only", test_foreign_datagrams_are_counted_only);
    g_test_add_func("/ingress/a-full-range-is-said-and-used-again",
                    test_a_full_range_is_said_and_used_again);
    ADD("a-taken-port-is-passed-over", test_a_taken_port_is_passed_over);
    ADD("a-pause-lets-nothing-through", test_a_pause_lets_nothing_through);
    g_test_add_func("/ingress/says-why-it-can-not-start", test_says_why_it_can_not_start);
    return g_test_run();
}
