#include "config/region_rule.h"

/* `rule`: borrowed. */
static void
share(StoreSettings *store, int *rule)
{
    g_clear_pointer(&store->keeps_region, g_atomic_rc_box_release);
    store->keeps_region = g_atomic_rc_box_acquire(rule);
    for (guint i = 0; store->replicas != NULL && i < store->replicas->len; i++)
        share(store->replicas->pdata[i], rule);
}

void
region_rule_make(StoreSettings *store)
{
    int *rule = g_atomic_rc_box_new0(int);

    share(store, rule);
    g_atomic_rc_box_release(rule);
}

void
region_rule_pass_on(const Settings *before, Settings *now)
{
    int *rule = before->store.keeps_region;

    g_atomic_int_set(rule, g_atomic_int_get(now->store.keeps_region));
    share(&now->store, rule);
}
