/* Which findings say the same: ten wrong passwords are one line and one block. */

#include <stdlib.h>
#include <string.h>

#include "health/render_text_private.h"

static int by_text(const char *a, const char *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return strcmp(a, b);
}

/* 0: they say the same. Whatever a pass says, it passed. */
static int by_words(const struct finding *a, const struct finding *b)
{
	if (a->rule != b->rule)
		return (uintptr_t)a->rule < (uintptr_t)b->rule ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->verdict == VERDICT_PASS)
		return 0;
	if (a->cause != b->cause)
		return (uintptr_t)a->cause < (uintptr_t)b->cause ? -1 : 1;
	return by_text(a->cause_text, b->cause_text);
}

static int by_words_and_number(const void *a, const void *b)
{
	const struct finding *left = *(const struct finding *const *)a;
	const struct finding *right = *(const struct finding *const *)b;
	int order = by_words(left, right);

	if (order != 0 || left == right)
		return order;
	return left < right ? -1 : 1;
}

/* `same`: findings that say the same, in their order. */
static void link_alike(struct render_alike *alike, const struct finding *findings,
	const struct finding *const *same, size_t count)
{
	int64_t longest = same[0]->duration;

	for (size_t i = 1; i < count; i++)
		if (same[i]->duration > longest)
			longest = same[i]->duration;
	for (size_t i = 0; i < count; i++)
		alike[same[i] - findings] = (struct render_alike){
			.first = (size_t)(same[0] - findings),
			.next = i + 1 < count ? (size_t)(same[i + 1] - findings)
					      : RENDER_ALIKE_NONE,
			.count = count,
			.duration = longest,
		};
}

struct render_alike *render_text_alike(const struct report_session *session)
{
	size_t count = session->finding_count;
	struct render_alike *alike = calloc(count + 1, sizeof(*alike));
	const struct finding **sorted = calloc(count + 1, sizeof(sorted[0]));

	if (alike == NULL || sorted == NULL) {
		free(alike);
		free(sorted);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		sorted[i] = &session->findings[i];
	qsort(sorted, count, sizeof(sorted[0]), by_words_and_number);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && by_words(sorted[i], sorted[end]) == 0;)
			end++;
		link_alike(alike, session->findings, sorted + i, end - i);
	}
	free(sorted);
	return alike;
}
