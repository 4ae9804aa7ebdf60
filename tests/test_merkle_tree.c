#include "crypto/merkle_tree.h"

#include <string.h>

enum { MOST_LEAVES = 70 };

/* The leaves and roots that Certificate Transparency's own tests use. */
static const struct {
    const char *record;
    size_t n_bytes;
    const char *root; /* of the tree up to here */
} known[] = {
    {"",                                                                 0,  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x00",                                                             1,  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10",                                                             1,  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21",                                                         2,  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31",                                                         2,  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43",                                                 4,  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57",                                 8,
     "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"                                                                        },
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"                                                                        },
};

static Digest leaves[MOST_LEAVES];
static Digest roots[MOST_LEAVES + 1];

static void
make_leaves(void)
{
    MerkleTree tree = {0};

    roots[0] = merkle_tree_root(&tree);
    for (unsigned i = 0; i < MOST_LEAVES; i++) {
        g_autofree char *record = g_strdup_printf("record %u", i);

        leaves[i] = merkle_leaf(record, strlen(record));
        merkle_tree_add(&tree, &leaves[i]);
        roots[i + 1] = merkle_tree_root(&tree);
    }
}

static void
test_known_roots(void)
{
    MerkleTree tree = {0};
    const Digest empty = merkle_tree_root(&tree);
    g_autofree char *empty_hex = digest_to_hex(&empty);

    g_assert_cmpstr(empty_hex, ==,
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        const Digest leaf = merkle_leaf(known[i].record, known[i].n_bytes);
        g_autofree char *hex = NULL;
        Digest root;

        merkle_tree_add(&tree, &leaf);
        root = merkle_tree_root(&tree);
        hex = digest_to_hex(&root);
        g_assert_cmpstr(hex, ==, known[i].root);
    }
}

static void
test_every_leaf_is_proven(void)
{
    for (uint64_t n = 1; n <= MOST_LEAVES; n++) {
        for (uint64_t i = 0; i < n; i++) {
            g_autoptr(GArray) proof = merkle_prove_inclusion(leaves, n, i);

            g_assert_true(
                merkle_inclusion_holds(&(MerklePlace){leaves[i], i, n}, proof, &roots[n]));
        }
    }
}

static void
test_no_other_place_is_proven(void)
{
    for (uint64_t n = 2; n <= 20; n++) {
        for (uint64_t i = 0; i < n; i++) {
            g_autoptr(GArray) proof = merkle_prove_inclusion(leaves, n, i);
            const uint64_t other = (i + 1) % n;

            g_assert_false(
                merkle_inclusion_holds(&(MerklePlace){leaves[other], i, n}, proof, &roots[n]));
            g_assert_false(
                merkle_inclusion_holds(&(MerklePlace){leaves[i], other, n}, proof, &roots[n]));
            g_assert_false(
                merkle_inclusion_holds(&(MerklePlace){leaves[i], i, n}, proof, &roots[n - 1]));
            g_assert_false(
                merkle_inclusion_holds(&(MerklePlace){leaves[i], n, n}, proof, &roots[n]));
            g_array_remove_index(proof, 0);
            g_assert_false(
                merkle_inclusion_holds(&(MerklePlace){leaves[i], i, n}, proof, &roots[n]));
        }
    }
}

static void
test_every_growth_is_proven(void)
{
    for (uint64_t n = 1; n <= MOST_LEAVES; n++) {
        for (uint64_t before = 1; before <= n; before++) {
            g_autoptr(GArray) proof = merkle_prove_consistency(leaves, n, before);

            g_assert_true(merkle_consistency_holds(
                &(MerkleGrowth){before, n, roots[before], roots[n]}, proof));
        }
    }
}

static void
test_no_fork_is_proven(void)
{
    for (uint64_t n = 2; n <= 20; n++) {
        for (uint64_t before = 1; before < n; before++) {
            g_autoptr(GArray) proof = merkle_prove_consistency(leaves, n, before);
            const Digest forked = merkle_leaf("forked", 6);

            g_assert_false(
                merkle_consistency_holds(&(MerkleGrowth){before, n, forked, roots[n]}, proof));
            g_assert_false(
                merkle_consistency_holds(&(MerkleGrowth){before, n, roots[before], forked}, proof));
            g_assert_false(merkle_consistency_holds(
                &(MerkleGrowth){n, before, roots[n], roots[before]}, proof));
            g_assert_false(
                merkle_consistency_holds(&(MerkleGrowth){0, n, roots[0], roots[n]}, proof));
            g_array_index(proof, Digest, 0) = forked;
            g_assert_false(merkle_consistency_holds(
                &(MerkleGrowth){before, n, roots[before], roots[n]}, proof));
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    make_leaves();
    g_test_add_func("/merkle-tree/known-roots", test_known_roots);
    g_test_add_func("/merkle-tree/every-leaf-is-proven", test_every_leaf_is_proven);
    g_test_add_func("/merkle-tree/no-other-place-is-proven", test_no_other_place_is_proven);
    g_test_add_func("/merkle-tree/every-growth-is-proven", test_every_growth_is_proven);
    g_test_add_func("/merkle-tree/no-fork-is-proven", test_no_fork_is_proven);
    return g_test_run();
}
