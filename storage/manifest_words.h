#pragma once

#include "storage/session_ledger.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The words of manifest lines: strict in what is read, so that each value has one spelling. */

enum { MANIFEST_WORDS_FLAG_BYTES = 6 };

const char *manifest_words_of_state(SessionEnd state);
bool manifest_words_to_state(const char *word, SessionEnd *state) G_GNUC_WARN_UNUSED_RESULT;

/* Letters in the order of their bits; `-` for none. */
void manifest_words_of_flags(SegmentFlags flags, char word[MANIFEST_WORDS_FLAG_BYTES]);
bool manifest_words_to_flags(const char *word, SegmentFlags *flags) G_GNUC_WARN_UNUSED_RESULT;

/* Canonical decimal: no sign but `-` before a non-zero number, no leading zero. */
bool manifest_words_to_number(const char *word, int64_t min, int64_t max,
                              int64_t *number) G_GNUC_WARN_UNUSED_RESULT;

/* A codec, a kind, a recipient: printable ASCII without space, 1 to 200 long. */
bool manifest_words_is_word(const char *word);

/* [a-z-]+, at most 64. */
bool manifest_words_is_reason(const char *word);
