#include "agent/admin/keys_pass.h"

#include "agent/admin/terminal.h"

enum { MOST_JOBS = 64 };

bool
keys_pass_take_jobs(const char *command, gint n_jobs)
{
    if (n_jobs >= 1 && n_jobs <= MOST_JOBS)
        return true;
    g_printerr("sealtape %s: --jobs takes 1 to 64\n", command);
    return false;
}

void
keys_pass_on_progress(void *label, uint64_t n_done, uint64_t n_sessions)
{
    if (n_sessions > 0)
        terminal_progress(label, (double) n_done / (double) n_sessions);
}
