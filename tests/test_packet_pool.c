#include "agent/recorder/packet_pool.h"

#include <glib.h>
#include <string.h>

static const RtpPacket header = {.sequence = 7};

static void
test_keeps_a_copy(void)
{
    g_autoptr(PacketPool) pool = packet_pool_new();
    uint8_t bytes[] = "someone's voice";
    HeldPacket *packet = packet_pool_copy(pool, &header, bytes, sizeof(bytes));

    memset(bytes, 0, sizeof(bytes));
    g_assert_cmpmem(packet->bytes, (int) packet->n_bytes, "someone's voice", 16);
    g_assert_cmpuint(packet->header.sequence, ==, 7);
    packet_pool_give_back(pool, packet);
}

static void
test_wipes_what_is_given_back(void)
{
    g_autoptr(PacketPool) pool = packet_pool_new();
    static const uint8_t zeros[16];
    HeldPacket *packet = packet_pool_copy(pool, &header, (const uint8_t *) "someone's voice", 16);

    packet_pool_give_back(pool, packet);
    /* The first to come back is kept for the next, so its memory is still there. */
    g_assert_cmpmem(packet->bytes, 16, zeros, 16);
    HeldPacket *next = packet_pool_copy(pool, &header, (const uint8_t *) "x", 1);
    g_assert_true(next == packet);
    packet_pool_give_back(pool, next);
}

static void
test_lends_as_many_as_are_wanted(void)
{
    g_autoptr(PacketPool) pool = packet_pool_new();
    HeldPacket *packets[1000];

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(packets); i++)
            packets[i] = packet_pool_copy(pool, &header, (const uint8_t *) &i, sizeof(i));
        for (unsigned i = 0; i < G_N_ELEMENTS(packets); i++) {
            g_assert_cmpmem(packets[i]->bytes, (int) packets[i]->n_bytes, &i, sizeof(i));
            packet_pool_give_back(pool, packets[i]);
        }
    }
    packet_pool_give_back(pool, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet_pool/keeps-a-copy", test_keeps_a_copy);
    g_test_add_func("/packet_pool/wipes-what-is-given-back", test_wipes_what_is_given_back);
    g_test_add_func("/packet_pool/lends-as-many-as-are-wanted", test_lends_as_many_as_are_wanted);
    return g_test_run();
}
