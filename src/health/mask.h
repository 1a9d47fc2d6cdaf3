/*
 * mask.h - users, hosts, addresses and MACs replaced, the same by the same, in every output.
 *
 * Names are learned from the report: captures of the types user, host and address, the fields of
 * broker messages that hold names, DOMAIN\user forms, and the MAC in session ids. Then every place
 * where one of them stands as a word, and everything that looks like an IPv4 or IPv6 address, a
 * MAC, or an e-mail address, is replaced: user-1, host-1, domain-1, 192.0.2.1, 2001:db8::1,
 * 02-00-00-00-00-01, in the order of appearance in the report, so that text, JSON and HTML of one
 * report agree. Public names of the vendor's licence and support services stay, as do 0.0.0.0,
 * 127.0.0.1, ::1, netmasks and ports.
 *
 * Upper and lower case are the same. Of ws-7.studio.example, ws-7 is a host and studio.example a
 * domain, so a host is the same with and without its domain; what stands before a known domain is a
 * host. Of two names that fit, the longer one is meant. Names of fewer than three characters, short
 * numbers, and words that every log is full of (server, admin ...) are replaced only where they are
 * the whole text, stand in quotes, beside a backslash, before an @, or after "user".
 */
#ifndef FAIRLEAD_HEALTH_MASK_H
#define FAIRLEAD_HEALTH_MASK_H

#include <stddef.h>

#include "health/report.h"

#define MASK_NAMES_MAXIMUM 262144 /* of a report; with more, every text is "(masked)" */

struct mask;

/* Learns from the whole report, paths too. NULL: memory is short. */
struct mask *mask_new(const struct report *report);
void mask_free(struct mask *mask);

/* The text with everything replaced; NULL mask: the text itself. Masking a masked text changes
 * nothing. A text so long that it may be cut loses its last word, which may be half a name. The
 * result is valid until the eighth further call with this mask. Never NULL: when memory is short,
 * "(masked)". */
const char *mask_text(const struct mask *mask, const char *text);

#endif
