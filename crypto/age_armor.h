#pragma once

#include "crypto/byte_stream.h"

/* ASCII armour of age files: strict PEM of type AGE ENCRYPTED FILE, base64 in lines of 64 columns,
 * as a layer between a file and AgeWriter or AgeReader. It authenticates nothing.
 * Thread: one at a time. */
typedef struct AgeArmorWriter AgeArmorWriter;
typedef struct AgeArmorReader AgeArmorReader;

#define AGE_ARMOR_BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define AGE_ARMOR_END   "-----END AGE ENCRYPTED FILE-----"

/* Returns: whether a file that begins with `bytes` is armoured: the marker, or white space that may
 * precede it. */
bool age_armor_begins(const uint8_t *bytes, size_t n_bytes);

/* Armours what is written into `sink`, which is borrowed with `sink_data` until _free. */
AgeArmorWriter *age_armor_writer_new(ByteSink sink, void *sink_data);

/* A ByteSink: `self` is an AgeArmorWriter. */
bool age_armor_writer_write(void *self, const uint8_t *bytes, size_t n_bytes, GError **error);

/* Writes the last line and the end marker. */
bool age_armor_writer_finish(AgeArmorWriter *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void age_armor_writer_free(AgeArmorWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeArmorWriter, age_armor_writer_free)

/* Takes the armour off what comes from `source`, borrowed with `source_data` until _free. */
AgeArmorReader *age_armor_reader_new(ByteSource source, void *source_data);

/* A ByteSource: `self` is an AgeArmorReader. Up to 1 KiB of white space may surround the armour;
 * lines end in LF or CR LF; nothing else is allowed to differ from what a writer writes.
 * Errors: MALFORMED - names the line. */
bool age_armor_reader_read(void *self, uint8_t *buffer, size_t n_bytes, size_t *n_read,
                           GError **error);
void age_armor_reader_free(AgeArmorReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AgeArmorReader, age_armor_reader_free)
