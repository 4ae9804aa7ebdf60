#pragma once

#include <glib.h>
#include <stdbool.h>

/* One HTTP request as Signature Version 4 sees it, under S3's rules: the path is encoded once and
 * never normalised. What is signed and what is sent come from the same encoder, so that they can
 * not differ. Plain value; one thread. */
typedef struct {
    char *method;
    char *host; /* as in the Host header: with the port where it is not the scheme's own */
    char *path; /* decoded, starts with `/` */
    char *payload_sha256; /* lower-case hexadecimal */
    GPtrArray *query;     /* AwsField, decoded */
    GPtrArray *headers;   /* AwsField, names in lower case, without `host` */
} AwsRequest;

typedef struct {
    char *name;
    char *value;
} AwsField;

AwsRequest *aws_request_new(const char *method, const char *host, const char *path);

void aws_request_add_query(AwsRequest *self, const char *name, const char *value);

/* `name`: in any case. Adding one twice keeps both. */
void aws_request_add_header(AwsRequest *self, const char *name, const char *value);

/* Replaces every header of that name; `value` NULL only removes. */
void aws_request_set_header(AwsRequest *self, const char *name, const char *value);

/* Returns: the encoded path and query as they go on the wire, owned. */
char *aws_request_target(const AwsRequest *self);

/* Returns: the canonical request, owned. `signed_headers`: out, the list of signed names, owned.
 * Signed are host, content-md5, content-type, date, if-*, range and x-amz-*: nothing that libcurl
 * or a proxy may add or alter. */
char *aws_request_canonical(const AwsRequest *self, char **signed_headers);

/* Encodes every byte but the unreserved ones (RFC 3986), and `/` if `keep_slash`. Returns: owned.
 */
char *aws_request_encode(const char *text, bool keep_slash);

void aws_request_free(AwsRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsRequest, aws_request_free)
