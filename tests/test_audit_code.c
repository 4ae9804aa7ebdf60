#include "agent/audit/audit_code.h"

#include <string.h>

static void
test_every_kind_is_coded(void)
{
    for (int kind = 0; kind < N_AUDIT_KINDS; kind++) {
        const AuditCode *code = audit_code((AuditKind) kind);

        g_assert_nonnull(code->text);
        g_assert_nonnull(audit_code_meaning(code->event_id));
        if (code->type != NULL)
            g_assert_nonnull(audit_code_meaning(code->type));
        g_assert_nonnull(strchr("CRUDE", code->action));
        g_assert_cmpint(code->action, !=, '\0');
    }
}

/* The map that ATNA repositories are asked with. */
static void
test_is_coded_as_others_look_for_it(void)
{
    static const struct {
        AuditEvent event;
        const char *event_id;
        const char *type;
        char action;
        int life_cycle;
        unsigned outcome;
        bool is_warning;
    } rows[] = {
        {{.kind = AUDIT_RECORDER_STARTED},                         "110100", "110120", 'E', 0,  0, false},
        {{.kind = AUDIT_OPENER_STOPPED},                           "110100", "110121", 'E', 0,  0, false},
        {{.kind = AUDIT_RECORDING_STARTED},                        "110110", NULL,     'C', 1,  0, false},
        {{.kind = AUDIT_RECORDING_PAUSED},                         "110110", NULL,     'U', 3,  0, false},
        {{.kind = AUDIT_RECORDING_STORED},                         "110110", NULL,     'U', 13, 0, false},
        {{.kind = AUDIT_CONSENT_CHANGED, .state = "granted"},      "110110", NULL,     'C', 1,  0, false},
        {{.kind = AUDIT_CONSENT_CHANGED, .state = "withdrawn"},    "110110", NULL,     'U', 3,  0, false},
        {{.kind = AUDIT_DECIDED, .outcome = AUDIT_REFUSED},        "110113", NULL,     'E', 0,  8, true },
        {{.kind = AUDIT_MEDIA_OPENED},                             "110110", NULL,     'R', 6,  0, false},
        {{.kind = AUDIT_MEDIA_EXPORTED},                           "110106", NULL,     'R', 10, 0, false},
        {{.kind = AUDIT_MEDIA_DISCLOSED},                          "110106", NULL,     'R', 11, 0, false},
        {{.kind = AUDIT_KEY_ROTATED},                              "110113", "110129", 'E', 0,  0, false},
        {{.kind = AUDIT_HOLD_PLACED},                              "110113", "110135", 'E', 0,  0, false},
        {{.kind = AUDIT_DELETED},                                  "110110", NULL,     'D', 15, 0, false},
        {{.kind = AUDIT_ERASED, .outcome = AUDIT_FAILED},          "110110", NULL,     'D', 15, 4, true },
        {{.kind = AUDIT_PERSON_REFUSED, .outcome = AUDIT_REFUSED},
         "110114",                                                           "110122",
         'E',                                                                               0,
         8,                                                                                        true },
        {{.kind = AUDIT_ACCESS_REFUSED, .outcome = AUDIT_REFUSED},
         "110113",                                                           "110132",
         'E',                                                                               0,
         8,                                                                                        true },
        {{.kind = AUDIT_BREAK_GLASS_STARTED},                      "110113", "110127", 'E', 0,  0, true },
        {{.kind = AUDIT_BREAK_GLASS_ENDED},                        "110113", "110138", 'E', 0,  0, false},
        {{.kind = AUDIT_LOG_READ},                                 "110101", NULL,     'R', 0,  0, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const AuditCode *code = audit_code(rows[i].event.kind);

        g_assert_cmpstr(code->event_id, ==, rows[i].event_id);
        g_assert_cmpstr(code->type, ==, rows[i].type);
        g_assert_cmpint(audit_code_action(&rows[i].event), ==, rows[i].action);
        g_assert_cmpint((int) audit_code_life_cycle(&rows[i].event), ==, rows[i].life_cycle);
        g_assert_cmpuint(audit_code_outcome(&rows[i].event), ==, rows[i].outcome);
        g_assert_true(audit_code_is_warning(&rows[i].event) == rows[i].is_warning);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audit-code/every-kind-is-coded", test_every_kind_is_coded);
    g_test_add_func("/audit-code/is-coded-as-others-look-for-it",
                    test_is_coded_as_others_look_for_it);
    return g_test_run();
}
