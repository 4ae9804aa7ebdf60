#include "agent/audit/disclosure.h"

#include <stddef.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const char *const basis_texts[N_DISCLOSURE_BASES] = {
    [DISCLOSURE_TPO] = "tpo",
    [DISCLOSURE_INDIVIDUAL] = "individual",
    [DISCLOSURE_AUTHORISED] = "authorised",
    [DISCLOSURE_PART2] = "part2",
    [DISCLOSURE_OTHER] = "other",
};

/* Codes of HL7 v3 PurposeOfUse, each by itself: one that stands below another there may count where
 * the other does not. */
static const struct {
    const char *use;
    DisclosureBasis basis;
} rows[] = {
    {"TREAT",     DISCLOSURE_TPO       },
    {"ETREAT",    DISCLOSURE_TPO       },
    {"BTG",       DISCLOSURE_TPO       },
    {"HPAYMT",    DISCLOSURE_TPO       },
    {"HOPERAT",   DISCLOSURE_TPO       },
    {"HCOMPL",    DISCLOSURE_TPO       },
    {"HQUALIMP",  DISCLOSURE_TPO       },
    {"RECORDMGT", DISCLOSURE_TPO       },
    {"HSYSADMIN", DISCLOSURE_TPO       },
    {"TRAIN",     DISCLOSURE_TPO       },
    {"PATRQT",    DISCLOSURE_INDIVIDUAL},
    {"FAMRQT",    DISCLOSURE_AUTHORISED},
    {"PWATRNY",   DISCLOSURE_INDIVIDUAL},
    {"SUPNWK",    DISCLOSURE_AUTHORISED},
    {"HLEGAL",    DISCLOSURE_OTHER     },
    {"PUBHLTH",   DISCLOSURE_OTHER     },
    {"HRESCH",    DISCLOSURE_OTHER     },
    {"SYSDEV",    DISCLOSURE_OTHER     },
};

const char *
disclosure_basis_text(DisclosureBasis basis)
{
    return basis_texts[basis];
}

DisclosureBasis
disclosure_basis_of(const char *use)
{
    for (size_t i = 0; use != NULL && i < COUNT(rows); i++) {
        if (strcmp(rows[i].use, use) == 0)
            return rows[i].basis;
    }
    return DISCLOSURE_OTHER;
}

bool
disclosure_is_countable(const char *basis)
{
    static const DisclosureBasis exempt[] = {DISCLOSURE_TPO, DISCLOSURE_INDIVIDUAL,
                                             DISCLOSURE_AUTHORISED};

    for (size_t i = 0; basis != NULL && i < COUNT(exempt); i++) {
        if (strcmp(basis_texts[exempt[i]], basis) == 0)
            return false;
    }
    return true;
}
