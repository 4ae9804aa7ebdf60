#include "agent/policy/access_rows.h"

#include <glib.h>

#define ALL_TRACKS (ACCESS_TRACKS_AUDIO | ACCESS_TRACKS_VIDEO | ACCESS_TRACKS_TEXT)
#define KEPT_APART (ACCESS_EVEN_QUARANTINED | ACCESS_EVEN_RESTRICTED)
#define CUSTODY    (ACCESS_OF_SESSION | ACCESS_IF_REASON | KEPT_APART)

/* All that anybody may do: what has no row here is forbidden. Codes are compared exactly. Media
 * kept apart after a withdrawal are the custodian's alone; what is only restricted may be seen in
 * an emergency as well. */
const AccessRow access_rows[] = {
    {ACCESS_ROLE_PROVIDER,    ACCESS_PLAY,            "TREAT",     ALL_TRACKS,          ACCESS_OF_SESSION | ACCESS_IF_OWN},
    {ACCESS_ROLE_PROVIDER,    ACCESS_PLAY,            "BTG",       ALL_TRACKS,
     ACCESS_OF_SESSION | ACCESS_IF_REASON | ACCESS_IF_FRESH_MFA | ACCESS_EVEN_RESTRICTED |
         ACCESS_IS_ALARMED                                                                                               },
    {ACCESS_ROLE_PROVIDER,    ACCESS_SETTINGS_READ,   NULL,        0,                   0                                },
    {ACCESS_ROLE_PROVIDER,    ACCESS_AUDIT_OWN,       NULL,        0,                   0                                },

    {ACCESS_ROLE_CLIENT,      ACCESS_PLAY,            "PATRQT",    ALL_TRACKS,
     ACCESS_OF_SESSION | ACCESS_IF_OWN | ACCESS_IF_RELEASED                                                              },
    {ACCESS_ROLE_CLIENT,      ACCESS_DISCLOSURES_OWN, NULL,        0,                   0                                },

    {ACCESS_ROLE_ADMIN,       ACCESS_SETTINGS_READ,   NULL,        0,                   0                                },
    {ACCESS_ROLE_ADMIN,       ACCESS_SETTINGS_CHANGE, NULL,        0,                   0                                },
    {ACCESS_ROLE_ADMIN,       ACCESS_AUDIT_COUNTS,    NULL,        0,                   0                                },

    {ACCESS_ROLE_AUDITOR,     ACCESS_SETTINGS_READ,   NULL,        0,                   0                                },
    {ACCESS_ROLE_AUDITOR,     ACCESS_HOLDS_READ,      NULL,        0,                   0                                },
    {ACCESS_ROLE_AUDITOR,     ACCESS_AUDIT_ALL,       NULL,        0,                   0                                },
    {ACCESS_ROLE_AUDITOR,     ACCESS_REVIEW,          NULL,        0,                   0                                },

    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "HOPERAT",   ALL_TRACKS,          CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "HLEGAL",    ALL_TRACKS,          CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "HCOMPL",    ALL_TRACKS,          CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "PATRQT",    ALL_TRACKS,          CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "RECORDMGT", ALL_TRACKS,          CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "HQUALIMP",  ALL_TRACKS,
     ACCESS_OF_SESSION | ACCESS_IF_REASON | ACCESS_IF_QUALITY                                                            },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_PLAY,            "TRAIN",     ALL_TRACKS,
     ACCESS_OF_SESSION | ACCESS_IF_REASON | ACCESS_IF_TRAINING                                                           },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_RELEASE,         NULL,        0,                   ACCESS_OF_SESSION                },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_SETTINGS_READ,   NULL,        0,                   0                                },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_HOLDS_READ,      NULL,        0,                   0                                },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_HOLD,            NULL,        0,                   CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_ERASE_REQUEST,   NULL,        0,                   CUSTODY                          },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_ERASE_APPROVE,   NULL,        0,
     CUSTODY | ACCESS_IF_NOT_HELD | ACCESS_IF_SECOND                                                                     },
    {ACCESS_ROLE_CUSTODIAN,   ACCESS_DISCLOSURES,     NULL,        0,                   0                                },

    {ACCESS_ROLE_TRANSCRIBER, ACCESS_PLAY,            "HOPERAT",   ACCESS_TRACKS_AUDIO,
     ACCESS_OF_SESSION | ACCESS_IF_TRANSCRIBE                                                                            },
};

const size_t access_n_rows = G_N_ELEMENTS(access_rows);
