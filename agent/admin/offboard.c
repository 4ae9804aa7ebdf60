/* OFFBOARD_COMPLETE has one line each, and is compared line by line with what would be written now:
 *     sealtape-export/v1
 *     session <id>
 *     manifest <number of the last part> <its digest>
 *     notes <number of the last annotation> <its digest>      (0 - : none)
 *     file <name> <bytes>                                     (each file, by name)
 */
#include "agent/admin/offboard.h"

#include "agent/admin/output_file.h"
#include "storage/durable_file.h"
#include "storage/manifest_words.h"
#include "storage/storage_error.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
head_of(const Recording *recording)
{
    const ManifestPart *manifest = recording_manifest(recording);
    g_autofree char *digest = digest_to_hex(recording_last_digest(recording));

    return g_strdup_printf("sealtape-export/v1\nsession %s\nmanifest %u %s\n", manifest->session,
                           manifest->number, digest);
}

/* Returns: the digest of annotation `number` of `log`, owned; NULL: it has no such. */
static char *
digest_of_note(const AnnotationLog *log, uint32_t number)
{
    const Annotation *next = NULL;

    if (number == 0)
        return g_strdup("-");
    if (number > log->view->n_notes)
        return NULL;
    if (number == log->view->n_notes)
        return digest_to_hex(&log->view->last);
    next = log->annotations->pdata[number];
    return digest_to_hex(&next->previous);
}

/* Reads `notes <number> <digest>`. Returns: whether that is one of `log`'s. */
static bool
read_notes(const char *line, const AnnotationLog *log, uint32_t *number)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree char *digest = NULL;
    int64_t found = 0;

    if (g_strv_length(words) != 3 || strcmp(words[0], "notes") != 0 ||
        !manifest_words_to_number(words[1], 0, UINT32_MAX, &found))
        return false;
    *number = (uint32_t) found;
    digest = digest_of_note(log, *number);
    return digest != NULL && strcmp(digest, words[2]) == 0;
}

/* Reads `file <name> <bytes>`. Returns: whether it is still that. */
static bool
is_file_there(const char *folder, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree char *path = NULL;
    struct stat found;
    int64_t n_bytes = 0;

    if (g_strv_length(words) != 3 || strcmp(words[0], "file") != 0 ||
        !manifest_words_to_number(words[2], 0, INT64_MAX, &n_bytes))
        return false;
    path = g_build_filename(folder, words[1], NULL);
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && found.st_size == n_bytes;
}

/* What came behind annotation `number`. */
static OffboardState
compare_notes(const AnnotationLog *log, uint32_t number, char **why)
{
    OffboardState state = OFFBOARD_CURRENT;

    for (guint i = number; i < log->annotations->len; i++) {
        const Annotation *told = log->annotations->pdata[i];

        if (told->kind == ANNOTATION_ERASURE_REQUESTED ||
            told->kind == ANNOTATION_ERASURE_WITHDRAWN || told->kind == ANNOTATION_ERASURE_APPROVED)
            continue;
        if (*why == NULL) {
            *why = g_strdup_printf("annotation %u (%s) came after it was exported", told->number,
                                   annotation_kind_name(told->kind));
        }
        if (told->kind == ANNOTATION_AMENDED)
            return OFFBOARD_OLD;
        state = OFFBOARD_OLD_FACTS;
    }
    return state;
}

/* `rest`: the lines behind the head. */
static OffboardState
compare_rest(const char *folder, const char *rest, const AnnotationLog *log, char **why)
{
    g_auto(GStrv) lines = g_strsplit(rest, "\n", -1);
    uint32_t number = 0;

    if (!read_notes(lines[0], log, &number)) {
        *why = g_strdup("its annotations are others than when it was exported");
        return OFFBOARD_OLD;
    }
    for (char **line = lines + 1; *line != NULL && **line != '\0'; line++) {
        if (!is_file_there(folder, *line)) {
            *why = g_strdup_printf("the export is not what was written (%s)", *line);
            return OFFBOARD_OLD;
        }
    }
    return compare_notes(log, number, why);
}

OffboardState
offboard_compare(const char *folder, const Recording *recording, const AnnotationLog *log,
                 char **why)
{
    g_autofree char *there = g_build_filename(folder, log->session, NULL);
    g_autofree char *path = g_build_filename(there, OFFBOARD_COMPLETE, NULL);
    g_autofree char *head = head_of(recording);
    g_autofree char *text = NULL;

    *why = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        *why = g_strdup("it was not exported before");
        return OFFBOARD_MISSING;
    }
    if (!g_str_has_prefix(text, head)) {
        *why = g_strdup("its manifest is another than when it was exported");
        return OFFBOARD_OLD;
    }
    return compare_rest(there, text + strlen(head), log, why);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Appends a line for each file of `path`, but for OFFBOARD_COMPLETE. */
static bool
list_files(const char *path, GString *text, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name = folder != NULL ? g_dir_read_name(folder) : NULL;

    for (; name != NULL; name = g_dir_read_name(folder)) {
        if (strcmp(name, OFFBOARD_COMPLETE) != 0 && strpbrk(name, " \n") == NULL)
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        struct stat found;

        if (stat(file, &found) < 0)
            return storage_fail_errno(error, "look at", file);
        g_string_append_printf(text, "file %s %" PRId64 "\n", (const char *) names->pdata[i],
                               (int64_t) found.st_size);
    }
    return folder != NULL;
}

/* The files were not flushed one by one. */
static bool
flush(const char *path, GError **error)
{
    g_auto(Fd) folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return storage_fail_errno(error, "open", path);
    if (syncfs(folder) < 0)
        return storage_fail_errno(error, "flush", path);
    return true;
}

bool
offboard_write(const char *path, const void *bytes, size_t n_bytes, GError **error)
{
    g_autoptr(OutputFile) output = output_file_open(path, OUTPUT_FILE_REPLACE, 0600, error);

    return output != NULL && output_file_write(output, bytes, n_bytes, error) &&
           output_file_finish(output, error);
}

bool
offboard_complete(const char *folder, const Recording *recording, const AnnotationLog *log,
                  GError **error)
{
    g_autofree char *there = g_build_filename(folder, log->session, NULL);
    g_autofree char *path = g_build_filename(there, OFFBOARD_COMPLETE, NULL);
    g_autofree char *digest = digest_of_note(log, log->view->n_notes);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *head = head_of(recording);

    g_string_append_printf(text, "%snotes %u %s\n", head, log->view->n_notes, digest);
    return list_files(there, text, error) && flush(there, error) &&
           offboard_write(path, text->str, text->len, error);
}
