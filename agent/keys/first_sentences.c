#include "agent/keys/first_sentences.h"

#include <string.h>

void
first_sentences_add(GPtrArray *self, char *sentence, guint most)
{
    guint place = self->len;

    while (place > 0 && strcmp(sentence, self->pdata[place - 1]) < 0)
        place--;
    g_ptr_array_insert(self, (gint) place, sentence);
    if (self->len > most)
        g_ptr_array_set_size(self, (gint) most);
}
