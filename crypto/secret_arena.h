#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The locked memory in which every Secret lives: one mapping between two guard pages, cut into
 * slots of a few sizes. It is locked whole and once, so that taking a slot can fail only because
 * all are taken, and fits the usual RLIMIT_MEMLOCK of 8 MiB several times. Thread: any; it has its
 * own lock. */

/* The largest slot: an envelope's identity file, about 800 keys. */
#define SECRET_ARENA_MAX_BYTES 65536

/* Maps and locks; true at once if that is already done. Errors: NO_LOCKED_MEMORY. */
bool secret_arena_start(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns: `n_bytes` (> 0) zero bytes, until secret_arena_give_back(). Errors: NO_LOCKED_MEMORY. */
uint8_t *secret_arena_take(size_t n_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes the slot; ends the program if something was written past its end. */
void secret_arena_give_back(uint8_t *bytes);
