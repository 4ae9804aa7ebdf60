#include "agent/admin/audit_prove.h"

#include "agent/admin/audit_filter.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle_tree.h"
#include "storage/audit_lines.h"

#include <string.h>

/* What is read of a log to prove one of its records. */
typedef struct {
    uint64_t number;
    GArray *leaves; /* Digest */
    char *record;   /* NULL: not there */
} Reading;

static bool
on_line(const AuditLines *lines, const char *line, size_t n_bytes, void *user_data, GError **error)
{
    Reading *reading = user_data;
    const Digest leaf = merkle_leaf(line, n_bytes);

    if (reading->leaves->len == reading->number)
        reading->record = g_strndup(line, n_bytes);
    g_array_append_val(reading->leaves, leaf);
    return true;
}

/* The largest genuine checkpoint, one in the store rather than one of this host. Returns: its note,
 * borrowed; NULL if there is none. */
static const AuditNote *
best_note(const AuditSource *source, Checkpoint *best)
{
    const AuditNote *found = NULL;

    for (guint i = 0; i < source->notes->len; i++) {
        const AuditNote *note = source->notes->pdata[i];
        g_auto(Checkpoint) checkpoint = {0};

        if (!checkpoint_open(&checkpoint, note->note, source->verifiers, NULL) ||
            g_strcmp0(checkpoint.origin, source->origin) != 0 ||
            (found != NULL && checkpoint.n_leaves < best->n_leaves))
            continue;
        checkpoint_clear(best);
        *best = checkpoint;
        checkpoint.origin = NULL;
        found = note;
    }
    return found;
}

static void
print_hashes(const GArray *proof)
{
    for (guint i = 0; i < proof->len; i++) {
        const Digest *digest = &g_array_index(proof, Digest, i);
        g_autofree char *text = g_base64_encode(digest->bytes, sizeof(digest->bytes));

        g_print("%s\n", text);
    }
}

static void
print_note(const AuditNote *note)
{
    g_print("\n%.*s", (int) g_bytes_get_size(note->note),
            (const char *) g_bytes_get_data(note->note, NULL));
}

static bool
fail(GError **error, const AuditSource *source, uint64_t number, const char *sentence)
{
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID, "%s %s: record %" G_GUINT64_FORMAT " %s",
                source->org, source->word, number, sentence);
    return false;
}

/* Reads the log, and the checkpoint that vouches for the most of it. `note`: out, borrowed.
 * Returns: false sets `error`. */
static bool
read_signed(const AuditSource *source, Reading *reading, Checkpoint *checkpoint,
            const AuditNote **note, GError **error)
{
    AuditLines lines = {0};
    MerkleTree tree = {0};
    Digest root;

    if (!audit_lines_read(&lines, source->content, on_line, reading, error))
        return false;
    *note = best_note(source, checkpoint);
    if (*note == NULL)
        return true;
    for (uint64_t i = 0; i < MIN(checkpoint->n_leaves, reading->leaves->len); i++)
        merkle_tree_add(&tree, &g_array_index(reading->leaves, Digest, i));
    root = merkle_tree_root(&tree);
    if (checkpoint->n_leaves <= reading->leaves->len && digest_equal(&root, &checkpoint->root))
        return true;
    return fail(error, source, reading->number,
                "can not be proven, for the log is not what was signed: see `sealtape audit "
                "verify`");
}

/* C2SP tlog-proof. */
static bool
prove(const AuditSource *source, uint64_t number, GError **error)
{
    g_autoptr(GArray) leaves = g_array_new(FALSE, FALSE, sizeof(Digest));
    g_auto(Checkpoint) checkpoint = {0};
    const AuditNote *note = NULL;
    Reading reading = {number, leaves, NULL};
    g_autofree char *record = NULL;
    g_autoptr(GArray) proof = NULL;
    const bool is_read = read_signed(source, &reading, &checkpoint, &note, error);

    record = reading.record;
    if (!is_read)
        return false;
    if (record == NULL)
        return fail(error, source, number, "is not there");
    if (note == NULL || number >= checkpoint.n_leaves) {
        return fail(error, source, number,
                    "is not vouched for by a checkpoint yet; one is signed within a minute");
    }
    proof =
        merkle_prove_inclusion((const Digest *) (void *) leaves->data, checkpoint.n_leaves, number);
    g_printerr("%s\n", record);
    g_print("c2sp.org/tlog-proof@v1\nindex %" G_GUINT64_FORMAT "\n", number);
    print_hashes(proof);
    print_note(note);
    return true;
}

/* That the log of `n_before` records is the beginning of what is signed now, as C2SP tlog-witness
 * sends it. */
static bool
prove_growth(const AuditSource *source, uint64_t n_before, GError **error)
{
    g_autoptr(GArray) leaves = g_array_new(FALSE, FALSE, sizeof(Digest));
    g_auto(Checkpoint) checkpoint = {0};
    const AuditNote *note = NULL;
    Reading reading = {n_before, leaves, NULL};
    g_autoptr(GArray) proof = NULL;
    const bool is_read = read_signed(source, &reading, &checkpoint, &note, error);

    g_free(reading.record);
    if (!is_read)
        return false;
    if (note == NULL || n_before == 0 || n_before > checkpoint.n_leaves) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "%s %s: --from must be 1 to %" G_GUINT64_FORMAT
                    ", the records that are vouched for",
                    source->org, source->word, note == NULL ? 0 : checkpoint.n_leaves);
        return false;
    }
    proof = merkle_prove_consistency((const Digest *) (void *) leaves->data, checkpoint.n_leaves,
                                     n_before);
    g_print("old %" G_GUINT64_FORMAT "\n", n_before);
    print_hashes(proof);
    print_note(note);
    return true;
}

/* Returns: the only log, or the one that `origin` names; borrowed. */
static const AuditSource *
choose(const GPtrArray *sources, const char *origin, GError **error)
{
    const AuditSource *chosen = NULL;
    unsigned n_fit = 0;

    for (guint i = 0; i < sources->len; i++) {
        const AuditSource *source = sources->pdata[i];

        if (origin == NULL || strcmp(origin, source->word) == 0) {
            chosen = source;
            n_fit++;
        }
    }
    if (n_fit == 1)
        return chosen;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                n_fit == 0 ? "there is no such audit log on this host"
                           : "there are %u such audit logs: say which with --origin",
                n_fit);
    return NULL;
}

/* The number given: of a record, or with --from of records. Returns: false has said what is wrong.
 */
static bool
parse_number(const char *from, const char *record, guint64 *number)
{
    const char *text = from != NULL ? from : record;

    if ((from == NULL) != (record == NULL) &&
        g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, number, NULL))
        return true;
    g_printerr("sealtape audit prove: give --org and the number of a record, or of records with "
               "--from\n");
    return false;
}

int
audit_prove_run(CommandContext *context, int argc, char **argv)
{
    g_autofree char *org = NULL;
    g_autofree char *origin = NULL;
    g_autofree char *from = NULL;
    const GOptionEntry entries[] = {
        {"org",    0, 0, G_OPTION_ARG_STRING, &org,    "Of this organisation's log",              "ID"  },
        {"origin", 0, 0, G_OPTION_ARG_STRING, &origin, "Where there are several: of this",        "NAME"},
        {"from",   0, 0, G_OPTION_ARG_STRING, &from,   "That nothing of the first N has changed", "N"   },
        G_OPTION_ENTRY_NULL,
    };
    const CommandSyntax syntax = {
        "audit prove",
        "--org ID NUMBER | --from N",
        "Prints a proof (C2SP tlog-proof) that the record of this number stands in a signed log;\n"
        "the record itself goes to standard error. With --from, that the log of N records is the\n"
        "beginning of the signed one (as C2SP tlog-witness sends it).",
        entries,
        0,
        1,
    };
    g_autoptr(AuditSources) sources = NULL;
    g_autoptr(GError) error = NULL;
    const AuditSource *source = NULL;
    guint64 number = 0;

    if (!command_context_parse(context, &syntax, &argc, argv))
        return EXIT_CODE_USAGE;
    if (org == NULL) {
        g_printerr("sealtape audit prove: give --org\n");
        return EXIT_CODE_USAGE;
    }
    if (!parse_number(from, argc > 1 ? argv[1] : NULL, &number))
        return EXIT_CODE_USAGE;
    sources = audit_sources_load(context, org, true, &error);
    source = sources == NULL ? NULL : choose(sources->logs, origin, &error);
    if (source == NULL ||
        !audit_filter_tell(context, sources, "prove", &(AuditFilter){0}, &error) ||
        !(from == NULL ? prove(source, number, &error) : prove_growth(source, number, &error)))
        return command_context_fail(context, g_steal_pointer(&error));
    return EXIT_CODE_OK;
}
