#include "storage/annotation.h"
#include "storage/storage_error.h"

#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD                                                                                       \
    "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 2\nprev " DIGEST                \
    "\nat 2026-11-29T06:40:00Z\nby custodian-1\n"

/* One of each kind, with all that it may say. */
static const char *const good[] = {
    HEAD "released\n",
    HEAD "released participant=p2\n",
    HEAD "release-withdrawn participant=p2\n",
    HEAD "hold-placed matter=m-17 statement=" DIGEST "\n",
    HEAD "hold-released matter=m-17\n",
    HEAD "quarantined reason=consent-withdrawn statement=" DIGEST "\n",
    HEAD "quarantine-lifted\n",
    HEAD "restricted reason=disputed\n",
    HEAD "restriction-lifted statement=" DIGEST "\n",
    HEAD "consent participant=p1 purpose=transcribe state=withdrawn\n",
    HEAD "consent participant=p2 purpose=sud-legal state=granted evidence=form-7 recipient=law-3\n",
    HEAD "classified state=minor date=2015-12-31\n",
    HEAD "retain-until date=2028-02-29 rule=adult table=2026-1\n",
    HEAD "amended statement=" DIGEST "\n",
    HEAD "amended participant=p2 statement=" DIGEST "\n",
    HEAD "erasure-requested reason=client-request\n",
    HEAD "erasure-withdrawn request=1\n",
    HEAD "erasure-approved request=1\n",
    HEAD "erasure-begun reason=retention rule=adult table=2026-1\n",
    HEAD "erased state=erased certificate=" DIGEST "\n",
    HEAD "erased state=bytes-locked date=2030-01-01 certificate=" DIGEST "\n",
    HEAD "reseal-begun reason=key-compromised generation=3 against=9070eb924f1c2d3e\n",
    HEAD "reseal-begun reason=key-compromised request=1 generation=3 against=9070eb924f1c2d3e\n",
    HEAD "resealed generation=3 certificate=" DIGEST "\n",
    HEAD "resealed date=2030-01-01 generation=3 certificate=" DIGEST "\n",
};

static void
test_writes_what_it_read(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        GError *error = NULL;
        g_autoptr(Annotation) read = annotation_parse(good[i], &error);
        g_autofree char *again = NULL;

        g_assert_no_error(error);
        again = annotation_to_text(read);
        g_assert_cmpstr(again, ==, good[i]);
    }
}

static const char *const bad[] = {
    "",
    HEAD,
    HEAD "\n",
    HEAD "invented\n",
    HEAD "hold-placed\n",
    HEAD "hold-placed matter=\n",
    HEAD "hold-placed matter=M1\n",
    HEAD "consent participant=p2 purpose=sud-legal state=granted recipient=law-3 evidence=form-7\n",
    HEAD "consent participant=p2 purpose=sud-legal state=granted evidence=Form 7\n",
    HEAD "released evidence=form-7\n",
    HEAD "hold-placed matter=m1 matter=m1\n",
    HEAD "hold-placed matter=m1  statement=" DIGEST "\n",
    HEAD "hold-placed statement=" DIGEST " matter=m1\n",
    HEAD "hold-placed matter=m1 unknown=x\n",
    HEAD "hold-placed matter=m1 date=2030-01-01\n",
    HEAD "hold-placed matter=m1 \n",
    HEAD "hold-placed matter=m1\nhold-placed matter=m2\n",
    HEAD "hold-placed matter=m1",
    HEAD "restricted reason=Mrs.\n",
    HEAD "retain-until date=2027-02-29 rule=adult table=1\n",
    HEAD "retain-until date=2027-2-28 rule=adult table=1\n",
    HEAD "retain-until date=2027-02-28 rule=adult\n",
    HEAD "erasure-approved request=0\n",
    HEAD "erasure-approved request=01\n",
    HEAD "erased state=erased certificate=abc\n",
    HEAD "reseal-begun generation=3 against=9070eb924f1c2d3e\n",
    HEAD "reseal-begun reason=key-compromised generation=3\n",
    HEAD "reseal-begun reason=key-compromised generation=3 against=9070EB924f1c2d3e\n",
    HEAD "reseal-begun reason=key-compromised generation=0 against=9070eb924f1c2d3e\n",
    HEAD "resealed generation=3\n",
    HEAD "resealed certificate=" DIGEST " generation=3\n",
    "sealtape-annotation/v2\norg clinic-a\nsession visit-1\nnumber 1\nprev -\nat "
    "2026-11-29T06:40:00Z\nby c\nreleased\n",
    "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 0\nprev -\nat "
    "2026-11-29T06:40:00Z\nby c\nreleased\n",
    "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 1\nprev -\nat "
    "2026-11-29T07:40:00+01:00\nby c\nreleased\n",
    "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 1\nprev -\nat "
    "2026-11-29T06:40:00Z\nby \nreleased\n",
    "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 1\nprev -\nat "
    "2026-11-29T06:40:00Z\nby c d\nreleased\n",
    "sealtape-annotation/v1\nsession visit-1\norg clinic-a\nnumber 1\nprev -\nat "
    "2026-11-29T06:40:00Z\nby c\nreleased\n",
};

static void
test_refuses_what_it_does_not_know(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Annotation) read = annotation_parse(bad[i], &error);

        g_test_message("%s", bad[i]);
        g_assert_null(read);
        g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    }
}

/* No byte of it can be another without notice, or it says something else. */
static void
test_has_one_spelling(void)
{
    const char *text = good[3];

    for (size_t i = 0; i < strlen(text); i++) {
        g_autofree char *changed = g_strdup(text);
        g_autoptr(Annotation) read = NULL;
        g_autofree char *again = NULL;

        changed[i] ^= 0x20;
        read = annotation_parse(changed, NULL);
        again = read != NULL ? annotation_to_text(read) : NULL;
        g_assert_true(again == NULL || strcmp(again, changed) == 0);
    }
}

static void
test_says_what_is_wrong(void)
{
    g_autoptr(Annotation) hold = annotation_new("clinic-a", "visit-1", ANNOTATION_HOLD_PLACED);
    g_autoptr(GError) error = NULL;

    g_assert_false(annotation_check(hold, &error));
    g_assert_nonnull(strstr(error->message, "who it is by"));
    g_clear_error(&error);
    hold->by = g_strdup("custodian-1");
    g_assert_false(annotation_check(hold, &error));
    g_assert_cmpstr(error->message, ==, "hold-placed: `matter` is missing");
    g_clear_error(&error);
    annotation_set(hold, ANNOTATION_MATTER, "not an id");
    g_assert_false(annotation_check(hold, &error));
    g_assert_cmpstr(error->message, ==, "hold-placed: `matter` must be an id");
    g_clear_error(&error);
    annotation_set(hold, ANNOTATION_MATTER, "m-1");
    g_assert_true(annotation_check(hold, &error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/annotation/writes-what-it-read", test_writes_what_it_read);
    g_test_add_func("/annotation/refuses-what-it-does-not-know",
                    test_refuses_what_it_does_not_know);
    g_test_add_func("/annotation/has-one-spelling", test_has_one_spelling);
    g_test_add_func("/annotation/says-what-is-wrong", test_says_what_is_wrong);
    return g_test_run();
}
