#include "crypto/age_context.h"

#include <string.h>

#define ID_BYTES 64

struct AgeContext {
    char *text;
};

bool
age_context_id_is_valid(const char *id)
{
    const size_t n_bytes = strlen(id);

    return n_bytes >= 1 && n_bytes <= ID_BYTES && id[0] != '.' && id[0] != '_' && id[0] != '-' &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n_bytes;
}

static AgeContext *
take_text(char *text)
{
    AgeContext *self = g_new(AgeContext, 1);

    self->text = text;
    return self;
}

AgeContext *
age_context_new_segment(const char *org, const char *session, const char *track, uint32_t part,
                        uint32_t index)
{
    g_assert(age_context_id_is_valid(org));
    g_assert(age_context_id_is_valid(session));
    g_assert(age_context_id_is_valid(track));
    return take_text(g_strdup_printf(AGE_CONTEXT_PREFIX "segment %s %s %s %u %u", org, session,
                                     track, part, index));
}

AgeContext *
age_context_new_envelope(const char *org, const char *session, uint32_t generation)
{
    g_assert(age_context_id_is_valid(org));
    g_assert(age_context_id_is_valid(session));
    return take_text(
        g_strdup_printf(AGE_CONTEXT_PREFIX "envelope %s %s %u", org, session, generation));
}

AgeContext *
age_context_new_meta(const char *org, const char *session)
{
    g_assert(age_context_id_is_valid(org));
    g_assert(age_context_id_is_valid(session));
    return take_text(g_strdup_printf(AGE_CONTEXT_PREFIX "meta %s %s", org, session));
}

AgeContext *
age_context_new_past(const char *org, const char *session, const char *track, uint32_t part,
                     uint32_t first)
{
    g_assert(age_context_id_is_valid(org));
    g_assert(age_context_id_is_valid(session));
    g_assert(age_context_id_is_valid(track));
    return take_text(g_strdup_printf(AGE_CONTEXT_PREFIX "past %s %s %s %u %u", org, session, track,
                                     part, first));
}

AgeContext *
age_context_new_statement(const char *org, const char *session, const char *track)
{
    g_assert(age_context_id_is_valid(org));
    g_assert(age_context_id_is_valid(session));
    g_assert(age_context_id_is_valid(track));
    return take_text(g_strdup_printf(AGE_CONTEXT_PREFIX "statement %s %s %s", org, session, track));
}

const AgeContext *
age_context_any(void)
{
    static char no_text[] = "any";
    static const AgeContext any = {no_text};

    return &any;
}

const char *
age_context_text(const AgeContext *self)
{
    return self->text;
}

bool
age_context_lists_recipients(const AgeContext *self)
{
    return !g_str_has_prefix(self->text, AGE_CONTEXT_PREFIX "segment ") &&
           !g_str_has_prefix(self->text, AGE_CONTEXT_PREFIX "statement ") &&
           !g_str_has_prefix(self->text, AGE_CONTEXT_PREFIX "past ");
}

void
age_context_free(AgeContext *self)
{
    if (self == NULL)
        return;
    g_free(self->text);
    g_free(self);
}
