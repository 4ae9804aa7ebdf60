#pragma once

#include "crypto/signed_note.h"
#include "storage/reseal_note.h"
#include "tests/fakes/catalogue_fixture.h"

/* A session as a sealing anew leaves it, made by hand: what its objects hold stays, and only their
 * names, keys and notes are new, so that what readers make of it shows. */
typedef struct {
    CatalogueFixture *catalogue;
    ObjectStore *store; /* its */
    ResealNote *note;   /* to be signed and put; may be changed before */
} ResealBench;

/* Session `visit-1` of `clinic-a`, with the objects of before and of now beside each other. */
ResealBench *reseal_bench_new(void);
void reseal_bench_put_note(const ResealBench *self, const NoteSigner *signer);
void reseal_bench_remove_old(const ResealBench *self);

/* Changes a byte in the middle of the object, named within the session. */
void reseal_bench_flip_byte(const ResealBench *self, const char *relative);
void reseal_bench_free(ResealBench *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResealBench, reseal_bench_free)
