#include "agent/audit/disclosure.h"

#include <glib.h>

static void
test_counts_what_the_rule_does_not_exempt(void)
{
    static const struct {
        const char *use;
        const char *basis;
        bool is_countable;
    } rows[] = {
        {"TREAT",   "tpo",        false},
        {"BTG",     "tpo",        false},
        {"HOPERAT", "tpo",        false},
        {"PATRQT",  "individual", false},
        {"FAMRQT",  "authorised", false},
        {"HLEGAL",  "other",      true },
        {"PUBHLTH", "other",      true },
        {"HRESCH",  "other",      true },
        {"treat",   "other",      true },
        {"UNHEARD", "other",      true },
        {NULL,      "other",      true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *basis = disclosure_basis_text(disclosure_basis_of(rows[i].use));

        g_assert_cmpstr(basis, ==, rows[i].basis);
        g_assert_true(disclosure_is_countable(basis) == rows[i].is_countable);
    }
    g_assert_true(disclosure_is_countable(NULL));
    g_assert_true(disclosure_is_countable("unheard"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disclosure/counts-what-the-rule-does-not-exempt",
                    test_counts_what_the_rule_does_not_exempt);
    return g_test_run();
}
