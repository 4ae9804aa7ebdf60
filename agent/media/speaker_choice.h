#pragma once

#include <glib.h>
#include <stdint.h>

/* Who is shown large: the one who speaks, but not for every cough. Another one takes over once
 * they were clearly the loudest for a while, and the present one had their time. Pure. */
typedef struct SpeakerChoice SpeakerChoice;

/* The level of one who is not there. */
#define SPEAKER_CHOICE_ABSENT (-1.0)

SpeakerChoice *speaker_choice_new(unsigned n_people);

/* Takes what was heard of each (root mean square, 1 is full scale) in the last `step_us`.
 * Returns: the index of who speaks; while all are quiet, of who spoke last. One who is not there is
 * chosen only if nobody is. */
unsigned speaker_choice_add(SpeakerChoice *self, const double *levels, int64_t step_us);

void speaker_choice_free(SpeakerChoice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpeakerChoice, speaker_choice_free)
