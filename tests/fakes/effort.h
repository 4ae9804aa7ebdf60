#pragma once

#include <glib.h>

/* Under a sanitizer everything takes many times as long, and what a test tries there it tries whole
 * in the plain build: one in `sanitized` of it will do.
 * Returns: 1, or `sanitized` there. */
static inline unsigned
effort_step(unsigned sanitized)
{
    return g_getenv("SEALTAPE_TEST_SANITIZED") != NULL ? sanitized : 1;
}
