#include "agent/media/h264_sets.h"
#include "agent/media/matroska_reader.h"
#include "agent/media/opus_packet.h"
#include "agent/media/picture_size.h"
#include "agent/media/rtp_payload.h"

#include <gio/gio.h>
#include <string.h>

/* What media reads by itself: payloads, sizes of pictures, and the segments that come back. The
 * first byte says which; none may read past the end, and a segment ends or is refused. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
    bool is_given;
} Input;

static bool
read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    Input *self = user_data;

    if (self->is_given)
        return false;
    self->is_given = true;
    plain_buffer_clear(segment);
    /* No room behind it, where a step too far would go unseen. */
    *segment = (PlainBuffer){g_memdup2(self->bytes, self->n_bytes), self->n_bytes, self->n_bytes};
    return true;
}

static void
read_segment(const uint8_t *bytes, size_t n_bytes)
{
    Input input = {.bytes = bytes, .n_bytes = n_bytes};
    g_autoptr(GError) error = NULL;
    g_autoptr(MatroskaReader) reader = matroska_reader_new(read_next, &input, &error);
    MatroskaFrame frame;

    while (reader != NULL && matroska_reader_next(reader, &frame, &error))
        g_assert(frame.n_bytes < n_bytes);
    g_assert(error == NULL || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA));
}

/* The first byte says where the record ends and the frame begins. */
static void
find_sets(const uint8_t *bytes, size_t n_bytes)
{
    const size_t n_record = MIN(bytes[0], n_bytes - 1);
    g_autoptr(GBytes) record = g_bytes_new(bytes + 1, n_record);
    g_autofree uint8_t *frame = g_memdup2(bytes + 1 + n_record, n_bytes - 1 - n_record);
    PictureSize size;

    (void) h264_sets_picture_size(&size, record, frame, n_bytes - 1 - n_record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    g_autofree uint8_t *bytes = n_bytes > 1 ? g_memdup2(data + 1, n_bytes - 1) : NULL;
    RtpPayload payload;
    PictureSize size;

    if (bytes == NULL)
        return 0;
    n_bytes--;
    switch (data[0] % 6) {
    case 0:
        read_segment(bytes, n_bytes);
        break;
    case 1:
        (void) picture_size_read_h264(&size, bytes, n_bytes);
        find_sets(bytes, n_bytes);
        break;
    case 2:
        (void) picture_size_read_vp8(&size, bytes, n_bytes);
        (void) picture_size_read_vp9(&size, bytes, n_bytes);
        (void) picture_size_read_vp9_change(&size, bytes, n_bytes);
        break;
    case 3:
        g_assert(opus_packet_duration_us(bytes, n_bytes) >= 0);
        break;
    default:
        (void) rtp_payload_read(&payload, data[0] / 6 % 4, bytes, n_bytes);
        break;
    }
    return 0;
}
