/* What is in a value that is a name, and which values of a report are names. */

#include <string.h>

#include "health/mask_private.h"

/* ---- values ---- */

/* A host below this name is public: the vendor's services. */
static bool is_public(const char *folded, size_t length)
{
	static const char *const names[] = {"teradici.com", "flexnetoperations.com",
		"flexnetoperations.eu", "anyware.hp.com", "support.hp.com", "amazontrust.com",
		"microsoft.com", "w3.org"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t size = strlen(names[i]);

		if (length >= size && memcmp(folded + length - size, names[i], size) == 0 &&
			(length == size || folded[length - size - 1] == '.'))
			return true;
	}
	return false;
}

static bool is_nobody(const char *folded, size_t length)
{
	static const char *const words[] = {"localhost", "unknown", "none", "null", "na", "default",
		"true", "false", "localdomain", "nil", "empty", "masked"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == length && memcmp(words[i], folded, length) == 0)
			return true;
	}
	return false;
}

/* Without what is no part of a word at both ends. */
static void trim(const char **text, size_t *length)
{
	while (*length > 0 && mask_word(*text, *length, 0) == 0) {
		size_t bytes;

		mask_class(*text, *length, 0, &bytes);
		*text += bytes;
		*length -= bytes;
	}
	while (*length > 0) {
		size_t last = *length - 1;
		size_t bytes;

		while (last > 0 && ((unsigned char)(*text)[last] & 0xc0) == 0x80)
			last--;
		if (mask_class(*text, *length, last, &bytes) != MASK_OTHER)
			break;
		*length = last;
	}
}

/* An address, and behind it a port, a prefix, or whatever is no part of a name. */
static bool is_address(const char *text, size_t length)
{
	struct mask_found found;

	return length > 0 && mask_address(text, length, 0, &found) &&
		!(found.end + 1 < length && (text[found.end] == '.' || text[found.end] == '-') &&
			mask_begins(text, length, found.end + 1));
}

static void learn_name(
	struct mask_names *names, enum mask_kind kind, const char *text, size_t length)
{
	trim(&text, &length);
	if (length == 0 || is_nobody(text, length) || is_address(text, length))
		return;
	mask_names_add(names, kind, text, length);
}

static const char *last_dot(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] != '.')
		length--;
	return length > 0 ? text + length - 1 : NULL;
}

/* "studio.example": the name itself, those above it, and its first part, which is the form before a
 * backslash and means the same. A single "local" or "example" says nothing. */
static void learn_domain(struct mask_names *names, const char *text, size_t length)
{
	const char *dot;

	trim(&text, &length);
	dot = last_dot(text, length);
	if (length > MASK_NAME_MAXIMUM || is_public(text, length) ||
		(dot != NULL && dot[1] >= '0' && dot[1] <= '9')) /* no name ends so: a version */
		return;
	for (; (dot = memchr(text, '.', length)) != NULL;
		length -= (size_t)(dot + 1 - text), text = dot + 1) {
		size_t whole = mask_names_add(names, MASK_DOMAIN, text, length);
		size_t first;

		if (last_dot(text, length) != dot)
			continue;
		first = mask_names_add(names, MASK_DOMAIN, text, (size_t)(dot - text));
		if (whole != SIZE_MAX && first != SIZE_MAX && first != whole &&
			names->names[first].kind == MASK_DOMAIN && names->names[first].same == 0)
			names->names[whole].same = (uint32_t)first + 1;
	}
}

static void learn_user(struct mask_names *names, const char *text, size_t length)
{
	const char *slash = memchr(text, '\\', length);
	const char *at = memrchr(text, '@', length);

	if (slash != NULL) {
		size_t before = (size_t)(slash - text);

		if (memchr(text, '.', before) != NULL)
			learn_domain(names, text, before);
		else
			learn_name(names, MASK_DOMAIN, text, before);
		while (slash + 1 < text + length && slash[1] == '\\')
			slash++;
		learn_user(names, slash + 1, length - (size_t)(slash + 1 - text));
		return;
	}
	if (at != NULL && at > text) {
		if (memchr(at, '.', length - (size_t)(at - text)) != NULL)
			learn_domain(names, at + 1, length - (size_t)(at + 1 - text));
		else
			learn_name(names, MASK_DOMAIN, at + 1, length - (size_t)(at + 1 - text));
		length = (size_t)(at - text);
	}
	learn_name(names, MASK_USER, text, length);
}

static void learn_host(struct mask_names *names, const char *text, size_t length)
{
	const char *scheme = memmem(text, length, "://", 3);
	const char *dot;
	size_t end = 0;

	if (scheme != NULL) {
		length -= (size_t)(scheme + 3 - text);
		text = scheme + 3;
	}
	trim(&text, &length);
	while (end < length && text[end] != ':' && text[end] != '/' && text[end] != ' ')
		end++;
	if (is_address(text, length) || is_public(text, end))
		return;
	if (memchr(text, '@', end) != NULL) {
		learn_user(names, text, end);
		return;
	}
	dot = memchr(text, '.', end);
	if (dot == NULL) {
		learn_name(names, MASK_HOST, text, end);
		return;
	}
	learn_name(names, MASK_HOST, text, (size_t)(dot - text));
	if (last_dot(text, end) != dot)
		learn_domain(names, dot + 1, end - (size_t)(dot + 1 - text));
}

void mask_learn_folded(
	struct mask_names *names, enum mask_kind kind, const char *text, size_t length)
{
	switch (kind) {
	case MASK_USER:
		learn_user(names, text, length);
		break;
	case MASK_DOMAIN:
		if (memchr(text, '.', length) != NULL)
			learn_domain(names, text, length);
		else
			learn_name(names, MASK_DOMAIN, text, length);
		break;
	case MASK_HOST:
		learn_host(names, text, length);
		break;
	case MASK_IPV4:
	case MASK_IPV6:
	case MASK_MAC:
	case MASK_KINDS:
		/* A field for addresses may hold a name. */
		if (!is_address(text, length))
			learn_host(names, text, length);
		break;
	}
}

void mask_learn_value(
	struct mask_names *names, enum mask_kind kind, const char *value, size_t length)
{
	char folded[2 * MASK_NAME_MAXIMUM];

	if (length > sizeof(folded))
		length = sizeof(folded);
	memcpy(folded, value, length);
	mask_fold(folded, length);
	mask_learn_folded(names, kind, folded, length);
}

/* ---- the report ---- */

static bool kind_of_type(enum template_type type, enum mask_kind *ret_kind)
{
	switch (type) {
	case TEMPLATE_USER:
		*ret_kind = MASK_USER;
		return true;
	case TEMPLATE_HOST:
		*ret_kind = MASK_HOST;
		return true;
	case TEMPLATE_ADDRESS:
		*ret_kind = MASK_IPV4;
		return true;
	case TEMPLATE_TEXT:
	case TEMPLATE_NUMBER:
	case TEMPLATE_HEX:
	case TEMPLATE_WORD:
		break;
	}
	return false;
}

/* A domain stands where a host may stand: only its name in the rule tells. */
static enum mask_kind kind_by_name(const char *name, enum mask_kind kind)
{
	if (strstr(name, "domain") != NULL)
		return MASK_DOMAIN;
	return kind;
}

static void learn_sighting(
	struct mask_names *names, const struct store *store, const struct sighting *sighting)
{
	const struct rule_pattern *pattern = store->book->patterns[sighting->pattern];
	size_t count = template_captures(pattern->template);

	for (size_t i = 0; i < count; i++) {
		const struct capture *capture = &sighting->captures[i];
		enum template_type type = template_type(pattern->template, i);
		enum mask_kind kind;

		if (kind_of_type(type, &kind) ||
			(type != TEMPLATE_NUMBER && pattern->xml_element != NULL &&
				mask_kind_of_element(
					pattern->xml_element, strlen(pattern->xml_element), &kind)))
			mask_learn_value(names,
				kind_by_name(template_name(pattern->template, i), kind),
				sighting->matched + capture->at, capture->length);
	}
}

static void learn_data(struct mask_names *names, const struct report_data *data)
{
	enum mask_kind kind = MASK_HOST;

	if (strstr(data->name, "user") != NULL || strstr(data->name, "account") != NULL)
		kind = MASK_USER;
	mask_learn_value(names, kind_by_name(data->name, kind), data->value, strlen(data->value));
}

void mask_learn_report(struct mask_names *names, const struct report *report)
{
	const struct store *store = report->store;

	for (size_t i = 0; i < store->sighting_count; i++)
		learn_sighting(names, store, &store->sightings[i]);
	for (size_t i = 0; i <= report->session_count; i++) {
		const struct report_session *session =
			i < report->session_count ? &report->sessions[i] : &report->host;

		for (size_t j = 0; j < session->finding_count; j++) {
			const struct finding *finding = &session->findings[j];

			for (size_t k = 0; k < finding->data_count; k++) {
				if (finding->data[k].mask)
					learn_data(names, &finding->data[k]);
			}
		}
	}
}
