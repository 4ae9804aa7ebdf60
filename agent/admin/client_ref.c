#include "agent/admin/client_ref.h"

#include "agent/audit/pseudonym.h"
#include "config/key_file.h"

#include <string.h>

enum { PSEUDONYM_BYTES = 34 };

bool
client_ref_is_pseudonym(const char *client)
{
    return g_str_has_prefix(client, "p-") && strlen(client) == PSEUDONYM_BYTES;
}

char *
client_ref_pseudonym(const Settings *settings, const char *org, const char *client, GError **error)
{
    g_autoptr(Secret) text = NULL;
    g_autoptr(Secret) key = NULL;

    if (client_ref_is_pseudonym(client))
        return g_strdup(client);
    if (settings->audit->pseudonym_key_path == NULL) {
        g_set_error(
            error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
            "%s: audit.pseudonym_key is missing, with which clients are found: make one with "
            "`sealtape audit keygen pseudonym FOLDER`, and name it there",
            settings->path);
        return NULL;
    }
    text = key_file_read(settings->audit->pseudonym_key_path, error);
    key = text == NULL ? NULL : pseudonym_key_parse(text, error);
    if (key == NULL)
        return NULL;
    return pseudonym_of(key, org, client);
}
