#include "crypto/age_armor.h"

#include "crypto/base64.h"
#include "crypto/crypto_error.h"

#include <sodium.h>
#include <string.h>

#define COLUMNS           64
#define LINE_BYTES        48 /* that 64 columns of base64 hold */
#define BASE64            sodium_base64_VARIANT_ORIGINAL
#define MAX_WHITE_SPACE   1024
#define INPUT_BYTES       65536
#define OUTPUT_LINES      1024
#define OUTPUT_LINE_BYTES (COLUMNS + 1)

struct AgeArmorWriter {
    ByteSink sink;
    void *sink_data;
    bool is_begun;
    size_t n_line;
    uint8_t line[LINE_BYTES]; /* not yet written */
    size_t n_text;
    char text[OUTPUT_LINES * OUTPUT_LINE_BYTES + 1]; /* lines not yet in the sink */
};

typedef enum {
    ARMOR_BEFORE, /* white space, then the first marker */
    ARMOR_INSIDE, /* full lines */
    ARMOR_SHORT,  /* a line of less than 64 columns has passed: the end marker must follow */
    ARMOR_AFTER,  /* white space only */
    ARMOR_DONE,
} ArmorState;

struct AgeArmorReader {
    ByteSource source;
    void *source_data;
    bool is_source_empty;
    ArmorState state;
    unsigned line_number;
    size_t n_white_space;
    size_t n_plain; /* of the current line, decoded */
    size_t n_given;
    uint8_t plain[LINE_BYTES];
    size_t input_start;
    size_t input_end;
    uint8_t input[INPUT_BYTES];
};

static bool
is_white_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool
age_armor_begins(const uint8_t *bytes, size_t n_bytes)
{
    size_t start = 0;

    while (start < n_bytes && is_white_space(bytes[start]))
        start++;
    const size_t n_left = n_bytes - start;
    if (n_left == 0)
        return start > 0;
    const size_t n_compared = MIN(n_left, strlen(AGE_ARMOR_BEGIN));
    return memcmp(bytes + start, AGE_ARMOR_BEGIN, n_compared) == 0; /* public */
}

AgeArmorWriter *
age_armor_writer_new(ByteSink sink, void *sink_data)
{
    AgeArmorWriter *self = g_new0(AgeArmorWriter, 1);

    self->sink = sink;
    self->sink_data = sink_data;
    return self;
}

static bool
flush_text(AgeArmorWriter *self, GError **error)
{
    const size_t n_text = self->n_text;

    self->n_text = 0;
    return self->sink(self->sink_data, (const uint8_t *) self->text, n_text, error);
}

static bool
write_begin(AgeArmorWriter *self, GError **error)
{
    static const char begin[] = AGE_ARMOR_BEGIN "\n";

    if (self->is_begun)
        return true;
    self->is_begun = true;
    return self->sink(self->sink_data, (const uint8_t *) begin, strlen(begin), error);
}

static bool
write_line(AgeArmorWriter *self, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    if (self->n_text + OUTPUT_LINE_BYTES >= sizeof(self->text) && !flush_text(self, error))
        return false;
    char *line = self->text + self->n_text;
    sodium_bin2base64(line, OUTPUT_LINE_BYTES, bytes, n_bytes, BASE64);
    const size_t n_line = strlen(line);
    line[n_line] = '\n';
    self->n_text += n_line + 1;
    return true;
}

bool
age_armor_writer_write(void *data, const uint8_t *bytes, size_t n_bytes, GError **error)
{
    AgeArmorWriter *self = data;

    if (!write_begin(self, error))
        return false;
    while (n_bytes > 0) {
        const size_t n_taken = MIN(n_bytes, LINE_BYTES - self->n_line);
        memcpy(self->line + self->n_line, bytes, n_taken);
        self->n_line += n_taken;
        bytes += n_taken;
        n_bytes -= n_taken;
        if (self->n_line < LINE_BYTES)
            break;
        self->n_line = 0;
        if (!write_line(self, self->line, LINE_BYTES, error))
            return false;
    }
    return true;
}

bool
age_armor_writer_finish(AgeArmorWriter *self, GError **error)
{
    static const char end[] = AGE_ARMOR_END "\n";

    if (!write_begin(self, error))
        return false;
    if (self->n_line > 0 && !write_line(self, self->line, self->n_line, error))
        return false;
    return flush_text(self, error) &&
           self->sink(self->sink_data, (const uint8_t *) end, strlen(end), error);
}

void
age_armor_writer_free(AgeArmorWriter *self)
{
    g_free(self);
}

AgeArmorReader *
age_armor_reader_new(ByteSource source, void *source_data)
{
    AgeArmorReader *self = g_new0(AgeArmorReader, 1);

    self->source = source;
    self->source_data = source_data;
    return self;
}

static bool
fail_line(const AgeArmorReader *self, const char *what, GError **error)
{
    return crypto_fail(error, CRYPTO_ERROR_MALFORMED, "armour line %u: %s", self->line_number,
                       what);
}

static bool
fill_input(AgeArmorReader *self, GError **error)
{
    size_t n_read = 0;

    memmove(self->input, self->input + self->input_start, self->input_end - self->input_start);
    self->input_end -= self->input_start;
    self->input_start = 0;
    if (!self->source(self->source_data, self->input + self->input_end,
                      sizeof(self->input) - self->input_end, &n_read, error))
        return false;
    self->input_end += n_read;
    self->is_source_empty = n_read == 0;
    return true;
}

/* `line`: without its end, borrowed until the next call; NULL once there is none. */
static bool
next_line(AgeArmorReader *self, const char **line, size_t *n_line, GError **error)
{
    const uint8_t *newline = NULL;

    for (;;) {
        const size_t n_input = self->input_end - self->input_start;
        newline = memchr(self->input + self->input_start, '\n', n_input);
        if (newline != NULL || self->is_source_empty)
            break;
        if (n_input > MAX_WHITE_SPACE)
            return fail_line(self, "the line is too long", error);
        if (!fill_input(self, error))
            return false;
    }
    const uint8_t *start = self->input + self->input_start;
    const uint8_t *end = newline == NULL ? self->input + self->input_end : newline;
    self->input_start = (size_t) (end - self->input) + (newline == NULL ? 0 : 1);
    self->line_number++;
    *n_line = (size_t) (end - start);
    *line = *n_line == 0 && newline == NULL ? NULL : (const char *) start;
    return true;
}

static bool
is_text(const char *line, size_t n_line, const char *text)
{
    return n_line == strlen(text) && memcmp(line, text, n_line) == 0; /* public */
}

/* Around the armour. Returns: false for anything but white space, or for too much of it. */
static bool
pass_white_space(AgeArmorReader *self, const char *line, size_t n_line, GError **error)
{
    for (size_t i = 0; i < n_line; i++) {
        if (!is_white_space((uint8_t) line[i]))
            return fail_line(self, "something stands outside of the armour", error);
    }
    self->n_white_space += n_line + 1;
    if (self->n_white_space > MAX_WHITE_SPACE)
        return fail_line(self, "too much white space", error);
    return true;
}

static bool
read_data_line(AgeArmorReader *self, const char *line, size_t n_line, GError **error)
{
    if (is_text(line, n_line, AGE_ARMOR_END)) {
        self->state = ARMOR_AFTER;
        self->n_white_space = 0;
        return true;
    }
    if (self->state == ARMOR_SHORT)
        return fail_line(self, "a line behind the short last one is not the end marker", error);
    if (n_line == 0 || n_line > COLUMNS)
        return fail_line(self, "not 1 to 64 columns", error);
    if (!base64_decode_padded(line, n_line, self->plain, sizeof(self->plain), &self->n_plain))
        return fail_line(self, "not canonical base64", error);
    self->n_given = 0;
    /* Padding makes a line of 64 columns the last one, too. */
    self->state = self->n_plain < LINE_BYTES ? ARMOR_SHORT : ARMOR_INSIDE;
    return true;
}

/* Reads one line more. */
static bool
advance(AgeArmorReader *self, GError **error)
{
    const char *line = NULL;
    size_t n_line = 0;

    if (!next_line(self, &line, &n_line, error))
        return false;
    if (line == NULL) {
        if (self->state != ARMOR_AFTER)
            return fail_line(self, "the armour is cut before its end marker", error);
        self->state = ARMOR_DONE;
        return true;
    }
    if (n_line > 0 && line[n_line - 1] == '\r')
        n_line--;
    if (self->state == ARMOR_AFTER)
        return pass_white_space(self, line, n_line, error);
    if (self->state != ARMOR_BEFORE)
        return read_data_line(self, line, n_line, error);
    if (!is_text(line, n_line, AGE_ARMOR_BEGIN))
        return pass_white_space(self, line, n_line, error);
    self->state = ARMOR_INSIDE;
    return true;
}

bool
age_armor_reader_read(void *data, uint8_t *buffer, size_t n_bytes, size_t *n_read, GError **error)
{
    AgeArmorReader *self = data;

    *n_read = 0;
    while (*n_read < n_bytes && self->state != ARMOR_DONE) {
        if (self->n_given == self->n_plain) {
            if (!advance(self, error))
                return false;
            continue;
        }
        const size_t n_taken = MIN(n_bytes - *n_read, self->n_plain - self->n_given);
        memcpy(buffer + *n_read, self->plain + self->n_given, n_taken);
        self->n_given += n_taken;
        *n_read += n_taken;
    }
    return true;
}

void
age_armor_reader_free(AgeArmorReader *self)
{
    g_free(self);
}
