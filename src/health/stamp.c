#include "health/stamp.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define SECOND INT64_C(1000000)
#define DAY_SECONDS 86400
#define FRACTION_DIGITS 9
#define UPTIME_DAY_DIGITS 7 /* 27,000 years */

struct reader {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* Exactly so many digits. */
static bool take_number(struct reader *reader, size_t digits, unsigned *ret_value)
{
	unsigned value = 0;

	if ((size_t)(reader->end - reader->at) < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (!is_digit(reader->at[i]))
			return false;
		value = value * 10 + (unsigned)(reader->at[i] - '0');
	}
	reader->at += digits;
	*ret_value = value;
	return true;
}

/* Days since 1970 of a date of the Gregorian calendar; the year begins in March, so that the
 * leap day is its last one. */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	*ret_day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
	*ret_year = year + era * 400 + (*ret_month <= 2);
}

static bool date_possible(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (year == 0 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return false;
	return month != 2 || day <= 28 || leap;
}

/* "-03-24" after the year, "/16" after the month: the rest of a date, year first. */
static bool take_date(struct reader *reader, char between, int64_t *ret_days)
{
	unsigned year, month, day;

	if (!take_number(reader, 4, &year) || !take(reader, between) ||
		!take_number(reader, 2, &month) || !take(reader, between) ||
		!take_number(reader, 2, &day) || !date_possible(year, month, day))
		return false;
	*ret_days = days_of_date(year, month, day);
	return true;
}

/* "12/02/2011," and "01/10/10": month first, as the vendor's programs write in any country. */
static bool take_date_month_first(struct reader *reader, int64_t *ret_days)
{
	unsigned year, month, day;

	if (!take_number(reader, 2, &month) || !take(reader, '/') ||
		!take_number(reader, 2, &day) || !take(reader, '/'))
		return false;
	if (!take_number(reader, 4, &year)) {
		if (!take_number(reader, 2, &year))
			return false;
		year += 2000;
	}
	if (!date_possible(year, month, day))
		return false;
	take(reader, ',');
	*ret_days = days_of_date(year, month, day);
	return true;
}

/* Digits beyond the sixth are more than a microsecond can say. */
static bool take_fraction(struct reader *reader, int64_t *time)
{
	int64_t value = 0, unit = SECOND;
	size_t digits = 0;

	while (reader->at < reader->end && is_digit(*reader->at)) {
		if (++digits > FRACTION_DIGITS)
			return false;
		if (unit > 1) {
			value = value * 10 + (*reader->at - '0');
			unit /= 10;
		}
		reader->at++;
	}
	*time += value * unit;
	return digits > 0;
}

/* "21:10:59.601", added to the time. */
static bool take_clock(struct reader *reader, int64_t *time)
{
	unsigned hour, minute, second;

	if (!take_number(reader, 2, &hour) || !take(reader, ':') ||
		!take_number(reader, 2, &minute) || !take(reader, ':') ||
		!take_number(reader, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	/* a leap second has no number of its own in this count */
	if (second == 60)
		second = 59;
	*time += (int64_t)(hour * 3600 + minute * 60 + second) * SECOND;
	if (reader->end - reader->at >= 2 && reader->at[0] == '.' && is_digit(reader->at[1])) {
		reader->at++;
		return take_fraction(reader, time);
	}
	return true;
}

/* "Z", "+05:30" or nothing. */
static bool take_zone(struct reader *reader, struct stamp *stamp)
{
	unsigned hour, minute;
	bool east = take(reader, '+');

	if (!east && !take(reader, '-')) {
		stamp->kind = take(reader, 'Z') ? STAMP_KIND_UTC : STAMP_KIND_LOCAL;
		return true;
	}
	if (!take_number(reader, 2, &hour))
		return false;
	take(reader, ':');
	if (!take_number(reader, 2, &minute) || hour > 23 || minute > 59)
		return false;
	int64_t offset = (int64_t)(hour * 60 + minute) * 60 * SECOND;
	stamp->time += east ? -offset : offset;
	stamp->kind = STAMP_KIND_OFFSET;
	return true;
}

static bool take_iso(struct reader *reader, struct stamp *stamp)
{
	int64_t days;

	if (!take_date(reader, '-', &days) || !(take(reader, 'T') || take(reader, ' ')))
		return false;
	stamp->time = days * DAY_SECONDS * SECOND;
	return take_clock(reader, &stamp->time) && take_zone(reader, stamp);
}

static bool take_slashes(struct reader *reader, bool month_first, struct stamp *stamp)
{
	int64_t days;

	if (!(month_first ? take_date_month_first(reader, &days) : take_date(reader, '/', &days)) ||
		!take(reader, ' '))
		return false;
	stamp->kind = STAMP_KIND_LOCAL;
	stamp->time = days * DAY_SECONDS * SECOND;
	return take_clock(reader, &stamp->time);
}

static bool take_uptime(struct reader *reader, struct stamp *stamp)
{
	int64_t days = 0;
	size_t digits = 0;

	while (reader->at < reader->end && is_digit(*reader->at)) {
		if (++digits > UPTIME_DAY_DIGITS)
			return false;
		days = days * 10 + (*reader->at - '0');
		reader->at++;
	}
	if (digits == 0 || !take(reader, 'd') || !take(reader, ','))
		return false;
	stamp->kind = STAMP_KIND_UPTIME;
	stamp->time = days * DAY_SECONDS * SECOND;
	return take_clock(reader, &stamp->time);
}

size_t stamp_read(const char *bytes, size_t length, struct stamp *ret_stamp)
{
	struct reader reader = {bytes, bytes + length};
	struct stamp stamp = {STAMP_KIND_NONE, 0};
	bool good;

	/* "0d,00:00:00" is the shortest */
	if (length < 11 || !is_digit(bytes[0]))
		return 0;
	if (bytes[4] == '-')
		good = take_iso(&reader, &stamp);
	else if (bytes[2] == '/' || bytes[4] == '/')
		good = take_slashes(&reader, bytes[2] == '/', &stamp);
	else
		good = take_uptime(&reader, &stamp);
	if (!good)
		return 0;
	*ret_stamp = stamp;
	return (size_t)(reader.at - bytes);
}

void stamp_print(int64_t time, enum stamp_kind kind, char text[STAMP_TEXT_SIZE])
{
	if (time == STAMP_NONE) {
		strcpy(text, "-");
		return;
	}
	int64_t days = time / (DAY_SECONDS * SECOND);
	int64_t rest = time % (DAY_SECONDS * SECOND);
	if (rest < 0) {
		rest += DAY_SECONDS * SECOND;
		days--;
	}
	int milliseconds = (int)(rest / 1000);
	int hour = milliseconds / 3600000, minute = milliseconds / 60000 % 60;
	int second = milliseconds / 1000 % 60;
	int length;

	if (kind == STAMP_KIND_UPTIME) {
		length = snprintf(text, STAMP_TEXT_SIZE, "%lldd %02d:%02d:%02d.%03d",
			(long long)days, hour, minute, second, milliseconds % 1000);
	} else {
		int64_t year;
		unsigned month, day;
		date_of_days(days, &year, &month, &day);
		length = snprintf(text, STAMP_TEXT_SIZE, "%04lld-%02u-%02uT%02d:%02d:%02d.%03d%s",
			(long long)year, month, day, hour, minute, second, milliseconds % 1000,
			kind == STAMP_KIND_LOCAL ? "" : "Z");
	}
	assert(length > 0 && length < STAMP_TEXT_SIZE);
}

int stamp_option(const char *text, int64_t *ret_time)
{
	size_t length = strlen(text);
	struct reader reader = {text, text + length};
	struct stamp stamp;
	int64_t days;

	if (length > 0 && stamp_read(text, length, &stamp) == length) {
		*ret_time = stamp.time;
		return 0;
	}
	if (!take_date(&reader, '-', &days) || reader.at != reader.end)
		return ERROR_INPUT;
	*ret_time = days * DAY_SECONDS * SECOND;
	return 0;
}
