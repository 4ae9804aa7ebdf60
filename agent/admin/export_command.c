#include "agent/admin/access_client.h"
#include "agent/admin/amendment_file.h"
#include "agent/admin/commands.h"
#include "agent/admin/output_file.h"
#include "agent/admin/part2_file.h"
#include "agent/admin/recover_options.h"
#include "agent/admin/terminal.h"
#include "agent/media/layout_exporter.h"
#include "agent/media/media_format.h"
#include "agent/policy/part2.h"

#include <gio/gio.h>
#include <string.h>

/* The opener decides and opens; what it streams is put together here, where the file is, because an
 * MP4's index and a layout need a file to go back in. */

typedef struct {
    CommandContext *context;
    const RecoverOptions *options;
    AccessClient *client;
    int64_t length_us;
} Export;

static void
on_progress(int64_t done_us, void *user_data)
{
    const Export *self = user_data;

    if (self->length_us > 0) {
        terminal_progress("exporting",
                          (double) (done_us - self->options->from_us) / (double) self->length_us);
    }
}

/* What the file says of itself; NULL: nothing. */
static const char *
notice_of(const Export *self)
{
    return access_client_part2(self->client) != NULL ? part2_short_notice() : NULL;
}

static bool
remux(Export *self, int fd, GError **error)
{
    const ExporterOptions options = {
        .container = self->options->container,
        .from_us = self->options->from_us,
        .until_us = self->options->until_us,
        .notice = notice_of(self),
        .fd = fd,
        .on_progress = on_progress,
        .user_data = self,
    };

    return exporter_run(access_client_inputs(self->client), &options, error);
}

static bool
lay_out(Export *self, int fd, GError **error)
{
    const LayoutOptions options = {
        .kind = self->options->layout,
        .tracks = access_client_tracks(self->client),
        .inputs = access_client_inputs(self->client),
        .from_us = self->options->from_us,
        .until_us = self->options->from_us + self->length_us,
        .fd = fd,
        .notice = notice_of(self),
        .on_progress = on_progress,
        .user_data = self,
    };

    return layout_exporter_run(&options, error);
}

static bool
write_output(Export *self, GError **error)
{
    const RecoverOptions *options = self->options;
    g_autoptr(OutputFile) output = output_file_open(
        options->output, options->may_overwrite ? OUTPUT_FILE_REPLACE : OUTPUT_FILE_NEW, 0600,
        error);
    bool is_done = false;

    if (output == NULL)
        return false;
    is_done = options->has_layout ? lay_out(self, output_file_fd(output), error)
                                  : remux(self, output_file_fd(output), error);
    terminal_progress_end();
    return is_done && output_file_finish(output, error);
}

/* Before the media: no copy is without it. */
static bool
write_notice(const Export *self, GError **error)
{
    const json_t *part2 = access_client_part2(self->client);

    return part2 == NULL ||
           part2_file_write(self->options, json_object_get(part2, "consents"), error);
}

/* What amends it is told to whoever opens it, and read if they want it. */
static bool
write_amendments(const Export *self, GError **error)
{
    const int64_t n_amendments = access_client_amendments(self->client);
    GByteArray *text = NULL;

    amendment_file_tell(self->options, n_amendments);
    if (self->options->amendments == NULL)
        return true;
    text = access_client_read_amendments(self->client, error);
    return text != NULL && amendment_file_write(self->options, text, error);
}

static bool
ask_and_write(Export *self, GError **error)
{
    const RecoverOptions *options = self->options;
    g_autoptr(Secret) token = NULL;
    AccessClientOptions wanted = {
        .session = options->session,
        .purpose = options->purpose,
        .org = options->org,
        .reason = options->reason,
        .recipient = options->recipient,
        .tracks = options->tracks,
        .from_us = options->from_us,
        .until_us = options->until_us,
    };
    bool is_done = false;

    if (options->token_path != NULL) {
        token = access_client_read_token(options->token_path, error);
        if (token == NULL)
            return false;
    }
    wanted.token = token;
    self->client = access_client_open(self->context, &wanted, error);
    if (self->client == NULL)
        return false;
    self->length_us = MIN(access_client_end_us(self->client), options->until_us) - options->from_us;
    if (access_client_inputs(self->client)->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "nothing was recorded of these tracks in this time");
    } else {
        is_done =
            write_notice(self, error) && write_output(self, error) && write_amendments(self, error);
    }
    access_client_free(self->client);
    return is_done;
}

int
export_command_run(CommandContext *context, int argc, char **argv)
{
    g_autoptr(RecoverOptions) options = recover_options_parse_export(context, argc, argv);
    g_autoptr(GError) error = NULL;
    Export self = {.context = context, .options = options};

    if (options == NULL)
        return EXIT_CODE_USAGE;
    if (!media_start(&error) || (options->has_layout && !media_start_layouts(&error)) ||
        !ask_and_write(&self, &error))
        return command_context_fail(context, g_steal_pointer(&error));
    if (strcmp(options->output, "-") == 0)
        return EXIT_CODE_OK; /* standard output is the media */
    if (command_context_as_json(context)) {
        command_context_print_json(json_pack("{s:s, s:s, s:s}", "session", options->session,
                                             "output", options->output, "purpose",
                                             options->purpose));
    } else {
        g_print("%s is written. It is not encrypted: keep it where only you may read it.\n",
                options->output);
    }
    return EXIT_CODE_OK;
}
