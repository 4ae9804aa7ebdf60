#include "agent/service/http_upload.h"

#include <gio/gunixinputstream.h>
#include <libsoup/soup.h>
#include <stdbool.h>
#include <string.h>

#define CHUNK_BYTES 16384

typedef struct {
    const HttpUpload *upload;
    GMainContext *context;
    SoupSession *session;
    SoupMessage *message;
    GCancellable *cancellable;
    GInputStream *stream; /* of the answer */
    GByteArray *answer;
    GError *error;
    bool is_late;
    bool is_done;
} Upload;

static void
finish(Upload *self, GError *error)
{
    self->error = error;
    self->is_done = true;
}

static void read_on(Upload *self);

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    Upload *self = data;
    GError *error = NULL;
    g_autoptr(GBytes) chunk = g_input_stream_read_bytes_finish(self->stream, result, &error);
    const gsize n_bytes = chunk != NULL ? g_bytes_get_size(chunk) : 0;

    if (n_bytes == 0) {
        finish(self, error);
    } else if (self->answer->len + n_bytes > self->upload->max_bytes) {
        finish(self, g_error_new(G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                                 "the worker answered more than %zu KiB",
                                 self->upload->max_bytes / 1024));
    } else {
        g_byte_array_append(self->answer, g_bytes_get_data(chunk, NULL), (guint) n_bytes);
        read_on(self);
    }
}

static void
read_on(Upload *self)
{
    g_input_stream_read_bytes_async(self->stream, CHUNK_BYTES, G_PRIORITY_DEFAULT,
                                    self->cancellable, on_read, self);
}

static void
on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    Upload *self = data;
    GError *error = NULL;

    self->stream = soup_session_send_finish(self->session, result, &error);
    if (self->stream == NULL) {
        finish(self, error);
    } else if (soup_message_get_status(self->message) != SOUP_STATUS_OK) {
        finish(self, g_error_new(G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                                 "the worker answered with HTTP status %u",
                                 soup_message_get_status(self->message)));
    } else {
        read_on(self);
    }
}

static gboolean
on_deadline(gpointer data)
{
    Upload *self = data;

    self->is_late = true;
    g_cancellable_cancel(self->cancellable);
    return G_SOURCE_REMOVE;
}

static bool
open_session(Upload *self, GError **error)
{
    g_autoptr(GTlsDatabase) authorities = NULL;

    if (self->upload->ca_path != NULL) {
        authorities = g_tls_file_database_new(self->upload->ca_path, error);
        if (authorities == NULL)
            return false;
    }
    self->session = soup_session_new_with_options("proxy-resolver", NULL, NULL);
    if (authorities != NULL)
        soup_session_set_tls_database(self->session, authorities);
    return true;
}

/* `body` goes at its own speed: libsoup asks for more when the server has taken what there was. */
static void
make_message(Upload *self, GInputStream *body)
{
    SoupMessageHeaders *headers = NULL;

    self->message = soup_message_new("POST", self->upload->url);
    g_assert(self->message != NULL);
    soup_message_add_flags(self->message, SOUP_MESSAGE_NO_REDIRECT);
    soup_message_set_request_body(self->message, self->upload->content_type, body, -1);
    headers = soup_message_get_request_headers(self->message);
    soup_message_headers_replace(headers, "Accept", self->upload->accept);
    if (self->upload->token != NULL) {
        g_autofree char *bearer = g_strconcat("Bearer ", self->upload->token, NULL);

        soup_message_headers_replace(headers, "Authorization", bearer);
        explicit_bzero(bearer, strlen(bearer));
    }
}

static void
run(Upload *self)
{
    g_autoptr(GSource) deadline = g_timeout_source_new_seconds(self->upload->timeout_s);

    g_source_set_callback(deadline, on_deadline, self, NULL);
    (void) g_source_attach(deadline, self->context); /* destroyed below */
    soup_session_send_async(self->session, self->message, G_PRIORITY_DEFAULT, self->cancellable,
                            on_sent, self);
    while (!self->is_done)
        (void) g_main_context_iteration(self->context, TRUE);
    g_source_destroy(deadline);
    soup_session_abort(self->session);
}

static void
upload_clear(Upload *self)
{
    g_clear_object(&self->stream);
    g_clear_object(&self->message);
    g_clear_object(&self->session);
    g_clear_object(&self->cancellable);
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_main_context_pop_thread_default(self->context);
    g_main_context_unref(self->context);
}

/* In the words of whoever waits for it. */
static void
explain(const Upload *self, GError **error)
{
    if (self->is_late) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "the worker did not answer within %u s", self->upload->timeout_s);
    } else {
        g_propagate_prefixed_error(error, g_error_copy(self->error),
                                   "the worker can not be asked: ");
    }
}

GByteArray *
http_upload_run(const HttpUpload *upload, char **media_type, GError **error)
{
    Upload self = {.upload = upload};
    g_autoptr(GInputStream) body = g_unix_input_stream_new(upload->fd, TRUE);

    *media_type = NULL;
    self.context = g_main_context_new();
    g_main_context_push_thread_default(self.context);
    self.cancellable = g_cancellable_new();
    self.answer = g_byte_array_new();
    if (open_session(&self, &self.error)) {
        make_message(&self, body);
        run(&self);
    }
    (void) g_input_stream_close(body, NULL, NULL); /* so that who writes learns of the end */
    if (self.error == NULL) {
        *media_type = g_strdup(soup_message_headers_get_content_type(
            soup_message_get_response_headers(self.message), NULL));
    } else {
        explain(&self, error);
        explicit_bzero(self.answer->data, self.answer->len);
        g_clear_pointer(&self.answer, g_byte_array_unref);
    }
    g_clear_error(&self.error);
    upload_clear(&self);
    return self.answer;
}
