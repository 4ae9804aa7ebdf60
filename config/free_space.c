#include "config/free_space.h"

#include <glib.h>
#include <string.h>

/* A number without sign or leading zero, then one letter. */
static bool
read_parts(const char *text, uint64_t *number, char *unit)
{
    char *end = NULL;

    if (*text < '1' || *text > '9' || strlen(text) > 8)
        return false;
    *number = g_ascii_strtoull(text, &end, 10);
    *unit = *end;
    return *end != '\0' && end[1] == '\0';
}

bool
free_space_parse(FreeSpace *self, const char *text)
{
    static const char units[] = "MGT";
    uint64_t number = 0;
    char unit = 0;
    const char *found = NULL;

    *self = (FreeSpace){0};
    if (!read_parts(text, &number, &unit))
        return false;
    if (unit == '%') {
        self->percent = (uint32_t) number;
        return number <= 90;
    }
    found = strchr(units, unit);
    if (found == NULL || number > (UINT64_C(1) << 30) >> (10 * (found - units)))
        return false;
    self->bytes = number << (20 + 10 * (found - units));
    return true;
}

bool
free_space_is_valid(const char *text)
{
    FreeSpace parsed;

    return free_space_parse(&parsed, text);
}
