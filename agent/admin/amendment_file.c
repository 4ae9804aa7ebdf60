#include "agent/admin/amendment_file.h"

#include "agent/admin/output_file.h"
#include "crypto/age_file.h"

#include <inttypes.h>

void
amendment_file_tell(const RecoverOptions *options, int64_t n_amendments)
{
    if (n_amendments == 0)
        return;
    /* Standard output may be the media. */
    g_printerr("sealtape: %" PRId64 " statement%s of a client or clinician amend%s this recording; "
               "%s%s\n",
               n_amendments, n_amendments == 1 ? "" : "s", n_amendments == 1 ? "s" : "",
               options->amendments != NULL ? "written to "
                                           : "--amendments FILE writes what is said",
               options->amendments != NULL ? options->amendments : "");
}

bool
amendment_file_write(const RecoverOptions *options, GByteArray *text, GError **error)
{
    const OutputFileRule rule = options->may_overwrite ? OUTPUT_FILE_REPLACE : OUTPUT_FILE_NEW;
    g_autoptr(OutputFile) output = output_file_open(options->amendments, rule, 0600, error);
    const bool is_written = output != NULL &&
                            output_file_write(output, text->data, text->len, error) &&
                            output_file_finish(output, error);

    age_file_wipe(text);
    return is_written;
}
