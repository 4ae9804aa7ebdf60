#pragma once

#include "agent/admin/custody.h"
#include "storage/durable_file.h"

#include <glib.h>
#include <stdbool.h>

/* What an `amend` leaves that was killed after its statement was put and before that was signed
 * for. That the statement is its own, and whose, stands in the audit log of this host, which is
 * durable before anything is put: a statement that it does not know is nobody's, and stays so. */

/* Waits until no other `amend` of `org` runs on this host: what lies there unsigned is then no work
 * under way. Returns: to be closed at the end, which a kill does too; -1: nothing of `org` was ever
 * told here, so nothing was put. */
Fd amend_resume_lock(const Custody *custody, const char *org);

/* Finds one of the session of `log`, all that was told of it. Returns: what is to be added to sign
 * for it, owned; NULL: none, or `error` is set. */
Annotation *amend_resume_find(CommandContext *context, const Custody *custody,
                              const AnnotationLog *log, GError **error);
