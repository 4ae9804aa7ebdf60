#include "agent/admin/audit_sources.h"

#include "agent/store/trusted_recorders.h"
#include "storage/audit_log.h"

#include <string.h>

static void
note_free(gpointer data)
{
    AuditNote *self = data;

    g_free((char *) self->name);
    g_bytes_unref(self->note);
    g_free(self);
}

static void
source_free(gpointer data)
{
    AuditSource *self = data;

    g_free(self->org);
    g_free(self->word);
    g_free(self->origin);
    g_clear_pointer(&self->content, g_bytes_unref);
    g_clear_pointer(&self->notes, g_ptr_array_unref);
    g_clear_pointer(&self->verifiers, g_ptr_array_unref);
    g_free(self->fault);
    g_free(self);
}

static void
add_note(AuditSource *self, const char *name, GBytes *bytes, bool is_anchored)
{
    AuditNote *note = g_new(AuditNote, 1);

    *note = (AuditNote){g_strdup(name), bytes, is_anchored};
    g_ptr_array_add(self->notes, note);
}

/* Returns: owned; NULL sets `error`. */
static GBytes *
read_bytes(const char *path, GError **error)
{
    char *text = NULL;
    gsize n_bytes = 0;

    return g_file_get_contents(path, &text, &n_bytes, error) ? g_bytes_new_take(text, n_bytes)
                                                             : NULL;
}

static void
add_local_note(AuditSource *self, const char *folder)
{
    g_autofree char *name = g_strconcat(self->word, ".checkpoint", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GBytes *bytes = read_bytes(path, NULL);

    if (bytes != NULL)
        add_note(self, name, bytes, false);
}

static bool
add_stored_notes(AuditSource *self, ObjectStore *store, GError **error)
{
    g_autofree char *prefix = g_strdup_printf("%s/audit/%s/", self->org, self->word);
    g_autoptr(GPtrArray) names = object_store_list(store, prefix, error);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        GBytes *bytes = object_store_get(store, names->pdata[i], error);

        if (bytes == NULL)
            return false;
        add_note(self, names->pdata[i], bytes, true);
    }
    return names != NULL;
}

/* Whoever is trusted as one program must not vouch for another's log. */
static void
find_origin(AuditSource *self, const GPtrArray *verifiers)
{
    self->verifiers = g_ptr_array_new();
    for (guint i = 0; i < verifiers->len; i++) {
        const char *name = note_verifier_name(verifiers->pdata[i]);
        g_autofree char *word = audit_log_word_of(name);

        if (strcmp(word, self->word) != 0)
            continue;
        g_ptr_array_add(self->verifiers, verifiers->pdata[i]);
        if (self->origin == NULL)
            self->origin = g_strdup_printf("%s/%s", name, self->org);
    }
}

typedef struct {
    const GPtrArray *verifiers;
    char **own_words;   /* of this host's programs */
    ObjectStore *store; /* NULL: is not asked */
    char *store_fault;  /* NULL: none */
    GPtrArray *sources;
} Loading;

/* Returns: the source, which `self` has; NULL: there is one already. `word`: taken. */
static AuditSource *
add_source(Loading *self, const char *org, char *word)
{
    AuditSource *source = NULL;

    for (guint i = 0; i < self->sources->len; i++) {
        const AuditSource *other = self->sources->pdata[i];

        if (strcmp(other->org, org) == 0 && strcmp(other->word, word) == 0) {
            g_free(word);
            return NULL;
        }
    }
    source = g_new0(AuditSource, 1);
    source->org = g_strdup(org);
    source->word = word;
    source->notes = g_ptr_array_new_with_free_func(note_free);
    find_origin(source, self->verifiers);
    g_ptr_array_add(self->sources, source);
    return source;
}

static bool
load_log(Loading *self, const char *folder, const char *org, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    AuditSource *source = add_source(self, org, g_strndup(name, strlen(name) - strlen(".log")));
    g_autoptr(GError) fault = NULL;

    if (source == NULL)
        return true;
    source->content = read_bytes(path, error);
    if (source->content == NULL)
        return false;
    add_local_note(source, folder);
    source->fault = g_strdup(self->store_fault);
    if (self->store != NULL && !add_stored_notes(source, self->store, &fault))
        source->fault = g_strdup(fault->message);
    return true;
}

/* Checkpoints without a log: whoever removes a whole file must not go unnoticed. Another host's
 * programs keep theirs there; but where this host has none at all of an organisation, all are
 * looked at. */
static void
note_missing(Loading *self, const char *org, bool has_any)
{
    g_autofree char *prefix = g_strdup_printf("%s/audit/", org);
    g_autoptr(GPtrArray) names =
        self->store == NULL ? NULL : object_store_list_folders(self->store, prefix, NULL);

    for (guint i = 0; names != NULL && i < names->len; i++) {
        const char *word = (const char *) names->pdata[i] + strlen(prefix);
        AuditSource *source = NULL;

        if (has_any && !g_strv_contains((const char *const *) self->own_words, word))
            continue;
        source = add_source(self, org, g_strdup(word));
        if (source == NULL)
            continue;
        source->content = g_bytes_new_static("", 0);
        (void) !add_stored_notes(source, self->store, NULL); /* each is a finding by itself */
    }
}

static bool
load_folder(Loading *self, const char *audit_path, const char *org, GError **error)
{
    g_autofree char *folder = g_build_filename(audit_path, org, NULL);
    g_autoptr(GDir) dir = NULL;
    const char *name = NULL;

    if (!g_file_test(folder, G_FILE_TEST_EXISTS))
        return true;
    dir = g_dir_open(folder, 0, error);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, ".log") && !load_log(self, folder, org, name, error))
            return false;
    }
    return dir != NULL;
}

static bool
load_org(Loading *self, const Settings *settings, const char *org, GError **error)
{
    const guint n_before = self->sources->len;

    if (!load_folder(self, settings->audit_path, org, error) ||
        !load_folder(self, settings->keys->audit_path, org, error) ||
        (settings->access != NULL && !load_folder(self, settings->access->audit_path, org, error)))
        return false;
    note_missing(self, org, self->sources->len > n_before);
    return true;
}

static int
compare_sources(gconstpointer a, gconstpointer b)
{
    const AuditSource *one = *(AuditSource *const *) a;
    const AuditSource *other = *(AuditSource *const *) b;
    const int by_org = strcmp(one->org, other->org);

    return by_org != 0 ? by_org : strcmp(one->word, other->word);
}

static bool
load_all(Loading *self, const Settings *settings, const char *org, GError **error)
{
    for (guint i = 0; i < settings->orgs->len; i++) {
        const OrgSettings *one = settings->orgs->pdata[i];

        if ((org == NULL || strcmp(org, one->id) == 0) && !load_org(self, settings, one->id, error))
            return false;
    }
    g_ptr_array_sort(self->sources, compare_sources);
    return true;
}

/* The public half stands beside each signing key, for whoever may not read that. Returns: owned. */
static char *
own_word(const char *signing_key_path)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(NoteVerifier) verifier = NULL;

    if (signing_key_path == NULL || !g_str_has_suffix(signing_key_path, ".key"))
        return NULL;
    path = g_strdup_printf("%.*s.pub", (int) (strlen(signing_key_path) - strlen(".key")),
                           signing_key_path);
    if (g_file_get_contents(path, &text, NULL, NULL))
        verifier = note_verifier_parse(g_strchomp(text), NULL);
    return verifier == NULL ? NULL : audit_log_word_of(note_verifier_name(verifier));
}

static char **
own_words(const Settings *settings)
{
    const char *const keys[] = {settings->signing_key_path,
                                settings->access == NULL ? NULL
                                                         : settings->access->signing_key_path,
                                settings->keys->signing_key_path};
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *word = own_word(keys[i]);

        if (word != NULL)
            g_strv_builder_add(words, word);
    }
    return g_strv_builder_end(words);
}

AuditSources *
audit_sources_load(CommandContext *context, const char *org, bool with_store, GError **error)
{
    const Settings *settings = command_context_settings(context, error);
    g_autoptr(AuditSources) self = NULL;
    g_autoptr(GError) fault = NULL;
    g_autofree char *store_fault = NULL;
    g_auto(GStrv) words = NULL;
    Loading loading = {0};

    if (settings == NULL)
        return NULL;
    if (org != NULL && settings_org(settings, org) == NULL) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_INVALID,
                    "the settings have no organisation `%s`", org);
        return NULL;
    }
    self = g_new0(AuditSources, 1);
    self->logs = g_ptr_array_new_with_free_func(source_free);
    self->verifiers = trusted_programs(settings, error);
    if (self->verifiers == NULL)
        return NULL;
    words = own_words(settings);
    loading = (Loading){.verifiers = self->verifiers, .own_words = words, .sources = self->logs};
    if (with_store) {
        loading.store = command_context_store(context, &fault);
        store_fault = fault == NULL ? NULL : g_strdup(fault->message);
        loading.store_fault = store_fault;
    }
    return load_all(&loading, settings, org, error) ? g_steal_pointer(&self) : NULL;
}

void
audit_sources_free(AuditSources *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->verifiers, g_ptr_array_unref);
    g_ptr_array_unref(self->logs);
    g_free(self);
}
