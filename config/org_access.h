#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What an organisation's file says of who may open its recordings: local operators, the issuers
 * whose tokens count, and rules that narrow the table of roles (docs/access.md). */

typedef enum {
    ORG_RELEASE_NEVER,
    ORG_RELEASE_BY_HAND,
    ORG_RELEASE_ALWAYS,
} OrgRelease;

enum { ORG_N_ROLES = 6 };

/* A user of this host. `anna: provider custodian, owns every session`. */
typedef struct {
    char *user;
    char **roles;
    bool owns_every_session;
} OrgOperator;

/* One of an issuer's roles, and which one of ours it is: `doctor=provider`. */
typedef struct {
    char *value;
    char *role;
} OrgRoleName;

/* Whose tokens are believed, out of a file of its own. A claim's name may be a way into objects:
 * `extensions.ihe_iua.purpose_of_use`. */
typedef struct {
    char *path;
    char *issuer;         /* iss, exactly */
    GPtrArray *audiences; /* char *: any one of them */
    char *keys;           /* of its JWK set: an absolute path, or an https URL */
    char *ca_path;        /* who vouches for that URL; NULL: the system */
    char *org_claim;      /* that must be `org_value`; NULL: the issuer is this organisation's */
    char *org_value;
    char *subject_claim; /* sub: `<iss>|<sub>`; another one as it is, a URL of FHIR as `Type/id` */
    char *role_claim;
    GPtrArray *roles;      /* OrgRoleName */
    char *purpose_claim;   /* NULL: a token is for any purpose */
    GPtrArray *acr;        /* char *: a second factor by `acr` */
    GPtrArray *amr;        /* char *: or by one of `amr` */
    uint32_t leeway_s;     /* how far clocks may be apart */
    uint32_t keys_kept_s;  /* its keys are read again after so long, */
    uint32_t keys_again_s; /* at most this often, whoever shows an unknown key id, */
    uint32_t keys_away_s;  /* and count so long where they can not be read again */
} OrgIssuer;

typedef struct {
    GPtrArray *operators;    /* OrgOperator */
    GPtrArray *issuers;      /* OrgIssuer */
    GPtrArray *mfa_roles;    /* char *: who needs a second factor */
    bool operators_need_mfa; /* which the kernel can not tell of: shuts local operators out */
    uint32_t mfa_age_s;      /* how old it may be; 0: any age */
    uint32_t mfa_fresh_s;    /* the same for break-glass */
    OrgRelease release;
    GPtrArray *may[ORG_N_ROLES]; /* char *: what is left to each role, in the order of the names
                                  * below; NULL: all that the table allows */
    uint32_t start_s, most_s, idle_s, break_glass_s; /* of a grant */
} OrgAccess;

/* The names of roles, and of what they may do, NULL at the end. */
extern const char *const org_access_role_names[];
extern const char *const org_access_action_names[];

void org_access_free(OrgAccess *self);
