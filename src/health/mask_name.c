/* The names that are known, and what stands for each. */

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/mask_private.h"

#define FIRST_NAMES 64
#define FIRST_SLOTS 256
#define START_SLOTS 16384
#define BYTES_MAXIMUM (256UL * 1024 * 1024)
#define WEAK_CHARACTERS 3
#define WEAK_DIGITS 5

int mask_names_init(struct mask_names *names)
{
	*names = (struct mask_names){.slot_count = FIRST_SLOTS, .start_count = START_SLOTS};
	names->arena = arena_new(BYTES_MAXIMUM);
	names->slots = calloc(names->slot_count, sizeof(*names->slots));
	names->starts = calloc(names->start_count, sizeof(*names->starts));
	/* Not secret, but not known before either: no input is made to fill one slot. */
	names->seed = (uint64_t)(uintptr_t)names->slots;
	if (names->arena != NULL && names->slots != NULL && names->starts != NULL)
		return 0;
	mask_names_free(names);
	return ERROR_MEMORY;
}

void mask_names_free(struct mask_names *names)
{
	arena_free(names->arena);
	free(names->names);
	free(names->slots);
	free(names->starts);
	*names = (struct mask_names){0};
}

static bool is_name(enum mask_kind kind)
{
	return kind == MASK_USER || kind == MASK_HOST || kind == MASK_DOMAIN;
}

/* ---- hashing ---- */

static uint64_t hash_byte(uint64_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * UINT64_C(0x100000001b3);
}

static uint64_t hash_begin(const struct mask_names *names, enum mask_kind kind)
{
	return (names->seed ^ UINT64_C(0xcbf29ce484222325)) + (is_name(kind) ? 0 : (uint64_t)kind);
}

static uint64_t hash_end(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static bool equals(
	const struct mask_name *name, enum mask_kind kind, const char *text, size_t length)
{
	if (name->length != length || memcmp(name->text, text, length) != 0)
		return false;
	return is_name(kind) ? is_name((enum mask_kind)name->kind) : name->kind == (uint8_t)kind;
}

static size_t find(const struct mask_names *names, uint64_t hash, enum mask_kind kind,
	const char *text, size_t length)
{
	size_t at = (size_t)hash & (names->slot_count - 1);

	for (; names->slots[at] != 0; at = (at + 1) & (names->slot_count - 1)) {
		if (equals(&names->names[names->slots[at] - 1], kind, text, length))
			return names->slots[at] - 1;
	}
	return SIZE_MAX;
}

static uint64_t hash_of(
	const struct mask_names *names, enum mask_kind kind, const char *text, size_t length)
{
	uint64_t hash = hash_begin(names, kind);

	for (size_t i = 0; i < length; i++)
		hash = hash_byte(hash, text[i]);
	return hash_end(hash);
}

size_t mask_names_find(
	const struct mask_names *names, enum mask_kind kind, const char *folded, size_t length)
{
	return find(names, hash_of(names, kind, folded, length), kind, folded, length);
}

static void put(struct mask_names *names, size_t number)
{
	const struct mask_name *name = &names->names[number];
	size_t at = (size_t)hash_of(names, (enum mask_kind)name->kind, name->text, name->length) &
		(names->slot_count - 1);

	while (names->slots[at] != 0)
		at = (at + 1) & (names->slot_count - 1);
	names->slots[at] = (uint32_t)number + 1;
}

static int grow(struct mask_names *names)
{
	size_t capacity = names->capacity > 0 ? names->capacity * 2 : FIRST_NAMES;
	struct mask_name *list = realloc(names->names, capacity * sizeof(*list));
	uint32_t *slots;

	if (list == NULL)
		return ERROR_MEMORY;
	names->names = list;
	names->capacity = capacity;
	if (capacity * 2 <= names->slot_count)
		return 0;
	slots = calloc(capacity * 2, sizeof(*slots));
	if (slots == NULL)
		return ERROR_MEMORY;
	free(names->slots);
	names->slots = slots;
	names->slot_count = capacity * 2;
	for (size_t i = 0; i < names->count; i++)
		put(names, i);
	return 0;
}

/* ---- words that every log is full of ---- */

static bool is_common(const char *text, size_t length)
{
	static const char *const words[] = {"access", "account", "active", "admin", "administrator",
		"agent", "all", "and", "app", "audio", "auth", "authentication", "broker", "client",
		"cloud", "code", "config", "connect", "connected", "connection", "corp", "debug",
		"default", "desktop", "device", "disconnect", "display", "domain", "driver", "end",
		"error", "failed", "fairlead", "file", "for", "from", "gateway", "get", "guest",
		"home", "host", "hostname", "http", "https", "image", "info", "internal", "invalid",
		"key", "keyboard", "lan", "launcher", "library", "license", "line", "linux", "list",
		"local", "log", "login", "logon", "logs", "mac", "main", "manager", "media",
		"message", "mode", "monitor", "mouse", "name", "net", "network", "new", "not",
		"open", "pcoip", "port", "process", "public", "received", "remote", "request",
		"resource", "response", "result", "root", "security", "send", "server", "service",
		"session", "set", "start", "state", "status", "stop", "success", "support",
		"system", "tcp", "text", "the", "thread", "time", "timeout", "type", "udp",
		"update", "usb", "user", "username", "users", "value", "version", "video",
		"warning", "was", "windows", "with", "workstation", "www", "xml", "zip"};
	size_t low = 0;
	size_t high = sizeof(words) / sizeof(words[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strncmp(words[middle], text, length);

		if (order == 0 && words[middle][length] == '\0')
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool is_weak(const char *text, size_t length)
{
	size_t characters = 0;
	bool digits = true;
	bool sign = false;
	size_t bytes;

	for (size_t i = 0; i < length; i += bytes) {
		sign = mask_class(text, length, i, &bytes) == MASK_SIGN || sign;
		digits = digits && text[i] >= '0' && text[i] <= '9';
		characters++;
	}
	/* Two characters of a script with thousands are a name already. */
	return characters < (sign ? WEAK_CHARACTERS - 1 : WEAK_CHARACTERS) ||
		(digits && characters < WEAK_DIGITS) || is_common(text, length);
}

/* ---- adding ---- */

static uint16_t *start_of(const struct mask_names *names, const char *folded, size_t at, size_t end)
{
	uint64_t hash = hash_of(names, MASK_USER, folded + at, end - at);

	return &names->starts[(size_t)hash & (names->start_count - 1)];
}

static size_t insert(struct mask_names *names, enum mask_kind kind, const char *folded,
	size_t length, bool issued)
{
	struct mask_name *name;
	uint16_t *start;
	char *text;

	if (names->lacking || names->count >= MASK_NAMES_MAXIMUM ||
		(names->count == names->capacity && grow(names) != 0))
		goto lacking;
	text = arena_copy(names->arena, folded, length);
	if (text == NULL)
		goto lacking;
	name = &names->names[names->count];
	*name = (struct mask_name){.text = text,
		.length = (uint16_t)length,
		.kind = (uint8_t)kind,
		.weak = !issued && is_name(kind) && is_weak(text, length),
		.issued = issued};
	put(names, names->count);
	if (is_name(kind)) {
		start = start_of(names, text, 0, mask_word(text, length, 0));
		if (*start < length)
			*start = (uint16_t)length;
	}
	return names->count++;
lacking:
	names->lacking = true;
	return SIZE_MAX;
}

size_t mask_names_add(
	struct mask_names *names, enum mask_kind kind, const char *folded, size_t length)
{
	size_t known;

	if (length > MASK_NAME_MAXIMUM)
		length = MASK_NAME_MAXIMUM;
	known = mask_names_find(names, kind, folded, length);
	return known != SIZE_MAX ? known : insert(names, kind, folded, length, false);
}

/* ---- finding ---- */

static bool ends_with(const char *folded, size_t at, const char *word)
{
	size_t length = strlen(word);

	return at >= length && memcmp(folded + at - length, word, length) == 0;
}

/* A sign that the word from `at` to `end` is meant as a name. */
static bool is_meant(const char *folded, size_t length, size_t at, size_t end)
{
	static const char *const before[] = {"user ", "user: ", "user:", "user=", "username ",
		"username: ", "username:", "username=", "user name: ", "user name ", "account ",
		"host ", "hostname: ", "hostname:", "hostname=", "\\", "'", "\"", "`", "‘", "“",
		"«"};

	if (at == 0 && end == length)
		return true;
	if (end < length && (folded[end] == '@' || folded[end] == '\\'))
		return true;
	if (at > 0 && folded[at - 1] == '>' && end < length && folded[end] == '<')
		return true;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		if (ends_with(folded, at, before[i]))
			return true;
	}
	return false;
}

size_t mask_names_match(const struct mask_names *names, const char *folded, size_t length,
	size_t at, size_t *ret_end)
{
	size_t end = mask_word(folded, length, at);
	size_t most = at + *start_of(names, folded, at, end);
	uint64_t hash = hash_begin(names, MASK_USER);
	size_t best = SIZE_MAX;
	size_t done = at;

	while (end <= most && end <= length) {
		size_t number;

		for (; done < end; done++)
			hash = hash_byte(hash, folded[done]);
		number = find(names, hash_end(hash), MASK_USER, folded + at, end - at);
		if (number != SIZE_MAX &&
			(!names->names[number].weak || is_meant(folded, length, at, end))) {
			best = number;
			*ret_end = end;
		}
		while (end < length && !mask_begins(folded, length, end)) {
			size_t bytes;

			mask_class(folded, length, end, &bytes);
			end += bytes;
		}
		if (end >= length)
			break;
		end = mask_word(folded, length, end);
	}
	return best;
}

/* ---- what stands for them ---- */

static void candidate(enum mask_kind kind, uint32_t number, char *text, size_t size)
{
	switch (kind) {
	case MASK_USER:
		snprintf(text, size, "user-%u", (unsigned)number);
		break;
	case MASK_HOST:
		snprintf(text, size, "host-%u", (unsigned)number);
		break;
	case MASK_DOMAIN:
		snprintf(text, size, "domain-%u", (unsigned)number);
		break;
	case MASK_IPV4:
		/* The addresses for documents first, then those for measurements. */
		if (number < 255)
			snprintf(text, size, "192.0.2.%u", (unsigned)number);
		else if (number < 131072)
			snprintf(text, size, "198.%u.%u.%u", 18 + (unsigned)(number >> 16 & 1),
				(unsigned)(number >> 8 & 0xff), (unsigned)(number & 0xff));
		else
			snprintf(text, size, "198.19.255.255");
		break;
	case MASK_IPV6:
		snprintf(text, size, "2001:db8::%x:%x", (unsigned)(number >> 16),
			(unsigned)(number & 0xffff));
		if (number <= 0xffff)
			snprintf(text, size, "2001:db8::%x", (unsigned)number);
		break;
	case MASK_MAC:
	case MASK_KINDS:
		snprintf(text, size, "020000%06x", (unsigned)number & 0xffffff);
		break;
	}
}

const char *mask_names_instead(struct mask_names *names, size_t number)
{
	static const char none[] = "(masked)";
	char text[64];
	size_t issued;
	enum mask_kind kind;

	if (names->names[number].same != 0)
		number = names->names[number].same - 1;
	if (names->names[number].issued)
		return names->names[number].text;
	if (names->names[number].instead != NULL)
		return names->names[number].instead;
	kind = (enum mask_kind)names->names[number].kind;
	do { /* a real name may look like what stands for one */
		candidate(kind, ++names->numbers[kind], text, sizeof(text));
		issued = mask_names_find(names, kind, text, strlen(text));
	} while (issued != SIZE_MAX && !names->names[issued].issued);
	if (issued == SIZE_MAX)
		issued = insert(names, kind, text, strlen(text), true);
	if (issued == SIZE_MAX)
		return none;
	names->names[number].instead = names->names[issued].text;
	return names->names[number].instead;
}
