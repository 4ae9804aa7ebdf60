#pragma once

#include "storage/recording.h"
#include "storage/reseal_chain.h"

/* What the recording's own files share. */
struct Recording {
    ObjectStore *store;    /* borrowed */
    GPtrArray *annotators; /* NoteVerifier: of annotations and of a sealing anew */
    char *org, *session;
    ManifestPart *manifest; /* all parts that are genuine, merged */
    Digest last;            /* of the part with the highest number */
    guint n_notes;          /* parts that lie there, whatever they are */
    bool is_bare;           /* annotations are all there is */
    GHashTable *parts;      /* number of a part -> Digest of the whole note */
    ResealChain *resealed;  /* how often it was sealed anew; applied to `manifest` */
    GPtrArray *findings;    /* RecordingFinding: of the manifest's parts */
    GHashTable *bodies;     /* track -> the object of it that was read last (Body) */
};

/* Adds a finding to `findings`; its message is made as by printf. */
void recording_add_finding(GPtrArray *findings, const char *code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

GPtrArray *recording_new_findings(void);

/* Reads the notes on its sealing anew, of which there are so many, and applies them. */
void recording_take_resealed(Recording *self, uint32_t n_notes);

/* `keys`: the names of the session's objects. `is_read`: and what beside the media proves the
 * recorder's signature is read. */
void recording_check_resealed(const Recording *self, const AnnotationView *view,
                              const GPtrArray *keys, bool is_read, GPtrArray *findings);

/* Whether a sealing anew, ended or not, accounts for the object, named within the session. */
bool recording_expects(const Recording *self, const AnnotationView *view, const char *relative);

/* `keys`: the names of the session's objects. Returns: what is genuine of them, owned. */
AnnotationLog *recording_check_annotations(const Recording *recording, const GPtrArray *keys,
                                           GPtrArray *findings) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: whether it was erased, or is being: then there is nothing else to look at. */
bool recording_check_erasure(Recording *self, GPtrArray *findings);

/* Returns: the object's bytes, borrowed until the next object of `track` is read. Errors: the
 * store's. */
GBytes *recording_read_object(Recording *self, const char *track, const char *relative,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
