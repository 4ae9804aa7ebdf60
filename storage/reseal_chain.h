#pragma once

#include "storage/manifest.h"
#include "storage/object_store.h"
#include "storage/reseal_note.h"

#include <glib.h>
#include <stdbool.h>

/* How often a session was sealed anew, as the store holds it: `<org>/<session>/resealed/<n>.note`,
 * a chain of signed notes. The one place that knows how they change what the manifest says; every
 * reader of a manifest asks it. Read-only; one thread. May block. */
typedef struct ResealChain ResealChain;

/* `code`, `sentence`: as of a RecordingFinding. */
typedef void (*ResealFaultFunc)(const char *code, const char *sentence, void *user_data);

typedef struct {
    GPtrArray *verifiers; /* NoteVerifier: whose notes count */
    ResealFaultFunc on_fault;
    void *user_data;
} ResealReading;

ResealChain *reseal_chain_new(const char *org, const char *session);

/* Takes the next note, as it lies in the store: genuine, of its place, behind the one before.
 * Returns: false after it told why not: then no further one counts. */
bool reseal_chain_take(ResealChain *self, GBytes *note, const ResealReading *reading);

/* Reads `n_notes` of them from `store`. */
void reseal_chain_read(ResealChain *self, ObjectStore *store, uint32_t n_notes,
                       const ResealReading *reading);

/* Puts into `manifest` (a whole one, or a part) what is stored now: the tracks' recipients, the
 * segments' objects, places and digests. Rows that no note names stay. Tells what does not fit: a
 * note that does not stand on what the manifest says there. `is_whole`: and a track of which a note
 * leaves out a segment. */
void reseal_chain_apply(ResealChain *self, ManifestPart *manifest, bool is_whole,
                        const ResealReading *reading);

/* Returns: GPtrArray of ResealNote, in order, borrowed. */
const GPtrArray *reseal_chain_notes(const ResealChain *self);

/* Whether the newest of them, as a whole, has this digest (hexadecimal). */
bool reseal_chain_ends_with(const ResealChain *self, const char *digest);

/* Whether the object, named within the session, was replaced: an envelope, a statement, or media of
 * what the notes were applied to. */
bool reseal_chain_has_replaced(const ResealChain *self, const char *relative);

/* Whether the newest note names it beside the media: a past, or a statement. */
bool reseal_chain_has_named(const ResealChain *self, const char *relative);

/* What the recorder signed of a segment that was sealed anew, as the applied manifest has it.
 * `past`: borrowed: the object by which that is proven; NULL: none is named. Returns: false: the
 * segment never was. */
bool reseal_chain_origin(const ResealChain *self, const ManifestSegment *segment, Digest *recorded,
                         const ResealPast **past);

/* Where a statement lies that an annotation names by `digest` (hexadecimal), and what it must hold
 * now. Returns: its name within the session, owned. */
char *reseal_chain_statement(const ResealChain *self, const char *digest, Digest *now);

/* Returns: who proves what, in one sentence without an end, owned; NULL: it was never sealed anew.
 */
char *reseal_chain_describe(const ResealChain *self);

/* NULL is allowed. */
void reseal_chain_free(ResealChain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResealChain, reseal_chain_free)
