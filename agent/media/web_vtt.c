#include "agent/media/web_vtt.h"

#include <gio/gio.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* W3C WebVTT, sections 4 and 6: a head, then blocks parted by empty lines. Where the specification
 * lets a reader repair what is wrong, this one refuses: a recogniser that can not write a time may
 * not be trusted with the words either. */

#define MAX_HOUR_DIGITS 5

typedef struct {
    char **lines;
    guint n; /* of the present one */
    GPtrArray *cues;
} Parser;

static const struct {
    const char *entity, *text;
} entities[] = {
    {"&amp;",  "&"     },
    {"&lt;",   "<"     },
    {"&gt;",   ">"     },
    {"&nbsp;", "\u00a0"},
    {"&quot;", "\""    },
    {"&lrm;",  "\u200e"},
    {"&rlm;",  "\u200f"},
};

WebVttCue *
web_vtt_cue_new(int64_t start_us, int64_t end_us, const char *voice, const char *text)
{
    WebVttCue *self = g_new0(WebVttCue, 1);

    self->start_us = start_us;
    self->end_us = end_us;
    self->voice = g_strdup(voice);
    self->text = g_strdup(text);
    return self;
}

/* What was said is wiped as media is. */
static void
wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

void
web_vtt_cue_free(WebVttCue *self)
{
    if (self == NULL)
        return;
    wipe(self->voice);
    wipe(self->text);
    g_free(self);
}

char *
web_vtt_clean(const char *text)
{
    GString *clean = g_string_new(NULL);
    bool is_parted = false;

    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        const gunichar character = g_utf8_get_char(at);

        if (g_unichar_isspace(character) || g_unichar_iscntrl(character)) {
            is_parted = clean->len > 0;
            continue;
        }
        if (is_parted)
            g_string_append_c(clean, ' ');
        is_parted = false;
        g_string_append_unichar(clean, character);
    }
    return g_string_free(clean, FALSE);
}

static bool
fail(const Parser *self, GError **error, const char *sentence)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "line %u: %s", self->n + 1, sentence);
    return false;
}

static bool
read_digits(const char **at, size_t least, size_t most, int64_t *number)
{
    const size_t n_digits = strspn(*at, "0123456789");

    if (n_digits < least || n_digits > most)
        return false;
    *number = g_ascii_strtoll(*at, NULL, 10);
    *at += n_digits;
    return true;
}

static bool
read_sign(const char **at, char sign)
{
    if (**at != sign)
        return false;
    (*at)++;
    return true;
}

/* `[hours:]minutes:seconds.milliseconds`. */
static bool
read_time(const char **at, int64_t *time_us)
{
    int64_t parts[3] = {0};
    int64_t milliseconds = 0;
    const char *colon = strchr(*at, ':');
    const bool has_hours = colon != NULL && strspn(colon + 1, "0123456789") == 2 && colon[3] == ':';

    if (has_hours && (!read_digits(at, 2, MAX_HOUR_DIGITS, &parts[0]) || !read_sign(at, ':')))
        return false;
    if (!read_digits(at, 2, 2, &parts[1]) || !read_sign(at, ':') ||
        !read_digits(at, 2, 2, &parts[2]) || !read_sign(at, '.') ||
        !read_digits(at, 3, 3, &milliseconds) || parts[1] > 59 || parts[2] > 59)
        return false;
    *time_us = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * G_USEC_PER_SEC + milliseconds * 1000;
    return true;
}

static bool
skip_space(const char **at)
{
    const size_t n = strspn(*at, " \t");

    *at += n;
    return n > 0;
}

/* `<start> --> <end>`, and how it looks, which is left out. */
static bool
read_times(const char *line, WebVttCue *cue)
{
    const char *at = line;

    (void) skip_space(&at);
    if (!read_time(&at, &cue->start_us) || !skip_space(&at) || !g_str_has_prefix(at, "-->"))
        return false;
    at += strlen("-->");
    return skip_space(&at) && read_time(&at, &cue->end_us) && (*at == '\0' || skip_space(&at)) &&
           cue->end_us > cue->start_us;
}

/* Returns: `text` with entities as what they stand for, in one line; owned. */
static char *
to_plain(const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    char *clean = NULL;

    while (*text != '\0') {
        size_t i = 0;

        while (i < G_N_ELEMENTS(entities) && !g_str_has_prefix(text, entities[i].entity))
            i++;
        if (i < G_N_ELEMENTS(entities)) {
            g_string_append(plain, entities[i].text);
            text += strlen(entities[i].entity);
        } else {
            g_string_append_c(plain, *text++);
        }
    }
    clean = web_vtt_clean(plain->str);
    explicit_bzero(plain->str, plain->len);
    return clean;
}

/* Takes the name out of `<v.loud Name>`; `tag` is what stands between the brackets. */
static void
note_tag(WebVttCue *cue, const char *tag)
{
    const char *name = tag + strcspn(tag, " \t\n");

    if (cue->voice != NULL || tag[0] != 'v' || strchr(". \t\n", tag[1]) == NULL || *name == '\0')
        return;
    cue->voice = to_plain(name);
    if (*cue->voice == '\0') {
        g_clear_pointer(&cue->voice, g_free);
    }
}

/* Takes the markup out. Returns: false where a tag has no end. */
static bool
take_text(WebVttCue *cue, const char *payload)
{
    g_autoptr(GString) text = g_string_new(NULL);

    while (*payload != '\0') {
        const size_t n_text = strcspn(payload, "<");
        const char *end = NULL;
        g_autofree char *tag = NULL;

        g_string_append_len(text, payload, (gssize) n_text);
        payload += n_text;
        if (*payload == '\0')
            break;
        end = strchr(payload, '>');
        if (end == NULL)
            return false;
        tag = g_strndup(payload + 1, (gsize) (end - payload - 1));
        note_tag(cue, tag);
        payload = end + 1;
    }
    cue->text = to_plain(text->str);
    explicit_bzero(text->str, text->len);
    return true;
}

/* Returns: the lines up to the next empty one, owned. */
static GString *
read_block(Parser *self)
{
    GString *block = g_string_new(NULL);

    for (; self->lines[self->n] != NULL && *self->lines[self->n] != '\0'; self->n++)
        g_string_append_printf(block, "%s\n", self->lines[self->n]);
    return block;
}

static bool
read_payload(Parser *self, WebVttCue *cue, GError **error)
{
    const guint first = self->n;
    g_autoptr(GString) payload = read_block(self);
    bool is_good = true;

    if (strstr(payload->str, "-->") != NULL) {
        self->n = first;
        is_good = fail(self, error, "a time stands in what is said: an empty line is missing");
    } else if (payload->len > WEB_VTT_MAX_TEXT_BYTES) {
        is_good = fail(self, error, "a cue is too long");
    } else if (!take_text(cue, payload->str)) {
        is_good = fail(self, error, "a tag has no end");
    }
    explicit_bzero(payload->str, payload->len);
    return is_good;
}

static bool
read_cue(Parser *self, GError **error)
{
    WebVttCue *cue = web_vtt_cue_new(0, 0, NULL, NULL);
    bool is_good = false;

    if (strstr(self->lines[self->n], "-->") == NULL)
        self->n++; /* the cue's own name */
    if (self->lines[self->n] == NULL || strstr(self->lines[self->n], "-->") == NULL) {
        is_good = fail(self, error, "here should be a cue's time (00:01.000 --> 00:02.500)");
    } else if (!read_times(self->lines[self->n], cue)) {
        is_good = fail(self, error,
                       "this is no cue's time (00:01.000 --> 00:02.500, ending after it begins)");
    } else {
        self->n++;
        is_good = read_payload(self, cue, error);
    }
    if (is_good && self->cues->len == WEB_VTT_MAX_CUES)
        is_good = fail(self, error, "there are too many cues");
    if (is_good && *cue->text != '\0') {
        g_ptr_array_add(self->cues, cue);
    } else {
        web_vtt_cue_free(cue);
    }
    return is_good;
}

static bool
is_word(const char *line, const char *word)
{
    const size_t n = strlen(word);

    return strncmp(line, word, n) == 0 && strchr(" \t", line[n]) != NULL;
}

static bool
read_blocks(Parser *self, GError **error)
{
    while (self->lines[self->n] != NULL) {
        const char *line = self->lines[self->n];

        if (*line == '\0') {
            self->n++;
        } else if (strstr(line, "-->") == NULL &&
                   (is_word(line, "NOTE") || is_word(line, "STYLE") || is_word(line, "REGION"))) {
            g_string_free(read_block(self), TRUE);
        } else if (!read_cue(self, error)) {
            return false;
        }
    }
    return true;
}

/* Each line end of the three that there are is one. */
static char **
split_lines(const char *text, size_t n_bytes)
{
    g_autoptr(GString) plain = g_string_new_len(text, (gssize) n_bytes);
    char **lines = NULL;

    (void) g_string_replace(plain, "\r\n", "\n", 0);
    (void) g_string_replace(plain, "\r", "\n", 0);
    lines =
        g_strsplit(g_str_has_prefix(plain->str, "\ufeff") ? plain->str + 3 : plain->str, "\n", -1);
    explicit_bzero(plain->str, plain->len);
    return lines;
}

static void
free_lines(char **lines)
{
    for (char **line = lines; *line != NULL; line++)
        wipe(*line);
    g_free(lines);
}

GPtrArray *
web_vtt_parse(const char *text, size_t n_bytes, GError **error)
{
    Parser self = {0};
    bool is_good = false;

    if (memchr(text, '\0', n_bytes) != NULL || !g_utf8_validate(text, (gssize) n_bytes, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "it is not text in UTF-8");
        return NULL;
    }
    self.lines = split_lines(text, n_bytes);
    self.cues = g_ptr_array_new_with_free_func((GDestroyNotify) web_vtt_cue_free);
    if (self.lines[0] == NULL || !is_word(self.lines[0], "WEBVTT")) {
        is_good = fail(&self, error, "it does not begin with WEBVTT");
    } else {
        g_string_free(read_block(&self), TRUE);
        is_good = read_blocks(&self, error);
    }
    free_lines(self.lines);
    if (!is_good) {
        g_clear_pointer(&self.cues, g_ptr_array_unref);
    }
    return self.cues;
}

static void
write_time(GString *text, int64_t time_us)
{
    const int64_t ms = time_us / 1000;

    g_string_append_printf(text, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64,
                           ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

static void
write_plain(GString *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        size_t i = 0;

        /* The first three are what would be read as something else. */
        while (i < 3 && *plain != entities[i].text[0])
            i++;
        if (i < 3) {
            g_string_append(text, entities[i].entity);
        } else {
            g_string_append_c(text, *plain);
        }
    }
}

char *
web_vtt_write(const GPtrArray *cues)
{
    GString *text = g_string_new("WEBVTT\n");

    for (guint i = 0; i < cues->len; i++) {
        const WebVttCue *cue = cues->pdata[i];

        g_string_append_c(text, '\n');
        write_time(text, cue->start_us);
        g_string_append(text, " --> ");
        write_time(text, cue->end_us);
        g_string_append_c(text, '\n');
        if (cue->voice != NULL) {
            g_string_append(text, "<v ");
            write_plain(text, cue->voice);
            g_string_append_c(text, '>');
        }
        write_plain(text, cue->text);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
