#include "crypto/merkle_tree.h"

#include <string.h>

/* First bytes that keep a leaf from passing for a node. */
enum { LEAF_PREFIX = 0x00, NODE_PREFIX = 0x01, LONGEST_PROOF = 64 };

Digest
merkle_leaf(const void *record, size_t n_bytes)
{
    g_autofree uint8_t *prefixed = g_malloc(n_bytes + 1);

    prefixed[0] = LEAF_PREFIX;
    if (n_bytes > 0)
        memcpy(prefixed + 1, record, n_bytes);
    return digest_of(prefixed, n_bytes + 1);
}

static Digest
node_of(const Digest *left, const Digest *right)
{
    uint8_t bytes[1 + 2 * sizeof(Digest)] = {NODE_PREFIX};

    memcpy(bytes + 1, left->bytes, sizeof(Digest));
    memcpy(bytes + 1 + sizeof(Digest), right->bytes, sizeof(Digest));
    return digest_of(bytes, sizeof(bytes));
}

void
merkle_tree_add(MerkleTree *self, const Digest *leaf)
{
    Digest carried = *leaf;
    unsigned level = 0;

    for (; self->n_leaves >> level & 1; level++)
        carried = node_of(&self->peaks[level], &carried);
    self->peaks[level] = carried;
    self->n_leaves++;
}

Digest
merkle_tree_root(const MerkleTree *self)
{
    Digest root = digest_of("", 0);
    bool has_root = false;

    for (unsigned level = 0; level < G_N_ELEMENTS(self->peaks); level++) {
        if (!(self->n_leaves >> level & 1))
            continue;
        root = has_root ? node_of(&self->peaks[level], &root) : self->peaks[level];
        has_root = true;
    }
    return root;
}

static Digest
root_of(const Digest *leaves, uint64_t n_leaves)
{
    MerkleTree tree = {0};

    for (uint64_t i = 0; i < n_leaves; i++)
        merkle_tree_add(&tree, &leaves[i]);
    return merkle_tree_root(&tree);
}

/* Returns: the largest power of two below `n` (> 1). */
static uint64_t
split_of(uint64_t n)
{
    uint64_t split = 1;

    while (split << 1 < n)
        split <<= 1;
    return split;
}

static void
append_root(GArray *proof, const Digest *leaves, uint64_t n_leaves)
{
    const Digest root = root_of(leaves, n_leaves);

    g_array_append_val(proof, root);
}

static void
reverse(GArray *proof)
{
    for (guint i = 0; i < proof->len / 2; i++) {
        Digest *one = &g_array_index(proof, Digest, i);
        Digest *other = &g_array_index(proof, Digest, proof->len - 1 - i);
        const Digest kept = *one;

        *one = *other;
        *other = kept;
    }
}

/* Both proofs go down from the root and note what stands beside their way, and are told from below.
 */
GArray *
merkle_prove_inclusion(const Digest *leaves, uint64_t n_leaves, uint64_t index)
{
    GArray *proof = g_array_new(FALSE, FALSE, sizeof(Digest));

    g_assert(index < n_leaves);
    while (n_leaves > 1) {
        const uint64_t split = split_of(n_leaves);

        if (index < split) {
            append_root(proof, leaves + split, n_leaves - split);
            n_leaves = split;
        } else {
            append_root(proof, leaves, split);
            leaves += split;
            n_leaves -= split;
            index -= split;
        }
    }
    reverse(proof);
    return proof;
}

GArray *
merkle_prove_consistency(const Digest *leaves, uint64_t n_leaves, uint64_t n_before)
{
    GArray *proof = g_array_new(FALSE, FALSE, sizeof(Digest));
    bool is_whole = true; /* the old tree's root is known to who asks */

    g_assert(n_before > 0 && n_before <= n_leaves);
    while (n_before < n_leaves) {
        const uint64_t split = split_of(n_leaves);

        if (n_before <= split) {
            append_root(proof, leaves + split, n_leaves - split);
            n_leaves = split;
        } else {
            append_root(proof, leaves, split);
            leaves += split;
            n_leaves -= split;
            n_before -= split;
            is_whole = false;
        }
    }
    if (!is_whole)
        append_root(proof, leaves, n_leaves);
    reverse(proof);
    return proof;
}

/* RFC 9162, section 2.1.3.2: the same trees, with the checking written out. */
bool
merkle_inclusion_holds(const MerklePlace *place, const GArray *proof, const Digest *root)
{
    uint64_t index = place->index;
    uint64_t last = place->n_leaves - 1;
    Digest reached = place->leaf;

    if (place->index >= place->n_leaves || proof->len > LONGEST_PROOF)
        return false;
    for (guint i = 0; i < proof->len; i++) {
        const Digest *beside = &g_array_index(proof, Digest, i);

        if (last == 0)
            return false;
        if (index & 1 || index == last) {
            reached = node_of(beside, &reached);
            while (!(index & 1) && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            reached = node_of(&reached, beside);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && digest_equal(&reached, root);
}

static bool
is_power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

/* RFC 9162, section 2.1.4.2, from its step 3 on. `at`: the next of the proof. */
static bool
climb(const MerkleGrowth *growth, const GArray *proof, guint at, const Digest *start)
{
    uint64_t before = growth->n_before - 1;
    uint64_t after = growth->n_after - 1;
    Digest old_root = *start;
    Digest new_root = *start;

    while (before & 1) {
        before >>= 1;
        after >>= 1;
    }
    for (; at < proof->len; at++) {
        const Digest *beside = &g_array_index(proof, Digest, at);

        if (after == 0)
            return false;
        if (before & 1 || before == after) {
            old_root = node_of(beside, &old_root);
            new_root = node_of(beside, &new_root);
            while (!(before & 1) && before != 0) {
                before >>= 1;
                after >>= 1;
            }
        } else {
            new_root = node_of(&new_root, beside);
        }
        before >>= 1;
        after >>= 1;
    }
    return after == 0 && digest_equal(&old_root, &growth->before) &&
           digest_equal(&new_root, &growth->after);
}

bool
merkle_consistency_holds(const MerkleGrowth *growth, const GArray *proof)
{
    if (growth->n_before == 0 || growth->n_before > growth->n_after || proof->len > LONGEST_PROOF)
        return false;
    if (growth->n_before == growth->n_after)
        return proof->len == 0 && digest_equal(&growth->before, &growth->after);
    if (is_power_of_two(growth->n_before))
        return climb(growth, proof, 0, &growth->before);
    if (proof->len == 0)
        return false;
    return climb(growth, proof, 1, &g_array_index(proof, Digest, 0));
}
