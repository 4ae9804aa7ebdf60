#include "crypto/crypto_error.h"
#include "storage/annotation_log.h"
#include "storage/object_key.h"
#include "storage/storage_error.h"
#include "tests/fakes/spool_fixture.h"
#include "tests/fakes/visit_keys.h"

#include <glib/gstdio.h>
#include <string.h>

static AnnotationWriter
writer_on(ObjectStore *store)
{
    return (AnnotationWriter){
        .store = store, .signer = visit_keys_signer(), .verifiers = visit_keys_verifiers()};
}

static Annotation *
hold(const char *matter)
{
    Annotation *next = annotation_new("clinic-a", "visit-1", ANNOTATION_HOLD_PLACED);

    next->by = g_strdup("custodian-1");
    annotation_set(next, ANNOTATION_MATTER, matter);
    return next;
}

static void
place(ObjectStore *store, const char *matter)
{
    const AnnotationWriter writer = writer_on(store);
    g_autoptr(Annotation) next = hold(matter);
    GError *error = NULL;

    g_assert_true(annotation_log_add(&writer, next, &error));
    g_assert_no_error(error);
}

static AnnotationLog *
read_log(ObjectStore *store, GError **error)
{
    return annotation_log_read(store, "clinic-a", "visit-1", visit_keys_verifiers(), error);
}

static char *
path_of(const SpoolFixture *fixture, uint32_t number)
{
    g_autofree char *name = g_strdup_printf("%u.note", number);

    return g_build_filename(fixture->store_path, "clinic-a", "visit-1", "notes", name, NULL);
}

static void
test_chains_what_is_added(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(AnnotationLog) empty = read_log(store, NULL);
    g_autoptr(AnnotationLog) log = NULL;
    g_autofree char *path = path_of(fixture, 1);
    g_autofree char *first = NULL;
    const Annotation *second = NULL;
    Digest digest;
    GError *error = NULL;

    g_assert_cmpuint(empty->annotations->len, ==, 0);
    place(store, "m-1");
    place(store, "m-2");
    log = read_log(store, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(log->annotations->len, ==, 2);
    g_assert_cmpuint(log->view->n_notes, ==, 2);
    g_assert_cmpuint(log->view->matters->len, ==, 2);
    second = log->annotations->pdata[1];
    g_assert_true(g_file_get_contents(path, &first, NULL, NULL));
    digest = digest_of(first, strlen(first));
    g_assert_true(second->has_previous && digest_equal(&second->previous, &digest));
    g_assert_cmpint(ABS(second->at_unix_s - g_get_real_time() / G_USEC_PER_SEC), <, 60);
}

/* Another writer's note takes the number between reading and putting. */
static bool
on_may_add(const AnnotationLog *now, void *user_data, GError **error)
{
    ObjectStore *store = user_data;

    if (now->view->n_notes < 3) {
        g_autofree char *matter = g_strdup_printf("faster-%u", now->view->n_notes + 1);

        place(store, matter);
    }
    return true;
}

static void
test_slower_writer_reads_again(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    AnnotationWriter writer = writer_on(store);
    g_autoptr(Annotation) next = hold("slower");
    g_autoptr(AnnotationLog) log = NULL;
    GError *error = NULL;

    writer.may_add = on_may_add;
    writer.user_data = store;
    g_assert_true(annotation_log_add(&writer, next, &error));
    g_assert_no_error(error);
    log = read_log(store, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(next->number, ==, 4);
    g_assert_cmpuint(log->annotations->len, ==, 4);
    g_assert_cmpuint(log->view->matters->len, ==, 4);
}

/* What may be decided anew at each try: the hold that came first stops the erasure. */
static bool
on_hold_comes_first(const AnnotationLog *now, void *user_data, GError **error)
{
    if (now->view->n_notes == 0)
        place(user_data, "m-1");
    return true;
}

static void
test_decides_again_after_a_race(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    AnnotationWriter writer = writer_on(store);
    g_autoptr(Annotation) begin = annotation_new("clinic-a", "visit-1", ANNOTATION_ERASURE_BEGUN);
    g_autoptr(GError) error = NULL;

    begin->by = g_strdup("retention");
    annotation_set(begin, ANNOTATION_REASON, "retention");
    writer.may_add = on_hold_comes_first;
    writer.user_data = store;
    g_assert_false(annotation_log_add(&writer, begin, &error));
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_DENIED);
    g_assert_cmpstr(error->message, ==, "session visit-1: it is on hold for m-1");
}

static void
assert_refused(ObjectStore *store, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AnnotationLog) log = read_log(store, &error);
    const AnnotationWriter writer = writer_on(store);
    g_autoptr(Annotation) next = hold("m-9");
    g_autoptr(GError) also = NULL;

    g_assert_null(log);
    g_assert_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, words));
    /* Nor is anything added to it. */
    g_assert_false(annotation_log_add(&writer, next, &also));
    g_assert_error(also, STORAGE_ERROR, STORAGE_ERROR_CORRUPT);
}

static void
put_text(ObjectStore *store, const NoteSigner *signer, uint32_t number, const char *text)
{
    g_autofree char *key = object_key_annotation("clinic-a", "visit-1", number);
    char *note = note_sign(signer, text);
    g_autoptr(GBytes) bytes = g_bytes_new_take(note, strlen(note));
    GError *error = NULL;

    g_assert_true(object_store_put(store, key, bytes, &error));
    g_assert_no_error(error);
}

#define FIRST                                                                                      \
    "sealtape-annotation/v1\norg clinic-a\nsession %s\nnumber %u\nprev -\nat "                     \
    "2026-11-29T06:40:00Z\nby c\n%s\n"

static void
put_first(ObjectStore *store, const NoteSigner *signer, const char *session, const char *told)
{
    g_autofree char *text = g_strdup_printf(FIRST, session, 1U, told);

    put_text(store, signer, 1, text);
}

static void
test_refuses_a_stranger(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(NoteSigner) stranger = note_signer_generate("stranger", NULL);

    put_first(store, stranger, "visit-1", "released");
    assert_refused(store, "is not genuine");
}

static void
test_refuses_an_unknown_kind(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);

    put_first(store, visit_keys_signer(), "visit-1", "embargoed until=2030-01-01");
    assert_refused(store, "does not know");
}

static void
test_refuses_another_sessions(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);

    put_first(store, visit_keys_signer(), "visit-2", "released");
    assert_refused(store, "says it is annotation 1 of session visit-2");
}

/* `change`: what happens to the second of three notes. */
static void
tampered(void (*change)(const SpoolFixture *fixture), const char *words)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);

    place(store, "m-1");
    place(store, "m-2");
    place(store, "m-3");
    change(fixture);
    assert_refused(store, words);
}

static void
change_byte(const SpoolFixture *fixture)
{
    g_autofree char *path = path_of(fixture, 2);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    strstr(text, "m-2")[2] = '7';
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
remove_second(const SpoolFixture *fixture)
{
    g_autofree char *path = path_of(fixture, 2);

    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* A genuine note, but of another past. */
static void
replace_second(const SpoolFixture *fixture)
{
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autofree char *text = g_strdup_printf(
        "sealtape-annotation/v1\norg clinic-a\nsession visit-1\nnumber 2\nprev %064u\nat "
        "2026-11-29T06:40:00Z\nby c\nreleased\n",
        7U);

    remove_second(fixture);
    put_text(store, visit_keys_signer(), 2, text);
}

static void
test_notices_tampering(void)
{
    tampered(change_byte, "annotation 2 (notes/2.note) is not genuine");
    tampered(remove_second, "annotation 2 (notes/2.note) is missing");
    tampered(replace_second, "annotation 2 (notes/2.note) does not follow");
}

static void
on_fault(const char *code, const char *sentence, void *user_data)
{
    g_string_append_printf(user_data, "%s ", code);
}

static void
test_check_tells_every_fault(void)
{
    g_autoptr(SpoolFixture) fixture = spool_fixture_new();
    g_autoptr(ObjectStore) store = spool_fixture_store(fixture);
    g_autoptr(GString) codes = g_string_new(NULL);
    g_autoptr(GPtrArray) keys = NULL;
    AnnotationCheck check;

    place(store, "m-1");
    place(store, "m-2");
    place(store, "m-3");
    change_byte(fixture);
    keys = object_store_list(store, "clinic-a/visit-1/", NULL);
    check = (AnnotationCheck){.store = store,
                              .org = "clinic-a",
                              .session = "visit-1",
                              .keys = keys,
                              .verifiers = visit_keys_verifiers(),
                              .on_fault = on_fault,
                              .user_data = codes};
    annotation_log_free(annotation_log_check(&check));
    g_assert_cmpstr(codes->str, ==, "annotation-signature annotation-order ");
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
    g_assert_true(crypto_start(NULL));
    g_test_add_func("/annotation-log/chains-what-is-added", test_chains_what_is_added);
    g_test_add_func("/annotation-log/slower-writer-reads-again", test_slower_writer_reads_again);
    g_test_add_func("/annotation-log/decides-again-after-a-race", test_decides_again_after_a_race);
    g_test_add_func("/annotation-log/refuses-a-stranger", test_refuses_a_stranger);
    g_test_add_func("/annotation-log/refuses-an-unknown-kind", test_refuses_an_unknown_kind);
    g_test_add_func("/annotation-log/refuses-another-sessions", test_refuses_another_sessions);
    g_test_add_func("/annotation-log/notices-tampering", test_notices_tampering);
    g_test_add_func("/annotation-log/check-tells-every-fault", test_check_tells_every_fault);
    status = g_test_run();
    visit_keys_free();
    return status;
}
