/* Forms of text that show a name. All texts are folded. */

#include <string.h>

#include "health/mask_private.h"

#define ELEMENT_MAXIMUM 32

struct form { /* what comes before a name */
	const char *text;
	enum mask_kind kind;
};

static bool comes(const char *folded, size_t length, size_t at, const char *text)
{
	size_t size = strlen(text);

	return length - at >= size && memcmp(folded + at, text, size) == 0;
}

/* The end of a value that begins at `at`: no further than the longest name. */
static size_t until(const char *folded, size_t length, size_t at, const char *stops)
{
	size_t most = length - at > MASK_NAME_MAXIMUM ? at + MASK_NAME_MAXIMUM : length;

	while (at < most && folded[at] != '\0' && strchr(stops, folded[at]) == NULL)
		at++;
	return at;
}

/* The fields of broker messages that hold names. */
bool mask_kind_of_element(const char *element, size_t length, enum mask_kind *ret_kind)
{
	static const struct form forms[] = {{"username", MASK_USER}, {"user", MASK_USER},
		{"domain", MASK_DOMAIN}, {"hostname", MASK_HOST}, {"host-name", MASK_HOST},
		{"client-name", MASK_HOST}, {"device-name", MASK_HOST},
		{"serial-number", MASK_HOST}, {"pcoip-unique-id", MASK_HOST},
		{"ip-address", MASK_IPV4}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strlen(forms[i].text) == length &&
			memcmp(forms[i].text, element, length) == 0) {
			*ret_kind = forms[i].kind;
			return true;
		}
	}
	return false;
}

/* <username>jane</username> */
static void learn_element(struct mask_names *names, const char *folded, size_t length, size_t at)
{
	size_t end = at + 1;
	enum mask_kind kind;

	while (end < length && end - at < ELEMENT_MAXIMUM &&
		((folded[end] >= 'a' && folded[end] <= 'z') || folded[end] == '-'))
		end++;
	if (end < length && folded[end] == '>' &&
		mask_kind_of_element(folded + at + 1, end - at - 1, &kind))
		mask_learn_folded(names, kind, folded + end + 1,
			until(folded, length, end + 1, "<") - end - 1);
}

/* "username: jane", "hostname=ws-7", "domain: studio" */
static void learn_labelled(struct mask_names *names, const char *folded, size_t length, size_t at)
{
	static const struct form forms[] = {{"username", MASK_USER}, {"user name", MASK_USER},
		{"user", MASK_USER}, {"logon name", MASK_USER}, {"domain", MASK_DOMAIN},
		{"hostname", MASK_HOST}, {"host name", MASK_HOST}, {"computer name", MASK_HOST},
		{"machine name", MASK_HOST}, {"fqdn", MASK_HOST}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t from = at + strlen(forms[i].text);

		if (!comes(folded, length, at, forms[i].text) || from >= length ||
			(folded[from] != ':' && folded[from] != '='))
			continue;
		from++;
		while (from < length && strchr(" '\"", folded[from]) != NULL)
			from++;
		mask_learn_folded(names, forms[i].kind, folded + from,
			until(folded, length, from, " ,;'\")]>\t") - from);
		return;
	}
}

/* /home/jane/, C:\Users\jane\, server.jane.log */
static void learn_path(struct mask_names *names, const char *folded, size_t length, size_t at)
{
	static const char *const homes[] = {"/home/", "/users/", "\\users\\"};
	static const char server[] = "server.";
	size_t end;

	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
		size_t from = at + strlen(homes[i]);

		if (!comes(folded, length, at, homes[i]))
			continue;
		end = until(folded, length, from, "/\\ '\"");
		if (end > from && !comes(folded, length, from, "public") &&
			!comes(folded, length, from, "shared"))
			mask_learn_folded(names, MASK_USER, folded + from, end - from);
	}
	if (comes(folded, length, at, server) && (at == 0 || folded[at - 1] == '/')) {
		const char *log;

		at += strlen(server);
		end = until(folded, length, at, "/ ");
		log = memmem(folded + at, end - at, ".log", 4);
		if (log != NULL &&
			strspn(folded + at, "0123456789") < (size_t)(log - (folded + at)))
			mask_learn_folded(
				names, MASK_USER, folded + at, (size_t)(log - (folded + at)));
	}
}

static bool part_of_name(const char *folded, size_t length, size_t at, size_t *ret_bytes)
{
	return mask_class(folded, length, at, ret_bytes) != MASK_OTHER ||
		(folded[at] != '\0' && strchr("._-", folded[at]) != NULL);
}

static size_t name_end(const char *folded, size_t length, size_t at)
{
	size_t bytes;

	while (at < length && part_of_name(folded, length, at, &bytes))
		at += bytes;
	return at;
}

static size_t name_begin(const char *folded, size_t length, size_t at)
{
	while (at > 0) {
		size_t first = at - 1;
		size_t bytes;

		while (first > 0 && at - first < 4 && ((unsigned char)folded[first] & 0xc0) == 0x80)
			first--;
		if (!part_of_name(folded, length, first, &bytes))
			break;
		at = first;
	}
	return at;
}

static bool is_file(const char *text, size_t length)
{
	static const char *const ends[] = {".log", ".txt", ".exe", ".dll", ".sys", ".gz", ".zip",
		".out", ".err", ".ini", ".conf", ".cfg", ".xml", ".json", ".yaml", ".dmp", ".ps1",
		".psm1", ".bat", ".cmd", ".msi", ".inf", ".cat", ".pdb", ".dat", ".tmp", ".pem",
		".crt", ".key", ".etl", ".evtx", ".png"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t size = strlen(ends[i]);

		if (length > size && memcmp(text + length - size, ends[i], size) == 0)
			return true;
	}
	return false;
}

/* The part of a path with a drive, whose folders may have blanks: "C:\Program Files\...". */
static bool in_path(const char *folded, size_t at)
{
	size_t from = at;

	while (from > 0 && at - from < MASK_NAME_MAXIMUM &&
		strchr("\"'<>|,;=(", folded[from]) == NULL)
		from--;
	return memmem(folded + from, at - from, ":\\", 2) != NULL;
}

/* STUDIO\jane (not a path), \\server\share. */
static size_t learn_backslash(
	struct mask_names *names, const char *folded, size_t length, size_t at)
{
	size_t begin = name_begin(folded, length, at);
	size_t from = at + 1;
	size_t end;

	if (from < length && folded[from] == '\\')
		from++;
	end = name_end(folded, length, from);
	if (end == from)
		return from;
	if (begin == at) {
		if (from == at + 2 && (at == 0 || folded[at - 1] != ':'))
			mask_learn_folded(names, MASK_HOST, folded + from, end - from);
		return end;
	}
	if ((begin > 0 && strchr("\\/:", folded[begin - 1]) != NULL) ||
		(end < length && strchr("\\/", folded[end]) != NULL) ||
		is_file(folded + from, end - from) || in_path(folded, begin))
		return end;
	mask_learn_folded(names, MASK_USER, folded + begin, end - begin);
	return end;
}

/* jane@studio.example */
static void learn_mail(struct mask_names *names, const char *folded, size_t length, size_t at)
{
	size_t begin = name_begin(folded, length, at);
	size_t end = name_end(folded, length, at + 1);

	while (end > at + 1 && folded[end - 1] == '.')
		end--;
	if (begin < at && memchr(folded + at, '.', end - at) != NULL)
		mask_learn_folded(names, MASK_USER, folded + begin, end - begin);
}

void mask_learn_text(struct mask_names *names, const char *folded, size_t length)
{
	size_t skip = 0; /* no backslash before this place is looked at again */

	for (size_t i = 0; i < length; i++) {
		struct mask_found found;

		switch (folded[i]) {
		case '<':
			learn_element(names, folded, length, i);
			break;
		case '\\':
			if (i >= skip)
				skip = learn_backslash(names, folded, length, i);
			learn_path(names, folded, length, i);
			break;
		case '/':
			learn_path(names, folded, length, i);
			break;
		case '@':
			learn_mail(names, folded, length, i);
			break;
		case 'u':
		case 'h':
		case 'd':
		case 'l':
		case 'c':
		case 'm':
		case 'f':
			if (mask_begins(folded, length, i))
				learn_labelled(names, folded, length, i);
			break;
		case 's':
			learn_path(names, folded, length, i);
			break;
		default:
			break;
		}
		if (mask_address(folded, length, i, &found) && !found.stays)
			mask_names_add(names, found.kind, found.text, strlen(found.text));
	}
}
