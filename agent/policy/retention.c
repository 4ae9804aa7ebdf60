#include "agent/policy/retention.h"

#include <string.h>

enum { MAX_YEARS = 100, MAX_DAYS = 36500, MAX_AGE = 100 };

static const struct {
    const char *name;
    RetentionClass of;
} classes[] = {
    {"adult",      RETENTION_ADULT     },
    {"minor",      RETENTION_MINOR     },
    {"transcript", RETENTION_TRANSCRIPT},
    {"quarantine", RETENTION_QUARANTINE},
    {"any",        RETENTION_ANY       },
};

GDate
retention_add_years(const GDate *day, unsigned years)
{
    const GDateYear year = (GDateYear) (g_date_get_year(day) + years);
    GDate result;

    g_date_clear(&result, 1);
    if (g_date_valid_dmy(g_date_get_day(day), g_date_get_month(day), year)) {
        g_date_set_dmy(&result, g_date_get_day(day), g_date_get_month(day), year);
    } else {
        g_date_set_dmy(&result, 1, G_DATE_MARCH, year);
    }
    return result;
}

static GDate
until_by(const RetentionRule *rule, const RetentionFacts *facts)
{
    GDate until = retention_add_years(&facts->end, rule->years);

    g_date_add_days(&until, rule->days);
    if (rule->until_age > 0) {
        const GDate *birth = g_date_valid(&facts->birth) ? &facts->birth : &facts->end;
        const GDate of_age = retention_add_years(birth, rule->until_age);

        if (g_date_compare(&of_age, &until) > 0)
            return of_age;
    }
    return until;
}

RetentionDate
retention_compute(const RetentionTable *table, const RetentionFacts *facts)
{
    const unsigned of = facts->classes | RETENTION_ANY;
    RetentionDate latest = {.rule = NULL};

    g_date_clear(&latest.until, 1);
    for (size_t i = 0; i < table->n_rules; i++) {
        const RetentionRule *rule = &table->rules[i];
        GDate until;

        if ((rule->of & of) == 0)
            continue;
        until = until_by(rule, facts);
        if (latest.rule == NULL || g_date_compare(&until, &latest.until) > 0) {
            latest.until = until;
            latest.rule = rule;
        }
    }
    return latest;
}

/* Takes a number from 0 to `max` off `*text`. */
static bool
take_number(const char **text, unsigned max, unsigned *number)
{
    const size_t n_digits = strspn(*text, "0123456789");

    *number = 0;
    if (n_digits == 0 || n_digits > 6)
        return false;
    for (size_t i = 0; i < n_digits; i++)
        *number = *number * 10 + (unsigned) ((*text)[i] - '0');
    *text += n_digits;
    return *number <= max;
}

static bool
take_word(const char **text, const char *word)
{
    if (!g_str_has_prefix(*text, word))
        return false;
    *text += strlen(word);
    return true;
}

static bool
take_period(const char **text, RetentionRule *rule)
{
    unsigned number = 0;

    if (!take_number(text, MAX_DAYS, &number))
        return false;
    if (take_word(text, " days") || take_word(text, " day")) {
        rule->days = number;
        return true;
    }
    rule->years = (uint16_t) number;
    return number <= MAX_YEARS && (take_word(text, " years") || take_word(text, " year"));
}

static bool
take_class(const char **text, RetentionRule *rule)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        const size_t n_name = strlen(classes[i].name);

        if (g_str_has_prefix(*text, classes[i].name) && (*text)[n_name] == ' ') {
            rule->of = classes[i].of;
            *text += n_name + 1;
            return true;
        }
    }
    return false;
}

static bool
is_id(const char *text, size_t n_bytes)
{
    return n_bytes >= 1 && n_bytes <= 64 && g_ascii_isalnum(text[0]) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n_bytes;
}

bool
retention_rule_parse(const char *text, RetentionRule *rule, char **id)
{
    const size_t n_id = strcspn(text, ":");
    const char *rest = text + n_id;
    unsigned age = 0;

    *rule = (RetentionRule){0};
    if (!is_id(text, n_id) || !take_word(&rest, ": ") || !take_class(&rest, rule) ||
        !take_period(&rest, rule) || rule->years + rule->days == 0)
        return false;
    if (*rest != '\0' &&
        (!take_word(&rest, ", age ") || !take_number(&rest, MAX_AGE, &age) || age == 0))
        return false;
    rule->until_age = (uint8_t) age;
    if (*rest != '\0')
        return false;
    *id = g_strndup(text, n_id);
    rule->id = *id;
    return true;
}

/* A clock that was set back must not delete either: what it says is not true, whichever way. */
static RetentionVerdict
judge_clock(const RetentionCase *facts)
{
    if (!g_date_valid(&facts->newest))
        return RETENTION_DUE;
    if (g_date_days_between(&facts->newest, &facts->today) < -1)
        return RETENTION_CLOCK_BEHIND;
    if (g_date_days_between(&facts->newest, &facts->today) > (int) facts->n_lead_days)
        return RETENTION_CLOCK_AHEAD;
    return RETENTION_DUE;
}

RetentionVerdict
retention_judge(const RetentionCase *facts)
{
    if (facts->is_on_hold)
        return RETENTION_ON_HOLD;
    if (!facts->has_ended)
        return RETENTION_OPEN;
    if (facts->must_erase)
        return RETENTION_DUE;
    if (!g_date_valid(&facts->until))
        return RETENTION_NO_RULE;
    if (g_date_compare(&facts->today, &facts->until) <= 0)
        return RETENTION_NOT_YET;
    return judge_clock(facts);
}

const char *
retention_verdict_name(RetentionVerdict verdict)
{
    static const char *const names[] = {
        [RETENTION_DUE] = "due",
        [RETENTION_NOT_YET] = "not-yet",
        [RETENTION_NO_RULE] = "no-rule",
        [RETENTION_ON_HOLD] = "on-hold",
        [RETENTION_OPEN] = "open",
        [RETENTION_CLOCK_BEHIND] = "clock-behind",
        [RETENTION_CLOCK_AHEAD] = "clock-ahead",
    };

    return names[verdict];
}
