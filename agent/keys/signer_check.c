#include "agent/keys/signer_check.h"

#include "agent/keys/ring_file.h"
#include "config/org_key_ring.h"
#include "storage/storage_error.h"

SignerTrust *
signer_check_trust(const Settings *settings, const char *org, GError **error)
{
    g_autofree char *folder = org_key_ring_folder(settings->orgs_path, org);
    g_autoptr(GError) fault = NULL;
    g_autoptr(KeyRing) ring = ring_file_read(settings, folder, org, NULL, &fault);

    if (fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return NULL;
    }
    if (ring == NULL)
        ring = key_ring_new(org);
    return signer_trust_open(folder, ring, error);
}

GPtrArray *
signer_check_list(const Settings *settings, ObjectStore *store, const char *org,
                  const char *session, GError **error)
{
    g_autoptr(SignerTrust) trust = signer_check_trust(settings, org, error);

    return trust != NULL ? signer_trust_check_session(trust, store, session, error) : NULL;
}

bool
signer_check_require(const Settings *settings, ObjectStore *store, const char *org,
                     const char *session, GError **error)
{
    g_autoptr(GPtrArray) findings = signer_check_list(settings, store, org, session, error);

    if (findings == NULL)
        return false;
    if (findings->len > 0) {
        g_set_error(error, STORAGE_ERROR, STORAGE_ERROR_CORRUPT, "session %s: %s", session,
                    (const char *) findings->pdata[0]);
        return false;
    }
    return true;
}
