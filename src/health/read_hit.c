#include <string.h>

#include "health/read_collect_private.h"

#define XML_MARK ":XML:"

struct seen { /* while an element is told */
	struct read_collector *collector;
	struct sighting sighting;
	int error;
};

bool read_hit_stands_for_session(const struct read_collector *collector, enum family family)
{
	return !collector->has_ids && family != FAMILY_NONE && family != FAMILY_PANEL &&
		family != FAMILY_TOOL;
}

/* False: a session for which there was no room, or one that made room for another. */
static bool session_of_hit(struct read_collector *collector, const struct scan_hit *hit,
	const struct scan_track *track, uint32_t track_session, uint32_t *ret_session)
{
	*ret_session = STORE_HOST;
	if (hit->track > SCAN_TRACK_ZERO) {
		*ret_session = track_session;
		return track_session != STORE_HOST &&
			session_id_equal(&collector->store->sessions[track_session].id, &track->id);
	}
	if (hit->track == SCAN_TRACK_NONE && hit->time != STAMP_NONE &&
		read_hit_stands_for_session(collector, hit->family)) {
		*ret_session = store_session_of_source(collector->store, collector->source);
		return *ret_session != STORE_HOST;
	}
	return true;
}

static bool is_plain(const char *bytes, size_t length)
{
	unsigned char other = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		other |= (unsigned char)((c < 0x20 && c != '\t') || c > 0x7e);
	}
	return other == 0;
}

/* Makes the line's clean text; once for all patterns that know it. */
static void text_make(struct read_collector *collector, const char *line, size_t length)
{
	if (collector->line == line)
		return;
	collector->line = line;
	collector->plain = length < sizeof(collector->text) && is_plain(line, length);
	if (collector->plain) {
		memcpy(collector->text, line, length);
		collector->text[length] = '\0';
		collector->text_length = length;
	} else {
		collector->text_length =
			encoding_clean(line, length, collector->text, sizeof(collector->text));
	}
}

static void captures_cut(struct sighting *sighting, size_t length)
{
	for (size_t i = 0; i < TEMPLATE_CAPTURES; i++) {
		struct capture *capture = &sighting->captures[i];

		if (capture->at > length)
			capture->at = (uint16_t)length;
		if (capture->length > length - capture->at)
			capture->length = (uint16_t)(length - capture->at);
	}
}

/* The text differs from the line, so the captures are found again in the text. */
static size_t match_again(struct read_collector *collector, const struct scan_hit *hit,
	const struct rule_pattern *pattern, struct sighting *sighting)
{
	bool is_ascii = collector->text_length < hit->length &&
		is_plain(collector->text, collector->text_length);
	struct head head;

	head_read(collector->text, collector->text_length, &head);
	sighting->matched = head.message;
	if (template_match(
		    pattern->template, head.message, head.message_length, sighting->captures))
		return head.message_length;
	if (is_ascii)
		memcpy(sighting->captures, hit->captures, sizeof(hit->captures));
	else
		memset(sighting->captures, 0, sizeof(sighting->captures));
	captures_cut(sighting, head.message_length);
	return head.message_length;
}

static int line_add(
	struct read_collector *collector, const struct scan_hit *hit, struct sighting *sighting)
{
	size_t length = hit->message_length;

	sighting->pattern = hit->pattern;
	if (collector->plain) {
		sighting->matched = collector->text + hit->message_at;
		memcpy(sighting->captures, hit->captures, sizeof(hit->captures));
	} else {
		length = match_again(
			collector, hit, collector->book->patterns[hit->pattern], sighting);
	}
	return store_add(collector->store, sighting, length);
}

static bool xml_component_fits(const struct seen *seen, const struct rule_pattern *pattern)
{
	struct head head;

	if (pattern->component_count == 0)
		return true;
	head_read(seen->collector->text, seen->collector->text_length, &head);
	return scan_component_fits(pattern, head.component, head.component_length);
}

/* An xml_lines_seen: the patterns of this element, one of each rule. */
static void element_seen(void *context, const char *message, const char *element, const char *text)
{
	struct seen *seen = context;
	const struct rule *taken = NULL;
	char clean[XML_LINES_TEXT * 3 + 1];
	size_t count, length = encoding_clean(text, strlen(text), clean, sizeof(clean));
	const uint16_t *patterns = matcher_xml_patterns(seen->collector->matcher, &count);

	for (size_t i = 0; i < count && seen->error == 0; i++) {
		const struct rule_pattern *pattern = seen->collector->book->patterns[patterns[i]];
		struct sighting *sighting = &seen->sighting;

		/* The patterns of a rule follow each other. */
		if (pattern->rule == taken || strcmp(pattern->xml_element, element) != 0 ||
			(pattern->xml_message != NULL &&
				strcmp(pattern->xml_message, message) != 0) ||
			!xml_component_fits(seen, pattern))
			continue;
		memset(sighting->captures, 0, sizeof(sighting->captures));
		if (pattern->template != NULL &&
			!template_match(pattern->template, clean, length, sighting->captures))
			continue;
		taken = pattern->rule;
		sighting->pattern = pattern->number;
		sighting->matched = clean;
		seen->error = store_add(seen->collector->store, sighting, length);
	}
}

/* The message in the making of this id; the one touched longest ago makes room. */
static struct message *message_of(struct read_collector *collector, const struct session_id *id)
{
	struct message *oldest = &collector->messages[0];

	for (size_t i = 0; i < READ_MESSAGES; i++) {
		struct message *message = &collector->messages[i];

		if (message->used && session_id_equal(&message->id, id)) {
			message->touched = ++collector->touches;
			return message;
		}
		if (oldest->used && (!message->used || message->touched < oldest->touched))
			oldest = message;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	oldest->id = *id;
	oldest->touched = ++collector->touches;
	return oldest;
}

static int xml_add(struct read_collector *collector, const struct session_id *id, const char *line,
	const struct scan_hit *hit, const struct sighting *sighting)
{
	struct seen seen = {.collector = collector, .sighting = *sighting};
	const char *mark = memmem(line, hit->length, XML_MARK, strlen(XML_MARK));
	struct message *message;

	if (mark == NULL)
		return 0; /* it stands where the line is no longer looked at */
	mark += strlen(XML_MARK);
	message = message_of(collector, id);
	xml_lines_take(
		&message->lines, mark, (size_t)(line + hit->length - mark), element_seen, &seen);
	return seen.error;
}

int read_hit_add(struct read_collector *collector, const char *line, const struct scan_hit *hit,
	const struct scan_track *track, uint32_t track_session, uint32_t number)
{
	struct sighting sighting = {
		.time = hit->time,
		.source = collector->source,
		.line = number,
		.text = collector->text,
	};

	/* Its lines are counted already. */
	if (!session_of_hit(collector, hit, track, track_session, &sighting.session))
		return 0;
	text_make(collector, line, hit->length);
	return hit->kind == SCAN_XML ? xml_add(collector, &track->id, line, hit, &sighting)
				     : line_add(collector, hit, &sighting);
}
