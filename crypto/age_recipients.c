#include "crypto/age_recipients.h"

static void
on_recipient_free(gpointer recipient)
{
    age_recipient_free(recipient);
}

GPtrArray *
age_recipients_parse(const GPtrArray *texts, GError **error)
{
    g_autoptr(GPtrArray) recipients = g_ptr_array_new_with_free_func(on_recipient_free);

    for (guint i = 0; i < texts->len; i++) {
        AgeRecipient *recipient = age_recipient_parse(texts->pdata[i], error);

        if (recipient == NULL)
            return NULL;
        g_ptr_array_add(recipients, recipient);
    }
    return g_steal_pointer(&recipients);
}
