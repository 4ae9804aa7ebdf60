#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A share of a file system that is to stay free: `5%`, or `500M`, `20G` (powers of 1024). */
typedef struct {
    uint64_t bytes; /* 0 where it is a share */
    uint32_t percent;
} FreeSpace;

/* Returns: false for anything but 1% to 90%, or 1M to 1024T. */
bool free_space_parse(FreeSpace *self, const char *text);

/* The same, for a table of settings. */
bool free_space_is_valid(const char *text);

/* recorder.spool_free: how little room on the spool's disk means what. One unit, falling. */
typedef struct {
    FreeSpace warn, refuse, critical;
} SpoolFreeSettings;
