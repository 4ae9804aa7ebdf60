#include "agent/recorder/participants.h"

#include "agent/recorder/participants_internal.h"
#include "agent/recorder/request_members.h"

#include <string.h>

#define MAX_PARTICIPANTS 256

static void
on_participant_free(gpointer participant)
{
    participant_free(participant);
}

Participants *
participants_new(void)
{
    Participants *self = g_new0(Participants, 1);

    self->present = g_ptr_array_new_with_free_func(on_participant_free);
    self->left = g_ptr_array_new_with_free_func(on_participant_free);
    return self;
}

/* Returns: the place of `id` in a list; its length if it is not there. */
static guint
place_of(const GPtrArray *list, const char *id)
{
    guint i = 0;

    while (i < list->len && strcmp(((const Participant *) list->pdata[i])->id, id) != 0)
        i++;
    return i;
}

Participant *
participants_find(const Participants *self, const char *id)
{
    const guint place = place_of(self->present, id);

    return place < self->present->len ? self->present->pdata[place] : NULL;
}

/* Who comes back is present, and not one who left. */
static void
welcome_back(Participants *self, Participant *participant)
{
    const guint place = place_of(self->left, participant->id);

    if (place == self->left->len)
        return;
    minor_facts_inherit(&participant->minor,
                        &((const Participant *) self->left->pdata[place])->minor);
    g_ptr_array_remove_index(self->left, place);
}

char *
participants_add(Participants *self, const json_t *form)
{
    char *fault = NULL;
    g_autoptr(Participant) participant = participant_parse(form, &fault);

    if (participant == NULL)
        return fault;
    if (participants_find(self, participant->id) != NULL)
        return g_strdup_printf("participant %s is there already", participant->id);
    if (self->present->len >= MAX_PARTICIPANTS)
        return g_strdup_printf("a session has at most %d participants", MAX_PARTICIPANTS);
    welcome_back(self, participant);
    g_ptr_array_add(self->present, g_steal_pointer(&participant));
    return NULL;
}

char *
participants_add_consent(Participants *self, const json_t *form)
{
    char *fault = NULL;
    g_autofree char *id = request_members_id(form, "participant", &fault);
    Participant *participant = id != NULL ? participants_find(self, id) : NULL;

    if (fault != NULL)
        return fault;
    if (participant == NULL)
        return g_strdup_printf("there is no participant %s in this session", id);
    return participant_add_consent(participant, form);
}

/* Returns: the place of who is forgotten first of too many who left: not one of whom the recording
 * must go on saying that a guardian may not have it. */
static guint
first_to_forget(const GPtrArray *left)
{
    guint i = 0;

    while (i < left->len && minor_facts_is_alone(&((const Participant *) left->pdata[i])->minor))
        i++;
    return i < left->len ? i : 0;
}

bool
participants_remove(Participants *self, const char *id)
{
    const guint place = place_of(self->present, id);

    if (place == self->present->len)
        return false;
    if (self->left->len == MAX_PARTICIPANTS)
        g_ptr_array_remove_index(self->left, first_to_forget(self->left));
    g_ptr_array_add(self->left, g_ptr_array_steal_index(self->present, place));
    return true;
}

unsigned
participants_count(const Participants *self)
{
    return self->present->len;
}

bool
participants_contain(const Participants *self, const char *id)
{
    return participants_find(self, id) != NULL;
}

json_t *
participants_to_json(const Participants *self)
{
    json_t *list = json_array();

    for (guint i = 0; i < self->present->len; i++)
        json_array_append_new(list, participant_to_json(g_ptr_array_index(self->present, i)));
    for (guint i = 0; i < self->left->len; i++) {
        json_t *one = participant_to_json(g_ptr_array_index(self->left, i));

        json_object_set_new(one, "left", json_true());
        json_array_append_new(list, one);
    }
    return list;
}

void
participants_free(Participants *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->present);
    g_ptr_array_unref(self->left);
    g_free(self);
}
