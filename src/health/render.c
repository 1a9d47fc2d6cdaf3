/* What the renderers share. */

#include "health/render_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MILLISECOND INT64_C(1000)
#define SECOND (1000 * MILLISECOND)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

const char *render_path_name(enum report_path path)
{
	switch (path) {
	case REPORT_PATH_DIRECT:
		return "direct";
	case REPORT_PATH_BROKERED:
		return "brokered";
	case REPORT_PATH_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *render_phase_name(enum rule_phase phase)
{
	switch (phase) {
	case RULE_PRE_SESSION:
		return "pre-session";
	case RULE_SESSION:
		return "session";
	case RULE_HOST:
		break;
	}
	return "host";
}

const char *render_clock_name(enum stamp_kind kind)
{
	switch (kind) {
	case STAMP_KIND_UTC:
	case STAMP_KIND_OFFSET:
		return "utc";
	case STAMP_KIND_LOCAL:
		return "local";
	case STAMP_KIND_UPTIME:
		return "uptime";
	case STAMP_KIND_NONE:
		break;
	}
	return "none";
}

void render_duration(int64_t microseconds, char text[RENDER_DURATION_SIZE])
{
	static const struct {
		int64_t from, great, small;
		const char *great_name, *small_name;
	} forms[] = {{DAY, DAY, HOUR, "d", "h"}, {HOUR, HOUR, MINUTE, "h", "min"},
		{MINUTE, MINUTE, SECOND, "min", "s"}};

	text[0] = '\0';
	if (microseconds < 0)
		return;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (microseconds < forms[i].from)
			continue;
		snprintf(text, RENDER_DURATION_SIZE, "%" PRId64 " %s %" PRId64 " %s",
			microseconds / forms[i].great, forms[i].great_name,
			microseconds % forms[i].great / forms[i].small, forms[i].small_name);
		return;
	}
	if (microseconds < SECOND)
		snprintf(text, RENDER_DURATION_SIZE, "%" PRId64 " ms", microseconds / MILLISECOND);
	else
		snprintf(text, RENDER_DURATION_SIZE, "%" PRId64 ".%" PRId64 " s",
			microseconds / SECOND, microseconds % SECOND / (SECOND / 10));
}

const char *render_number(uint64_t number, char text[RENDER_NUMBER_SIZE])
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

/* ---- what was not read ---- */

static int by_path(const void *a, const void *b)
{
	const struct render_skip *left = a;
	const struct render_skip *right = b;
	int order = strcmp(left->path, right->path);

	return order != 0 ? order : strcmp(left->reason, right->reason);
}

static size_t unique(struct render_skip *skips, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && by_path(&skips[kept - 1], &skips[i]) == 0) {
			if (skips[i].count > skips[kept - 1].count)
				skips[kept - 1].count = skips[i].count;
			continue;
		}
		skips[kept++] = skips[i];
	}
	return kept;
}

struct render_skip *render_skips(const struct store *store, size_t *ret_count, int *ret_error)
{
	size_t most = store->skipped_count;
	size_t count = 0;
	struct render_skip *skips;

	*ret_count = 0;
	*ret_error = 0;
	for (size_t i = 0; i < store->source_count; i++)
		most += (size_t)(store->sources[i].reason != NULL) +
			(size_t)(store->sources[i].lines_long > 0) +
			(size_t)(store->sources[i].zeros > 0) +
			(size_t)(store->sources[i].twin != NULL);
	if (most == 0)
		return NULL;
	skips = calloc(most, sizeof(*skips));
	if (skips == NULL) {
		*ret_error = ERROR_MEMORY;
		return NULL;
	}
	for (size_t i = 0; i < store->skipped_count; i++)
		skips[count++] = (struct render_skip){
			store->skipped[i].path, store->skipped[i].reason, store->skipped[i].count};
	for (size_t i = 0; i < store->source_count; i++) {
		const struct source *source = &store->sources[i];

		if (source->reason != NULL)
			skips[count++] = (struct render_skip){source->path, source->reason, 1};
		if (source->lines_long > 0)
			skips[count++] = (struct render_skip){source->path,
				"lines too long: their rest was not read", source->lines_long};
		if (source->zeros > 0)
			skips[count++] = (struct render_skip){
				source->path, "NUL bytes were passed over", source->zeros};
		if (source->twin != NULL)
			skips[count++] = (struct render_skip){source->path, source->twin, 1};
	}
	qsort(skips, count, sizeof(*skips), by_path);
	*ret_count = unique(skips, count);
	return skips;
}

const struct render_skip *render_skips_of(
	const struct render_skip *skips, size_t count, const char *path, size_t *ret_count)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(skips[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_count = 0;
	while (low + *ret_count < count && strcmp(skips[low + *ret_count].path, path) == 0)
		(*ret_count)++;
	return *ret_count > 0 ? &skips[low] : NULL;
}
