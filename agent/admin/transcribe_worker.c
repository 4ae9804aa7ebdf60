#include "agent/admin/transcribe_worker.h"

#include "agent/admin/worker_command.h"
#include "agent/media/voice_feed.h"
#include "agent/media/web_vtt.h"
#include "agent/service/http_upload.h"
#include "config/key_file.h"
#include "crypto/age_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define LANGUAGE "{language}"

/* Returns: the program and its arguments, NULL at the end, owned. */
static char **
fill_in(const TranscriptionSettings *settings)
{
    char **argv = g_new0(char *, settings->command->len + 1);

    for (guint i = 0; i < settings->command->len; i++) {
        g_autoptr(GString) word = g_string_new(settings->command->pdata[i]);

        (void) g_string_replace(word, LANGUAGE, settings->language, 0);
        argv[i] = g_strdup(word->str);
    }
    return argv;
}

static GByteArray *
run_command(const TranscriptionSettings *settings, int fd, GError **error)
{
    g_auto(GStrv) argv = fill_in(settings);
    const WorkerCommand command = {(const char *const *) argv, fd, settings->timeout_s,
                                   (size_t) settings->max_output_kib * 1024};

    return worker_command_run(&command, error);
}

/* Returns: what the file holds in its one line, owned; the library that sends it keeps a copy that
 * nobody can wipe, and this program ends soon. */
static char *
read_token(const char *path, GError **error)
{
    g_autoptr(Secret) content = key_file_read(path, error);

    if (content == NULL)
        return NULL;
    return g_strchomp(
        g_strndup((const char *) secret_peek(content), (gsize) secret_length(content)));
}

static GByteArray *
ask_server(const TranscriptionSettings *settings, int fd, GError **error)
{
    g_autofree char *media_type = NULL;
    HttpUpload upload = {
        .url = settings->url,
        .content_type = "audio/wav",
        .accept = settings->is_text ? "text/plain" : "text/vtt",
        .ca_path = settings->ca_path,
        .fd = fd,
        .timeout_s = settings->timeout_s,
        .max_bytes = (size_t) settings->max_output_kib * 1024,
    };
    g_autofree char *token = NULL;
    GByteArray *answer = NULL;

    if (settings->token_path != NULL) {
        token = read_token(settings->token_path, error);
        if (token == NULL) {
            (void) close(fd); /* a pipe: nothing to flush */
            return NULL;
        }
        upload.token = token;
    }
    answer = http_upload_run(&upload, &media_type, error);
    if (token != NULL)
        explicit_bzero(token, strlen(token));
    if (answer == NULL || g_strcmp0(media_type, upload.accept) == 0)
        return answer;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "the worker's answer is not %s, which transcription.format asks for",
                upload.accept);
    age_file_wipe(answer);
    return NULL;
}

/* Both ends work at once: whichever ends first, the other learns of it from the pipe. */
static GByteArray *
listen_to(const TranscribeWork *work, GError **error)
{
    VoiceFeedOptions feed = {.inputs = work->inputs, .until_us = work->until_us};
    VoiceFeed *voice = NULL;
    GByteArray *answer = NULL;
    GError *fault = NULL;
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(errno),
                    "cannot make a pipe: %s", g_strerror(errno));
        return NULL;
    }
    feed.fd = pipe_fds[1];
    voice = voice_feed_start(&feed);
    answer = work->settings->url != NULL ? ask_server(work->settings, pipe_fds[0], error)
                                         : run_command(work->settings, pipe_fds[0], error);
    /* What is wrong with the recording says more than what the worker made of it. */
    if (!voice_feed_end(voice, &fault)) {
        if (answer == NULL)
            g_clear_error(error);
        g_propagate_error(error, fault);
        age_file_wipe(answer);
        return NULL;
    }
    return answer;
}

static bool
take_cues(const TranscribeWork *work, const GByteArray *answer, GPtrArray *cues, GError **error)
{
    g_autoptr(GPtrArray) said = web_vtt_parse((const char *) answer->data, answer->len, error);

    for (guint i = 0; said != NULL && i < said->len; i++) {
        const WebVttCue *cue = said->pdata[i];
        const int64_t end_us = MIN(cue->end_us, work->until_us);

        /* Behind the end nobody can have said anything. */
        if (cue->start_us < end_us) {
            g_ptr_array_add(cues, web_vtt_cue_new(cue->start_us, end_us, work->voice, cue->text));
        }
    }
    if (said == NULL)
        g_prefix_error(error, "the worker's answer is not WebVTT: ");
    return said != NULL;
}

static bool
take_text(const TranscribeWork *work, const GByteArray *answer, GPtrArray *cues, GError **error)
{
    g_autofree char *text = g_strndup((const char *) answer->data, answer->len);
    g_autofree char *clean = NULL;

    if (!g_utf8_validate(text, answer->len, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the worker's answer is not text in UTF-8");
        return false;
    }
    clean = web_vtt_clean(text);
    explicit_bzero(text, answer->len);
    if (*clean != '\0') {
        g_ptr_array_add(cues, web_vtt_cue_new(work->from_us, work->gone_us, work->voice, clean));
    }
    explicit_bzero(clean, strlen(clean));
    return true;
}

bool
transcribe_worker_run(const TranscribeWork *work, GPtrArray *cues, GError **error)
{
    GByteArray *answer = listen_to(work, error);
    bool is_good = false;

    if (answer == NULL)
        return false;
    is_good = work->settings->is_text ? take_text(work, answer, cues, error)
                                      : take_cues(work, answer, cues, error);
    age_file_wipe(answer);
    return is_good;
}
