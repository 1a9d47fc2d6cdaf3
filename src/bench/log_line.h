/*
 * log_line.h - lines of made-up logs, written fast: templates, a clock, random numbers.
 *
 * A template is the text of a line with places that are different each time:
 *
 *     {a-b}    a whole number from a to b (0 to 4,000,000,000); {a-b:w} right-aligned in w columns
 *     {a-b.d}  the same with d (1 to 6) random decimals
 *     {x4}     so many (1 to 16) digits of upper-case hexadecimal; {h8}: lower-case
 *     {c2}     counter 2 (0 to 5) of the session, six digits at least
 *     {loss}   a share of lost packets in per cent: mostly 0.00
 */
#ifndef FAIRLEAD_BENCH_LOG_LINE_H
#define FAIRLEAD_BENCH_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "health/session_id.h"

#define LOG_LINE_MAXIMUM 1024 /* bytes of a line of any template */
#define LOG_TEMPLATE_PIECES 24
#define LOG_COUNTERS 6
#define LOG_CLOCK_TEXT 24 /* "2024-01-08T08:00:00.000Z", without NUL */

/* The same seed gives the same numbers on every machine. */
struct log_random {
	uint64_t state;
};

uint64_t log_random_next(struct log_random *random);

/* From 0 to count - 1; count is not 0. */
uint32_t log_random_below(struct log_random *random, uint32_t count);

struct log_clock {
	int64_t time;   /* milliseconds since 1970 */
	int64_t second; /* that the text shows */
	char text[LOG_CLOCK_TEXT];
};

void log_clock_set(struct log_clock *clock, int64_t milliseconds);
void log_clock_add(struct log_clock *clock, int64_t milliseconds);

struct log_piece {
	const char *literal; /* before the place */
	uint16_t literal_length;
	uint8_t kind, width; /* width: columns, digits, decimals or the counter's number */
	uint32_t least, count;
};

struct log_template {
	char head[48]; /* " > LVL:2 RC:   0           AGENT :" */
	size_t head_length, piece_count;
	struct log_piece pieces[LOG_TEMPLATE_PIECES];
};

/* The text outlives the template. It is one of ours: a fault in it is an assertion. */
void log_template_read(struct log_template *ret_template, int level, int code,
	const char *component, const char *text);

/* Writes a line with its end at `out`, where LOG_LINE_MAXIMUM bytes fit; returns where it ends. */
char *log_template_write(const struct log_template *template, const struct log_clock *clock,
	const char id[SESSION_ID_TEXT], const uint32_t counters[LOG_COUNTERS],
	struct log_random *random, char *out);

#endif
