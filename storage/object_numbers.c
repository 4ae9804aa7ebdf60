#include "storage/object_numbers.h"

#include "storage/object_key.h"

#include <string.h>

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    const uint32_t first = *(const uint32_t *) a;
    const uint32_t second = *(const uint32_t *) b;

    return (first > second) - (first < second);
}

GArray *
object_numbers_list(const GPtrArray *keys, const char *prefix, const char *folder,
                    const char *suffix)
{
    GArray *numbers = g_array_new(false, false, sizeof(uint32_t));

    for (guint i = 0; i < keys->len; i++) {
        const char *relative = (const char *) keys->pdata[i] + strlen(prefix);
        uint32_t number = 0;

        if (object_key_parse_number(relative, folder, suffix, &number))
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

uint32_t
object_numbers_newest(const GPtrArray *keys, const char *prefix, const char *folder,
                      const char *suffix)
{
    g_autoptr(GArray) numbers = object_numbers_list(keys, prefix, folder, suffix);

    return numbers->len > 0 ? g_array_index(numbers, uint32_t, numbers->len - 1) : 0;
}
