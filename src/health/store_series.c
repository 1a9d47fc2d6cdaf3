#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/store_private.h"

#define FIRST_SLOTS 256
#define NUMBER_SIZE 64
#define WORST_STEP 128

static size_t measures_of(const struct rule_book *book)
{
	size_t count = 0;

	for (size_t i = 0; i < book->rule_count; i++)
		count += book->rules[i]->measure_count;
	return count;
}

int store_series_prepare(struct store *store)
{
	struct store_private *private = store->private;
	const struct rule_book *book = store->book;
	size_t count = measures_of(book), at = 0;

	private->measures = calloc(count + 1, sizeof(*private->measures));
	private->pattern_measures = calloc(book->pattern_count + 1, sizeof(uint32_t));
	if (private->measures == NULL || private->pattern_measures == NULL)
		return ERROR_MEMORY;
	for (size_t i = 0; i < book->rule_count; i++) {
		for (size_t j = 0; j < book->rules[i]->measure_count; j++, at++) {
			const struct rule_measure *measure = &book->rules[i]->measures[j];
			uint32_t *first = &private->pattern_measures[measure->pattern->number];

			private->measures[at] = (struct store_measure){
				.measure = measure,
				.next = *first,
			};
			*first = (uint32_t)at + 1;
		}
	}
	return 0;
}

void store_series_free(struct store *store)
{
	for (size_t i = 0; i < store->series_count; i++) {
		free(store->series[i].worst_text);
		free(store->series[i].points);
	}
	free(store->series);
	free(store->private->series_slots);
	free(store->private->measures);
	free(store->private->pattern_measures);
}

/* Plain decimals are read here: they are nearly all there is, and strtod takes ten times as long.
 */
static bool number_plain(const char *bytes, size_t length, double *ret_value)
{
	static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	size_t at = 0, point = 0;
	uint64_t digits = 0;
	bool negative = length > 0 && bytes[0] == '-';

	if (negative || (length > 0 && bytes[0] == '+'))
		at++;
	if (at == length || length - at > 15)
		return false;
	for (size_t i = at; i < length; i++) {
		if (bytes[i] == '.' && point == 0 && i > at)
			point = i + 1;
		else if (bytes[i] >= '0' && bytes[i] <= '9')
			digits = digits * 10 + (uint64_t)(bytes[i] - '0');
		else
			return false;
	}
	if (point != 0 && length - point >= sizeof(powers) / sizeof(powers[0]))
		return false;
	*ret_value = (double)digits / (point == 0 ? 1 : powers[length - point]);
	if (negative)
		*ret_value = -*ret_value;
	return true;
}

static bool number_read(const char *bytes, size_t length, double *ret_value)
{
	char text[NUMBER_SIZE], *end;
	double value;

	if (number_plain(bytes, length, ret_value))
		return true;
	if (length == 0 || length >= sizeof(text))
		return false;
	memcpy(text, bytes, length);
	text[length] = '\0';
	value = strtod(text, &end); /* takes 0x, too */
	if (end == text || *end != '\0' || !isfinite(value))
		return false;
	*ret_value = value;
	return true;
}

/* `measure`: its address. */
static size_t key_hash(
	const struct store *store, uintptr_t measure, uint32_t session, uint32_t source)
{
	uint64_t key = (uint64_t)session << 32 | source;

	return (size_t)store_hash(store, key ^ store_hash(store, measure));
}

/* Twice as many slots when half are used. */
static int slots_room(struct store *store, size_t mark)
{
	struct store_private *private = store->private;
	size_t count =
		private->series_slot_count == 0 ? FIRST_SLOTS : private->series_slot_count * 2;
	uint32_t *slots;
	int error = 0;

	if (store->series_count * 2 < private->series_slot_count)
		return 0;
	slots = store_table(store, private->series_slot_count, count, sizeof(*slots), mark, &error);
	if (slots == NULL)
		return error;
	free(private->series_slots);
	private->series_slots = slots;
	private->series_slot_count = count;
	for (uint32_t i = 0; i < store->series_count; i++) {
		const struct series *series = &store->series[i];
		size_t slot = key_hash(
			store, (uintptr_t)series->measure, series->session, series->source);

		while (slots[slot & (count - 1)] != 0)
			slot++;
		slots[slot & (count - 1)] = i + 1;
	}
	return 0;
}

static bool series_is(const struct series *series, const struct rule_measure *measure,
	const struct sighting *sighting)
{
	return series->measure == measure && series->session == sighting->session &&
		series->source == sighting->source;
}

/* The series of a measure for this line's session and source, made when new. */
static int series_of(struct store *store, struct store_measure *of, const struct sighting *sighting,
	struct series **ret_series)
{
	struct store_private *private = store->private;
	size_t slot, mark = store_mark(store, sighting->session);
	struct series *series;
	int error;

	if (of->last != 0 && series_is(&store->series[of->last - 1], of->measure, sighting)) {
		*ret_series = &store->series[of->last - 1];
		return 0;
	}
	error = slots_room(store, mark);
	if (error != 0)
		return error;
	slot = key_hash(store, (uintptr_t)of->measure, sighting->session, sighting->source);
	for (;; slot++) {
		of->last = private->series_slots[slot & (private->series_slot_count - 1)];
		if (of->last == 0)
			break;
		*ret_series = &store->series[of->last - 1];
		if (series_is(*ret_series, of->measure, sighting))
			return 0;
	}
	series = store_grow(store, store->series, store->series_count, &store->series_capacity,
		sizeof(*series), mark, &error);
	if (series == NULL)
		return error;
	store->series = series;
	series[store->series_count] = (struct series){
		.measure = of->measure,
		.session = sighting->session,
		.source = sighting->source,
		.first = STAMP_NONE,
		.last = STAMP_NONE,
		.worst_time = STAMP_NONE,
		.point_values = 1,
	};
	*ret_series = &series[store->series_count++];
	of->last = (uint32_t)store->series_count;
	private->series_slots[slot & (private->series_slot_count - 1)] = of->last;
	return 0;
}

/* Keeps the line of the most extreme value, in room that grows by steps. */
static int worst_keep(struct store *store, struct series *series, const struct sighting *sighting)
{
	size_t needed = strlen(sighting->text) / WORST_STEP + 1, held = 0;
	char *text = series->worst_text;

	if (text != NULL)
		held = strlen(text) / WORST_STEP + 1;
	if (needed != held) {
		if (needed > held &&
			!store_take(store, (needed - held) * WORST_STEP,
				store_mark(store, series->session)))
			return ERROR_LIMIT;
		text = realloc(text, needed * WORST_STEP);
		if (text == NULL) {
			if (needed > held)
				store->private->used -= (needed - held) * WORST_STEP;
			return ERROR_MEMORY;
		}
		if (needed < held)
			store->private->used -= (held - needed) * WORST_STEP;
	}
	assert(text != NULL);
	strcpy(text, sighting->text);
	series->worst_text = text;
	series->worst_time = sighting->time;
	series->worst_line = sighting->line;
	return 0;
}

static void points_join(struct series *series)
{
	size_t half = series->point_count / 2;

	assert(series->points != NULL);
	for (size_t i = 0; i < half; i++) {
		const struct plot_point *a = &series->points[2 * i], *b = a + 1;
		struct plot_point joined = *a;
		float count = (float)a->count + (float)b->count;

		joined.mean = (a->mean * (float)a->count + b->mean * (float)b->count) / count;
		joined.count = a->count + b->count;
		if (b->highest > joined.highest)
			joined.highest = b->highest;
		series->points[i] = joined;
	}
	series->point_count = half;
	series->point_values *= 2;
}

static int point_add(struct store *store, struct series *series, int64_t time, double value)
{
	struct plot_point *point, *points;
	int error = 0;

	point = series->point_count == 0 ? NULL : &series->points[series->point_count - 1];
	if (point == NULL || point->count >= series->point_values) {
		if (series->point_count == STORE_PLOT_POINTS)
			points_join(series);
		points = store_grow(store, series->points, series->point_count,
			&series->point_capacity, sizeof(*points),
			store_mark(store, series->session), &error);
		if (points == NULL)
			return error;
		series->points = points;
		point = &points[series->point_count++];
		*point = (struct plot_point){.time = time, .highest = (float)value};
	}
	point->count++;
	point->mean += ((float)value - point->mean) / (float)point->count;
	if ((float)value > point->highest)
		point->highest = (float)value;
	return 0;
}

static void times_add(struct series *series, const struct sighting *sighting)
{
	if (sighting->time == STAMP_NONE)
		return;
	if (series->first == STAMP_NONE || sighting->time < series->first)
		series->first = sighting->time;
	if (series->last == STAMP_NONE) {
		series->last = sighting->time;
	} else if (sighting->time > series->last) {
		if (sighting->time - series->last > series->gap) {
			series->gap = sighting->time - series->last;
			series->gap_from = series->last;
			series->gap_line = sighting->line;
		}
		series->last = sighting->time;
	}
}

static bool beyond(const struct rule_measure *measure, double value, double limit)
{
	return measure->below ? value < limit : value > limit;
}

static int value_add(
	struct store *store, struct series *series, const struct sighting *sighting, double value)
{
	const struct rule_measure *measure = series->measure;
	double worst = measure->below ? series->lowest : series->highest;
	bool is_worst = series->count == 0 || beyond(measure, value, worst);
	int error = 0;

	times_add(series, sighting);
	if (series->count == 0 || value < series->lowest)
		series->lowest = value;
	if (series->count == 0 || value > series->highest)
		series->highest = value;
	series->count++;
	series->sum += value;
	if (measure->has_fail && beyond(measure, value, measure->fail))
		series->fails++;
	else if (measure->has_warning && beyond(measure, value, measure->warning))
		series->warnings++;
	if (is_worst)
		error = worst_keep(store, series, sighting);
	if (error != ERROR_MEMORY && measure->plot && sighting->time != STAMP_NONE)
		error = point_add(store, series, sighting->time, value);
	return error == ERROR_MEMORY ? error : 0;
}

int store_series_add(struct store *store, const struct sighting *sighting, size_t matched_length)
{
	struct store_private *private = store->private;
	uint32_t next = private->pattern_measures[sighting->pattern];

	while (next != 0) {
		struct store_measure *of = &private->measures[next - 1];
		const struct capture *capture = &sighting->captures[of->measure->value];
		struct series *series = NULL;
		double value;
		int error;

		next = of->next;
		if ((size_t)capture->at + capture->length > matched_length ||
			!number_read(sighting->matched + capture->at, capture->length, &value))
			continue;
		error = series_of(store, of, sighting, &series);
		if (error == ERROR_MEMORY)
			return error;
		if (error != 0) {
			store_dropped(store, sighting->session);
			continue;
		}
		assert(series != NULL);
		error = value_add(store, series, sighting, value);
		if (error != 0)
			return error;
	}
	return 0;
}
