#include "agent/opener/person_rates.h"

#define MINUTE_US (60 * G_USEC_PER_SEC)

static void
test_admits_so_many_a_minute(void)
{
    g_autoptr(PersonRates) rates = person_rates_new(3);

    for (int i = 0; i < 3; i++)
        g_assert_true(person_rates_admit(rates, "anna", i));
    g_assert_false(person_rates_admit(rates, "anna", 4));
    g_assert_true(person_rates_admit(rates, "ben", 4));
    g_assert_false(person_rates_admit(rates, "anna", MINUTE_US - 1));
    g_assert_true(person_rates_admit(rates, "anna", MINUTE_US));
}

/* Whoever makes up names fills no memory, and who has asked already is known still. */
static void
test_remembers_so_many_people(void)
{
    g_autoptr(PersonRates) rates = person_rates_new(2);

    g_assert_true(person_rates_admit(rates, "anna", 0));
    for (int i = 1; i < 20000; i++) {
        g_autofree char *name = g_strdup_printf("p%d", i);

        g_assert_true(person_rates_admit(rates, name, 0));
    }
    g_assert_false(person_rates_admit(rates, "ben", 0));
    g_assert_true(person_rates_admit(rates, "anna", 0));
    g_assert_true(person_rates_admit(rates, "ben", MINUTE_US));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/person_rates/admits-so-many-a-minute", test_admits_so_many_a_minute);
    g_test_add_func("/person_rates/remembers-so-many-people", test_remembers_so_many_people);
    return g_test_run();
}
