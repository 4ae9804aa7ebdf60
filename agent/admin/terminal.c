#include "agent/admin/terminal.h"

#include <glib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_CELLS 30

/* The bar as last drawn, so that it is redrawn only when it changes; one program, one terminal.
 * Atomic, because an export reports from its own thread. */
static int drawn_percent = -1;

unsigned
terminal_width(void)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return CLAMP(size.ws_col, 40U, 200U);
}

bool
terminal_is_utf8(void)
{
    return g_get_charset(NULL);
}

char *
terminal_size_text(uint64_t n_bytes)
{
    g_autofree char *text = g_format_size(n_bytes);
    g_auto(GStrv) pieces = g_strsplit(text, "\u00a0", -1); /* GLib's space does not break */

    return g_strjoinv(" ", pieces);
}

void
terminal_progress(const char *label, double part_done)
{
    int percent = (int) (CLAMP(part_done, 0.0, 1.0) * 100);
    int n_full = percent * BAR_CELLS / 100;

    if (!isatty(STDERR_FILENO) || g_atomic_int_get(&drawn_percent) == percent)
        return;
    g_atomic_int_set(&drawn_percent, percent);
    g_printerr("\r%s [%.*s%*s] %3d %%", label, n_full, "##############################",
               BAR_CELLS - n_full, "", percent);
}

void
terminal_progress_end(void)
{
    if (g_atomic_int_get(&drawn_percent) < 0)
        return;
    g_atomic_int_set(&drawn_percent, -1);
    g_printerr("\r\033[K");
}
