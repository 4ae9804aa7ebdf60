#pragma once

#include "storage/aws_credentials.h"

#include <glib.h>

/* Credentials that end after some hours, from where the machine gets them. All block for some
 * seconds at most. Errors: TRANSIENT - not reached; DENIED - refused, or the answer holds none. */

/* The role of the EC2 instance, by its metadata service, version 2. `endpoint`: NULL for the
 * well-known one. */
AwsCredentials *aws_credentials_fetch_instance(const char *endpoint,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ECS tasks and EKS Pod Identity: `url` answers a GET with `token` (NULL: none) in its
 * Authorization header. https, this machine, or the well-known addresses only. */
AwsCredentials *aws_credentials_fetch_container(const char *url, const char *token,
                                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads the JSON that both answer with; `where` names it in an error. */
AwsCredentials *aws_credentials_fetch_parse(GBytes *answer, const char *where,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    const char *endpoint; /* of STS: https, or this machine */
    const char *role_arn;
    const char *session_name;
    const char *token; /* the web identity */
} AwsWebIdentity;

/* IRSA and other OpenID providers: exchanges a web identity for a role's credentials. */
AwsCredentials *aws_credentials_fetch_web_identity(const AwsWebIdentity *identity,
                                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
