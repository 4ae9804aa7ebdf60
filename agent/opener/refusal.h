#pragma once

#include <glib.h>

/* Why somebody does not get what they asked for, as the API answers it. */
typedef struct {
    unsigned status;    /* 0: it is no refusal */
    const char *reason; /* a code, static */
    char *detail;       /* one sentence, owned */
    char *challenge;    /* of a 401: what WWW-Authenticate says, owned; NULL: `Bearer` */
} Refusal;

/* Behind `token-unavailable`. What is wrong with it stands in the log. */
#define REFUSAL_TOKEN                                                                              \
    "What holds the key, a token or a vault, does not answer. Try again, or tell who looks after " \
    "it."

/* Sets `self`, which is clear. */
void refusal_set(Refusal *self, unsigned status, const char *reason, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

void refusal_clear(Refusal *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Refusal, refusal_clear)
