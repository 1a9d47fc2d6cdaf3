/*
 * Who has failed how often, and until when that counts.
 *
 * A counter is a list of marks and exists only as long as it has some; a mark that has failed
 * stands in a row by its time as well, and is taken off the front when its window is over. So every
 * try costs a fixed number of steps, of which the aging of others is paid once for each mark, and
 * nothing has to be searched for what has ended. Indexes instead of pointers: half the size.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "identity/guard_private.h"

int guard_book_open(struct guard_book *book)
{
	/* calloc: memory that is not used is not touched. */
	*book = (struct guard_book){
		.marks = calloc(GUARD_MARKS_MOST + 1, sizeof(*book->marks)),
		.counters = calloc(GUARD_MARKS_MOST + 1, sizeof(*book->counters)),
		.buckets = calloc(GUARD_BUCKETS, sizeof(*book->buckets)),
	};
	if (book->marks != NULL && book->counters != NULL && book->buckets != NULL)
		return 0;
	guard_book_close(book);
	return ERROR_MEMORY;
}

void guard_book_close(struct guard_book *book)
{
	free(book->marks);
	free(book->counters);
	free(book->buckets);
	*book = (struct guard_book){0};
}

/* --- counters --- */

/* Where the index of the counter is, or would be appended. */
static uint32_t *spot_of(const struct guard_book *book, uint64_t key)
{
	uint32_t *spot = &book->buckets[key & (GUARD_BUCKETS - 1)];

	while (*spot != 0 && book->counters[*spot].key != key)
		spot = &book->counters[*spot].next;
	return spot;
}

struct guard_counter *guard_book_find(const struct guard_book *book, uint64_t key)
{
	uint32_t index = *spot_of(book, key);

	return index != 0 ? &book->counters[index] : NULL;
}

static uint32_t add_counter(struct guard_book *book, uint64_t key, enum guard_kind kind)
{
	uint32_t index = book->counters_free;

	if (index != 0)
		book->counters_free = book->counters[index].next;
	else
		index = ++book->counters_fresh;
	assert(index <= GUARD_MARKS_MOST);
	book->counters_used++;
	book->counters[index] = (struct guard_counter){.key = key, .kind = kind};
	*spot_of(book, key) = index;
	return index;
}

static void remove_counter(struct guard_book *book, uint32_t index)
{
	struct guard_counter *counter = &book->counters[index];

	*spot_of(book, counter->key) = counter->next;
	counter->next = book->counters_free;
	book->counters_free = index;
	book->counters_used--;
}

/* --- marks --- */

static void append_mark(struct guard_book *book, uint32_t index)
{
	struct guard_mark *mark = &book->marks[index];
	struct guard_counter *counter = &book->counters[mark->counter];

	mark->before = counter->last;
	mark->after = 0;
	if (counter->last != 0)
		book->marks[counter->last].after = index;
	else
		counter->first = index;
	counter->last = index;
}

static void unlink_mark(struct guard_book *book, uint32_t index)
{
	const struct guard_mark *mark = &book->marks[index];
	struct guard_counter *counter = &book->counters[mark->counter];

	if (mark->before != 0)
		book->marks[mark->before].after = mark->after;
	else
		counter->first = mark->after;
	if (mark->after != 0)
		book->marks[mark->after].before = mark->before;
	else
		counter->last = mark->before;
}

static void enter_row(struct guard_book *book, uint32_t index, enum guard_row row)
{
	struct guard_mark *mark = &book->marks[index];
	struct guard_line *line = &book->rows[row];

	mark->row = row;
	mark->older = line->newest;
	mark->newer = 0;
	if (line->newest != 0)
		book->marks[line->newest].newer = index;
	else
		line->oldest = index;
	line->newest = index;
}

static void leave_row(struct guard_book *book, uint32_t index)
{
	struct guard_mark *mark = &book->marks[index];
	struct guard_line *line = &book->rows[mark->row];

	if (mark->row == GUARD_ROW_NONE)
		return;
	if (mark->older != 0)
		book->marks[mark->older].newer = mark->newer;
	else
		line->oldest = mark->newer;
	if (mark->newer != 0)
		book->marks[mark->newer].older = mark->older;
	else
		line->newest = mark->older;
	mark->row = GUARD_ROW_NONE;
}

/* Takes what the mark amounts to out of its counter, before it changes, ... */
static void lift(struct guard_book *book, uint32_t index)
{
	const struct guard_mark *mark = &book->marks[index];
	struct guard_counter *counter = &book->counters[mark->counter];
	bool total = counter->kind == GUARD_TOTAL;

	counter->cost -= total ? mark->failed + mark->open : 1;
	counter->sure -= total || mark->failed == 0 ? mark->failed : 1;
}

/* ... and puts it in again. */
static void lay(struct guard_book *book, uint32_t index)
{
	const struct guard_mark *mark = &book->marks[index];
	struct guard_counter *counter = &book->counters[mark->counter];
	bool total = counter->kind == GUARD_TOTAL;

	counter->cost += total ? mark->failed + mark->open : 1;
	counter->sure += total || mark->failed == 0 ? mark->failed : 1;
}

/* A new one, that amounts to nothing yet. */
static uint32_t add_mark(struct guard_book *book, uint32_t counter, uint64_t who)
{
	uint32_t index = book->marks_free;

	if (index != 0)
		book->marks_free = book->marks[index].after;
	else
		index = ++book->marks_fresh;
	assert(index <= GUARD_MARKS_MOST);
	book->marks_used++;
	book->marks[index] = (struct guard_mark){.counter = counter, .who = who};
	append_mark(book, index);
	return index;
}

/* One that was lifted, and its counter if it was the last. */
static void remove_mark(struct guard_book *book, uint32_t index)
{
	struct guard_mark *mark = &book->marks[index];

	leave_row(book, index);
	unlink_mark(book, index);
	if (book->counters[mark->counter].first == 0)
		remove_counter(book, mark->counter);
	mark->after = book->marks_free;
	book->marks_free = index;
	book->marks_used--;
}

static void forget(struct guard_book *book, uint32_t index)
{
	struct guard_mark *mark = &book->marks[index];

	leave_row(book, index);
	lift(book, index);
	mark->failed = 0;
	if (mark->open > 0)
		lay(book, index);
	else
		remove_mark(book, index);
}

void guard_book_age(struct guard_book *book, int64_t now, int64_t window)
{
	for (int row = GUARD_ROW_HELD; row < GUARD_ROW_COUNT; row++) {
		const struct guard_line *line = &book->rows[row];
		uint32_t index;

		while ((index = line->oldest) != 0 && now - book->marks[index].time >= window) {
			/* While a try is open a directory may still put its failure to these. */
			if (book->marks[index].open > 0)
				leave_row(book, index);
			else
				forget(book, index);
		}
	}
}

bool guard_book_room(struct guard_book *book, uint32_t count)
{
	while (GUARD_MARKS_MOST - book->marks_used < count) {
		uint32_t index = book->rows[GUARD_ROW_SPARE].oldest;

		if (index == 0)
			return false;
		forget(book, index);
	}
	return true;
}

/* --- tries --- */

static uint32_t mark_of(
	const struct guard_book *book, const struct guard_counter *counter, uint64_t who)
{
	uint32_t index = counter->first;

	while (index != 0 && book->marks[index].who != who)
		index = book->marks[index].after;
	return index;
}

bool guard_book_has(
	const struct guard_book *book, const struct guard_counter *counter, uint64_t who)
{
	return mark_of(book, counter, who) != 0;
}

uint32_t guard_book_take(struct guard_book *book, uint64_t key, enum guard_kind kind, uint64_t who)
{
	uint32_t counter = *spot_of(book, key), index = 0;

	if (counter == 0)
		counter = add_counter(book, key, kind);
	assert(book->counters[counter].kind == kind);
	if (kind != GUARD_EACH)
		index = mark_of(book, &book->counters[counter], who);
	if (index == 0)
		index = add_mark(book, counter, who);
	else
		lift(book, index);
	book->marks[index].open++;
	lay(book, index);
	return index;
}

void guard_book_settle(struct guard_book *book, uint32_t index, enum guard_row row, int64_t now)
{
	struct guard_mark *mark = &book->marks[index];

	assert(mark->open > 0);
	lift(book, index);
	mark->open--;
	if (row != GUARD_ROW_NONE) {
		if (mark->row == GUARD_ROW_HELD)
			row = GUARD_ROW_HELD;
		leave_row(book, index);
		unlink_mark(book, index);
		append_mark(book, index);
		enter_row(book, index, row);
		mark->failed++;
		mark->time = now;
	} else if (mark->open == 0 && mark->row == GUARD_ROW_NONE) {
		mark->failed = 0; /* they had their time */
	}
	if (mark->open + mark->failed > 0)
		lay(book, index);
	else
		remove_mark(book, index);
}

void guard_book_forget(struct guard_book *book, uint32_t index)
{
	assert(book->marks[index].open > 0);
	assert(book->counters[book->marks[index].counter].kind == GUARD_TOTAL);
	forget(book, index);
}

int64_t guard_book_wait(const struct guard_book *book, const struct guard_counter *counter,
	unsigned limit, int64_t now, int64_t window)
{
	uint32_t index = counter->first;
	unsigned excess;

	assert(limit > 0 && counter->cost >= limit);
	if (counter->sure < limit)
		return 0;
	/* Those of GUARD_TOTAL are one mark. */
	excess = counter->kind == GUARD_TOTAL ? 0 : counter->sure - limit;
	for (; index != 0; index = book->marks[index].after)
		if (book->marks[index].failed > 0 && excess-- == 0)
			break;
	assert(index != 0);
	return book->marks[index].row == GUARD_ROW_NONE ? 0
							: book->marks[index].time + window - now;
}
