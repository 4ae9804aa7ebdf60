#include "storage/spool_scan.h"

#include <string.h>

enum { WINDOW_BYTES = 1 << 20 };

/* Returns: the item at `offset`, or NULL where no genuine record starts. */
static SpoolItem *
read_item(SpoolFile *file, uint64_t offset, SpoolFrame *frame)
{
    g_autoptr(GBytes) head = spool_file_read(file, offset, SPOOL_FRAME_BYTES, NULL);
    g_autoptr(GBytes) whole = NULL;
    SpoolItem *item = NULL;

    if (head == NULL || !spool_record_read_frame(g_bytes_get_data(head, NULL), frame))
        return NULL;
    if (offset + SPOOL_FRAME_BYTES + frame->n_body_bytes > file->n_bytes)
        return NULL;
    whole = spool_file_read(file, offset, SPOOL_FRAME_BYTES + frame->n_body_bytes, NULL);
    if (whole == NULL)
        return NULL;
    item = spool_item_new(g_steal_pointer(&whole));
    if (item != NULL && frame->type == SPOOL_RECORD_SEGMENT) {
        item->file = spool_file_ref(file);
        item->offset = offset + SPOOL_FRAME_BYTES + frame->n_body_bytes;
    }
    return item;
}

static bool
payload_is_genuine(const SpoolItem *item)
{
    const SpoolSegment *segment = &item->record.segment;
    g_autoptr(GBytes) sealed = spool_file_read(item->file, item->offset, segment->n_bytes, NULL);
    Digest digest;

    if (sealed == NULL)
        return false;
    digest = digest_of_bytes(sealed);
    return digest_equal(&digest, &segment->digest);
}

/* Returns: the next place from `offset` on where a record might start; the end if none. */
static uint64_t
find_magic(const SpoolFile *file, uint64_t offset)
{
    while (offset + SPOOL_FRAME_BYTES <= file->n_bytes) {
        const size_t n_window = (size_t) MIN(WINDOW_BYTES, file->n_bytes - offset);
        g_autoptr(GBytes) window = spool_file_read(file, offset, n_window, NULL);
        const uint8_t *start = window == NULL ? NULL : g_bytes_get_data(window, NULL);
        const uint8_t *hit = start == NULL ? NULL : memmem(start, n_window, "Spl1", 4);

        if (hit != NULL)
            return offset + (uint64_t) (hit - start);
        /* A magic may lie across two windows; an unreadable window is passed over. */
        offset += n_window > 3 && start != NULL ? n_window - 3 : n_window;
    }
    return file->n_bytes;
}

/* Space allocated ahead reads as zeros. Returns: how many bytes from `offset` on are not only that.
 */
static uint64_t
length_without_zeros(const SpoolFile *file, uint64_t offset)
{
    uint64_t length = 0;

    for (uint64_t at = offset; at < file->n_bytes; at += WINDOW_BYTES) {
        const size_t n_window = (size_t) MIN(WINDOW_BYTES, file->n_bytes - at);
        g_autoptr(GBytes) window = spool_file_read(file, at, n_window, NULL);
        const uint8_t *start = window == NULL ? NULL : g_bytes_get_data(window, NULL);

        for (size_t i = n_window; start != NULL && i > 0; i--) {
            if (start[i - 1] != 0) {
                length = at - offset + i;
                break;
            }
        }
    }
    return length;
}

static void
add_bad(SpoolScan *self, uint64_t offset, uint64_t n_bytes, bool is_tail)
{
    const SpoolBadStretch stretch = {.offset = offset, .n_bytes = n_bytes, .is_tail = is_tail};

    g_array_append_val(self->bad, stretch);
}

/* A segment at the very end whose bytes are not all there was never promised to anybody. */
static uint64_t
cut_damaged_tail(SpoolScan *self, uint64_t end)
{
    while (self->items->len > 0) {
        const SpoolItem *last = g_ptr_array_index(self->items, self->items->len - 1);

        if (!last->is_damaged)
            break;
        end = last->offset - g_bytes_get_size(last->bytes);
        g_ptr_array_remove_index(self->items, self->items->len - 1);
    }
    return end;
}

static bool
head_is_whole(const SpoolScan *self, const SpoolFile *file)
{
    const SpoolItem *first = self->items->len > 0 ? g_ptr_array_index(self->items, 0) : NULL;
    uint64_t end_offset = 0;

    if (first == NULL || first->record.type != SPOOL_RECORD_BEGIN ||
        first->record.file != file->number)
        return false;
    for (guint i = 0; i < self->items->len; i++) {
        const SpoolItem *item = g_ptr_array_index(self->items, i);

        end_offset += g_bytes_get_size(item->bytes);
        if (item->record.type == SPOOL_RECORD_END) {
            return item->record.n_records == i - 1 &&
                   (self->bad->len == 0 ||
                    g_array_index(self->bad, SpoolBadStretch, 0).offset >= end_offset);
        }
        if (item->record.type == SPOOL_RECORD_SEGMENT)
            return false; /* heads only refer to segments */
    }
    return false;
}

SpoolScan *
spool_scan(SpoolFile *file, bool checks_payloads)
{
    SpoolScan *self = g_new0(SpoolScan, 1);
    uint64_t offset = 0;
    uint64_t good_until = 0; /* everything before is accounted for */

    self->items = g_ptr_array_new_with_free_func((GDestroyNotify) spool_item_unref);
    self->bad = g_array_new(false, true, sizeof(SpoolBadStretch));
    while (offset + SPOOL_FRAME_BYTES <= file->n_bytes) {
        SpoolFrame frame;
        SpoolItem *item = read_item(file, offset, &frame);

        if (item == NULL) {
            offset = find_magic(file, offset + 1);
            continue;
        }
        if (offset > good_until)
            add_bad(self, good_until, offset - good_until, false);
        offset += SPOOL_FRAME_BYTES + (uint64_t) frame.n_body_bytes + frame.n_payload_bytes;
        good_until = offset;
        if (item->file != NULL) {
            item->is_damaged =
                offset > file->n_bytes || (checks_payloads && !payload_is_genuine(item));
        }
        g_ptr_array_add(self->items, item);
    }
    if (checks_payloads)
        good_until = cut_damaged_tail(self, good_until);
    if (good_until < file->n_bytes && length_without_zeros(file, good_until) > 0)
        add_bad(self, good_until, length_without_zeros(file, good_until), true);
    self->is_head_whole = head_is_whole(self, file);
    return self;
}

void
spool_scan_free(SpoolScan *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->items);
    g_array_unref(self->bad);
    g_free(self);
}
