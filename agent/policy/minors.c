#include "agent/policy/minors.h"

#include <glib.h>
#include <string.h>

typedef enum {
    FITS_NOT,
    FITS_MAYBE, /* that depends on what was not said */
    FITS,
} Fit;

static bool
is_said(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Whether `part` lies in `whole`: `US-CA` in `US` and in `US-CA`; everything lies in NULL. */
static bool
lies_in(const char *part, const char *whole)
{
    const size_t n = whole != NULL ? strlen(whole) : 0;

    if (whole == NULL)
        return true;
    return part != NULL && strncmp(part, whole, n) == 0 && (part[n] == '\0' || part[n] == '-');
}

static Fit
fit_place(const MinorsRow *row, const char *place)
{
    if (row->jurisdiction == NULL)
        return FITS;
    if (!is_said(place))
        return FITS_MAYBE;
    if (lies_in(place, row->jurisdiction))
        return FITS;
    return lies_in(row->jurisdiction, place) ? FITS_MAYBE : FITS_NOT;
}

static Fit
fit_service(const MinorsRow *row, const char *service)
{
    if (row->service == NULL)
        return FITS;
    if (!is_said(service))
        return FITS_MAYBE;
    return strcmp(row->service, service) == 0 ? FITS : FITS_NOT;
}

static Fit
fit_age(const MinorsRow *row, const MinorsFacts *facts)
{
    if (row->from_age == 0)
        return FITS;
    if (!facts->has_age)
        return FITS_MAYBE;
    return facts->age >= row->from_age ? FITS : FITS_NOT;
}

static Fit
fit(const MinorsRow *row, const MinorsFacts *facts)
{
    return MIN(MIN(fit_place(row, facts->jurisdiction), fit_service(row, facts->service)),
               fit_age(row, facts));
}

/* Of two rows that may both fit: whether `earlier` does wherever `later` does. An organisation's
 * file is refused where it is so of any minor; tests/test_org_policy.c holds the two together. */
static bool
covers(const MinorsRow *earlier, const MinorsRow *later, const MinorsFacts *facts)
{
    return (fit_place(earlier, facts->jurisdiction) == FITS ||
            lies_in(later->jurisdiction, earlier->jurisdiction)) &&
           (fit_service(earlier, facts->service) == FITS ||
            g_strcmp0(earlier->service, later->service) == 0) &&
           (fit_age(earlier, facts) == FITS || earlier->from_age <= later->from_age);
}

/* Whether there is anything that may have been left unsaid by which row `i` is the first to fit. */
static bool
may_decide(const MinorsRules *rules, size_t i, const MinorsFacts *facts)
{
    const MinorsRow *row = &rules->rows[i];

    if (fit(row, facts) == FITS_NOT)
        return false;
    for (size_t j = 0; j < i; j++) {
        if (fit(&rules->rows[j], facts) != FITS_NOT && covers(&rules->rows[j], row, facts))
            return false;
    }
    return true;
}

static unsigned
bit(ConsentMinors who)
{
    return 1U << MIN((unsigned) who, (unsigned) CONSENT_MINORS_NEVER);
}

static ConsentMinors
strictest(unsigned possible)
{
    if ((possible & bit(CONSENT_MINORS_NEVER)) != 0)
        return CONSENT_MINORS_NEVER;
    if (possible == bit(CONSENT_MINORS_GUARDIAN))
        return CONSENT_MINORS_GUARDIAN;
    return possible == bit(CONSENT_MINORS_ALONE) ? CONSENT_MINORS_ALONE : CONSENT_MINORS_BOTH;
}

ConsentMinors
minors_decide(const MinorsRules *rules, const MinorsFacts *facts)
{
    unsigned possible = 0;

    for (size_t i = 0; i < rules->n_rows; i++) {
        if (may_decide(rules, i, facts))
            possible |= bit(rules->rows[i].who);
        if (fit(&rules->rows[i], facts) == FITS)
            return strictest(possible);
    }
    return strictest(possible | bit(rules->otherwise));
}

const char *
minors_text(ConsentMinors who)
{
    static const char *const words[] = {
        [CONSENT_MINORS_BOTH] = "both",
        [CONSENT_MINORS_GUARDIAN] = "guardian",
        [CONSENT_MINORS_ALONE] = "alone",
        [CONSENT_MINORS_NEVER] = "never",
    };

    return words[MIN((unsigned) who, (unsigned) CONSENT_MINORS_NEVER)];
}
