#pragma once

#include "agent/policy/minors.h"

#include <jansson.h>
#include <stdbool.h>

/* What decides whose yes counts for a participant: whether it is a minor, how old, and where; and
 * by which rule that was decided, for who opens the recording later. Stands in the sealed metadata
 * and nowhere else. Main thread. */
typedef struct {
    bool is_minor, has_age;
    unsigned age;       /* whole years, at the session */
    char *jurisdiction; /* NULL: not said */
    bool has_rule;
    ConsentMinors rule; /* the last one; but `alone` stays */
} MinorFacts;

/* Reads the members "minor", "age" and "jurisdiction" of a participant's form. A fault is one
 * sentence in `fault` (owned), which names no value; once there is one, nothing more is read. */
MinorFacts minor_facts_take(const json_t *form, char **fault);

/* Keeps by which rule it was decided. Once a minor's own yes was enough, it stays so: what was
 * recorded by it is there. */
void minor_facts_note(MinorFacts *self, ConsentMinors rule);

/* Whether the minor's own yes was enough, at any time. */
bool minor_facts_is_alone(const MinorFacts *self);

/* For who has come back: what was noted of them before they left. */
void minor_facts_inherit(MinorFacts *self, const MinorFacts *before);

/* Sets the members, and "minor_rule", in a participant's form. */
void minor_facts_tell(const MinorFacts *self, json_t *form);

void minor_facts_clear(MinorFacts *self);
