#pragma once

#include "agent/service/http_service.h"

#include <glib.h>

/* An HttpService with a few routes in a folder of its own, and a client in a thread that sends what
 * no library would. */
typedef struct {
    char *folder;
    char *path;
    HttpService *service;
    HttpRequest *kept; /* of /later: waits for its reply */
} HttpFixture;

/* What a client sends, and all that comes back until the service closes. */
typedef struct {
    int fd;
    const char *request;
    size_t n_request;
    GString *answer;
    int done; /* atomic */
} HttpExchange;

/* Adds `/<suite>/<name>`, with a fixture set up before and torn down behind it. */
void http_fixture_add(const char *suite, const char *name,
                      void (*test)(HttpFixture *fixture, gconstpointer unused));

int http_fixture_connect(const char *path);

/* Makes the next connection of this program that is taken (accept4) fail with `code`, and counts
 * from there. */
void http_fixture_fail_accept(int code);

/* Returns: how many were tried since; `last_us` (out, may be NULL): when the last was. */
unsigned http_fixture_accepts(gint64 *last_us);

/* Returns: how many GSockets of connections, of either end, this program still has. */
int http_fixture_live_sockets(void);

/* A GThreadFunc: sends all, then reads to the end of the connection. `data`: an HttpExchange. */
gpointer http_exchange_run(gpointer data);

/* Each runs the main loop meanwhile. Returns: all that came back, owned. `type` NULL: none is sent.
 */
char *http_fixture_exchange(const char *path, const char *request, size_t n_request);
char *http_fixture_post(const char *path, const char *target, const char *type, const char *body);
char *http_fixture_ask(const char *path, const char *method, const char *target);

void http_fixture_contains(const char *answer, const char *wanted);
void http_fixture_status(const char *answer, unsigned status);
void http_fixture_problem(const char *answer, unsigned status, const char *detail);
