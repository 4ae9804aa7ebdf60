#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* Pads of ours at both ends of a few elements, activated in push mode without pipeline, bus or
 * clock, and small things around buffers that both ends share. */

/* Makes an active source pad linked to `element`'s pad `pad_name` (requested if it is a template's
 * name), with stream-start, `caps` and an open time segment sent. Returns: owned by the caller;
 * NULL if refused. */
GstPad *media_pad_new_source(GstElement *element, const char *pad_name, const GstCaps *caps);

/* Sets a boolean property of the pad that `source` is linked to. */
void media_pad_set_peer_flag(GstPad *source, const char *property, bool value);

/* Makes an active sink pad linked behind `element`, that accepts `wanted` (NULL: anything).
 * `user_data` reaches `chain` and `on_event` through GST_PAD's element private. Returns: owned by
 * the caller. */
GstPad *media_pad_new_sink(GstElement *element, const char *wanted, GstPadChainFunction chain,
                           GstPadEventFunction on_event, void *user_data);

/* Makes an element that is not part of a bin. Errors: G_IO_ERROR_FAILED - it is missing. */
GstElement *media_pad_new_element(const char *factory_name,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Has the muxer `element` write `comment` (NULL: none) into the file, as its comment; before it
 * plays. */
void media_pad_set_comment(GstElement *element, const char *comment);

/* Stops `element` and drops it with its pads; NULL is allowed in each place. */
void media_pad_free(GstPad *source, GstElement *element, GstPad *sink);

/* Copies `bytes` into a buffer that is wiped when its last user lets go. */
GstBuffer *media_pad_new_buffer(const uint8_t *bytes, size_t n_bytes);

/* The same, with room behind for `n_room` more bytes. `start`: where the bytes lie, to be written
 * as long as nobody else has the buffer. */
GstBuffer *media_pad_new_roomy_buffer(const uint8_t *bytes, size_t n_bytes, size_t n_room,
                                      uint8_t **start);

/* Puts `bytes` behind those of such a buffer. Returns: false if there is no room. */
bool media_pad_extend_buffer(GstBuffer *buffer, uint8_t *start, const uint8_t *bytes,
                             size_t n_bytes) G_GNUC_WARN_UNUSED_RESULT;

/* Wipes what nobody else refers to, and drops it. */
void media_pad_wipe_buffer(GstBuffer *buffer);
