#pragma once

#include "agent/opener/caller.h"
#include "agent/opener/token.h"
#include "config/org_access.h"

#include <stdint.h>

/* What the claims of a genuine token say, to whom an organisation's settings believe them. Knows no
 * clock. */

/* Returns: the claim's text by its name, or by its way into objects (`a.b.c`), borrowed; NULL:
 * there is none, or it is no text. */
const char *token_claims_text(const json_t *claims, const char *name);

/* Whether these (not yet believed) claims are those of `issuer`, and of its organisation. */
bool token_claims_are_of(const json_t *claims, const OrgIssuer *issuer);

/* Reads who it is. `caller`: set, owned, if the token counts at `now_s` (Unix). */
TokenFault token_claims_read(const json_t *claims, const OrgIssuer *issuer, const char *org,
                             int64_t now_s, Caller **caller);
