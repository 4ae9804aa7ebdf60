#pragma once

#include "agent/policy/access.h"

#include <glib.h>
#include <stdbool.h>

/* Who asks, as a token or the kernel says: a plain value, NULL where something was not said. */
typedef struct {
    char *id;       /* `unix:anna`, or `<issuer>|<sub>` of a token */
    char *told_as;  /* to the auditors: a pseudonym; NULL: `id` */
    char *org;      /* the one organisation this person is asking in */
    char *subject;  /* as participants of sessions name it */
    unsigned roles; /* of 1 << AccessRole */
    bool is_operator;
    bool owns_every_session;
    bool has_mfa;
    int64_t mfa_at_us;
    char *token_id;  /* jti */
    char **purposes; /* the only ones the token is for; NULL: it does not say */
    char *address;   /* of a client over the network */
} Caller;

Caller *caller_copy(const Caller *self);

/* Whether both are one person in one organisation. */
bool caller_is_same(const Caller *self, const Caller *other);

/* Whether the token lets this person ask for `purpose` at all. */
bool caller_may_name(const Caller *self, const char *purpose);

/* Returns: what decisions look at; borrows from `self`. */
AccessPerson caller_person(const Caller *self);

void caller_free(Caller *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Caller, caller_free)
