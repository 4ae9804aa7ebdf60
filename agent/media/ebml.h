#pragma once

#include <glib.h>
#include <stdint.h>

/* Puts elements of EBML (RFC 8794) behind what is in `out`. `id`: with its length marker. */

/* An element's id and length, whose content the caller writes. */
void ebml_put_head(GByteArray *out, uint32_t id, uint64_t n_bytes);

/* As short as the number allows. */
void ebml_put_uint(GByteArray *out, uint32_t id, uint64_t value);

/* Always eight bytes, so that another number can take its place. */
void ebml_put_long(GByteArray *out, uint32_t id, uint64_t value);
void ebml_put_float(GByteArray *out, uint32_t id, double value);
void ebml_put_text(GByteArray *out, uint32_t id, const char *text);
void ebml_put_bytes(GByteArray *out, uint32_t id, const uint8_t *bytes, size_t n_bytes);

/* `content` is taken: the elements within. */
void ebml_put_master(GByteArray *out, uint32_t id, GByteArray *content);

/* Writes `value` into `n_bytes` bytes, most significant first. */
void ebml_write_number(uint8_t *bytes, size_t n_bytes, uint64_t value);
