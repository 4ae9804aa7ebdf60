#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The recogniser that an organisation has its recordings written down by: a program of this host,
 * or an HTTP server. */
typedef struct TranscriptionSettings {
    GPtrArray
        *command;     /* transcription.command: char *, the program and its arguments; NULL: url */
    char *url;        /* transcription.url */
    char *token_path; /* transcription.token_file: sent as a bearer; NULL: none */
    char *ca_path;    /* transcription.ca_file: who vouches for the server; NULL: the system's */
    char *language;   /* transcription.language: takes the place of {language} */
    bool is_text;     /* transcription.format: plain text, not WebVTT */
    uint32_t timeout_s;      /* transcription.timeout_s: for one participant */
    uint32_t max_output_kib; /* transcription.max_output_kib: the same */
} TranscriptionSettings;

/* NULL is allowed. */
void transcription_settings_free(TranscriptionSettings *self);
