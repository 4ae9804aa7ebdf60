#include "agent/recorder/srtp_gate.h"
#include "tests/fakes/srtp_sender.h"

#include <string.h>

/* Bytes become what a network does to SRTP of a known key: packets in any order, twice, cut,
 * changed anywhere, invented. Only what is a packet of the sender to the last bit, and comes for
 * the first time, may be taken for genuine, and everything is counted.
 *
 * Input: the suite, then for each packet: what, its number, and for a change where and which bits.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum {
    N_PACKETS = 256,
    MAX_SENT = 40, /* an input: until one is genuine each costs many tries */
};

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
} Input;

typedef struct {
    SrtpSender *sender;
    SrtpGate *gate;
    bool has_come[N_PACKETS];
    uint64_t n_sent, n_genuine;
} Call;

static unsigned
next(Input *input)
{
    if (input->n_bytes == 0)
        return 0;
    input->n_bytes--;
    return *input->bytes++;
}

/* Changes `bytes`, or cuts it. Returns: whether it is another packet now. */
static bool
change(Input *input, uint8_t *bytes, size_t *n_bytes, unsigned how)
{
    const size_t at = (next(input) | (how & 4) << 6) % *n_bytes;
    const uint8_t bits = (uint8_t) next(input);

    if ((how & 3) == 1) {
        bytes[at] ^= bits;
        return bits != 0;
    }
    if ((how & 3) == 2) {
        *n_bytes = at;
        return true;
    }
    return false;
}

static void
send_own(Call *call, Input *input)
{
    uint8_t bytes[SRTP_SENDER_PACKET];
    const unsigned how = next(input);
    const unsigned n = next(input);
    size_t n_bytes = srtp_sender_packet(call->sender, 7, n, bytes);
    const bool is_changed = change(input, bytes, &n_bytes, how);
    /* As long as the packet, so that a look past its end shows. */
    g_autofree uint8_t *packet = g_memdup2(bytes, MAX(n_bytes, 1));

    const bool is_genuine = srtp_gate_open_rtp(call->gate, packet, &n_bytes, 0);
    g_assert_true(!is_genuine || (!is_changed && !call->has_come[n]));
    call->has_come[n] = call->has_come[n] || is_genuine;
    call->n_genuine += is_genuine ? 1 : 0;
}

static void
send_invented(Call *call, Input *input)
{
    const unsigned length = next(input);
    const size_t n_taken = MIN(length, input->n_bytes);
    size_t n_bytes = n_taken;
    g_autofree uint8_t *packet = g_malloc(MAX(n_bytes, 1));
    const bool is_rtcp = n_bytes > 0 && input->bytes[0] & 1;

    memcpy(packet, input->bytes, n_bytes);
    g_assert_false(is_rtcp ? srtp_gate_open_rtcp(call->gate, packet, &n_bytes, 0)
                           : srtp_gate_open_rtp(call->gate, packet, &n_bytes, 0));
    input->bytes += n_taken;
    input->n_bytes -= n_taken;
}

/* The gate's warning is no finding, and one for each input would fill a log. */
static GLogWriterOutput
forget_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
    return G_LOG_WRITER_HANDLED;
}

static void
start(void)
{
    static bool is_started;

    if (is_started)
        return;
    is_started = true;
    g_log_set_writer_func(forget_log, NULL, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Input input = {data, n_bytes};
    const SrtpSuite suite = (SrtpSuite) (next(&input) % SRTP_SENDER_SUITES);
    g_autoptr(SrtpKey) key = srtp_sender_key(suite);
    g_autoptr(GError) error = NULL;
    Call call = {.sender = srtp_sender_of(suite), .gate = srtp_gate_new(key, "p1-audio", &error)};
    RtpReceiverStatus status = {0};

    start();
    g_assert_no_error(error);
    for (; input.n_bytes > 0 && call.n_sent < MAX_SENT; call.n_sent++) {
        if (next(&input) % 4 == 3) {
            send_invented(&call, &input);
        } else {
            send_own(&call, &input);
        }
    }
    srtp_gate_add_counts(call.gate, &status);
    g_assert_cmpuint(call.n_genuine + status.n_unauthentic + status.n_replayed + status.n_foreign +
                         status.n_foreign_ssrc,
                     ==, call.n_sent);
    srtp_gate_free(call.gate);
    srtp_sender_free(call.sender);
    return 0;
}
