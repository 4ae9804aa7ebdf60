#pragma once

#include <glib.h>

/* Keeps of many sentences the `most` first in byte order: what is printed does not hang on which of
 * several threads was faster. `self`: GPtrArray of char * (owned), in order. `sentence`: taken. */
void first_sentences_add(GPtrArray *self, char *sentence, guint most);
