#pragma once

#include "storage/annotation_log.h"
#include "storage/erasure_trace.h"
#include "storage/manifest.h"
#include "storage/object_store.h"
#include "storage/object_window.h"
#include "storage/reseal_chain.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* One session as the store holds it: its manifest parts, checked (signature, chain, order) and
 * put together. Read-only; one thread. What is wrong with it is listed, never hidden: a damaged
 * recording still opens as far as it is genuine. */
typedef struct Recording Recording;

/* A finding names what and where in one sentence, and a word for programs. */
typedef struct {
    char *code;    /* manifest-signature, manifest-missing, manifest-order, manifest-open,
                      object-missing, object-foreign,    segment-missing, segment-changed,
                      segment-misplaced, segment-order, timeline-hole,    envelope-missing,
                      envelope-misplaced, end-mismatch, ... (docs/formats.md lists them) */
    char *message; /* one sentence: `segment 3 of track p1-video part 0: ...` */
} RecordingFinding;

/* Who is believed; GPtrArray of NoteVerifier, borrowed. */
typedef struct {
    GPtrArray *recorders;  /* for the manifest */
    GPtrArray *annotators; /* for annotations, an erasure, a sealing anew; NULL: `recorders` */
} RecordingTrust;

/* Reads `<org>/<session>/manifest/`, and what was sealed anew since.
 * Errors: NOT_FOUND - no such session; any of the store's. Faults of the manifest itself are
 * findings. */
Recording *recording_open(ObjectStore *store, const char *org, const char *session,
                          const RecordingTrust *trust, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was told since of the session of `manifest` (all of it), and what its recorder marked there:
 * the only way for whoever opens or deletes. Returns: owned. Errors: as annotation_log_read(), and
 * CORRUPT for a mark that nobody knows. */
AnnotationLog *recording_read_marked(ObjectStore *store, const ManifestPart *manifest,
                                     GPtrArray *annotators,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, of this recording. */
AnnotationLog *recording_read_annotations(Recording *self,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What was signed of its end: as erasure_trace_read(), by those who are believed for annotations.
 */
ErasureTrace *recording_read_erasure(Recording *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Finds the organisation of `session`. Returns: its id, owned. Errors: NOT_FOUND. */
char *recording_find_org(ObjectStore *store, const char *session,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: everything the parts say, merged, in order (number = of the last part), borrowed. Of
 * tracks that were sealed anew, with the recipients, objects and digests of now. */
const ManifestPart *recording_manifest(const Recording *self);

/* Returns: the digest of its last part, the whole note as it lies there, borrowed: another one as
 * soon as anything is added to the recording. */
const Digest *recording_last_digest(const Recording *self);

/* Whether nothing of it lay there when it was opened but what was told of it. */
bool recording_is_bare(const Recording *self);

/* Reads every object and checks it without any key: digests, places claimed in the age headers,
 * order, ends, the timeline without unexplained hole, envelopes present and in their place, nothing
 * unlisted. Of a recording that was erased: whether that is signed, and nothing is there any more.
 * `on_progress` may be NULL. Returns: GPtrArray of RecordingFinding (owned), empty when all is
 * there, genuine and in order, or rightly gone: recording_read_erasure() tells. */
GPtrArray *recording_verify(Recording *self,
                            void (*on_progress)(uint64_t done, uint64_t total, void *user_data),
                            void *user_data);

/* The same, but reads only `objects` (a set of their names, as the manifest has them); of the
 * others it only looks whether they are there. */
GPtrArray *recording_sample(Recording *self, GHashTable *objects);

/* Reads one segment's sealed bytes and checks its digest.
 * Errors: NOT_FOUND, CORRUPT, any of the store's. */
GBytes *recording_read_segment(Recording *self, const ManifestSegment *segment,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, without taking the whole object that it lies in. `window`: NULL at first, then one of
 * its store, owned by the caller. Returns: `segment->length` bytes, borrowed from `window`; NULL
 * where they are not to be had or are others: then recording_read_segment() has the last word.
 * Thread: any, each with a window of its own. */
const uint8_t *recording_peek_segment(const Recording *self, const ManifestSegment *segment,
                                      ObjectWindow **window) G_GNUC_WARN_UNUSED_RESULT;
/* Reads a sealed statement, which an annotation names by `digest` (hexadecimal).
 * Errors: NOT_FOUND, CORRUPT, any of the store's. */
GBytes *recording_read_statement(const Recording *self, const char *digest,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads what proves the recorder's signature of an object that was sealed anew. Errors: as above.
 * Thread: any. */
GBytes *recording_read_past(const Recording *self, const ResealPast *past,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: how often it was sealed anew, borrowed. */
const ResealChain *recording_resealed(const Recording *self);

/* Whether it leaves nothing of the manifest, or of what a sealing anew made of it, to be believed:
 * then nothing is opened. */
bool recording_finding_is_fatal(const RecordingFinding *self);
void recording_finding_free(RecordingFinding *self);
void recording_free(Recording *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recording, recording_free)
