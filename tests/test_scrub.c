#include "crypto/crypto_error.h"
#include "storage/scrub.h"
#include "tests/fakes/catalogue_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

enum { N_OBJECTS = 4 };

static ScrubRequest
request_for(const CatalogueFixture *fixture, int64_t place, uint32_t n_most)
{
    return (ScrubRequest){
        .store = fixture->store,
        .verifiers = visit_keys_verifiers(),
        .org = "clinic-a",
        .session = "visit-1",
        .place = place,
        .n_most = n_most,
    };
}

static char *
path_of(const CatalogueFixture *fixture, const char *relative)
{
    return g_build_filename(fixture->spool->store_path, "clinic-a", "visit-1", relative, NULL);
}

static void
assert_found(const CatalogueFixture *fixture, const char *code)
{
    const ScrubRequest request = request_for(fixture, 0, 100);
    g_auto(ScrubResult) result = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(scrub_session(&request, &result, &error));
    g_assert_no_error(error);
    for (guint i = 0; i < result.findings->len; i++) {
        const RecordingFinding *finding = g_ptr_array_index(result.findings, i);

        g_test_message("%s: %s", finding->code, finding->message);
        if (strcmp(finding->code, code) == 0)
            return;
    }
    g_error("%s was not found", code);
}

static void
test_every_object_has_its_turn(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    int64_t place = 0;

    for (unsigned i = 1; i <= N_OBJECTS; i++) {
        const ScrubRequest request = request_for(fixture, place, 1);
        g_auto(ScrubResult) result = {0};
        g_autoptr(GError) error = NULL;

        g_assert_true(scrub_session(&request, &result, &error));
        g_assert_cmpuint(result.findings->len, ==, 0);
        g_assert_cmpuint(result.n_objects, ==, 1);
        g_assert_true(result.has_ended == (i == N_OBJECTS));
        g_assert_true(result.has_ended ? result.place == 0 : result.place > place);
        place = result.place;
    }
}

/* One byte of one object is changed: exactly one of four turns finds it. */
static void
test_a_turn_reads_what_it_says(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *path = path_of(fixture, "tp1-video/0-3.tape");
    g_autofree char *bytes = NULL;
    gsize n_bytes = 0;
    unsigned n_found = 0;
    int64_t place = 0;

    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    bytes[n_bytes - 1] ^= 1;
    g_assert_true(g_file_set_contents(path, bytes, (gssize) n_bytes, NULL));
    for (unsigned i = 0; i < N_OBJECTS; i++) {
        const ScrubRequest request = request_for(fixture, place, 1);
        g_auto(ScrubResult) result = {0};

        g_assert_true(scrub_session(&request, &result, NULL));
        n_found += result.findings->len;
        place = result.place;
    }

    g_assert_cmpuint(n_found, ==, 1);
    assert_found(fixture, "segment-changed");
}

static void
test_names_what_is_wrong(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *foreign = path_of(fixture, "tp1-audio/9-9.tape");
    g_autofree char *object = path_of(fixture, "tp1-audio/0-0.tape");
    g_autofree char *envelope = path_of(fixture, "env/1.age");
    g_autofree char *first = path_of(fixture, "manifest/1.note");
    g_autofree char *second = path_of(fixture, "manifest/2.note");

    g_assert_true(g_file_set_contents(foreign, "x", 1, NULL));
    assert_found(fixture, "object-foreign");
    g_assert_cmpint(g_unlink(object), ==, 0);
    assert_found(fixture, "object-missing");
    g_assert_cmpint(g_unlink(envelope), ==, 0);
    assert_found(fixture, "envelope-missing");
    g_assert_cmpint(g_unlink(first), ==, 0);
    assert_found(fixture, "manifest-missing");
    g_assert_cmpint(g_unlink(second), ==, 0);
    assert_found(fixture, "session-orphaned");
}

/* An object that is gone is seen in any turn, also one that reads nothing. */
static void
test_a_missing_object_needs_no_turn(void)
{
    g_autoptr(CatalogueFixture) fixture = catalogue_fixture_new();
    g_autoptr(GPtrArray) notes = catalogue_fixture_record(fixture, "visit-1");
    g_autofree char *object = path_of(fixture, "tp1-audio/0-0.tape");
    const ScrubRequest request = request_for(fixture, 0, 0);
    g_auto(ScrubResult) result = {0};

    g_assert_cmpint(g_unlink(object), ==, 0);
    g_assert_true(scrub_session(&request, &result, NULL));
    g_assert_cmpuint(result.n_objects, ==, 0);
    g_assert_cmpuint(result.findings->len, ==, 1);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(&error));
    g_test_add_func("/scrub/every-object-has-its-turn", test_every_object_has_its_turn);
    g_test_add_func("/scrub/a-turn-reads-what-it-says", test_a_turn_reads_what_it_says);
    g_test_add_func("/scrub/names-what-is-wrong", test_names_what_is_wrong);
    g_test_add_func("/scrub/a-missing-object-needs-no-turn", test_a_missing_object_needs_no_turn);
    status = g_test_run();
    visit_keys_free();
    return status;
}
