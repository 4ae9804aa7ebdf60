#pragma once

/* Text from outside made fit for a format that can not hold any byte. Pure. */

/* Returns: `text` as UTF-8 in which every character may stand in XML 1.0 and JSON, owned; others
 * become U+FFFD. */
char *plain_text(const char *text);

/* Returns: `text` as printable ASCII without spaces, at most `n_most` of it, owned; `-` for none.
 * What a field of a syslog header may be (RFC 5424, section 6). */
char *plain_text_word(const char *text, unsigned n_most);
