#include "service/link_session.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define CONNECT_LIMIT (5 * CLOCK_SECOND)
#define KEEPALIVE_INTERVAL CLOCK_SECOND
#define KEEPALIVE_TIMEOUT (3 * CLOCK_SECOND)
#define INVITE_FIRST (200 * CLOCK_MILLISECOND)
#define INVITE_LONGEST CLOCK_SECOND
#define REDIAL_FIRST (500 * CLOCK_MILLISECOND)
#define REDIAL_LONGEST (5 * CLOCK_SECOND)

/* Which states may follow one; bits of enum link_session_state. */
#define TO(state) (1u << LINK_SESSION_##state)
static const unsigned moves[] = {
	[LINK_SESSION_EXPECTED] = TO(OPENING) | TO(CLOSED),
	[LINK_SESSION_DIALLING] = TO(OPENING) | TO(CLOSED),
	[LINK_SESSION_OPENING] = TO(CONNECTED) | TO(CLOSED),
	[LINK_SESSION_CONNECTED] = TO(INTERRUPTED) | TO(CLOSED),
	[LINK_SESSION_INTERRUPTED] = TO(RESUMING) | TO(CLOSED),
	[LINK_SESSION_RESUMING] = TO(CONNECTED) | TO(INTERRUPTED) | TO(CLOSED),
	[LINK_SESSION_CLOSED] = 0,
};

static void move(struct link_session *session, enum link_session_state state)
{
	assert(moves[session->state] & 1u << state);
	session->state = state;
}

static bool is_in(const struct link_session *session, unsigned states)
{
	return (states & 1u << session->state) != 0;
}

/* ---- queues ---- */

static struct link_session_action *add(struct link_session_queue *queue, enum link_session_do what)
{
	struct link_session_action *action;

	assert(queue->count < LINK_SESSION_QUEUE);
	action = &queue->actions[(queue->first + queue->count) % LINK_SESSION_QUEUE];
	queue->count++;
	*action = (struct link_session_action){.what = what};
	return action;
}

static bool take(struct link_session_queue *queue, struct link_session_action *ret_action)
{
	if (queue->count == 0)
		return false;
	*ret_action = queue->actions[queue->first];
	queue->first = (queue->first + 1) % LINK_SESSION_QUEUE;
	queue->count--;
	return true;
}

bool link_session_wire(struct link_session *session, struct link_session_action *ret_action)
{
	return take(&session->wire, ret_action);
}

bool link_session_event(struct link_session *session, struct link_session_action *ret_action)
{
	return take(&session->events, ret_action);
}

static void tell_step(struct link_session *session, enum link_step step)
{
	add(&session->events, LINK_SESSION_DO_STEP)->step = step;
}

/* A frame or, when its type is a packet's, a packet. */
static void put(struct link_session *session, const struct frame *frame)
{
	bool tcp = frame_info(frame->type)->channel == FRAME_TCP;

	add(&session->wire, tcp ? LINK_SESSION_DO_FRAME : LINK_SESSION_DO_PACKET)->frame = *frame;
}

static void put_plain(struct link_session *session, enum frame_type type)
{
	put(session, &(struct frame){.type = type});
}

/* ---- birth and death ---- */

void link_session_limits(struct link_session_limits *limits)
{
	if (limits->tag_life <= 0)
		limits->tag_life = LINK_TAG_LIFE;
	if (limits->silence <= 0)
		limits->silence = LINK_SILENCE_LIMIT;
	if (limits->udp_open <= 0)
		limits->udp_open = LINK_UDP_OPEN_LIMIT;
	if (limits->keepalive <= 0)
		limits->keepalive = KEEPALIVE_INTERVAL;
	if (limits->connect <= 0)
		limits->connect = CONNECT_LIMIT;
}

int link_session_digest(const void *bytes, size_t length, uint8_t digest[LINK_SESSION_DIGEST_SIZE])
{
	unsigned size = LINK_SESSION_DIGEST_SIZE;

	return EVP_Digest(bytes, length, digest, &size, EVP_sha256(), NULL) == 1 ? 0 : ERROR_CRYPTO;
}

static void init(struct link_session *session, enum link_session_role role, uint64_t id,
	const struct link_session_limits *limits)
{
	*session = (struct link_session){
		.role = role,
		.state = role == LINK_SESSION_AGENT ? LINK_SESSION_EXPECTED : LINK_SESSION_DIALLING,
		.id = id,
		.limits = *limits,
	};
	link_session_limits(&session->limits);
	liveness_init(&session->liveness, KEEPALIVE_TIMEOUT);
}

int link_session_expect(struct link_session *session, uint64_t id, const char *name,
	const char *tag, const struct link_session_limits *limits, int64_t now)
{
	uint8_t digest[LINK_SESSION_DIGEST_SIZE];
	int error;

	if (name && strlen(name) >= LINK_SESSION_NAME_SIZE)
		return ERROR_INPUT;
	error = link_session_digest(tag, strlen(tag), digest);
	if (error != 0)
		return error;
	init(session, LINK_SESSION_AGENT, id, limits);
	memcpy(session->ticket.digest, digest, sizeof(digest));
	snprintf(session->ticket.name, sizeof(session->ticket.name), "%s", name ? name : "");
	session->ticket.expires_at = now + session->limits.tag_life;
	return 0;
}

/* Client: an attempt begins. */
static void dial(struct link_session *session, int64_t now)
{
	session->dialling = true;
	session->dial_at = now;
	add(&session->wire, LINK_SESSION_DO_DIAL);
}

int link_session_dial(struct link_session *session, uint64_t id, const char *tag,
	const struct link_session_limits *limits, int64_t now)
{
	size_t length = strlen(tag);

	if (length == 0 || length >= sizeof(session->tag))
		return ERROR_INPUT;
	init(session, LINK_SESSION_CLIENT, id, limits);
	memcpy(session->tag, tag, length + 1);
	dial(session, now);
	return 0;
}

void link_session_clear(struct link_session *session)
{
	link_packet_sealer_clear(&session->sealer);
	link_packet_opener_clear(&session->opener);
	secret_wipe(session, sizeof(*session));
	session->state = LINK_SESSION_CLOSED;
}

/* The one way into CLOSED. */
static void finish(struct link_session *session, int error, unsigned cause, unsigned refusal)
{
	struct link_session_action *action;

	move(session, LINK_SESSION_CLOSED);
	if (session->tcp || session->dialling)
		add(&session->wire, LINK_SESSION_DO_HANG_UP);
	session->tcp = false;
	session->dialling = false;
	action = add(&session->events, LINK_SESSION_DO_CLOSED);
	action->error = error;
	action->cause = cause;
	action->refusal = refusal;
}

/* As finish, and the other end is told by both ways. */
static void say_goodbye(struct link_session *session, int error, unsigned cause)
{
	if (session->tcp)
		put(session, &(struct frame){.type = FRAME_CLOSE, .cause = cause});
	if (session->sealer.cipher.context)
		put(session, &(struct frame){.type = FRAME_GOODBYE, .cause = cause});
	finish(session, error, cause, 0);
}

void link_session_close(struct link_session *session, unsigned cause)
{
	if (session->state != LINK_SESSION_CLOSED)
		say_goodbye(session, 0, cause);
}

void link_session_broken(struct link_session *session, int64_t now)
{
	(void)now;
	if (session->state != LINK_SESSION_CLOSED)
		say_goodbye(session, ERROR_INPUT, LINK_CAUSE_GENERIC);
}

/* ---- the TCP connection ---- */

static int use_keys(struct link_session *session, const struct link_packet_keys *keys)
{
	bool agent = session->role == LINK_SESSION_AGENT;
	int error;

	error = link_packet_seal_with(&session->sealer, agent ? keys->agent : keys->client);
	if (error == 0)
		error = link_packet_open_with(&session->opener, agent ? keys->client : keys->agent);
	liveness_forget(&session->liveness);
	return error;
}

/* From CONNECTED or RESUMING; a loss during a resumption does not prolong it. */
static void interrupt(struct link_session *session, int64_t now)
{
	bool was_connected = session->state == LINK_SESSION_CONNECTED;

	session->tcp = false;
	move(session, LINK_SESSION_INTERRUPTED);
	if (!was_connected)
		return;
	session->interrupted_at = now;
	tell_step(session, LINK_STEP_INTERRUPTED);
}

static void begin_opening(struct link_session *session, int64_t now)
{
	move(session,
		session->state == LINK_SESSION_INTERRUPTED ? LINK_SESSION_RESUMING
							   : LINK_SESSION_OPENING);
	session->udp = false;
	session->began_at = now;
	session->heard_at = now;
	if (session->state != LINK_SESSION_OPENING)
		return;
	/* The agent learns only here which session a connection is for. */
	if (session->role == LINK_SESSION_AGENT)
		tell_step(session, LINK_STEP_TCP_ACCEPTED);
	tell_step(session, LINK_STEP_TCP_CONFIRMED);
}

static void become_connected(struct link_session *session, int64_t now)
{
	move(session, LINK_SESSION_CONNECTED);
	session->next_ping = now;
	tell_step(session, session->connected_before ? LINK_STEP_RESUMED : LINK_STEP_CONNECTED);
	session->connected_before = true;
}

int link_session_admitted(struct link_session *session, const struct link_packet_keys *keys,
	const uint8_t secret[FRAME_SECRET_SIZE], int64_t now)
{
	uint8_t digest[LINK_SESSION_DIGEST_SIZE];
	int error;

	assert(session->role == LINK_SESSION_AGENT);
	error = link_session_digest(secret, FRAME_SECRET_SIZE, digest);
	if (error == 0)
		error = use_keys(session, keys);
	if (error != 0)
		return error;
	if (is_in(session, TO(CONNECTED) | TO(RESUMING)))
		interrupt(session, now);
	begin_opening(session, now);
	session->tcp = true;
	memcpy(session->secret[1], digest, sizeof(digest));
	memcpy(session->welcome, secret, sizeof(session->welcome));
	put(session,
		&(struct frame){
			.type = FRAME_WELCOME,
			.version = FRAME_VERSION,
			.secret = {session->welcome, sizeof(session->welcome)},
		});
	return 0;
}

void link_session_tcp_up(
	struct link_session *session, const struct link_packet_keys *keys, int64_t now)
{
	struct frame frame = {.version = FRAME_VERSION, .session = session->id};

	(void)now;
	assert(session->role == LINK_SESSION_CLIENT);
	if (!session->dialling)
		return;
	session->tcp = true;
	session->pending = *keys;
	if (session->state == LINK_SESSION_DIALLING) {
		tell_step(session, LINK_STEP_TCP_ACCEPTED);
		frame.type = FRAME_HELLO;
		frame.tag =
			(struct frame_bytes){(const uint8_t *)session->tag, strlen(session->tag)};
	} else {
		frame.type = FRAME_RESUME;
		frame.secret = (struct frame_bytes){session->welcome, sizeof(session->welcome)};
	}
	put(session, &frame);
}

/* Client, INTERRUPTED: the attempt failed, another one follows. */
static void redial_later(struct link_session *session, int64_t now)
{
	session->tcp = false;
	session->dialling = false;
	session->dial_at = now + session->dial_wait;
	session->dial_wait *= 2;
	if (session->dial_wait > REDIAL_LONGEST)
		session->dial_wait = REDIAL_LONGEST;
}

void link_session_tcp_down(struct link_session *session, int error, int64_t now)
{
	bool client = session->role == LINK_SESSION_CLIENT;

	session->tcp = false;
	switch (session->state) {
	case LINK_SESSION_EXPECTED:
	case LINK_SESSION_CLOSED:
		return;
	case LINK_SESSION_DIALLING:
	case LINK_SESSION_OPENING:
		session->dialling = false;
		finish(session, error, LINK_CAUSE_NONE, 0);
		return;
	case LINK_SESSION_CONNECTED:
		interrupt(session, now);
		session->dial_wait = REDIAL_FIRST;
		if (client)
			dial(session, now);
		return;
	case LINK_SESSION_RESUMING:
		interrupt(session, now);
		if (client)
			redial_later(session, now);
		return;
	case LINK_SESSION_INTERRUPTED:
		if (!session->dialling)
			return;
		if (error == ERROR_UNTRUSTED)
			finish(session, error, LINK_CAUSE_NONE, 0);
		else
			redial_later(session, now);
		return;
	}
}

/* ---- frames ---- */

static void take_welcome(struct link_session *session, const struct frame *frame, int64_t now)
{
	int error;

	memcpy(session->welcome, frame->secret.bytes, sizeof(session->welcome));
	secret_wipe(session->tag, sizeof(session->tag));
	error = use_keys(session, &session->pending);
	secret_wipe(&session->pending, sizeof(session->pending));
	if (error != 0) {
		say_goodbye(session, error, LINK_CAUSE_GENERIC);
		return;
	}
	session->dialling = false;
	begin_opening(session, now);
	session->invite_wait = INVITE_FIRST;
	session->next_invite = now + session->invite_wait;
	put_plain(session, FRAME_INVITE);
}

static void take_refused(struct link_session *session, const struct frame *frame, int64_t now)
{
	if (session->state == LINK_SESSION_INTERRUPTED && frame->refusal == LINK_REFUSED_BUSY) {
		add(&session->wire, LINK_SESSION_DO_HANG_UP);
		redial_later(session, now);
		return;
	}
	finish(session, ERROR_REFUSED, LINK_CAUSE_NONE, frame->refusal);
}

static void send_license(struct link_session *session)
{
	const struct link_license *license = &session->license;
	struct frame frame = {
		.type = FRAME_LICENSE,
		.days = license->remaining_days >= 0 ? (uint32_t)license->remaining_days
						     : FRAME_DAYS_UNKNOWN,
		.source = {(const uint8_t *)license->source, strlen(license->source)},
		.text = {(const uint8_t *)license->text, strlen(license->text)},
	};

	if (license->granted)
		frame.flags |= FRAME_FLAG_GRANTED;
	if (license->grace)
		frame.flags |= FRAME_FLAG_GRACE;
	put(session, &frame);
}

static void take_opened(struct link_session *session, int64_t now)
{
	/* The client has the new secret; the one before is worthless now. */
	memcpy(session->secret[0], session->secret[1], sizeof(session->secret[0]));
	secret_wipe(session->welcome, sizeof(session->welcome));
	put_plain(session, FRAME_CONNECTED);
	become_connected(session, now);
	if (session->licensed)
		send_license(session);
}

static void copy_text(char *text, size_t size, const struct frame_bytes *bytes)
{
	assert(bytes->length < size);
	if (bytes->length > 0)
		memcpy(text, bytes->bytes, bytes->length);
	text[bytes->length] = '\0';
}

static void take_license(struct link_session *session, const struct frame *frame)
{
	struct link_license *license = &session->license;

	license->granted = (frame->flags & FRAME_FLAG_GRANTED) != 0;
	license->grace = (frame->flags & FRAME_FLAG_GRACE) != 0;
	license->remaining_days = frame->days <= INT32_MAX ? (int)frame->days : -1;
	copy_text(license->source, sizeof(license->source), &frame->source);
	copy_text(license->text, sizeof(license->text), &frame->text);
	add(&session->events, LINK_SESSION_DO_LICENSE);
}

/* The states in which a frame may come; the codec has judged its direction. */
static unsigned allowed_in(enum frame_type type)
{
	switch (type) {
	case FRAME_WELCOME:
	case FRAME_REFUSED:
		return TO(DIALLING) | TO(INTERRUPTED);
	case FRAME_OPENED:
	case FRAME_CONNECTED:
		return TO(OPENING) | TO(RESUMING);
	case FRAME_LICENSE:
	case FRAME_DATA:
		return TO(CONNECTED);
	case FRAME_CLOSE:
		return TO(OPENING) | TO(RESUMING) | TO(CONNECTED);
	default:
		return 0;
	}
}

void link_session_frame(struct link_session *session, const struct frame *frame, int64_t now)
{
	if (!session->tcp)
		return;
	session->heard_at = now;
	if (!is_in(session, allowed_in(frame->type))) {
		link_session_broken(session, now);
		return;
	}
	switch (frame->type) {
	case FRAME_WELCOME:
		take_welcome(session, frame, now);
		return;
	case FRAME_REFUSED:
		take_refused(session, frame, now);
		return;
	case FRAME_OPENED:
		if (session->udp)
			take_opened(session, now);
		else
			link_session_broken(session, now);
		return;
	case FRAME_CONNECTED:
		if (session->udp)
			become_connected(session, now);
		else
			link_session_broken(session, now);
		return;
	case FRAME_LICENSE:
		take_license(session, frame);
		return;
	case FRAME_DATA:
		session->bytes_in += frame->data.length;
		add(&session->events, LINK_SESSION_DO_DATA)->frame = *frame;
		return;
	default:
		finish(session, 0, frame->cause, 0);
		return;
	}
}

/* ---- packets ---- */

static void udp_opened(struct link_session *session)
{
	session->udp = true;
	if (session->state == LINK_SESSION_OPENING)
		tell_step(session, LINK_STEP_UDP_OPEN);
}

static void take_packet(struct link_session *session, const struct frame *frame, int64_t now)
{
	bool opening = is_in(session, TO(OPENING) | TO(RESUMING));

	switch (frame->type) {
	case FRAME_INVITE:
		if (opening && !session->udp)
			udp_opened(session);
		put_plain(session, FRAME_ACCEPT);
		return;
	case FRAME_ACCEPT:
		if (opening && !session->udp) {
			udp_opened(session);
			put_plain(session, FRAME_OPENED);
		}
		return;
	case FRAME_PING:
		put(session, &(struct frame){.type = FRAME_PONG, .number = frame->number});
		return;
	case FRAME_PONG:
		if (liveness_answered(&session->liveness, frame->number, now) == 0)
			add(&session->events, LINK_SESSION_DO_QUALITY);
		return;
	case FRAME_GOODBYE:
		finish(session, 0, frame->cause, 0);
		return;
	default:
		return;
	}
}

int link_session_packet(struct link_session *session, const void *bytes, size_t length, int64_t now,
	bool *ret_newest)
{
	uint8_t payload[LINK_PACKET_PAYLOAD_MAXIMUM];
	bool agent = session->role == LINK_SESSION_AGENT;
	struct frame frame;
	size_t used;
	int error;

	if (session->state == LINK_SESSION_CLOSED)
		return ERROR_STATE;
	error = link_packet_open(
		&session->opener, session->id, bytes, length, payload, &used, ret_newest);
	if (error != 0)
		return error;
	session->heard_at = now;
	/* An authentic packet of a kind unknown here is a later version's. */
	if (frame_read_packet(payload, used, agent ? FRAME_TO_AGENT : FRAME_TO_CLIENT, &frame) == 0)
		take_packet(session, &frame, now);
	return 0;
}

int link_session_seal(struct link_session *session, const struct frame *frame,
	uint8_t packet[LINK_PACKET_MAXIMUM], size_t *ret_length)
{
	uint8_t payload[LINK_PACKET_PAYLOAD_MAXIMUM];
	size_t length;
	int error;

	error = frame_write(frame, payload, sizeof(payload), &length);
	if (error != 0)
		return error;
	return link_packet_seal(&session->sealer, session->id, payload, length, packet, ret_length);
}

/* ---- time ---- */

static void tick_pings(struct link_session *session, int64_t now)
{
	struct frame ping = {.type = FRAME_PING};

	if (now < session->next_ping)
		return;
	if (liveness_age(&session->liveness, now) > 0)
		add(&session->events, LINK_SESSION_DO_QUALITY);
	ping.number = liveness_sent(&session->liveness, now);
	put(session, &ping);
	session->next_ping += session->limits.keepalive;
	/* After a halt of the machine: no burst to catch up. */
	if (session->next_ping <= now)
		session->next_ping = now + session->limits.keepalive;
}

static void tick_invite(struct link_session *session, int64_t now)
{
	if (session->role != LINK_SESSION_CLIENT || session->udp || now < session->next_invite)
		return;
	put_plain(session, FRAME_INVITE);
	session->invite_wait *= 2;
	if (session->invite_wait > INVITE_LONGEST)
		session->invite_wait = INVITE_LONGEST;
	session->next_invite = now + session->invite_wait;
}

/* Client, INTERRUPTED. */
static void tick_dial(struct link_session *session, int64_t now)
{
	if (session->role != LINK_SESSION_CLIENT)
		return;
	if (!session->dialling && now >= session->dial_at) {
		dial(session, now);
	} else if (session->dialling && now >= session->dial_at + session->limits.connect) {
		add(&session->wire, LINK_SESSION_DO_HANG_UP);
		redial_later(session, now);
	}
}

void link_session_tick(struct link_session *session, int64_t now)
{
	const struct link_session_limits *limits = &session->limits;
	/* The client calls its own time-outs errors; at the agent the cause tells all. */
	int late = session->role == LINK_SESSION_CLIENT ? ERROR_TIMEOUT : 0;

	switch (session->state) {
	case LINK_SESSION_EXPECTED:
		if (now >= session->ticket.expires_at) {
			session->expired = true;
			finish(session, 0, LINK_CAUSE_SESSION_EXPIRY_TIMEOUT, 0);
		}
		return;
	case LINK_SESSION_DIALLING:
		if (now >= session->dial_at + limits->connect)
			finish(session, late, LINK_CAUSE_NONE, 0);
		return;
	case LINK_SESSION_RESUMING:
		if (now >= session->interrupted_at + limits->silence) {
			say_goodbye(session, late, LINK_CAUSE_NONE);
			return;
		}
		/* fall through */
	case LINK_SESSION_OPENING:
		if (now >= session->began_at + limits->udp_open)
			say_goodbye(session, late, LINK_CAUSE_PCOIP_OPEN_TIMEOUT);
		else
			tick_invite(session, now);
		return;
	case LINK_SESSION_CONNECTED:
		if (now >= session->heard_at + limits->silence)
			say_goodbye(session, late, LINK_CAUSE_NONE);
		else
			tick_pings(session, now);
		return;
	case LINK_SESSION_INTERRUPTED:
		if (now >= session->interrupted_at + limits->silence) {
			say_goodbye(session, late, LINK_CAUSE_NONE);
			return;
		}
		tick_pings(session, now);
		tick_dial(session, now);
		return;
	case LINK_SESSION_CLOSED:
		return;
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t link_session_due(const struct link_session *session)
{
	const struct link_session_limits *limits = &session->limits;
	bool client = session->role == LINK_SESSION_CLIENT;
	int64_t due = INT64_MAX;

	switch (session->state) {
	case LINK_SESSION_EXPECTED:
		return session->ticket.expires_at;
	case LINK_SESSION_DIALLING:
		return session->dial_at + limits->connect;
	case LINK_SESSION_RESUMING:
		due = session->interrupted_at + limits->silence;
		/* fall through */
	case LINK_SESSION_OPENING:
		due = earlier(due, session->began_at + limits->udp_open);
		return client && !session->udp ? earlier(due, session->next_invite) : due;
	case LINK_SESSION_CONNECTED:
		return earlier(session->heard_at + limits->silence, session->next_ping);
	case LINK_SESSION_INTERRUPTED:
		due = earlier(session->interrupted_at + limits->silence, session->next_ping);
		if (client)
			due = earlier(due,
				session->dialling ? session->dial_at + limits->connect
						  : session->dial_at);
		return due;
	case LINK_SESSION_CLOSED:
		break;
	}
	return due;
}

/* ---- the program ---- */

/* Makes a text fit for the wire: no control characters. */
static void plain_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	for (; *to != '\0'; to++) {
		if ((unsigned char)*to < 0x20 || *to == 0x7f)
			*to = '?';
	}
}

void link_session_license(struct link_session *session, const struct link_license *license)
{
	assert(session->role == LINK_SESSION_AGENT);
	session->license = *license;
	plain_text(session->license.source, sizeof(session->license.source), license->source);
	plain_text(session->license.text, sizeof(session->license.text), license->text);
	session->licensed = true;
	if (session->state == LINK_SESSION_CONNECTED)
		send_license(session);
}

int link_session_may_send(const struct link_session *session)
{
	return session->state == LINK_SESSION_CONNECTED ? 0 : ERROR_STATE;
}

void link_session_sent(struct link_session *session, size_t length)
{
	session->bytes_out += length;
}

void link_session_quality(const struct link_session *session, struct link_quality *quality)
{
	const struct liveness *liveness = &session->liveness;

	*quality = (struct link_quality){
		.sent = liveness->sent,
		.answered = liveness->answered,
		.loss = liveness_loss(liveness),
		.rtt_last = liveness_rtt_last(liveness),
		.rtt_mean = liveness_rtt_mean(liveness),
		.rtt_max = liveness_rtt_maximum(liveness),
		.jitter = liveness_jitter(liveness),
		.bytes_in = session->bytes_in,
		.bytes_out = session->bytes_out,
	};
}
