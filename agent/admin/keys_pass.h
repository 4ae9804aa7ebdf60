#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the commands that go through all sessions have in common: how many they take at once, and
 * the bar that shows how far they are. */
enum { KEYS_PASS_JOBS = 8 };

#define KEYS_PASS_JOBS_OPTION(n_jobs)                                                              \
    {                                                                                              \
        "jobs", 0, 0, G_OPTION_ARG_INT, n_jobs, "How many sessions at once (default: 8)", "N"      \
    }

/* Returns: whether it can be that many; prints for `command` why not. */
bool keys_pass_take_jobs(const char *command, gint n_jobs);

/* `label`: const char *, what the bar is called. */
void keys_pass_on_progress(void *label, uint64_t n_done, uint64_t n_sessions);
