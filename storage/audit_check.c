#include "storage/audit_check.h"

#include "crypto/checkpoint.h"
#include "storage/audit_lines.h"

#include <string.h>

/* A checkpoint that was opened, waiting for the tree to reach its size. */
typedef struct {
    const AuditNote *note;
    Checkpoint checkpoint;
} Claim;

typedef struct {
    AuditVerdict *verdict;
    GPtrArray *claims; /* Claim, by size */
    guint n_held;      /* of them, held against the tree */
} Check;

static void G_GNUC_PRINTF(2, 3) find(AuditVerdict *verdict, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(verdict->findings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void
claim_free(gpointer data)
{
    Claim *self = data;

    checkpoint_clear(&self->checkpoint);
    g_free(self);
}

static int
compare_sizes(gconstpointer a, gconstpointer b)
{
    const Claim *one = *(Claim *const *) a;
    const Claim *other = *(Claim *const *) b;

    return (one->checkpoint.n_leaves > other->checkpoint.n_leaves) -
           (one->checkpoint.n_leaves < other->checkpoint.n_leaves);
}

static void
read_claims(Check *self, const AuditEvidence *evidence)
{
    for (guint i = 0; i < evidence->notes->len; i++) {
        const AuditNote *note = evidence->notes->pdata[i];
        Claim *claim = g_new0(Claim, 1);
        g_autoptr(GError) error = NULL;

        claim->note = note;
        if (!checkpoint_open(&claim->checkpoint, note->note, evidence->verifiers, &error)) {
            find(self->verdict, "%s: no genuine checkpoint: %s", note->name, error->message);
            claim_free(claim);
        } else if (strcmp(claim->checkpoint.origin, evidence->origin) != 0) {
            find(self->verdict, "%s: a checkpoint of another log, %s", note->name,
                 claim->checkpoint.origin);
            claim_free(claim);
        } else {
            g_ptr_array_add(self->claims, claim);
        }
    }
    g_ptr_array_sort(self->claims, compare_sizes);
}

/* Holds those of the tree's present size against it. */
static void
hold_claims(Check *self, const MerkleTree *tree)
{
    AuditVerdict *verdict = self->verdict;
    Digest root;

    for (; self->n_held < self->claims->len; self->n_held++) {
        const Claim *claim = self->claims->pdata[self->n_held];

        if (claim->checkpoint.n_leaves != tree->n_leaves)
            return;
        root = merkle_tree_root(tree);
        if (!digest_equal(&root, &claim->checkpoint.root)) {
            find(verdict,
                 "%s: the first %" G_GUINT64_FORMAT " records are not those that were signed: "
                 "edited, put in another order, or another log with this name",
                 claim->note->name, tree->n_leaves);
            continue;
        }
        verdict->n_notes++;
        verdict->n_signed = tree->n_leaves;
        if (claim->note->is_anchored)
            verdict->n_anchored = tree->n_leaves;
    }
}

static bool
on_line(const AuditLines *lines, const char *line, size_t n_bytes, void *user_data, GError **error)
{
    hold_claims(user_data, &lines->tree);
    return true;
}

/* What vouches for more than there is. */
static void
find_cut(Check *self)
{
    for (; self->n_held < self->claims->len; self->n_held++) {
        const Claim *claim = self->claims->pdata[self->n_held];

        find(self->verdict,
             "%s: vouches for %" G_GUINT64_FORMAT " records, and the log has %" G_GUINT64_FORMAT
             ": its end was cut off, or an older copy was put back",
             claim->note->name, claim->checkpoint.n_leaves, self->verdict->n_records);
    }
}

AuditVerdict *
audit_check(const AuditEvidence *evidence)
{
    AuditVerdict *verdict = g_new0(AuditVerdict, 1);
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func(claim_free);
    g_autoptr(GError) error = NULL;
    AuditLines lines = {0};
    Check check = {verdict, claims, 0};

    verdict->findings = g_ptr_array_new_with_free_func(g_free);
    read_claims(&check, evidence);
    hold_claims(&check, &lines.tree);
    if (!audit_lines_read(&lines, evidence->content, on_line, &check, &error))
        find(verdict, "%s: removed, put in another order, or edited", error->message);
    verdict->n_records = lines.tree.n_leaves;
    if (error == NULL && lines.n_bytes != g_bytes_get_size(evidence->content))
        find(verdict, "the last record is cut short");
    if (error == NULL)
        find_cut(&check);
    return verdict;
}

void
audit_verdict_free(AuditVerdict *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->findings);
    g_free(self);
}
