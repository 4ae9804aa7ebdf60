#include "agent/admin/live_page.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The terminal's other screen, so that what stood there comes back; no cursor. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME  "\033[H"
#define REST  "\033[K" /* erases the rest of the line */
#define BELOW "\033[J"

typedef struct {
    GMainLoop *loop;
    LivePageFunc draw;
    void *user_data;
    GError *error;
} Live;

char *
live_page_fit(const char *page, unsigned n_columns, unsigned n_rows)
{
    g_autofree char *valid = g_utf8_make_valid(page, -1);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(valid), "\n", -1);
    GString *fitted = g_string_new(NULL);

    for (unsigned row = 0; row < n_rows && lines[row] != NULL; row++) {
        const char *at = lines[row];

        if (row > 0)
            g_string_append(fitted, "\r\n");
        for (unsigned i = 0; i < n_columns && *at != '\0'; i++, at = g_utf8_next_char(at)) {
            const gunichar character = g_utf8_get_char(at);

            g_string_append_unichar(fitted, g_unichar_isprint(character) ? character : '?');
        }
        g_string_append(fitted, REST);
    }
    return g_string_free(fitted, FALSE);
}

static void
send(const char *text)
{
    /* A terminal that is gone ends the program by its signal. */
    (void) fputs(text, stdout);
    (void) fflush(stdout);
}

static gboolean
on_turn(gpointer data)
{
    Live *self = data;
    struct winsize size = {0};
    g_autofree char *page = self->draw(self->user_data, &self->error);
    g_autofree char *fitted = NULL;

    if (page == NULL) {
        g_main_loop_quit(self->loop);
        return G_SOURCE_CONTINUE;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    fitted = live_page_fit(page, size.ws_col, size.ws_row);
    send(HOME);
    send(fitted);
    send(BELOW);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_end(gpointer data)
{
    const Live *self = data;

    g_main_loop_quit(self->loop);
    return G_SOURCE_CONTINUE;
}

bool
live_page_run(unsigned interval_s, LivePageFunc draw, void *user_data, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Live self = {.loop = loop, .draw = draw, .user_data = user_data};
    const guint sources[] = {
        g_unix_signal_add(SIGINT, on_end, &self),
        g_unix_signal_add(SIGTERM, on_end, &self),
        g_unix_signal_add(SIGHUP, on_end, &self),
        g_unix_signal_add(SIGWINCH, on_turn, &self),
        g_timeout_add_seconds(interval_s, on_turn, &self),
    };

    send(ENTER);
    (void) on_turn(&self);
    if (self.error == NULL)
        g_main_loop_run(loop);
    send(LEAVE);
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
        g_source_remove(sources[i]);
    if (self.error == NULL)
        return true;
    g_propagate_error(error, self.error);
    return false;
}
