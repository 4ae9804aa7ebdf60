#include "agent/admin/access_client.h"

#include "agent/admin/input_file.h"
#include "agent/service/http_download.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_TOKEN_BYTES   16384
#define MAX_SEGMENT_BYTES (256u << 20)

struct AccessClient {
    CommandContext *context;
    const Secret *token;
    json_t *grant;
    const char *id;
    GArray *tracks;   /* LayoutTrack; texts borrowed from `grant` */
    GPtrArray *parts; /* Part */
    GArray *inputs;   /* ExporterInput */
};

/* One part of one track, as it comes. */
typedef struct {
    AccessClient *client;
    const char *track;
    unsigned number;
    HttpDownload *download; /* once it was begun */
    bool is_over;
} Part;

static void
part_free(gpointer data)
{
    Part *self = data;

    http_download_free(self->download);
    g_free(self);
}

static void
track_clear(void *data)
{
    g_array_unref((GArray *) ((LayoutTrack *) data)->gaps);
}

Secret *
access_client_read_token(const char *path, GError **error)
{
    g_autoptr(InputFile) file = input_file_open(strcmp(path, "-") == 0 ? NULL : path, error);
    g_autoptr(Secret) token = file == NULL ? NULL : secret_new_zero(MAX_TOKEN_BYTES, error);
    size_t n_bytes = 0;
    size_t n_read = 1;

    if (token == NULL)
        return NULL;
    while (n_read > 0 && n_bytes < MAX_TOKEN_BYTES) {
        if (!input_file_read(file, secret_bytes(token) + n_bytes, MAX_TOKEN_BYTES - n_bytes,
                             &n_read, error))
            return NULL;
        n_bytes += n_read;
    }
    while (n_bytes > 0 && g_ascii_isspace(secret_peek(token)[n_bytes - 1]))
        n_bytes--;
    if (n_bytes == 0 || n_bytes == MAX_TOKEN_BYTES) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s holds no token",
                    input_file_name(file));
        return NULL;
    }
    secret_truncate(token, n_bytes);
    return g_steal_pointer(&token);
}

/* Takes `problem`. */
static void
set_problem(json_t *problem, unsigned status, GError **error)
{
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *reason = json_string_value(json_object_get(problem, "reason"));

    g_set_error(error, G_IO_ERROR,
                status == 401 || status == 403 ? G_IO_ERROR_PERMISSION_DENIED : G_IO_ERROR_FAILED,
                "the opener refuses: %s%s%s%s", detail != NULL ? detail : "(it does not say why)",
                reason != NULL ? " (" : "", reason != NULL ? reason : "",
                reason != NULL ? ")" : "");
    json_decref(problem);
}

static HttpDownload *
begin(CommandContext *context, const char *request, const json_t *body, const Secret *token,
      GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    g_autoptr(HttpDownload) download = NULL;
    HttpDownloadOptions options = {.request = request, .body = body, .token = token};
    json_t *problem = NULL;

    if (settings == NULL)
        return NULL;
    if (settings->access == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "%s has no group `access`: nothing is opened on this host", settings->path);
        return NULL;
    }
    options.socket_path = settings->access->socket_path;
    download = http_download_open(&options, error);
    if (download == NULL) {
        g_prefix_error(error, "the opener (sealtape-accessd) does not answer: ");
        return NULL;
    }
    if (http_download_status(download) < 300)
        return g_steal_pointer(&download);
    problem = http_download_json(download, error);
    if (problem != NULL)
        set_problem(problem, http_download_status(download), error);
    return NULL;
}

json_t *
access_client_request(CommandContext *context, const char *request, const json_t *body,
                      const Secret *token, GError **error)
{
    g_autoptr(HttpDownload) download = begin(context, request, body, token, error);

    return download == NULL ? NULL : http_download_json(download, error);
}

static bool
read_exactly(HttpDownload *download, uint8_t *buffer, size_t n_bytes, GError **error)
{
    while (n_bytes > 0) {
        size_t n_read = 0;

        if (!http_download_read(download, buffer, n_bytes, &n_read, error))
            return false;
        if (n_read == 0) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                        "the opener broke off: the grant has ended");
            return false;
        }
        buffer += n_read;
        n_bytes -= n_read;
    }
    return true;
}

static bool
read_segment(Part *self, PlainBuffer *segment, GError **error)
{
    uint32_t length = 0;

    if (!read_exactly(self->download, (uint8_t *) &length, sizeof(length), error))
        return false;
    length = g_ntohl(length);
    self->is_over = length == 0;
    if (length > MAX_SEGMENT_BYTES)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a segment is too long");
    if (length == 0 || length > MAX_SEGMENT_BYTES)
        return false;
    plain_buffer_resize(segment, length);
    return read_exactly(self->download, segment->bytes, length, error);
}

/* The exporter's. */
static bool
on_read_next(void *user_data, PlainBuffer *segment, GError **error)
{
    Part *self = user_data;
    AccessClient *client = self->client;

    if (self->is_over)
        return false;
    if (self->download == NULL) {
        g_autofree char *request = g_strdup_printf("GET /v1/grants/%s/segments/%s/%u", client->id,
                                                   self->track, self->number);

        self->download = begin(client->context, request, NULL, client->token, error);
    }
    return self->download != NULL && read_segment(self, segment, error);
}

static const char *
text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text != NULL ? text : "";
}

static int64_t
time_of(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

static GArray *
read_gaps(const json_t *list)
{
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(LayoutGap));

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const LayoutGap gap = {time_of(row, "start_us"), time_of(row, "duration_us"),
                               text_of(row, "reason")};

        g_array_append_val(gaps, gap);
    }
    return gaps;
}

static void
add_track(AccessClient *self, const json_t *row)
{
    const int64_t n_parts = time_of(row, "parts");
    const bool is_video = strcmp(text_of(row, "kind"), "video") == 0;
    const LayoutTrack track = {
        .id = text_of(row, "id"),
        .participant = text_of(row, "participant"),
        .caption = text_of(row, "caption"),
        .gaps = read_gaps(json_object_get(row, "gaps")),
        .from_us = time_of(row, "from_us"),
        .until_us = time_of(row, "until_us"),
        .is_video = is_video,
    };

    g_array_append_val(self->tracks, track);
    for (int64_t i = 0; i < n_parts; i++) {
        Part *part = g_new0(Part, 1);
        const ExporterInput input = {.title = track.id,
                                     .codec = text_of(row, "codec"),
                                     .read_next = on_read_next,
                                     .user_data = part};

        part->client = self;
        part->track = track.id;
        part->number = (unsigned) i;
        g_ptr_array_add(self->parts, part);
        g_array_append_val(self->inputs, input);
    }
}

static json_t *
body_of(const AccessClientOptions *options)
{
    json_t *body = json_pack("{s:s, s:s, s:I}", "session", options->session, "purpose",
                             options->purpose, "from_us", (json_int_t) options->from_us);
    json_t *tracks = NULL;

    g_assert(body != NULL);
    if (options->until_us != INT64_MAX)
        json_object_set_new(body, "to_us", json_integer(options->until_us));
    if (options->org != NULL)
        json_object_set_new(body, "org", json_string(options->org));
    if (options->role != NULL)
        json_object_set_new(body, "role", json_string(options->role));
    if (options->reason != NULL)
        json_object_set_new(body, "reason", json_string(options->reason));
    if (options->recipient != NULL)
        json_object_set_new(body, "recipient", json_string(options->recipient));
    if (options->tracks == NULL)
        return body;
    tracks = json_array();
    for (char **id = options->tracks; *id != NULL; id++)
        json_array_append_new(tracks, json_string(*id));
    json_object_set_new(body, "tracks", tracks);
    return body;
}

AccessClient *
access_client_open(CommandContext *context, const AccessClientOptions *options, GError **error)
{
    g_autoptr(AccessClient) self = g_new0(AccessClient, 1);
    json_t *body = body_of(options);
    const json_t *tracks = NULL;

    self->context = context;
    self->token = options->token;
    self->tracks = g_array_new(FALSE, FALSE, sizeof(LayoutTrack));
    g_array_set_clear_func(self->tracks, track_clear);
    self->parts = g_ptr_array_new_with_free_func(part_free);
    self->inputs = g_array_new(FALSE, FALSE, sizeof(ExporterInput));
    self->grant = access_client_request(context, "POST /v1/grants", body, options->token, error);
    json_decref(body);
    if (self->grant == NULL)
        return NULL;
    self->id = text_of(self->grant, "grant");
    tracks = json_object_get(self->grant, "tracks");
    for (size_t i = 0; i < json_array_size(tracks); i++) {
        const json_t *row = json_array_get(tracks, i);

        if (strcmp(text_of(row, "kind"), "audio") == 0 ||
            strcmp(text_of(row, "kind"), "video") == 0)
            add_track(self, row);
    }
    return g_steal_pointer(&self);
}

const GArray *
access_client_inputs(const AccessClient *self)
{
    return self->inputs;
}

const GArray *
access_client_tracks(const AccessClient *self)
{
    return self->tracks;
}

int64_t
access_client_end_us(const AccessClient *self)
{
    int64_t end_us = 0;

    for (guint i = 0; i < self->tracks->len; i++)
        end_us = MAX(end_us, g_array_index(self->tracks, LayoutTrack, i).until_us);
    return end_us;
}

const json_t *
access_client_part2(const AccessClient *self)
{
    return json_object_get(self->grant, "part2");
}

int64_t
access_client_amendments(const AccessClient *self)
{
    return json_integer_value(json_object_get(self->grant, "amendments"));
}

GByteArray *
access_client_read_amendments(const AccessClient *self, GError **error)
{
    g_autofree char *request = g_strdup_printf("GET /v1/grants/%s/amendments", self->id);
    g_autoptr(HttpDownload) download = begin(self->context, request, NULL, self->token, error);
    GByteArray *text = download != NULL ? g_byte_array_new() : NULL;
    uint8_t buffer[4096];
    size_t n_read = sizeof(buffer);

    while (text != NULL && n_read > 0) {
        if (!http_download_read(download, buffer, sizeof(buffer), &n_read, error)) {
            g_clear_pointer(&text, g_byte_array_unref);
        } else {
            g_byte_array_append(text, buffer, (guint) n_read);
        }
    }
    return text;
}

void
access_client_free(AccessClient *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->parts);
    if (self->grant != NULL) {
        g_autofree char *request = g_strconcat("DELETE /v1/grants/", self->id, NULL);

        /* One that ends by itself is as good. */
        json_decref(access_client_request(self->context, request, NULL, self->token, NULL));
    }
    g_array_unref(self->inputs);
    g_array_unref(self->tracks);
    json_decref(self->grant);
    g_free(self);
}
