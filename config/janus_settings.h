#pragma once

/* The Janus whose rooms sessions may follow. Its secrets stay in files until they are used. */
typedef struct {
    char *url;             /* janus.url: of its HTTP API */
    char *rtp_host;        /* janus.rtp_host: where it is to send to; recorder.rtp.address */
    char *ca_path;         /* janus.ca_file: who vouches for an https URL; NULL: the system */
    char *api_secret_path; /* janus.api_secret_file; NULL: none, as the others */
    char *room_secret_path;
    char *room_pin_path;
    char *admin_key_path;
} JanusSettings;
