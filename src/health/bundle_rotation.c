/*
 * The group and order of a log's parts, from the ways in which logs are rotated:
 *
 *     agent.log, agent.log.1, agent.log.2.gz      a higher number is older
 *     pcoiphostsw.0.log, pcoiphostsw.1.log        the same, before the suffix
 *     agent.log-20210324, catalina.2021-03-24.log a date, an earlier one is older
 *     SecurityGateway_20210324_10-11-12_3.log     a date, a time, then a number that rises
 *     pcoip_agent_2021_03_24_ab12cd34.txt         a date, then something random
 */
#include "health/bundle_private.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NEWEST UINT64_MAX
#define SEQUENCE_MAXIMUM 0xffff

static const char *const packed_suffixes[] = {".gz", ".bz2", ".xz", ".zst", ".zstd"};

static size_t without_packing(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(packed_suffixes) / sizeof(packed_suffixes[0]); i++) {
		size_t suffix = strlen(packed_suffixes[i]);
		if (length > suffix &&
			strncasecmp(name + length - suffix, packed_suffixes[i], suffix) == 0)
			return length - suffix;
	}
	return length;
}

/* Exactly `count` digits at `at`, as a number between the two; -1: no. */
static int digits(const char *name, size_t length, size_t at, size_t count, int least, int most)
{
	int value = 0;

	if (at > length || length - at < count)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if (!isdigit((unsigned char)name[i]))
			return -1;
		value = value * 10 + (name[i] - '0');
	}
	return value >= least && value <= most ? value : -1;
}

static bool is_separator(const char *name, size_t length, size_t at, const char *separators)
{
	return at < length && strchr(separators, name[at]) != NULL;
}

static bool digit_at(const char *name, size_t length, size_t at)
{
	return at < length && isdigit((unsigned char)name[at]);
}

/* A date at `at`: the bytes it takes, or 0. */
static size_t date_at(const char *name, size_t length, size_t at, uint64_t *ret_value)
{
	int year, month, day;
	size_t gap;

	if (at > 0 && digit_at(name, length, at - 1))
		return 0;
	year = digits(name, length, at, 4, 1990, 2199);
	gap = is_separator(name, length, at + 4, "-_.") ? 1 : 0;
	if (year < 0)
		return 0;
	month = digits(name, length, at + 4 + gap, 2, 1, 12);
	if (month < 0 || (gap == 1 && !is_separator(name, length, at + 7, "-_.")))
		return 0;
	day = digits(name, length, at + 6 + 2 * gap, 2, 1, 31);
	if (day < 0)
		return 0;
	*ret_value = (uint64_t)year * 10000 + (uint64_t)month * 100 + (uint64_t)day;
	return 8 + 2 * gap;
}

/* A time of day after a date, with what parts them: the bytes it takes, or 0. */
static size_t time_at(const char *name, size_t length, size_t at, uint64_t *ret_value)
{
	size_t start = at;
	int hour, minute, second;

	if (is_separator(name, length, at, "-_.T"))
		at++;
	hour = digits(name, length, at, 2, 0, 23);
	if (hour < 0)
		return 0;
	at += 2;
	if (is_separator(name, length, at, "-_.:"))
		at++;
	minute = digits(name, length, at, 2, 0, 59);
	if (minute < 0) {
		/* an hour alone, unless it begins something longer, such as 12ab34cd */
		if (at > length || at - start != 3 || name[at - 3] == '.')
			return 0;
		if (at < length && isalnum((unsigned char)name[at]))
			return 0;
		*ret_value = (uint64_t)hour * 10000;
		return at - start;
	}
	at += 2;
	second = -1;
	if (is_separator(name, length, at, "-_.:"))
		second = digits(name, length, at + 1, 2, 0, 60);
	if (second >= 0)
		at += 3;
	else if ((second = digits(name, length, at, 2, 0, 60)) >= 0)
		at += 2;
	else
		second = 0;
	if (is_separator(name, length, at, "Zz"))
		at++;
	if (at < length && isalnum((unsigned char)name[at]))
		return 0;
	*ret_value = (uint64_t)hour * 10000 + (uint64_t)minute * 100 + (uint64_t)second;
	return at - start;
}

/* After a date: "_3" is a number that rises, "_ab12cd34" is random. The bytes it takes, or 0. */
static size_t tail_at(const char *name, size_t length, size_t at, uint64_t *ret_sequence)
{
	size_t end = at + 1, letters = 0, beyond = 0;
	uint64_t value = 0;

	if (!is_separator(name, length, at, "-_."))
		return 0;
	for (; end < length && isalnum((unsigned char)name[end]); end++) {
		if (!isdigit((unsigned char)name[end]))
			letters++;
		else if (value <= SEQUENCE_MAXIMUM)
			value = value * 10 + (uint64_t)(name[end] - '0');
		beyond += !isxdigit((unsigned char)name[end]);
	}
	if (end == at + 1)
		return 0;
	if (letters == 0 && value <= SEQUENCE_MAXIMUM) {
		*ret_sequence = value;
		return end - at;
	}
	/* ".log" is no random part, and neither is a word */
	if (name[at] == '.' || (letters == end - at - 1 && beyond > 0 && letters != 8))
		return 0;
	return end - at <= 17 ? end - at : 0;
}

/* Finds a date and what belongs to it: the bytes they take and where, or 0. */
static size_t find_stamp(const char *name, size_t length, size_t *ret_at, uint64_t *ret_order)
{
	for (size_t at = 0; at + 8 <= length; at++) {
		uint64_t date = 0, time = 0, sequence = 0;
		size_t taken = date_at(name, length, at, &date);

		if (taken == 0)
			continue;
		size_t after = time_at(name, length, at + taken, &time);
		if (after == 0 && digit_at(name, length, at + taken))
			continue;
		taken += after;
		taken += tail_at(name, length, at + taken, &sequence);
		/* the separator before it goes with it */
		if (at > 0 && is_separator(name, length, at - 1, "-_. ")) {
			at--;
			taken++;
		}
		*ret_at = at;
		*ret_order = (date * 1000000 + time) * (SEQUENCE_MAXIMUM + 1) + sequence;
		return taken;
	}
	return 0;
}

/* A rotation number ".N" at the end or before the last suffix, or ".old": the bytes it takes and
 * where, or 0. */
static size_t find_number(const char *name, size_t length, size_t *ret_at, uint64_t *ret_order)
{
	size_t end = length, dot;
	int value;

	if (length > 4 && strncasecmp(name + length - 4, ".old", 4) == 0) {
		*ret_at = length - 4;
		*ret_order = NEWEST - 2;
		return 4;
	}
	if (!digit_at(name, length, length - 1)) {
		/* the number of an X server's display is no rotation */
		if (strncmp(name, "Xorg.", 5) == 0)
			return 0;
		while (end > 0 && name[end - 1] != '.')
			end--;
		if (end < 2)
			return 0;
		end--;
	}
	for (dot = end; dot > 0 && digit_at(name, length, dot - 1);)
		dot--;
	if (dot < 2 || dot == end || name[dot - 1] != '.' || end - dot > 6)
		return 0;
	/* 1.2.3 is a version */
	if (digit_at(name, length, dot - 2))
		return 0;
	value = digits(name, length, dot, end - dot, 0, 999999);
	*ret_at = dot - 1;
	*ret_order = NEWEST - 1 - (uint64_t)value;
	return end - dot + 1;
}

uint64_t bundle_rotation_group(const char *path, char *ret_group)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t folder = (size_t)(name - path);
	size_t length = without_packing(name, strlen(name));
	size_t at = 0, taken = 0;
	uint64_t order = NEWEST;

	if (length > 0) {
		taken = find_stamp(name, length, &at, &order);
		if (taken == 0)
			taken = find_number(name, length, &at, &order);
	}
	memcpy(ret_group, path, folder);
	memcpy(ret_group + folder, name, at);
	memcpy(ret_group + folder + at, name + at + taken, length - at - taken);
	ret_group[folder + length - taken] = '\0';
	return order;
}
