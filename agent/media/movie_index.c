#include "agent/media/movie_index.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* ISO/IEC 14496-12: length and name of a box, and in a full box version and flags behind them. */
#define HEAD_BYTES 8
#define FULL_BYTES 4
/* In `hdlr`: version and flags, pre_defined, handler_type, reserved[3]; then the name. */
#define HANDLER_NAME_AT (HEAD_BYTES + FULL_BYTES + 4 + 4 + 12)
#define MAX_NAME        64

typedef struct {
    int fd;
    const GPtrArray *titles;
    guint track; /* the next */
    GError *error;
} Mending;

typedef struct {
    off_t at;
    off_t n_bytes;
    char name[5];
} Box;

static bool
fail_errno(Mending *self)
{
    g_set_error(&self->error, G_IO_ERROR, (gint) g_io_error_from_errno(errno),
                "cannot write the exported file's index: %s", g_strerror(errno));
    return false;
}

static bool
read_at(Mending *self, void *bytes, size_t n_bytes, off_t at)
{
    const ssize_t n = pread(self->fd, bytes, n_bytes, at);

    if (n < 0)
        return fail_errno(self);
    if ((size_t) n < n_bytes) {
        g_set_error(&self->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the exported file's index is cut off");
    }
    return (size_t) n == n_bytes;
}

static bool
write_at(Mending *self, const void *bytes, size_t n_bytes, off_t at)
{
    return pwrite(self->fd, bytes, n_bytes, at) == (ssize_t) n_bytes || fail_errno(self);
}

static uint32_t
read_uint32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static bool
read_box(Mending *self, off_t at, off_t end, Box *box)
{
    uint8_t head[HEAD_BYTES + 8];

    if (!read_at(self, head, HEAD_BYTES, at))
        return false;
    *box = (Box){.at = at, .n_bytes = read_uint32(head)};
    memcpy(box->name, head + 4, 4);
    if (box->n_bytes == 1) { /* `mdat` of a long movie: the length stands behind the name */
        if (!read_at(self, head, sizeof(head), at))
            return false;
        box->n_bytes = (off_t) ((uint64_t) read_uint32(head + 8) << 32 | read_uint32(head + 12));
    }
    if (box->n_bytes < HEAD_BYTES || box->n_bytes > end - at) {
        g_set_error(&self->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the exported file's index is malformed");
        return false;
    }
    return true;
}

/* When it was made and changed: two numbers of four bytes, or of eight. */
static bool
forget_when(Mending *self, const Box *box)
{
    static const uint8_t never[16] = {0};
    uint8_t version = 0;

    return read_at(self, &version, 1, box->at + HEAD_BYTES) &&
           write_at(self, never, version == 0 ? 8 : 16, box->at + HEAD_BYTES + FULL_BYTES);
}

/* Room that was kept for the index, in which an early state of it is left. */
static bool
clear(Mending *self, const Box *box)
{
    static const uint8_t nothing[65536] = {0};
    const off_t end = box->at + box->n_bytes;
    off_t at = box->at + HEAD_BYTES;

    while (at < end) {
        const size_t n_now = (size_t) MIN(end - at, (off_t) sizeof(nothing));

        if (!write_at(self, nothing, n_now, at))
            return false;
        at += (off_t) n_now;
    }
    return true;
}

static bool
name_handler(Mending *self, const Box *box)
{
    char name[MAX_NAME] = {0};
    const size_t n_bytes = (size_t) MIN(box->n_bytes - HANDLER_NAME_AT, MAX_NAME);
    const char *title = NULL;
    const char *end = NULL;

    if (self->track >= self->titles->len || box->n_bytes <= HANDLER_NAME_AT + 1)
        return true;
    title = self->titles->pdata[self->track++];
    end = title;
    while (*end != '\0' && (size_t) (g_utf8_next_char(end) - title) < n_bytes)
        end = g_utf8_next_char(end);
    memcpy(name, title, (size_t) (end - title));
    return write_at(self, name, n_bytes, box->at + HANDLER_NAME_AT);
}

static bool mend_boxes(Mending *self, off_t at, off_t end);

static bool
enter(Mending *self, const Box *box)
{
    return mend_boxes(self, box->at + HEAD_BYTES, box->at + box->n_bytes);
}

static bool
mend_box(Mending *self, const Box *box)
{
    static const struct {
        const char *name;
        bool (*mend)(Mending *self, const Box *box);
    } rows[] = {
        {"moov", enter       },
        {"trak", enter       },
        {"mdia", enter       },
        {"mvhd", forget_when },
        {"tkhd", forget_when },
        {"mdhd", forget_when },
        {"hdlr", name_handler},
        {"free", clear       },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].name, box->name) == 0)
            return rows[i].mend(self, box);
    }
    return true;
}

/* Goes through the boxes between two places; those that hold what is looked for lie three deep. */
static bool
mend_boxes(Mending *self, off_t at, off_t end)
{
    while (at + HEAD_BYTES <= end) {
        Box box;

        if (!read_box(self, at, end, &box) || !mend_box(self, &box))
            return false;
        at += box.n_bytes;
    }
    return true;
}

bool
movie_index_mend(int fd, off_t base, const GPtrArray *titles, GError **error)
{
    Mending mending = {.fd = fd, .titles = titles};
    const off_t end = lseek(fd, 0, SEEK_END);
    const bool is_good = end >= base && mend_boxes(&mending, base, end);

    if (!is_good && mending.error == NULL)
        (void) fail_errno(&mending); /* which sets it */
    if (mending.error != NULL)
        g_propagate_error(error, mending.error);
    return is_good;
}
