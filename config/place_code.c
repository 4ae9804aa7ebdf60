#include "config/place_code.h"

#include <glib.h>
#include <string.h>

/* ISO 3166-1, as tzdata has it. */
static const char countries[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN "
    "BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ "
    "DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL "
    "GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM "
    "JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP "
    "NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD "
    "SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";

/* ISO 3166-2:US: states, the district, outlying areas. */
static const char us_states[] =
    "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP "
    "MS MT NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UM UT VA VI VT WA WI WV "
    "WY ";

/* Whether the `n` letters at `code` are one of the words of `list`, each `n` letters and a space.
 */
static bool
is_among(const char *code, size_t n, const char *list)
{
    for (const char *at = list; *at != '\0'; at += n + 1) {
        if (strncmp(at, code, n) == 0)
            return true;
    }
    return false;
}

bool
place_code_is_valid(const char *text)
{
    if (!g_regex_match_simple("^[A-Z]{2}(-[A-Z0-9]{1,3})?$", text, G_REGEX_DOLLAR_ENDONLY, 0) ||
        !is_among(text, 2, countries))
        return false;
    if (strncmp(text, "US-", 3) != 0)
        return true;
    return strlen(text) == 5 && is_among(text + 3, 2, us_states);
}
