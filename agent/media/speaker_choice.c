#include "agent/media/speaker_choice.h"

#include <math.h>
#include <stdbool.h>

#define QUIET       0.004 /* -48 dBFS: nobody speaks below this */
#define CLEARLY     2.0   /* 6 dB */
#define TAKES_US    600000
#define KEEPS_US    2000000
#define SMOOTHES_US 300000.0 /* the gaps between syllables */

struct SpeakerChoice {
    unsigned n_people;
    unsigned chosen;
    unsigned rival;
    int64_t chosen_since_us; /* how long ago */
    int64_t rival_since_us;
    double *smooth;
    bool *is_there;
};

SpeakerChoice *
speaker_choice_new(unsigned n_people)
{
    SpeakerChoice *self = g_new0(SpeakerChoice, 1);

    self->n_people = n_people;
    self->chosen_since_us = KEEPS_US;
    self->smooth = g_new0(double, n_people);
    self->is_there = g_new0(bool, n_people);
    return self;
}

static void
take_levels(SpeakerChoice *self, const double *levels, int64_t step_us)
{
    const double weight = 1.0 - exp(-(double) step_us / SMOOTHES_US);

    for (unsigned i = 0; i < self->n_people; i++) {
        self->is_there[i] = levels[i] >= 0;
        self->smooth[i] += weight * (MAX(levels[i], 0) - self->smooth[i]);
    }
}

/* Returns: the loudest who is there; the chosen one if nobody is. */
static unsigned
find_loudest(const SpeakerChoice *self)
{
    unsigned loudest = self->chosen;

    for (unsigned i = 0; i < self->n_people; i++) {
        if (!self->is_there[i])
            continue;
        if (!self->is_there[loudest] || self->smooth[i] > self->smooth[loudest])
            loudest = i;
    }
    return loudest;
}

static void
choose(SpeakerChoice *self, unsigned person)
{
    self->chosen = person;
    self->chosen_since_us = 0;
    self->rival_since_us = 0;
}

unsigned
speaker_choice_add(SpeakerChoice *self, const double *levels, int64_t step_us)
{
    unsigned loudest = 0;

    take_levels(self, levels, step_us);
    loudest = find_loudest(self);
    self->chosen_since_us += step_us;
    if (!self->is_there[self->chosen] && loudest != self->chosen) {
        choose(self, loudest);
        return self->chosen;
    }
    if (loudest != self->rival) {
        self->rival = loudest;
        self->rival_since_us = 0;
    }
    self->rival_since_us += step_us;
    if (loudest != self->chosen && self->smooth[loudest] > QUIET &&
        self->smooth[loudest] > CLEARLY * self->smooth[self->chosen] &&
        self->rival_since_us >= TAKES_US && self->chosen_since_us >= KEEPS_US)
        choose(self, loudest);
    return self->chosen;
}

void
speaker_choice_free(SpeakerChoice *self)
{
    if (self == NULL)
        return;
    g_free(self->smooth);
    g_free(self->is_there);
    g_free(self);
}
