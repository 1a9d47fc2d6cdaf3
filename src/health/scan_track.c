#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "health/scan_private.h"

#define SECOND INT64_C(1000000)
#define FIRST_SLOTS 64
#define VOTES 32 /* so many of the first lines say what family they are */

void scan_result_init(struct scan_result *result)
{
	memset(result, 0, sizeof(*result));
}

void scan_result_free(struct scan_result *result)
{
	free(result->hits);
	free(result->tracks);
	free(result->slots);
	memset(result, 0, sizeof(*result));
}

static size_t id_slot(const struct scan_result *result, const struct session_id *id)
{
	uint64_t halves[2], hash;
	size_t slot;

	memcpy(halves, id->bytes, sizeof(halves));
	hash = (halves[0] ^ (uintptr_t)result) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 29 ^ halves[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 32;
	slot = hash & (result->slot_count - 1);
	while (result->slots[slot] != 0 &&
		!session_id_equal(&result->tracks[result->slots[slot] - 1].id, id))
		slot = (slot + 1) & (result->slot_count - 1);
	return slot;
}

static int slots_room(struct scan_result *result)
{
	size_t count = result->slot_count == 0 ? FIRST_SLOTS : result->slot_count * 2;
	uint32_t *slots;

	if (result->track_count * 2 < result->slot_count)
		return 0;
	slots = calloc(count, sizeof(*slots));
	if (slots == NULL)
		return ERROR_MEMORY;
	free(result->slots);
	result->slots = slots;
	result->slot_count = count;
	for (uint32_t i = SCAN_TRACK_ZERO + 1; i < result->track_count; i++)
		slots[id_slot(result, &result->tracks[i].id)] = i + 1;
	return 0;
}

static int track_make(struct scan_result *result, const struct session_id *id)
{
	struct scan_track *tracks = result->tracks;
	size_t capacity = result->track_capacity * 2 + 8;

	if (result->track_count == result->track_capacity) {
		tracks = realloc(tracks, capacity * sizeof(*tracks));
		if (tracks == NULL)
			return ERROR_MEMORY;
		result->tracks = tracks;
		result->track_capacity = capacity;
	}
	tracks[result->track_count++] = (struct scan_track){
		.id = *id,
		.first = STAMP_NONE,
		.last = STAMP_NONE,
		.host_first = STAMP_NONE,
	};
	return 0;
}

int scan_track_find(struct scan_result *result, const struct session_id *id, uint32_t *ret_track)
{
	size_t slot;
	int error;

	if (session_id_is_zero(id)) {
		*ret_track = SCAN_TRACK_ZERO;
		return 0;
	}
	error = slots_room(result);
	if (error != 0)
		return error;
	slot = id_slot(result, id);
	if (result->slots[slot] == 0) {
		error = track_make(result, id);
		if (error != 0)
			return error;
		result->slots[slot] = (uint32_t)result->track_count;
	}
	*ret_track = result->slots[slot] - 1;
	return 0;
}

static int result_clear(struct scan_result *result)
{
	static const struct session_id zero;

	result->hit_count = 0;
	result->hits_dropped = 0;
	result->track_count = 0;
	if (result->slot_count > 0)
		memset(result->slots, 0, result->slot_count * sizeof(*result->slots));
	result->lines = 0;
	result->lines_long = 0;
	result->first = STAMP_NONE;
	result->last = STAMP_NONE;
	result->begin = STAMP_NONE;
	result->end = STAMP_NONE;
	result->gap = 0;
	result->kind = STAMP_KIND_NONE;
	memset(result->families, 0, sizeof(result->families));
	result->encoding = ENCODING_UNKNOWN;
	memset(&result->before, 0, sizeof(result->before));
	while (result->track_count <= SCAN_TRACK_ZERO)
		if (track_make(result, &zero) != 0)
			return ERROR_MEMORY;
	return 0;
}

int scan_track_begin(struct scan_tracker *tracker, struct scan_result *result)
{
	memset(tracker, 0, sizeof(*tracker));
	tracker->result = result;
	return result_clear(result);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Learns the form of a stamp that stamp_read took `length` bytes for: the seconds follow the
 * second colon in all of them. */
static void shape_learn(struct scan_shape *shape, const char *line, size_t length,
	size_t stamp_length, const struct head *head)
{
	const char *colon = memchr(line, ':', stamp_length);
	int64_t fraction = 0, scale = SECOND;
	size_t at;

	shape->prefix = 0;
	if (colon != NULL)
		colon = memchr(colon + 1, ':', stamp_length - (size_t)(colon + 1 - line));
	if (colon == NULL || stamp_length > SCAN_PREFIX || stamp_length + 2 > length)
		return;
	at = (size_t)(colon + 1 - line);
	if (at + 2 > stamp_length || !is_digit(line[at]) || !is_digit(line[at + 1]))
		return;
	if (line[at] > '5')
		return; /* second 60 is taken as 59 */
	shape->minute = head->stamp.time - ((line[at] - '0') * 10 + (line[at + 1] - '0')) * SECOND;
	shape->digits = 0;
	if (at + 2 < stamp_length && line[at + 2] == '.') {
		while (at + 3 + shape->digits < stamp_length &&
			is_digit(line[at + 3 + shape->digits])) {
			scale /= 10;
			fraction += (line[at + 3 + shape->digits] - '0') * scale;
			shape->digits++;
		}
		if (shape->digits == 0)
			return;
	}
	shape->minute -= fraction;
	shape->length = stamp_length;
	shape->next = line[stamp_length];
	/* After anything else the next stamp may be a longer one. */
	if (shape->next != ' ' && shape->next != '>')
		return;
	shape->kind = head->stamp.kind;
	shape->has_id = head->has_id;
	shape->is_pcoip =
		head->has_id && (head->family == FAMILY_AGENT || head->family == FAMILY_CLIENT);
	memcpy(shape->bytes, line, stamp_length);
	shape->prefix = at;
}

/* The time of a line whose stamp has the form of the one before; false: look closer. */
static inline bool shape_read(
	const struct scan_shape *shape, const char *line, size_t length, int64_t *ret_time)
{
	size_t at = shape->prefix, tail;
	int64_t time, scale = SECOND;

	if (at == 0 || length <= shape->length || memcmp(line, shape->bytes, at) != 0 ||
		line[shape->length] != shape->next)
		return false;
	if (!is_digit(line[at]) || !is_digit(line[at + 1]) || line[at] > '5')
		return false;
	time = shape->minute + ((line[at] - '0') * 10 + (line[at + 1] - '0')) * SECOND;
	tail = at + 2;
	if (shape->digits > 0) {
		if (line[tail++] != '.')
			return false;
		for (size_t i = 0; i < shape->digits; i++, tail++) {
			if (!is_digit(line[tail]))
				return false;
			scale /= 10;
			time += (line[tail] - '0') * scale;
		}
	}
	for (; tail < shape->length; tail++) {
		if (line[tail] != shape->bytes[tail])
			return false;
	}
	*ret_time = time;
	return true;
}

/* Where an id as it is written has its place: its first digits are the seconds it was made at. */
static inline struct scan_recent *recent_of(struct scan_tracker *tracker, const char *text)
{
	uint64_t digits;

	memcpy(&digits, text, sizeof(digits));
	digits *= UINT64_C(0x9e3779b97f4a7c15);
	return &tracker->recent[digits >> 32 & (SCAN_RECENT - 1)];
}

/* The track of an id as it is written, one seen before; false: look closer. */
static inline bool recent_find(struct scan_tracker *tracker, const char *text, uint32_t *ret_track)
{
	const struct scan_recent *recent = recent_of(tracker, text);

	*ret_track = recent->track;
	return recent->track != SCAN_TRACK_NONE && memcmp(recent->text, text, SESSION_ID_TEXT) == 0;
}

static void recent_add(struct scan_tracker *tracker, const char *text, uint32_t track)
{
	struct scan_recent *recent = recent_of(tracker, text);

	memcpy(recent->text, text, SESSION_ID_TEXT);
	recent->track = track;
}

static inline void time_add(struct scan_result *result, int64_t time, uint32_t number)
{
	if (result->begin == STAMP_NONE) {
		result->begin = time;
		result->begin_line = number;
		result->first = time;
		result->last = time;
	} else {
		if (time - result->end > result->gap) {
			result->gap = time - result->end;
			result->gap_from = result->end;
			result->gap_line = number;
		}
		if (time < result->first)
			result->first = time;
		if (time > result->last)
			result->last = time;
	}
	result->end = time;
}

static inline void track_add(struct scan_track *track, int64_t time)
{
	track->lines++;
	if (time == STAMP_NONE)
		return;
	if (track->first == STAMP_NONE) {
		track->first = time;
		track->last = time;
	} else if (time < track->first) {
		track->first = time;
	} else if (time > track->last) {
		track->last = time;
	}
}

/* A line with an id and the arrow of family A. */
static void host_add(struct scan_track *track, enum family family, int64_t time, uint32_t number)
{
	if (track->host_first != STAMP_NONE || family != FAMILY_AGENT || time == STAMP_NONE)
		return;
	track->host_first = time;
	track->host_line = number;
}

/* Only these can begin a head without a prefix: a stamp or an id, "LVL:", ">" or "<INFO >:". */
static bool may_begin_head(const char *line, size_t length)
{
	char c;

	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	if (length == 0)
		return false;
	c = *line;
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == 'L' ||
		c == '<' || c == '>';
}

static int line_closely(
	struct scan_tracker *tracker, const char *line, size_t length, uint32_t number)
{
	struct scan_result *result = tracker->result;
	uint32_t track = SCAN_TRACK_NONE;
	struct session_id id;
	struct stamp stamp;
	struct head head;
	size_t stamp_length;
	int error;

	if (!may_begin_head(line, length) && head_prefix(line, length) == 0)
		return 0;
	if (!head_read(line, length, &head))
		return 0;
	if (head.has_id) {
		error = scan_track_find(result, &head.id, &track);
		if (error != 0)
			return error;
	}
	if (result->tracks[track].lines == 0)
		result->tracks[track].family = head.family;
	tracker->head = line;
	tracker->head_length = length;
	tracker->head_track = track;
	tracker->head_time = head.stamp.time;
	tracker->head_short = false;
	result->families[head.family]++;
	track_add(&result->tracks[track], head.stamp.time);
	if (head.has_id)
		host_add(&result->tracks[track], head.family, head.stamp.time, number);
	if (head.stamp.kind == STAMP_KIND_NONE)
		return 0;
	if (result->kind == STAMP_KIND_NONE)
		result->kind = head.stamp.kind;
	time_add(result, head.stamp.time, number);
	stamp_length = stamp_read(line, length, &stamp);
	tracker->shape.prefix = 0;
	/* The stamp of a prefix is not the one that was read. */
	if (stamp_length == 0 || head_prefix(line, length) > 0)
		return 0;
	shape_learn(&tracker->shape, line, length, stamp_length, &head);
	if (!head.has_id)
		return 0;
	/* The short way is for an id directly after one blank. */
	if (line[stamp_length] == ' ' && length - stamp_length > 1 + SESSION_ID_TEXT &&
		session_id_read(line + stamp_length + 1, SESSION_ID_TEXT, &id))
		recent_add(tracker, line + stamp_length + 1, track);
	else
		tracker->shape.prefix = 0;
	return 0;
}

/* True when what follows the stamp may be an id. */
static inline bool may_be_id(const char *bytes, size_t length)
{
	return length >= SESSION_ID_TEXT && bytes[8] == '-' && bytes[13] == '-' && bytes[18] == '-';
}

/* A line with a stamp and no id may be a prefix, unless a level follows. */
static inline bool may_be_prefix(const char *line, size_t length, size_t at)
{
	if (length - at > 4 && memcmp(line + at, "LVL:", 4) == 0 && is_digit(line[at + 4]))
		return false;
	return head_prefix(line, length) > 0;
}

int scan_track_line(struct scan_tracker *tracker, const char *line, size_t length, uint32_t number)
{
	const struct scan_shape *shape = &tracker->shape;
	size_t id_at = shape->length + 1;
	struct scan_track *track;
	uint32_t index = SCAN_TRACK_NONE;
	int64_t time;

	if (tracker->votes < VOTES) {
		tracker->votes++;
		return line_closely(tracker, line, length, number);
	}
	if (!shape_read(shape, line, length, &time))
		return line_closely(tracker, line, length, number);
	if (shape->has_id) {
		if (length <= id_at + SESSION_ID_TEXT + 2 ||
			!recent_find(tracker, line + id_at, &index))
			return line_closely(tracker, line, length, number);
	} else if (shape->next != '>' && length > id_at &&
		(may_be_id(line + id_at, length - id_at) ||
			may_be_id(line + id_at - 1, length - id_at + 1) || line[id_at] == ' ' ||
			may_be_prefix(line, length, id_at))) {
		return line_closely(tracker, line, length, number);
	}
	track = &tracker->result->tracks[index];
	if (shape->has_id && track->host_first == STAMP_NONE &&
		line[id_at + SESSION_ID_TEXT + 1] == '>')
		return line_closely(tracker, line, length, number);
	track_add(track, time);
	time_add(tracker->result, time, number);
	tracker->head = line;
	tracker->head_length = length;
	tracker->head_track = index;
	tracker->head_time = time;
	tracker->head_short = true;
	return 0;
}

bool scan_track_head(
	const struct scan_tracker *tracker, const char *line, size_t length, struct head *ret_head)
{
	size_t at = tracker->shape.length + 1 + SESSION_ID_TEXT;
	const char *rest, *end = line + length;
	struct head head;

	if (tracker->head != line || !tracker->head_short || !tracker->shape.is_pcoip)
		return head_read(line, length, ret_head);
	/* What follows stamp and id has a head of its own, with a level. */
	rest = line + at;
	if (!head_read(rest, length - at, &head) || head.level == HEAD_NO_LEVEL || head.has_id ||
		head.stamp.kind != STAMP_KIND_NONE || head.family != FAMILY_AGENT)
		return head_read(line, length, ret_head);
	while (rest < end && (*rest == ' ' || *rest == '\t'))
		rest++;
	head.family = rest < end && *rest == '>' ? FAMILY_AGENT : FAMILY_CLIENT;
	head.stamp = (struct stamp){.kind = tracker->shape.kind, .time = tracker->head_time};
	head.has_id = true;
	head.id = tracker->result->tracks[tracker->head_track].id;
	*ret_head = head;
	return true;
}

void scan_track_before(const struct head *head, struct scan_before *ret_before)
{
	memset(ret_before, 0, sizeof(*ret_before));
	ret_before->family = head->family;
	ret_before->time = head->stamp.time;
	ret_before->has_id = head->has_id;
	ret_before->id = head->id;
	/* One that is longer is none that a rule names. */
	if (head->component_length < SCAN_COMPONENT)
		ret_before->component_length = head->component_length;
	memcpy(ret_before->component, head->component, ret_before->component_length);
}
