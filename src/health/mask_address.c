/* What looks like an address. All texts are folded. */

#include <arpa/inet.h>
#include <string.h>

#include "health/mask_private.h"
#include "health/session_id.h"

#define ID_VERSION 14
#define ID_NODE 24
#define MAC_DIGITS 12

static bool is_hex(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool all(const char *text, size_t length, const char *accept)
{
	return strspn(text, accept) >= length;
}

/* ---- hardware addresses ---- */

static void mac_found(struct mask_found *found, const char digits[MAC_DIGITS + 1])
{
	found->kind = MASK_MAC;
	memcpy(found->text, digits, MAC_DIGITS + 1);
	found->stays = all(digits, MAC_DIGITS, "0") || all(digits, MAC_DIGITS, "f");
}

/* The node of a time-based id; others hold no address. */
static bool id_at(const char *folded, size_t length, size_t at, struct mask_found *found)
{
	char digits[MAC_DIGITS + 1];
	struct session_id id;

	if (!session_id_read(folded + at, length - at, &id) ||
		!mask_ends(folded, length, at + SESSION_ID_TEXT))
		return false;
	memcpy(digits, folded + at + ID_NODE, MAC_DIGITS);
	digits[MAC_DIGITS] = '\0';
	mac_found(found, digits);
	found->stays = found->stays || folded[at + ID_VERSION] != '1';
	found->from = at + ID_NODE;
	found->end = at + SESSION_ID_TEXT;
	found->separator = 0;
	return true;
}

/* 5e:31:9a:04:7c:d2, with dashes too, or 5e31.9a04.7cd2. */
static bool mac_at(const char *folded, size_t length, size_t at, struct mask_found *found)
{
	char digits[MAC_DIGITS + 1];
	size_t group = at + 4 < length && folded[at + 4] == '.' ? 4 : 2;
	char separator = at + group < length ? folded[at + group] : '\0';
	size_t taken = 0;
	size_t i = at;

	if (separator != ':' && separator != '-' && separator != '.')
		return false;
	if ((group == 4) != (separator == '.'))
		return false;
	while (taken < MAC_DIGITS) {
		if (taken > 0 && taken % group == 0) {
			if (i >= length || folded[i] != separator)
				return false;
			i++;
		}
		for (size_t j = 0; j < group; j++, i++) {
			if (i >= length || !is_hex(folded[i]))
				return false;
			digits[taken++] = folded[i];
		}
	}
	digits[MAC_DIGITS] = '\0';
	/* Not the beginning, nor the end, of a longer row: a thumbprint. */
	if (!mask_ends(folded, length, i) ||
		(i + 1 < length && folded[i] == separator && is_hex(folded[i + 1])) ||
		(at > 1 && folded[at - 1] == separator && is_hex(folded[at - 2])))
		return false;
	mac_found(found, digits);
	found->from = at;
	found->end = i;
	found->separator = separator;
	return true;
}

/* ---- addresses of the Internet ---- */

static bool is_version(const char *folded, size_t at)
{
	static const char *const words[] = {
		"version ", "version: ", "version:", "version=", "release ", "build ", "driver "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if (at >= length && memcmp(folded + at - length, words[i], length) == 0)
			return true;
	}
	return false;
}

static bool ipv4_at(const char *folded, size_t length, size_t at, struct mask_found *found)
{
	size_t end = at;
	struct in_addr address;
	size_t dots = 0;

	while (end < length && end - at < sizeof("255.255.255.255") &&
		(is_digit(folded[end]) ||
			(folded[end] == '.' && dots < 3 && end + 1 < length &&
				is_digit(folded[end + 1])))) {
		dots += folded[end] == '.';
		end++;
	}
	if (dots != 3 || end - at >= INET_ADDRSTRLEN || !mask_ends(folded, length, end) ||
		(end + 1 < length && folded[end] == '.' && is_digit(folded[end + 1])) ||
		(at > 1 && folded[at - 1] == '.' && is_digit(folded[at - 2])) ||
		is_version(folded, at))
		return false;
	memcpy(found->text, folded + at, end - at);
	found->text[end - at] = '\0';
	if (inet_pton(AF_INET, found->text, &address) != 1)
		return false;
	found->kind = MASK_IPV4;
	found->from = at;
	found->end = end;
	found->stays = strncmp(found->text, "0.", 2) == 0 || strncmp(found->text, "127.", 4) == 0 ||
		strncmp(found->text, "255.", 4) == 0;
	return true;
}

static bool read_ipv6(const char *text, size_t length, struct in6_addr *address)
{
	char copy[INET6_ADDRSTRLEN];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(AF_INET6, copy, address) == 1;
}

/* An address may stand behind a label ("ip:2001:db8::7"), but not behind a group of its own. */
static bool is_inside(const char *folded, size_t length, size_t at)
{
	size_t from = at > 0 ? at - 1 : 0;
	bool hex = true;

	if (mask_follows(folded, length, at))
		return true;
	if (at == 0 || folded[at - 1] != ':')
		return false;
	if (folded[at] == ':' || (from > 0 && folded[from - 1] == ':'))
		return true;
	while (from > 0 && at - from <= 6 && mask_follows(folded, length, from)) {
		from--;
		hex = hex && is_hex(folded[from]);
	}
	return hex && from < at - 1 && at - 1 - from <= 4;
}

static bool ipv6_at(const char *folded, size_t length, size_t at, struct mask_found *found)
{
	struct in6_addr address;
	size_t colons = 0;
	size_t digits = 0;
	size_t end = at;

	if (is_inside(folded, length, at))
		return false;
	while (end < length && end - at <= INET6_ADDRSTRLEN &&
		(is_hex(folded[end]) || folded[end] == ':' || folded[end] == '.')) {
		colons += folded[end] == ':';
		digits += (size_t)is_digit(folded[end]);
		end++;
	}
	if (colons < 2 || digits == 0 || !mask_ends(folded, length, end))
		return false;
	while (end > at &&
		(folded[end - 1] == '.' ||
			(folded[end - 1] == ':' && (end - at < 2 || folded[end - 2] != ':'))))
		end--;
	if (!read_ipv6(folded + at, end - at, &address))
		return false;
	found->from = at;
	found->end = end;
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		const char *inner = memchr(folded + at, '.', end - at);

		if (inner != NULL) { /* ::ffff: stays, the address behind it is found by itself */
			found->stays = true;
			while (inner > folded + at && inner[-1] != ':')
				inner--;
			found->end = (size_t)(inner - folded);
			found->kind = MASK_IPV6;
			found->text[0] = '\0';
			return true;
		}
	}
	found->kind = MASK_IPV6;
	found->stays = IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address);
	return inet_ntop(AF_INET6, &address, found->text, sizeof(found->text)) != NULL;
}

bool mask_address(const char *folded, size_t length, size_t at, struct mask_found *ret_found)
{
	struct mask_found found = {0};
	bool word = mask_begins(folded, length, at);

	/* Most words are none of these: the first character decides. */
	if (!is_hex(folded[at]) && folded[at] != ':')
		return false;
	if ((word &&
		    (id_at(folded, length, at, &found) || mac_at(folded, length, at, &found) ||
			    ipv4_at(folded, length, at, &found))) ||
		ipv6_at(folded, length, at, &found)) {
		*ret_found = found;
		return true;
	}
	return false;
}
