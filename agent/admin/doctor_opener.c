#include "agent/admin/doctor_checks.h"
#include "agent/playback/identity_files.h"
#include "agent/service/http_client.h"
#include "agent/service/http_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SET_BYTES ((size_t) 256 << 10)
#define FETCH_MS      10000

/* A recorder works without an opener: so whatever is amiss here is a warning. */

/* Returns: `OWNER:GROUP, mode 0660`, owned. */
static char *
describe(const char *path, const struct stat *status)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInfo) info =
        g_file_query_info(file, G_FILE_ATTRIBUTE_OWNER_USER "," G_FILE_ATTRIBUTE_OWNER_GROUP,
                          G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
    const char *user = NULL;
    const char *group = NULL;

    if (info != NULL) {
        user = g_file_info_get_attribute_string(info, G_FILE_ATTRIBUTE_OWNER_USER);
        group = g_file_info_get_attribute_string(info, G_FILE_ATTRIBUTE_OWNER_GROUP);
    }
    return g_strdup_printf("%s:%s, mode %04o", user != NULL ? user : "?",
                           group != NULL ? group : "?", status->st_mode & 07777);
}

/* Returns: whether it is worth asking there. */
static bool
check_socket(const Settings *settings, DoctorReport *report)
{
    const char *path = settings->access->socket_path;
    struct stat status;
    g_autofree char *described = NULL;

    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return true; /* nobody will answer, and that is told */
        doctor_report_add(report, DOCTOR_WARNING, "opener socket", "%s: %s.", path,
                          g_strerror(errno));
        return false;
    }
    described = describe(path, &status);
    if (!S_ISSOCK(status.st_mode)) {
        doctor_report_add(report, DOCTOR_WARNING, "opener socket",
                          "access.socket: %s is no socket, so no opener can listen there.", path);
        return false;
    }
    if ((status.st_mode & 07) != 0) {
        doctor_report_add(report, DOCTOR_WARNING, "opener socket",
                          "%s is of %s, so everybody on this host reaches the opener; it is made "
                          "with 0660, and whatever made or changed it should say so too.",
                          path, described);
        return true;
    }
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
        doctor_report_add(report, DOCTOR_WARNING, "opener socket",
                          "%s is of %s, and this user may not ask there (%s): be its user or in "
                          "its group.",
                          path, described, g_strerror(errno));
        return false;
    }
    doctor_report_add(report, DOCTOR_OK, "opener socket", "%s is of %s; this user may ask there.",
                      path, described);
    return true;
}

static void
check_answer(const Settings *settings, DoctorReport *report)
{
    const char *path = settings->access->socket_path;
    unsigned code = 0;
    json_t *answer = http_client_request(path, "GET /healthz", NULL, &code, NULL);

    if (answer != NULL && code == 200) {
        doctor_report_add(report, DOCTOR_OK, "opener", "It answers on %s.", path);
    } else {
        doctor_report_add(report, DOCTOR_WARNING, "opener",
                          "Nobody answers on %s; `sealtape-accessd --config %s` starts it.", path,
                          settings->path);
    }
    json_decref(answer);
}

/* Adds the public halves of what lies at `path` to `recipients`. Returns: whether it can be read.
 */
static bool
read_identities(const char *path, GPtrArray *recipients, DoctorReport *report)
{
    const char *const paths[] = {path, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) identities = identity_files_read(paths, NULL, NULL, &error);

    if (identities == NULL) {
        doctor_report_add(report, DOCTOR_WARNING, "opener keys",
                          "%s; the opener needs it, doctor only looks.", error->message);
        return false;
    }
    for (guint i = 0; i < identities->len; i++) {
        g_autoptr(AgeRecipient) recipient = age_identity_recipient(identities->pdata[i]);

        if (recipient != NULL)
            g_ptr_array_add(recipients, g_strdup(age_recipient_text(recipient)));
    }
    return true;
}

static bool
opens(const GPtrArray *recipients, const OrgSettings *org)
{
    for (guint i = 0; i < org->recipients->len; i++) {
        if (g_ptr_array_find_with_equal_func((GPtrArray *) recipients, org->recipients->pdata[i],
                                             g_str_equal, NULL))
            return true;
    }
    return false;
}

static void
check_identities(const Settings *settings, DoctorReport *report)
{
    g_autoptr(GPtrArray) recipients = g_ptr_array_new_with_free_func(g_free);
    bool is_all_known = true;

    for (char **path = settings->access->identity_paths; *path != NULL; path++) {
        if (identity_files_is_remote(*path)) {
            /* A wrong PIN counts: nothing is tried here. */
            doctor_report_add(report, DOCTOR_OK, "opener keys",
                              "%s is asked when the opener starts, and not by doctor.", *path);
            is_all_known = false;
        } else if (!read_identities(*path, recipients, report)) {
            is_all_known = false;
        }
    }
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];

        if (opens(recipients, org)) {
            doctor_report_add(report, DOCTOR_OK, "opener keys",
                              "A key of access.identities opens what %s seals.", org->id);
        } else if (is_all_known) {
            doctor_report_add(report, DOCTOR_WARNING, "opener keys",
                              "No key of access.identities is one of the recipients of %s, so "
                              "nothing that it seals now is opened here.",
                              org->id);
        }
    }
}

typedef struct {
    const OrgIssuer *issuer;
    DoctorReport *report;
    GMainLoop *loop;
} Look;

static void
tell_keys(const Look *look, const json_t *set, const char *trouble)
{
    const json_t *keys = json_object_get(set, "keys");

    if (json_array_size(keys) > 0) {
        doctor_report_add(look->report, DOCTOR_OK, "issuer",
                          "Tokens of %s: %zu of its keys can be read.", look->issuer->issuer,
                          json_array_size(keys));
    } else {
        doctor_report_add(look->report, DOCTOR_WARNING, "issuer",
                          "%s: the keys of %s can not be read, so no token of it counts: %s.",
                          look->issuer->keys, look->issuer->issuer,
                          trouble != NULL ? trouble : "there is no JWK set with a key");
    }
}

static void
on_keys(const json_t *reply, const GError *error, void *user_data)
{
    const Look *look = user_data;

    tell_keys(look, reply, error != NULL ? error->message : NULL);
    g_main_loop_quit(look->loop);
}

static void
fetch_keys(const Look *look)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpFetch) fetch = http_fetch_new(MAX_SET_BYTES, look->issuer->ca_path, &error);

    if (fetch == NULL) {
        tell_keys(look, NULL, error->message);
        return;
    }
    http_fetch_send(fetch, &(HttpFetchRequest){.url = look->issuer->keys,
                                               .timeout_ms = FETCH_MS,
                                               .on_reply = on_keys,
                                               .user_data = (void *) look});
    g_main_loop_run(look->loop);
}

static void
check_issuer(const OrgIssuer *issuer, DoctorReport *report)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    const Look look = {issuer, report, loop};
    json_error_t fault;
    json_t *set = NULL;

    if (g_str_has_prefix(issuer->keys, "https://")) {
        fetch_keys(&look);
        return;
    }
    set = json_load_file(issuer->keys, JSON_REJECT_DUPLICATES, &fault);
    tell_keys(&look, set, set == NULL ? fault.text : NULL);
    json_decref(set);
}

void
doctor_checks_opener(const Settings *settings, DoctorReport *report)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    if (settings->access == NULL)
        return;
    if (check_socket(settings, report))
        check_answer(settings, report);
    check_identities(settings, report);
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *org = settings->orgs->pdata[i];

        for (guint k = 0; k < org->access->issuers->len; k++) {
            const OrgIssuer *issuer = org->access->issuers->pdata[k];

            if (g_hash_table_add(seen, issuer->path))
                check_issuer(issuer, report);
        }
    }
}
