#include "agent/policy/session_state.h"

#include <glib.h>
#include <stdbool.h>

#define N_STATES (SESSION_STATE_NOT_RECORDED + 1)
#define N_EVENTS (SESSION_EVENT_FAILED + 1)

static void
test_records_and_stores(void)
{
    SessionState state = SESSION_STATE_STARTING;

    state = session_state_next(state, SESSION_EVENT_PERMITTED);
    g_assert_cmpstr(session_state_text(state), ==, "recording");
    state = session_state_next(state, SESSION_EVENT_PAUSED);
    g_assert_cmpstr(session_state_text(state), ==, "paused");
    state = session_state_next(state, SESSION_EVENT_RESUMED);
    g_assert_cmpstr(session_state_text(state), ==, "recording");
    state = session_state_next(state, SESSION_EVENT_STOPPED);
    g_assert_cmpstr(session_state_text(state), ==, "finalising");
    state = session_state_next(state, SESSION_EVENT_STORED);
    g_assert_cmpstr(session_state_text(state), ==, "stored");
}

static void
test_recording_needs_permission_or_resumption(void)
{
    for (SessionState now = 0; now < N_STATES; now++)
        for (SessionEvent event = 0; event < N_EVENTS; event++) {
            bool may = (now == SESSION_STATE_STARTING && event == SESSION_EVENT_PERMITTED) ||
                       (now == SESSION_STATE_PAUSED && event == SESSION_EVENT_RESUMED);

            if (now != SESSION_STATE_RECORDING && !may)
                g_assert_cmpint(session_state_next(now, event), !=, SESSION_STATE_RECORDING);
        }
}

static void
test_denial_never_leaves_it_recording(void)
{
    for (SessionState now = 0; now < N_STATES; now++)
        g_assert_cmpint(session_state_next(now, SESSION_EVENT_DENIED), !=, SESSION_STATE_RECORDING);
    g_assert_cmpstr(
        session_state_text(session_state_next(SESSION_STATE_STARTING, SESSION_EVENT_DENIED)), ==,
        "not-recorded");
}

static void
test_ends_are_final(void)
{
    static const SessionState ends[] = {SESSION_STATE_STORED, SESSION_STATE_QUARANTINED,
                                        SESSION_STATE_INCOMPLETE, SESSION_STATE_FAILED,
                                        SESSION_STATE_NOT_RECORDED};

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        for (SessionEvent event = 0; event < N_EVENTS; event++)
            g_assert_cmpint(session_state_next(ends[i], event), ==, ends[i]);
}

static void
test_unknown_moves_keep_the_state(void)
{
    g_assert_cmpint(session_state_next(SESSION_STATE_RECORDING, SESSION_EVENT_STORED), ==,
                    SESSION_STATE_RECORDING);
    g_assert_cmpint(session_state_next(SESSION_STATE_FINALISING, SESSION_EVENT_PERMITTED), ==,
                    SESSION_STATE_FINALISING);
    g_assert_cmpint(session_state_next(SESSION_STATE_PAUSED, (SessionEvent) 99), ==,
                    SESSION_STATE_PAUSED);
}

static void
test_damage_is_told_apart_from_failure(void)
{
    g_assert_cmpstr(
        session_state_text(session_state_next(SESSION_STATE_FINALISING, SESSION_EVENT_DAMAGED)), ==,
        "incomplete");
    g_assert_cmpstr(
        session_state_text(session_state_next(SESSION_STATE_FINALISING, SESSION_EVENT_FAILED)), ==,
        "failed");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session-state/records-and-stores", test_records_and_stores);
    g_test_add_func("/session-state/recording-needs-permission-or-resumption",
                    test_recording_needs_permission_or_resumption);
    g_test_add_func("/session-state/denial-never-leaves-it-recording",
                    test_denial_never_leaves_it_recording);
    g_test_add_func("/session-state/ends-are-final", test_ends_are_final);
    g_test_add_func("/session-state/unknown-moves-keep-the-state",
                    test_unknown_moves_keep_the_state);
    g_test_add_func("/session-state/damage-is-told-apart-from-failure",
                    test_damage_is_told_apart_from_failure);
    return g_test_run();
}
