#include "agent/admin/part2_file.h"

#include "agent/admin/output_file.h"
#include "agent/policy/part2.h"

#include <string.h>

/* What each consent lets be done, in the order of their bits. */
static const char *const scopes[PART2_N_CONSENTS] = {
    "every use and disclosure for treatment, payment and health care operations",
    "this disclosure, which is for another purpose than treatment, payment or operations",
    "use in civil, criminal, administrative or legislative proceedings",
    "use and disclosure of substance use disorder counseling notes",
};

static const char *
scope_of(const char *purpose)
{
    for (size_t i = 0; i < PART2_N_CONSENTS; i++) {
        if (g_strcmp0(purpose, part2_purpose(i)) == 0)
            return scopes[i];
    }
    return purpose;
}

static void
add_consent(GString *text, json_t *row)
{
    const char *participant = NULL, *purpose = NULL, *evidence = NULL;
    const char *recipient = NULL, *at = NULL, *until = NULL;

    if (json_unpack(row, "{s:s, s:s, s?s, s?s, s?s, s?s}", "participant", &participant, "purpose",
                    &purpose, "evidence", &evidence, "recipient", &recipient, "at", &at, "until",
                    &until) != 0)
        return;
    g_string_append_printf(text,
                           "\nConsent %s of %s (%s), given %s\n  allows: %s\n  to: %s\n  until: "
                           "%s\n",
                           evidence != NULL ? evidence : "-", participant, purpose,
                           at != NULL ? at : "-", scope_of(purpose),
                           recipient != NULL ? recipient : "no one in particular",
                           until != NULL ? until : "it is revoked");
}

char *
part2_file_text(const json_t *consents)
{
    g_autoptr(GString) text = g_string_new(part2_notice());

    if (json_array_size(consents) == 0) {
        g_string_append(text,
                        "\nThis copy was made by the organisation for itself, for the client, "
                        "or in an emergency, and by no consent of the client's: it goes to "
                        "nobody else without one.\n");
    }
    for (size_t i = 0; i < json_array_size(consents); i++)
        add_consent(text, json_array_get(consents, i));
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool
part2_file_write(const RecoverOptions *options, const json_t *consents, GError **error)
{
    g_autofree char *text = part2_file_text(consents);
    g_autofree char *path = g_strconcat(options->output, ".notice.txt", NULL);
    g_autoptr(OutputFile) output = NULL;

    if (strcmp(options->output, "-") == 0) {
        g_printerr("%s", text); /* standard output is the media */
        return true;
    }
    output = output_file_open(path, options->may_overwrite ? OUTPUT_FILE_REPLACE : OUTPUT_FILE_NEW,
                              0600, error);
    return output != NULL &&
           output_file_write(output, (const uint8_t *) text, strlen(text), error) &&
           output_file_finish(output, error);
}
