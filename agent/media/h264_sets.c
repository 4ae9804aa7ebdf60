#include "agent/media/h264_sets.h"

#include "agent/media/bit_reader.h"

/* The ids stand at the beginning: of a slice behind two numbers of at most 31 bits each. */
#define ID_ROOM      16
#define NAL_IDR      5
#define NAL_SPS      7
#define NAL_PPS      8
#define RECORD_FIXED 6

typedef struct {
    const uint8_t *bytes;
    size_t n_bytes;
} Span;

static bool
take_span(Span *from, size_t n_length, Span *taken)
{
    size_t n_bytes = 0;

    if (from->n_bytes < n_length)
        return false;
    for (size_t i = 0; i < n_length; i++)
        n_bytes = n_bytes << 8 | from->bytes[i];
    if (n_bytes > from->n_bytes - n_length)
        return false;
    *taken = (Span){from->bytes + n_length, n_bytes};
    from->bytes += n_length + n_bytes;
    from->n_bytes -= n_length + n_bytes;
    return true;
}

/* Reads what stands at the head of a NAL unit: its own id, and whose it names. */
static bool
read_ids(Span nal, unsigned type, unsigned *own, unsigned *named)
{
    uint8_t plain[ID_ROOM];
    BitReader reader = bit_reader_of_nal(plain, sizeof(plain), nal.bytes, nal.n_bytes);

    if (bit_reader_take(&reader, 8) % 32 != type)
        return false;
    if (type == NAL_SPS)
        (void) bit_reader_take(&reader, 24); /* profile, constraints, level */
    if (type == NAL_IDR)
        (void) bit_reader_take_ue(&reader); /* first_mb_in_slice; slice_type is not wanted either */
    *own = bit_reader_take_ue(&reader);
    *named = type == NAL_SPS ? 0 : bit_reader_take_ue(&reader);
    return !reader.is_over;
}

/* Looks through one list of the record, which `at` then stands behind. */
static bool
find_set(Span *at, unsigned type, unsigned n_sets, unsigned id, Span *found)
{
    bool is_found = false;

    for (unsigned i = 0; i < n_sets; i++) {
        unsigned own = 0;
        unsigned named = 0;
        Span set;

        if (!take_span(at, 2, &set))
            return false;
        if (!is_found && read_ids(set, type, &own, &named) && own == id) {
            *found = set;
            is_found = true;
        }
    }
    return is_found;
}

static bool
find_sps(Span record, unsigned pps_id, Span *sps)
{
    Span at = {record.bytes + RECORD_FIXED, record.n_bytes - RECORD_FIXED};
    Span list = at;
    Span pps;
    unsigned own = 0;
    unsigned sps_id = 0;

    (void) find_set(&at, NAL_SPS, record.bytes[5] & 0x1f, UINT32_MAX, sps); /* over all of them */
    if (at.n_bytes < 1)
        return false;

    const unsigned n_pps = at.bytes[0];

    at = (Span){at.bytes + 1, at.n_bytes - 1};
    return find_set(&at, NAL_PPS, n_pps, pps_id, &pps) && read_ids(pps, NAL_PPS, &own, &sps_id) &&
           find_set(&list, NAL_SPS, record.bytes[5] & 0x1f, sps_id, sps);
}

bool
h264_sets_picture_size(PictureSize *size, GBytes *record, const uint8_t *frame, size_t n_bytes)
{
    Span left = {frame, n_bytes};
    Span sets = {0};
    Span nal;
    Span sps;
    unsigned slice_type = 0;
    unsigned pps_id = 0;

    sets.bytes = g_bytes_get_data(record, &sets.n_bytes);
    if (sets.n_bytes <= RECORD_FIXED)
        return false;
    while (take_span(&left, 4, &nal)) {
        if (read_ids(nal, NAL_IDR, &slice_type, &pps_id)) {
            return find_sps(sets, pps_id, &sps) &&
                   picture_size_read_h264(size, sps.bytes, sps.n_bytes);
        }
    }
    return false;
}
