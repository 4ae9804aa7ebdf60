#pragma once

#include "storage/object_store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is added to sessions that have ended, on its way into the store. An amendment is three
 * objects that belong together: the envelope with the new track's key, the track's sealed bytes and
 * the manifest part that lists them. They are kept in a folder, durable, before the first is put,
 * and put in that order, so that no crash leaves bytes that nobody lists. Thread: any, one at a
 * time. */
typedef struct AmendmentBox AmendmentBox;

/* All borrowed. Names are relative to the session. */
typedef struct {
    const char *org, *session;
    uint32_t generation; /* of the envelope */
    GBytes *envelope;
    const char *object;
    GBytes *sealed;
    uint32_t part; /* of the manifest */
    GBytes *note;
} Amendment;

typedef struct {
    const char *folder; /* made if it is not there */
    ObjectStore *store;
    /* All three are in the store; on the thread of whoever asked. */
    void (*on_stored)(const Amendment *amendment, void *user_data);
    void *user_data;
} AmendmentBoxOptions;

/* `options`: what it points to is borrowed, but for the folder's name. Errors: IO, DENIED, FULL. */
AmendmentBox *amendment_box_open(const AmendmentBoxOptions *options,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps and puts it. Blocks.
 * `is_stored`: false if the store does not take it now; it is tried again by amendment_box_retry().
 * Errors: CONFLICT - somebody else amended the session meanwhile, nothing of this is kept; others -
 * it can not be kept. */
bool amendment_box_add(AmendmentBox *self, const Amendment *amendment, bool *is_stored,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tries what is kept. Returns: how many still wait. Blocks. */
unsigned amendment_box_retry(AmendmentBox *self);

/* NULL is allowed. */
void amendment_box_free(AmendmentBox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AmendmentBox, amendment_box_free)
