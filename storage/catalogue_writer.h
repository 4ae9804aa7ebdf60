#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Keeps the catalogue in step with what a recorder stores, in a thread of its own: whatever is
 * wrong with the catalogue, recording and uploading never wait for it. What could not be written
 * waits in memory, in order; what was lost with that (a crash, a catalogue away for long) is read
 * from the store as soon as both are there again. A damaged catalogue is set aside and made anew.
 */
typedef struct CatalogueWriter CatalogueWriter;

typedef struct {
    const char *path;      /* copied */
    ObjectStore *store;    /* borrowed, as the next, until catalogue_writer_free() */
    GPtrArray *verifiers;  /* NoteVerifier: of this recorder, and of others that use the store */
    GPtrArray *annotators; /* NoteVerifier: whose erasures are believed; NULL: none */
    unsigned interval_ms;  /* it is written at most this often; 0: 500 */
    /* On the writer's thread, when things change: one sentence, or NULL once all is well again. */
    void (*on_trouble)(const char *sentence, void *user_data);
    void *user_data;
} CatalogueWriterOptions;

typedef struct {
    uint64_t n_waiting; /* things told, and not yet written */
    bool is_behind;     /* sessions may be missing or old */
} CatalogueWriterStatus;

/* Starts the thread; opens nothing itself. */
CatalogueWriter *catalogue_writer_new(const CatalogueWriterOptions *options);

/* A manifest part is in the store: the whole signed note. Thread: any; never blocks for long. */
void catalogue_writer_add_part(CatalogueWriter *self, const char *note);

/* An envelope is in the store. Thread: any. */
void catalogue_writer_add_envelope(CatalogueWriter *self, const char *org, const char *session,
                                   uint32_t generation);

void catalogue_writer_status(CatalogueWriter *self, CatalogueWriterStatus *status);

/* Writes what waits, if that is possible now, and ends. NULL is allowed. */
void catalogue_writer_free(CatalogueWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CatalogueWriter, catalogue_writer_free)
