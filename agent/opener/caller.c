#include "agent/opener/caller.h"

Caller *
caller_copy(const Caller *self)
{
    Caller *copy = g_memdup2(self, sizeof(*self));

    copy->id = g_strdup(self->id);
    copy->told_as = g_strdup(self->told_as);
    copy->org = g_strdup(self->org);
    copy->subject = g_strdup(self->subject);
    copy->token_id = g_strdup(self->token_id);
    copy->purposes = g_strdupv(self->purposes);
    copy->address = g_strdup(self->address);
    return copy;
}

bool
caller_is_same(const Caller *self, const Caller *other)
{
    return g_strcmp0(self->id, other->id) == 0 && g_strcmp0(self->org, other->org) == 0;
}

bool
caller_may_name(const Caller *self, const char *purpose)
{
    return self->purposes == NULL || g_strv_contains((const char *const *) self->purposes, purpose);
}

AccessPerson
caller_person(const Caller *self)
{
    return (AccessPerson){
        .id = self->id,
        .org = self->org,
        .subject = self->subject,
        .roles = self->roles,
        .is_operator = self->is_operator,
        .owns_every_session = self->owns_every_session,
        .has_mfa = self->has_mfa,
        .mfa_at_us = self->mfa_at_us,
    };
}

void
caller_free(Caller *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    g_free(self->told_as);
    g_free(self->org);
    g_free(self->subject);
    g_free(self->token_id);
    g_strfreev(self->purposes);
    g_free(self->address);
    g_free(self);
}
