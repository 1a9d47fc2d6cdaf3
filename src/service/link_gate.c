#include "service/link_gate.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/secret.h"

#define TAG_BYTES 96

static_assert(SECRET_BASE64_SIZE(TAG_BYTES) == LINK_TAG_SIZE, "the tag's text");

int link_gate_init(struct link_gate *gate, const struct entropy *entropy)
{
	*gate = (struct link_gate){0};
	return entropy_fill(entropy, gate->nothing, sizeof(gate->nothing));
}

void link_gate_clear(struct link_gate *gate)
{
	secret_wipe(gate, sizeof(*gate));
}

struct link_session *link_gate_find(const struct link_gate *gate, uint64_t id)
{
	struct link_session *found = NULL;

	for (size_t i = 0; i < LINK_GATE_SESSIONS; i++) {
		if (gate->sessions[i] && gate->sessions[i]->id == id)
			found = gate->sessions[i];
	}
	return found;
}

static struct link_session **free_slot(struct link_gate *gate)
{
	for (size_t i = 0; i < LINK_GATE_SESSIONS; i++) {
		if (!gate->sessions[i])
			return &gate->sessions[i];
	}
	return NULL;
}

int link_gate_expect(struct link_gate *gate, struct link_session *session, const char *name,
	const struct link_session_limits *limits, const struct entropy *entropy, int64_t now,
	char tag[LINK_TAG_SIZE])
{
	struct link_session **slot = free_slot(gate);
	uint8_t bytes[TAG_BYTES];
	char text[LINK_TAG_SIZE];
	uint64_t id = 0;
	int error;

	if (!slot)
		return ERROR_LIMIT;
	/* 0 is no id, so that a forgotten one is never valid. */
	while (id == 0 || link_gate_find(gate, id)) {
		error = entropy_fill(entropy, &id, sizeof(id));
		if (error != 0)
			return error;
	}
	error = entropy_fill(entropy, bytes, sizeof(bytes));
	if (error != 0)
		goto out;
	secret_base64(bytes, sizeof(bytes), text);
	error = link_session_expect(session, id, name, text, limits, now);
	if (error != 0)
		goto out;
	*slot = session;
	memcpy(tag, text, sizeof(text));
out:
	secret_wipe(bytes, sizeof(bytes));
	secret_wipe(text, sizeof(text));
	return error;
}

void link_gate_remove(struct link_gate *gate, struct link_session *session)
{
	for (size_t i = 0; i < LINK_GATE_SESSIONS; i++) {
		if (gate->sessions[i] == session)
			gate->sessions[i] = NULL;
	}
	if (!session->expired)
		return;
	gate->expired[gate->next_expired].id = session->id;
	memcpy(gate->expired[gate->next_expired].digest, session->ticket.digest,
		LINK_SESSION_DIGEST_SIZE);
	gate->next_expired = (gate->next_expired + 1) % LINK_GATE_EXPIRED;
}

static bool was_expired(
	const struct link_gate *gate, uint64_t id, const uint8_t digest[LINK_SESSION_DIGEST_SIZE])
{
	bool found = false;

	for (size_t i = 0; i < LINK_GATE_EXPIRED; i++) {
		const struct link_gate_tombstone *tombstone = &gate->expired[i];
		bool equal = secret_equal(digest, tombstone->digest, LINK_SESSION_DIGEST_SIZE);

		found |= equal & (tombstone->id == id);
	}
	return found;
}

static bool may_resume(const struct link_session *session)
{
	return session->state == LINK_SESSION_CONNECTED ||
		session->state == LINK_SESSION_INTERRUPTED ||
		session->state == LINK_SESSION_RESUMING;
}

/* What the digest of tag or secret has to be; up to two answers for a secret
 * (link_session.h). A session that is unknown, or not in a state for it, is
 * compared as well, with what cannot be met. */
static bool matches(const struct link_gate *gate, const struct link_session *session,
	enum frame_type type, const uint8_t digest[LINK_SESSION_DIGEST_SIZE])
{
	const uint8_t *one = gate->nothing;
	const uint8_t *other = gate->nothing;
	bool first;
	bool second;

	if (type == FRAME_HELLO && session && session->state == LINK_SESSION_EXPECTED) {
		one = session->ticket.digest;
	} else if (type == FRAME_RESUME && session && may_resume(session)) {
		one = session->secret[0];
		other = session->secret[1];
	}
	first = secret_equal(digest, one, LINK_SESSION_DIGEST_SIZE);
	second = secret_equal(digest, other, LINK_SESSION_DIGEST_SIZE);
	return first | second;
}

static void count_wrong(struct link_session *session)
{
	if (session->state != LINK_SESSION_EXPECTED)
		return;
	session->ticket.wrong++;
	if (session->ticket.wrong >= LINK_GATE_TRIES)
		link_session_close(session, LINK_CAUSE_GENERIC);
}

unsigned link_gate_judge(struct link_gate *gate, const struct frame *frame, const char *name,
	int64_t now, struct link_session **ret_session)
{
	const struct frame_bytes *given = frame->type == FRAME_HELLO ? &frame->tag : &frame->secret;
	uint8_t digest[LINK_SESSION_DIGEST_SIZE];
	struct link_session *session;
	bool expired;
	bool right;

	assert(frame->type == FRAME_HELLO || frame->type == FRAME_RESUME);
	*ret_session = NULL;
	if (frame->version != FRAME_VERSION)
		return LINK_REFUSED_VERSION;
	if (link_session_digest(given->bytes, given->length, digest) != 0)
		return LINK_REFUSED_BUSY;
	session = link_gate_find(gate, frame->session);
	right = matches(gate, session, frame->type, digest);
	expired = was_expired(gate, frame->session, digest);
	*ret_session = session;
	if (!right && expired && frame->type == FRAME_HELLO)
		return LINK_REFUSED_EXPIRED;
	if (!session)
		return LINK_REFUSED_UNKNOWN;
	if (!right) {
		count_wrong(session);
		return LINK_REFUSED_TAG;
	}
	if (frame->type == FRAME_HELLO && now >= session->ticket.expires_at)
		return LINK_REFUSED_EXPIRED;
	if (session->ticket.name[0] != '\0' &&
		(!name || strcasecmp(name, session->ticket.name) != 0))
		return LINK_REFUSED_NAME;
	return 0;
}

uint16_t link_gate_told(unsigned refusal)
{
	switch (refusal) {
#define REFUSAL(name, number, wire, meaning)                                                       \
	case number:                                                                               \
		return wire;
#include "protocol/frames.def"
	default:
		return LINK_REFUSED_TAG;
	}
}
