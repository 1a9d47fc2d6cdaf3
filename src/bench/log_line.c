#include "bench/log_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "health/stamp.h"

enum piece_kind {
	PIECE_END, /* nothing but a literal */
	PIECE_NUMBER,
	PIECE_DECIMAL,
	PIECE_HEX_UPPER,
	PIECE_HEX_LOWER,
	PIECE_COUNTER,
	PIECE_LOSS,
};

#define PIECE_MAXIMUM 20 /* bytes of what stands in one place */
#define COUNTER_WIDTH 6

static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

/* splitmix64 */
uint64_t log_random_next(struct log_random *random)
{
	uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

uint32_t log_random_below(struct log_random *random, uint32_t count)
{
	return (uint32_t)((log_random_next(random) >> 32) * count >> 32);
}

void log_clock_set(struct log_clock *clock, int64_t milliseconds)
{
	int64_t second = milliseconds / 1000;
	unsigned rest = (unsigned)(milliseconds % 1000);
	char text[STAMP_TEXT_SIZE];

	clock->time = milliseconds;
	if (second != clock->second) {
		stamp_print(second * 1000000, STAMP_KIND_UTC, text);
		memcpy(clock->text, text, sizeof(clock->text));
		clock->second = second;
	}
	clock->text[20] = (char)('0' + rest / 100);
	clock->text[21] = (char)('0' + rest / 10 % 10);
	clock->text[22] = (char)('0' + rest % 10);
}

void log_clock_add(struct log_clock *clock, int64_t milliseconds)
{
	log_clock_set(clock, clock->time + milliseconds);
}

/* --- reading --- */

static const char *read_number(const char *at, uint32_t *ret_value)
{
	uint32_t value = 0;

	assert(*at >= '0' && *at <= '9');
	while (*at >= '0' && *at <= '9')
		value = value * 10 + (uint32_t)(*at++ - '0');
	*ret_value = value;
	return at;
}

static const char *read_width(const char *at, uint32_t least, uint32_t most, uint8_t *ret_width)
{
	uint32_t width;

	at = read_number(at, &width);
	assert(width >= least && width <= most);
	*ret_width = (uint8_t)width;
	return at;
}

/* What stands between the braces; returns what follows them. */
static const char *read_place(const char *at, struct log_piece *piece)
{
	uint32_t most;

	if (*at == 'x' || *at == 'h') {
		piece->kind = *at == 'x' ? PIECE_HEX_UPPER : PIECE_HEX_LOWER;
		at = read_width(at + 1, 1, 16, &piece->width);
	} else if (*at == 'c') {
		piece->kind = PIECE_COUNTER;
		at = read_width(at + 1, 0, LOG_COUNTERS - 1, &piece->width);
	} else if (strncmp(at, "loss", 4) == 0) {
		piece->kind = PIECE_LOSS;
		at += 4;
	} else {
		piece->kind = PIECE_NUMBER;
		at = read_number(at, &piece->least);
		assert(*at == '-');
		at = read_number(at + 1, &most);
		assert(most >= piece->least && most <= 4000000000u);
		piece->count = most - piece->least + 1;
		if (*at == ':') {
			at = read_width(at + 1, 1, PIECE_MAXIMUM, &piece->width);
		} else if (*at == '.') {
			piece->kind = PIECE_DECIMAL;
			at = read_width(at + 1, 1, 6, &piece->width);
		}
	}
	assert(*at == '}');
	return at + 1;
}

void log_template_read(struct log_template *ret_template, int level, int code,
	const char *component, const char *text)
{
	size_t room = LOG_CLOCK_TEXT + SESSION_ID_TEXT + sizeof(ret_template->head) + 2;

	memset(ret_template, 0, sizeof(*ret_template));
	int length = snprintf(ret_template->head, sizeof(ret_template->head),
		" > LVL:%d RC:%4d %15s :", level, code, component);
	assert(length > 0 && (size_t)length < sizeof(ret_template->head));
	ret_template->head_length = (size_t)length;
	do {
		struct log_piece *piece = &ret_template->pieces[ret_template->piece_count++];
		assert(ret_template->piece_count <= LOG_TEMPLATE_PIECES);
		piece->literal = text;
		piece->literal_length = (uint16_t)strcspn(text, "{");
		text += piece->literal_length;
		room += piece->literal_length + PIECE_MAXIMUM;
		if (*text == '{')
			text = read_place(text + 1, piece);
	} while (*text != '\0');
	assert(room <= LOG_LINE_MAXIMUM);
}

/* --- writing --- */

static char *put_number(char *out, uint32_t value, unsigned width, char pad)
{
	char digits[PIECE_MAXIMUM];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (sizeof(digits) - at < width)
		digits[--at] = pad;
	memcpy(out, digits + at, sizeof(digits) - at);
	return out + sizeof(digits) - at;
}

static char *put_hex(char *out, uint64_t value, unsigned width, const char *digits)
{
	for (unsigned i = 0; i < width; i++) {
		*out++ = digits[value & 15];
		value >>= 4;
	}
	return out;
}

static char *put_decimals(char *out, struct log_random *random, unsigned width)
{
	*out++ = '.';
	return put_number(out, log_random_below(random, powers[width]), width, '0');
}

static char *put_loss(char *out, struct log_random *random)
{
	uint32_t value = log_random_below(random, 10000);

	/* three intervals in a thousand lose something, one of them so much that it matters */
	value = value < 9970 ? 0 : value < 9990 ? value - 9969 : (value - 9989) * 23;
	out = put_number(out, value / 100, 1, ' ');
	*out++ = '.';
	return put_number(out, value % 100, 2, '0');
}

static char *put_place(char *out, const struct log_piece *piece, const uint32_t *counters,
	struct log_random *random)
{
	switch ((enum piece_kind)piece->kind) {
	case PIECE_END:
		return out;
	case PIECE_NUMBER:
		return put_number(out, piece->least + log_random_below(random, piece->count),
			piece->width, ' ');
	case PIECE_DECIMAL:
		out = put_number(
			out, piece->least + log_random_below(random, piece->count), 1, ' ');
		return put_decimals(out, random, piece->width);
	case PIECE_HEX_UPPER:
		return put_hex(out, log_random_next(random), piece->width, "0123456789ABCDEF");
	case PIECE_HEX_LOWER:
		return put_hex(out, log_random_next(random), piece->width, "0123456789abcdef");
	case PIECE_COUNTER:
		return put_number(out, counters[piece->width], COUNTER_WIDTH, '0');
	case PIECE_LOSS:
		return put_loss(out, random);
	}
	assert(false);
	return out;
}

char *log_template_write(const struct log_template *template, const struct log_clock *clock,
	const char id[SESSION_ID_TEXT], const uint32_t counters[LOG_COUNTERS],
	struct log_random *random, char *out)
{
	memcpy(out, clock->text, LOG_CLOCK_TEXT);
	out[LOG_CLOCK_TEXT] = ' ';
	out += LOG_CLOCK_TEXT + 1;
	memcpy(out, id, SESSION_ID_TEXT);
	out += SESSION_ID_TEXT;
	memcpy(out, template->head, sizeof(template->head));
	out += template->head_length;
	for (size_t i = 0; i < template->piece_count; i++) {
		const struct log_piece *piece = &template->pieces[i];
		memcpy(out, piece->literal, piece->literal_length);
		out = put_place(out + piece->literal_length, piece, counters, random);
	}
	*out++ = '\n';
	return out;
}
