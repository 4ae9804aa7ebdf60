#include "agent/opener/refusal.h"

#include <stdarg.h>

void
refusal_set(Refusal *self, unsigned status, const char *reason, const char *format, ...)
{
    va_list arguments;

    g_assert(self->status == 0);
    self->status = status;
    self->reason = reason;
    va_start(arguments, format);
    self->detail = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

void
refusal_clear(Refusal *self)
{
    g_free(self->detail);
    g_free(self->challenge);
    *self = (Refusal){0};
}
