#include "agent/recorder/minor_facts.h"

#include "agent/recorder/request_members.h"
#include "config/place_code.h"

#include <glib.h>
#include <string.h>

enum {
    MAX_AGE = 130,
    MAJORITY = 21, /* nobody is a minor who is that old */
    USUAL_MAJORITY = 18,
    EMANCIPATION = 14, /* nobody is of age who is younger */
};

static bool
is_left_out(const json_t *form, const char *name)
{
    const json_t *member = json_object_get(form, name);

    return member == NULL || json_is_null(member);
}

static void
take_minor(MinorFacts *self, const json_t *form, char **fault)
{
    const json_t *member = json_object_get(form, "minor");

    if (*fault == NULL && member != NULL && !json_is_boolean(member))
        *fault = g_strdup("\"minor\" must be true or false");
    self->is_minor = json_is_true(member);
}

static void
take_age(MinorFacts *self, const json_t *form, char **fault)
{
    const int64_t range[] = {0, MAX_AGE};

    if (*fault != NULL || is_left_out(form, "age"))
        return;
    self->age = (unsigned) request_members_number(form, "age", range, -1, fault);
    self->has_age = *fault == NULL;
}

static void
take_jurisdiction(MinorFacts *self, const json_t *form, char **fault)
{
    const json_t *member = json_object_get(form, "jurisdiction");
    const char *text = json_string_value(member);

    if (*fault != NULL || is_left_out(form, "jurisdiction"))
        return;
    if (text == NULL || strlen(text) != json_string_length(member) || !place_code_is_valid(text)) {
        *fault = g_strdup("\"jurisdiction\" must be the code of a country (ISO 3166-1, as US) or "
                          "of a part of one (ISO 3166-2, as US-CA)");
    } else {
        self->jurisdiction = g_strdup(text);
    }
}

/* Who is young and of whom nobody says whether they are of age could pass for an adult. */
static void
check_age(const MinorFacts *self, const json_t *form, char **fault)
{
    if (*fault != NULL || !self->has_age)
        return;
    if (self->is_minor && self->age >= MAJORITY) {
        *fault = g_strdup_printf("\"minor\" is true and \"age\" is %d or more: nobody is a minor "
                                 "at that age",
                                 MAJORITY);
    } else if (self->age < USUAL_MAJORITY && json_object_get(form, "minor") == NULL) {
        *fault = g_strdup_printf("\"age\" is less than %d: then \"minor\" must be said, true or "
                                 "false",
                                 USUAL_MAJORITY);
    } else if (self->age < EMANCIPATION && !self->is_minor) {
        *fault = g_strdup_printf("\"minor\" is false and \"age\" is less than %d: nobody is of age "
                                 "then",
                                 EMANCIPATION);
    }
}

MinorFacts
minor_facts_take(const json_t *form, char **fault)
{
    MinorFacts self = {0};

    take_minor(&self, form, fault);
    take_age(&self, form, fault);
    take_jurisdiction(&self, form, fault);
    check_age(&self, form, fault);
    return self;
}

void
minor_facts_note(MinorFacts *self, ConsentMinors rule)
{
    if (!self->is_minor || minor_facts_is_alone(self))
        return;
    self->has_rule = true;
    self->rule = rule;
}

bool
minor_facts_is_alone(const MinorFacts *self)
{
    return self->has_rule && self->rule == CONSENT_MINORS_ALONE;
}

void
minor_facts_inherit(MinorFacts *self, const MinorFacts *before)
{
    self->has_rule = before->has_rule;
    self->rule = before->rule;
}

void
minor_facts_tell(const MinorFacts *self, json_t *form)
{
    const bool says_minor = self->is_minor || (self->has_age && self->age < USUAL_MAJORITY);

    if (says_minor)
        json_object_set_new(form, "minor", json_boolean(self->is_minor));
    if (self->has_age)
        json_object_set_new(form, "age", json_integer(self->age));
    if (self->jurisdiction != NULL)
        json_object_set_new(form, "jurisdiction", json_string(self->jurisdiction));
    if (self->has_rule)
        json_object_set_new(form, "minor_rule", json_string(minors_text(self->rule)));
}

void
minor_facts_clear(MinorFacts *self)
{
    g_clear_pointer(&self->jurisdiction, g_free);
}
