#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* The clocks by which one participant's devices tell the time in their sender reports: nearly
 * always one. Streams that report by the same clock lie on the timeline as that clock says, moved
 * by one offset for all of them: that of the stream that comes quickest. While it is silent another
 * one leads, less what it is slower. Shared by a participant's tracks; of the ingress thread, but
 * for new, ref and unref. */
typedef struct SenderClocks SenderClocks;

/* One stream that reports by such a clock. */
typedef struct SenderMember SenderMember;

SenderClocks *sender_clocks_new(void);
SenderClocks *sender_clocks_ref(SenderClocks *self);

/* NULL is allowed. */
void sender_clocks_unref(SenderClocks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SenderClocks, sender_clocks_unref)

/* How a stream sees its sender's clock. */
typedef struct {
    const uint8_t *cname; /* RFC 3550 6.5.1; of `n_cname` bytes, 0: it does not say */
    size_t n_cname;
    int64_t at_us;
    int64_t delay_us; /* what its quickest packets come after the sender's time */
} SenderView;

/* No stream is moved by reports further than this: neither lips nor microphones lag so much. */
enum { SENDER_CLOCKS_MAX_SKEW_US = 500000 };

/* Finds the clock of that name that `view` may be of, else makes one. Returns: borrowed until
 * sender_clocks_leave(). */
SenderMember *sender_clocks_join(SenderClocks *self, const SenderView *view);
void sender_clocks_leave(SenderClocks *self, SenderMember *member);

/* A packet came at `at_us`, and `delay_us` is as in SenderView. Returns: the offset of the clock.
 */
int64_t sender_member_offset_us(SenderMember *self, int64_t at_us, int64_t delay_us);
