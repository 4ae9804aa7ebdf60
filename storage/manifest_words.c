#include "storage/manifest_words.h"

#include <inttypes.h>
#include <string.h>

static const char *const states[] = {
    [SESSION_OPEN] = "open",
    [SESSION_CLOSED] = "closed",
    [SESSION_INTERRUPTED] = "interrupted",
    [SESSION_AMENDED] = "amended",
};

static const struct {
    SegmentFlags flag;
    char letter;
} flag_letters[] = {
    {SEGMENT_FLAG_HEADER,      'h'},
    {SEGMENT_FLAG_KEYFRAME,    'k'},
    {SEGMENT_FLAG_NO_KEYFRAME, 'n'},
    {SEGMENT_FLAG_LAST,        'e'},
    {SEGMENT_FLAG_DAMAGED,     'd'},
};

G_STATIC_ASSERT(G_N_ELEMENTS(flag_letters) < MANIFEST_WORDS_FLAG_BYTES);

const char *
manifest_words_of_state(SessionEnd state)
{
    return states[state];
}

bool
manifest_words_to_state(const char *word, SessionEnd *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i], word) == 0) {
            *state = (SessionEnd) i;
            return true;
        }
    }
    return false;
}

void
manifest_words_of_flags(SegmentFlags flags, char word[MANIFEST_WORDS_FLAG_BYTES])
{
    size_t n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(flag_letters); i++) {
        if ((flags & flag_letters[i].flag) != 0)
            word[n++] = flag_letters[i].letter;
    }
    if (n == 0)
        word[n++] = '-';
    word[n] = '\0';
}

bool
manifest_words_to_flags(const char *word, SegmentFlags *flags)
{
    char again[MANIFEST_WORDS_FLAG_BYTES];
    unsigned found = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(flag_letters); i++) {
        if (strchr(word, flag_letters[i].letter) != NULL)
            found |= flag_letters[i].flag;
    }
    *flags = (SegmentFlags) found;
    manifest_words_of_flags(*flags, again);
    return strcmp(again, word) == 0;
}

bool
manifest_words_to_number(const char *word, int64_t min, int64_t max, int64_t *number)
{
    char again[32];

    *number = g_ascii_strtoll(word, NULL, 10);
    (void) g_snprintf(again, sizeof again, "%" PRId64, *number);
    return strcmp(again, word) == 0 && *number >= min && *number <= max;
}

bool
manifest_words_is_word(const char *word)
{
    const size_t length = strlen(word);

    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isgraph(word[i]))
            return false;
    }
    return length >= 1 && length <= 200;
}

bool
manifest_words_is_reason(const char *word)
{
    const size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz-");

    return length >= 1 && length <= 64 && word[length] == '\0';
}
