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

static GByteArray *
read_next(void *user_data, GError **error)
{
    Input *self = user_data;
    GByteArray *bytes = NULL;

    if (self->is_given)
        return NULL;
    self->is_given = true;
    bytes = g_byte_array_new();
    return g_byte_array_append(bytes, self->bytes, (guint) self->n_bytes);
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
        break;
    case 2:
        (void) picture_size_read_vp8(&size, bytes, n_bytes);
        (void) picture_size_read_vp9(&size, bytes, n_bytes);
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
