/*
 * field.c - the field table, prepared once for fast access.
 *
 * A row names its parent by its path, so parents, last steps and lists of children are
 * worked out at first use; a row that does not fit in is our own mistake and ends the program.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "protocol/message.h"

static struct field_info fields[FIELD_COUNT] = {
#define FIELD(name, message, path, type, cardinality, maximum, secrecy, description)               \
	[FIELD_##name] = {MESSAGE_##message, path, NULL, 0, FIELD_NONE, false, FIELD_##type,       \
		FIELD_##cardinality, maximum, FIELD_##secrecy, description},
#include "protocol/fields.def"
#undef FIELD
	[FIELD_EXTENSION] = {MESSAGE_NONE, "", "", 0, FIELD_NONE, false, FIELD_GROUP, FIELD_ANY,
		MESSAGE_EXTENSIONS_MAXIMUM, FIELD_PUBLIC, "a name-spaced element"},
};

static const struct field_value values[] = {
#define VALUE(field, text, origin, description) {FIELD_##field, text, ORIGIN_##origin, description},
#include "protocol/values.def"
#undef VALUE
};

#define VALUE_COUNT (sizeof(values) / sizeof(*values))

static struct field_children of_field[FIELD_COUNT];
static struct field_children of_message[MESSAGE_COUNT];
static enum field_id pool[FIELD_COUNT]; /* the lists of children, one after the other */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool prepared;

static enum field_id find(enum message_id message, const char *path, size_t length)
{
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++)
		if (fields[i].message == message && strncmp(fields[i].path, path, length) == 0 &&
			fields[i].path[length] == '\0')
			return (enum field_id)i;
	return FIELD_NONE;
}

static void prepare_row(enum field_id field)
{
	struct field_info *info = &fields[field];
	const char *at = strrchr(info->path, '@');
	const char *step = at != NULL ? at : strrchr(info->path, '/');

	info->attribute = at != NULL;
	info->name = step != NULL ? step + 1 : info->path;
	info->name_length = strlen(info->name);
	info->parent = FIELD_NONE;
	if (step != NULL && step > info->path) {
		info->parent = find(info->message, info->path, (size_t)(step - info->path));
		assert(info->parent != FIELD_NONE && info->parent < field);
	}
}

static size_t collect(
	struct field_children *children, enum message_id message, enum field_id parent, size_t used)
{
	children->fields = &pool[used];
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		const struct field_info *info = &fields[i];

		if (info->message != message || info->parent != parent)
			continue;
		assert(children->count < FIELD_CHILDREN_MAXIMUM);
		if (info->cardinality == FIELD_ONE || info->cardinality == FIELD_SOME)
			children->required |= UINT32_C(1) << children->count;
		pool[used++] = (enum field_id)i;
		children->count++;
	}
	return used;
}

static void prepare(void)
{
	size_t used = 0;

	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++)
		prepare_row((enum field_id)i);
	for (unsigned i = MESSAGE_NONE + 1; i < MESSAGE_COUNT; i++)
		used = collect(&of_message[i], (enum message_id)i, FIELD_NONE, used);
	for (unsigned i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++)
		used = collect(&of_field[i], fields[i].message, (enum field_id)i, used);
	atomic_store_explicit(&prepared, true, memory_order_release);
}

/* A message asks nearly a hundred times; pthread_once would be a call into the C library each. */
static inline void need(void)
{
	if (!atomic_load_explicit(&prepared, memory_order_acquire))
		pthread_once(&once, prepare);
}

const struct field_info *field_info(enum field_id field)
{
	assert(field > FIELD_NONE && field < FIELD_COUNT);
	need();
	return &fields[field];
}

enum field_id field_find(enum message_id message, const char *path)
{
	need();
	return find(message, path, strlen(path));
}

const struct field_children *field_children(enum field_id parent)
{
	assert(parent > FIELD_NONE && parent < FIELD_COUNT);
	need();
	return &of_field[parent];
}

const struct field_children *field_children_of_message(enum message_id message)
{
	assert(message > MESSAGE_NONE && message < MESSAGE_COUNT);
	need();
	return &of_message[message];
}

bool field_repeats(enum field_id field)
{
	const struct field_info *info = field_info(field);

	return info->cardinality == FIELD_SOME || info->cardinality == FIELD_ANY;
}

static bool all_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return length > 0;
}

static bool is_number(const char *text, size_t length)
{
	uint64_t number = 0;

	if (!all_digits(text, length))
		return false;
	for (size_t i = 0; i < length; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');

		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	return true;
}

static bool is_flag(const char *text, size_t length)
{
	return (length == 4 && memcmp(text, "true", 4) == 0) ||
		(length == 5 && memcmp(text, "false", 5) == 0) ||
		(length == 1 && (text[0] == '0' || text[0] == '1'));
}

/* Two digits of at most `highest`, and at least `lowest`. */
static bool is_pair(const char *text, int lowest, int highest)
{
	int number;

	if (!all_digits(text, 2))
		return false;
	number = (text[0] - '0') * 10 + text[1] - '0';
	return number >= lowest && number <= highest;
}

static bool is_date(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, highest;

	if (!all_digits(text, 4) || text[4] != '-' || !is_pair(text + 5, 1, 12) || text[7] != '-')
		return false;
	year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] -
		'0';
	month = (text[5] - '0') * 10 + text[6] - '0';
	highest = days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		highest = 29;
	return is_pair(text + 8, 1, highest);
}

static bool is_time(const char *text, size_t length)
{
	if (length < 10 || !is_date(text))
		return false;
	if (length == 10)
		return true;
	if (length < 20 || text[10] != 'T' || text[length - 1] != 'Z')
		return false;
	if (!is_pair(text + 11, 0, 23) || text[13] != ':' || !is_pair(text + 14, 0, 59) ||
		text[16] != ':' || !is_pair(text + 17, 0, 59))
		return false;
	return length == 20 || (text[19] == '.' && all_digits(text + 20, length - 21));
}

bool field_type_holds(enum field_type type, const char *text, size_t length)
{
	switch (type) {
	case FIELD_NUMBER:
		return is_number(text, length);
	case FIELD_FLAG:
		return is_flag(text, length);
	case FIELD_TIME:
		return is_time(text, length);
	case FIELD_GROUP:
	case FIELD_TEXT:
	case FIELD_EXACT:
	case FIELD_ENUM:
	case FIELD_RESULT:
		break;
	}
	return true;
}

const struct field_value *field_values(enum field_id field, size_t *ret_count)
{
	const struct field_value *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < VALUE_COUNT; i++) {
		if (values[i].field != field)
			continue;
		if (first == NULL)
			first = &values[i];
		count++;
	}
	*ret_count = count;
	return first;
}

int field_value_index(enum field_id field, const char *text)
{
	size_t count;
	const struct field_value *known = field_values(field, &count);

	for (size_t i = 0; text != NULL && i < count; i++)
		if (strcmp(known[i].text, text) == 0)
			return (int)i;
	return -1;
}

bool field_value_known(enum field_id field, const char *text)
{
	return field_value_index(field, text) >= 0;
}
