#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* A Janus for tests: a real HTTP server on loopback that speaks as the gateway does (answers
 * recorded from one), or says on command what none should, or nothing at all. Its loop is the
 * test's own. All assert. */
typedef struct JanusFake JanusFake;

JanusFake *janus_fake_new(void);

/* Returns: http://127.0.0.1:<port>/janus, borrowed; the port stays over a restart. */
const char *janus_fake_url(const JanusFake *self);

/* It is gone with all its sessions, and there again. */
void janus_fake_stop(JanusFake *self);
void janus_fake_start(JanusFake *self);

/* What `word` is answered from now on: a kind of message (create, attach, destroy), the request of
 * one to the plugin (join, ...), or `poll`. In `text`, `%T` is the transaction, `%H` the handle,
 * `%P` the port of the first stream to be forwarded. NULL: as a Janus does. */
void janus_fake_script(JanusFake *self, const char *word, const char *text);

/* `word` is never answered from now on. */
void janus_fake_hang(JanusFake *self, const char *word);

/* What the plugin acknowledges first and answers by an event, as joining is; `data`: the event's.
 */
void janus_fake_answer_late(JanusFake *self, const char *word, const char *data);

/* Tells all who poll an event of the plugin with this data, or, `is_whole`, this very text. */
void janus_fake_tell(JanusFake *self, const char *text, bool is_whole);

/* How often `word` was asked. */
unsigned janus_fake_count(const JanusFake *self, const char *word);

/* Returns: member `name` of the last message with `word` (of its body, where it has one; of a poll:
 * `apisecret`), as text, owned; NULL: there was none. */
char *janus_fake_last(const JanusFake *self, const char *word, const char *name);

void janus_fake_free(JanusFake *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JanusFake, janus_fake_free)
