#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Turns a session's opened tracks into one MP4 that plays everywhere: H.264 and AAC, decoded, put
 * together and encoded in memory. Where a participant has no picture there is a card that says why.
 * The output is plaintext by intent of who asked, written to a descriptor of theirs and nowhere
 * else. Memory does not grow with the length. The same recording gives the same file. */

typedef enum {
    LAYOUT_GRID,    /* everyone equally large, all sound mixed */
    LAYOUT_SPEAKER, /* who speaks is large, the others in a strip, all sound mixed */
    LAYOUT_TRACKS,  /* each track a stream of its own */
} LayoutKind;

/* A hole in a track, as the manifest tells of it. */
typedef struct {
    int64_t start_us;
    int64_t duration_us;
    const char *reason;
} LayoutGap;

/* A track as the manifest tells of it, recorded or not. */
typedef struct {
    const char *id;          /* the title of its inputs, of which there may be none */
    const char *participant; /* whose it is: an id, shown to nobody */
    const char *caption;     /* their role, shown */
    const GArray *gaps;      /* of LayoutGap, by their start */
    int64_t from_us;         /* from when to when its participant had it */
    int64_t until_us;
    bool is_video;
} LayoutTrack;

typedef struct {
    LayoutKind kind;
    const GArray *tracks; /* of LayoutTrack */
    const GArray *inputs; /* of ExporterInput, parts of a track in their order */
    int64_t from_us;      /* of the session's timeline; zero of the file */
    int64_t until_us;     /* after `from_us` */
    int fd;               /* borrowed; a regular file, open for reading too */
    const char *notice;   /* as ExporterOptions.notice */
    int64_t stall_us;     /* how long one call of a decoder may take; 0: a minute */
    /* `done_us` of the session's timeline is written; may be NULL; a thread of the exporter's. */
    void (*on_progress)(int64_t done_us, void *user_data);
    void *user_data;
} LayoutOptions;

/* Reads a layout's name: grid, speaker, tracks. */
bool layout_kind_parse(const char *name, LayoutKind *kind);

/* Runs to the end. Blocks. media_start() and media_start_layouts() came before.
 * Errors: what an input's read_next gave; G_IO_ERROR_NO_SPACE and other write failures;
 * G_IO_ERROR_NOT_SUPPORTED - no regular file; G_IO_ERROR_INVALID_DATA - not a segment;
 * G_IO_ERROR_TIMED_OUT - a decoder hangs (the sentence says of which track): the thread that called
 * it stays behind with all that it holds, so the program should end soon. */
bool layout_exporter_run(const LayoutOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
