#pragma once

#include "crypto/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The Merkle tree of RFC 6962, section 2.1, with SHA-256: a log whose root vouches for every record
 * in it and for their order. Plain values; one thread. */

/* A tree that only grows. It keeps no leaves, just the roots of its perfect subtrees, so it costs
 * the same at any size. Zeroed, it is empty. */
typedef struct {
    uint64_t n_leaves;
    Digest peaks[64]; /* [i]: of 2^i leaves, where n_leaves has that bit */
} MerkleTree;

/* Returns: the hash of one record as a leaf. */
Digest merkle_leaf(const void *record, size_t n_bytes);
void merkle_tree_add(MerkleTree *self, const Digest *leaf);

/* Returns: the root; of an empty tree the hash of nothing. */
Digest merkle_tree_root(const MerkleTree *self);

/* Proofs, made from all leaves. `leaves`: `n_leaves` of them, borrowed. Returns: GArray of Digest,
 * owned, in the order of RFC 6962. */

/* That leaf `index` (< n_leaves) is under the root. Section 2.1.1. */
GArray *merkle_prove_inclusion(const Digest *leaves, uint64_t n_leaves, uint64_t index);

/* That the tree of the first `n_before` (1 to n_leaves) leaves is the beginning of the whole one.
 * Section 2.1.2. */
GArray *merkle_prove_consistency(const Digest *leaves, uint64_t n_leaves, uint64_t n_before);

/* One leaf's place in a tree, as somebody claims it. */
typedef struct {
    Digest leaf;
    uint64_t index, n_leaves;
} MerklePlace;

/* Whether `proof` leads from the leaf to `root`. */
bool merkle_inclusion_holds(const MerklePlace *place, const GArray *proof, const Digest *root);

/* Whether the tree `before` is the beginning of `after`; `n_before`, `n_after`: their leaves. */
typedef struct {
    uint64_t n_before, n_after;
    Digest before, after;
} MerkleGrowth;
bool merkle_consistency_holds(const MerkleGrowth *growth, const GArray *proof);
