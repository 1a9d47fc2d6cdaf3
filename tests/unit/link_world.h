/*
 * link_world.h - both ends of a session and the gate between them, joined by a network that
 * exists in memory and a clock that is moved by hand. For test_link*.c.
 */
#ifndef FAIRLEAD_TESTS_LINK_WORLD_H
#define FAIRLEAD_TESTS_LINK_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/error.h"
#include "base/secret.h"
#include "service/link_gate.h"
#include "service/link_session.h"

#define SECOND CLOCK_SECOND
#define MS CLOCK_MILLISECOND
#define NAME "ws-7.example"
#define RECORD 32

enum tcp_mode {
	TCP_WORKS,
	TCP_REFUSES,  /* new connections fail at once */
	TCP_SWALLOWS, /* nothing arrives and nobody is told */
};

struct item {
	int64_t at;
	bool packet;
	unsigned connection; /* of a frame */
	struct link_session *to;
	size_t length;
	uint8_t bytes[FRAME_HEADER_SIZE + 600];
};

/* What the programs at both ends are told. */
struct record {
	enum link_step steps[RECORD];
	size_t step_count;
	int closed;
	struct link_session_action end;
	int64_t ended_at;
	size_t qualities, licenses;
	char data[64];
	size_t data_length;
};

struct world {
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct link_gate gate;
	struct link_session agent, client;
	struct record agent_record, client_record;
	char tag[LINK_TAG_SIZE];
	bool client_is_there;

	struct item items[64];
	size_t item_count;
	enum tcp_mode tcp;
	bool drop_to_agent, drop_to_client; /* UDP */
	unsigned drop_every;                /* n: each n-th PONG */
	unsigned pongs;
	int64_t delay;         /* one way */
	int64_t pong_delay[8]; /* added, in turn; the rest 0 */
	unsigned connection;   /* the newest; 0: none */
	bool admitted;         /* the agent counts it as the session's */
	struct link_packet_keys keys;
	int64_t invites[64];
	size_t invite_count;
	struct item last_packet; /* newest to the agent */
};

static inline int64_t now(const struct world *world)
{
	return world->clock.steady_now;
}

static inline bool to_agent(const struct world *world, const struct link_session *to)
{
	return to == &world->agent;
}

/* ---- the network ---- */

static inline struct item *post(struct world *world, struct link_session *to, bool packet)
{
	struct item *item;

	assert_true(world->item_count < 64);
	item = &world->items[world->item_count++];
	*item = (struct item){
		.at = now(world) + world->delay,
		.packet = packet,
		.connection = world->connection,
		.to = to,
	};
	return item;
}

static inline void send_frame(
	struct world *world, struct link_session *from, const struct frame *frame)
{
	struct link_session *to = to_agent(world, from) ? &world->client : &world->agent;
	struct item *item;

	if (world->connection == 0 || world->tcp == TCP_SWALLOWS)
		return;
	item = post(world, to, false);
	assert_int_equal(frame_write(frame, item->bytes, sizeof(item->bytes), &item->length), 0);
}

static inline void send_packet(
	struct world *world, struct link_session *from, const struct frame *frame)
{
	struct link_session *to = to_agent(world, from) ? &world->client : &world->agent;
	uint8_t packet[LINK_PACKET_MAXIMUM];
	struct item *item;
	size_t length;

	assert_int_equal(link_session_seal(from, frame, packet, &length), 0);
	if (frame->type == FRAME_INVITE && world->invite_count < 64)
		world->invites[world->invite_count++] = now(world);
	if (to_agent(world, to) ? world->drop_to_agent : world->drop_to_client)
		return;
	if (frame->type == FRAME_PONG && !to_agent(world, to)) {
		world->pongs++;
		if (world->drop_every > 0 && world->pongs % world->drop_every == 0)
			return;
	}
	item = post(world, to, true);
	item->length = length;
	memcpy(item->bytes, packet, length);
	if (frame->type == FRAME_PONG && !to_agent(world, to))
		item->at += world->pong_delay[(world->pongs - 1) % 8];
	if (to_agent(world, to))
		world->last_packet = *item;
}

static inline void drop_frames(struct world *world)
{
	size_t kept = 0;

	for (size_t i = 0; i < world->item_count; i++) {
		if (world->items[i].packet)
			world->items[kept++] = world->items[i];
	}
	world->item_count = kept;
}

/* ---- the shells that link_server.c and link_client.c are in life ---- */

static inline void tell(struct record *record, const struct link_session_action *action, int64_t at)
{
	assert_int_equal(record->closed, 0);
	switch (action->what) {
	case LINK_SESSION_DO_STEP:
		assert_true(record->step_count < RECORD);
		record->steps[record->step_count++] = action->step;
		break;
	case LINK_SESSION_DO_LICENSE:
		record->licenses++;
		break;
	case LINK_SESSION_DO_QUALITY:
		record->qualities++;
		break;
	case LINK_SESSION_DO_DATA:
		assert_true(record->data_length + action->frame.data.length < sizeof(record->data));
		memcpy(record->data + record->data_length, action->frame.data.bytes,
			action->frame.data.length);
		record->data_length += action->frame.data.length;
		break;
	default:
		assert_int_equal(action->what, LINK_SESSION_DO_CLOSED);
		record->closed++;
		record->end = *action;
		record->ended_at = at;
		break;
	}
}

static inline void hang_up(struct world *world, struct link_session *from)
{
	/* What was sent before still arrives; the other end then sees the end of it. */
	if (!to_agent(world, from))
		return;
	world->admitted = false;
}

static inline void dial(struct world *world)
{
	if (world->tcp == TCP_REFUSES) {
		link_session_tcp_down(&world->client, ERROR_UNREACHABLE, now(world));
		return;
	}
	if (world->tcp == TCP_SWALLOWS)
		return;
	drop_frames(world);
	world->connection++;
	world->admitted = false;
	entropy_fill(&world->entropy.entropy, &world->keys, sizeof(world->keys));
	link_session_tcp_up(&world->client, &world->keys, now(world));
}

static inline void settle_one(
	struct world *world, struct link_session *session, struct record *record)
{
	struct link_session_action action;

	while (link_session_wire(session, &action)) {
		if (action.what == LINK_SESSION_DO_FRAME)
			send_frame(world, session, &action.frame);
		else if (action.what == LINK_SESSION_DO_PACKET)
			send_packet(world, session, &action.frame);
		else if (action.what == LINK_SESSION_DO_DIAL)
			dial(world);
		else
			hang_up(world, session);
	}
	while (link_session_event(session, &action))
		tell(record, &action, now(world));
}

static inline void settle(struct world *world)
{
	settle_one(world, &world->agent, &world->agent_record);
	if (world->client_is_there)
		settle_one(world, &world->client, &world->client_record);
}

static inline unsigned judge(struct world *world, const struct frame *frame, const char *name)
{
	struct link_session *session;
	unsigned refusal = link_gate_judge(&world->gate, frame, name, now(world), &session);
	uint8_t secret[FRAME_SECRET_SIZE];

	if (refusal != 0) {
		settle(world);
		return refusal;
	}
	assert_ptr_equal(session, &world->agent);
	entropy_fill(&world->entropy.entropy, secret, sizeof(secret));
	world->admitted = true;
	assert_int_equal(link_session_admitted(&world->agent, &world->keys, secret, now(world)), 0);
	return 0;
}

static inline void deliver(struct world *world, const struct item *item)
{
	struct frame answer = {.type = FRAME_REFUSED};
	struct frame frame;
	bool newest;
	size_t used;

	if (item->packet) {
		(void)link_session_packet(item->to, item->bytes, item->length, now(world), &newest);
		return;
	}
	if (item->connection != world->connection)
		return;
	assert_int_equal(frame_read(item->bytes, item->length,
				 to_agent(world, item->to) ? FRAME_TO_AGENT : FRAME_TO_CLIENT,
				 &frame, &used),
		0);
	assert_int_equal(used, item->length);
	if (!to_agent(world, item->to) || world->admitted) {
		link_session_frame(item->to, &frame, now(world));
		return;
	}
	if (frame.type != FRAME_HELLO && frame.type != FRAME_RESUME)
		return;
	answer.refusal = link_gate_told(judge(world, &frame, NAME));
	if (!world->admitted)
		send_frame(world, &world->agent, &answer);
}

static inline int64_t next_due(const struct world *world)
{
	int64_t due = link_session_due(&world->agent);

	if (world->client_is_there && link_session_due(&world->client) < due)
		due = link_session_due(&world->client);
	for (size_t i = 0; i < world->item_count; i++) {
		if (world->items[i].at < due)
			due = world->items[i].at;
	}
	return due;
}

/* The earliest item, if its time has come; in order of sending. */
static inline bool take_item(struct world *world, struct item *item)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < world->item_count; i++) {
		if (world->items[i].at <= now(world) &&
			(best == SIZE_MAX || world->items[i].at < world->items[best].at))
			best = i;
	}
	if (best == SIZE_MAX)
		return false;
	*item = world->items[best];
	world->item_count--;
	memmove(&world->items[best], &world->items[best + 1],
		(world->item_count - best) * sizeof(*item));
	return true;
}

/* Lets time pass, stopping wherever something is to be done. */
static inline void run(struct world *world, int64_t microseconds)
{
	int64_t end = now(world) + microseconds;
	struct item item;

	settle(world);
	for (;;) {
		int64_t due;

		while (take_item(world, &item)) {
			deliver(world, &item);
			settle(world);
		}
		due = next_due(world);
		if (due > end)
			break;
		/* A due time that is not served would hold the clock for ever. */
		if (due > now(world))
			clock_fake_advance(&world->clock, due - now(world));
		link_session_tick(&world->agent, now(world));
		if (world->client_is_there)
			link_session_tick(&world->client, now(world));
		settle(world);
		assert_true(next_due(world) > now(world) || world->item_count > 0);
	}
	clock_fake_advance(&world->clock, end - now(world));
}

/* ---- beginnings ---- */

static const struct link_session_limits defaults;

static inline struct world *expect_client(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	clock_fake_init(&world->clock, 0);
	entropy_fake_init(&world->entropy, 42);
	world->delay = MS;
	assert_int_equal(link_gate_init(&world->gate, &world->entropy.entropy), 0);
	assert_int_equal(link_gate_expect(&world->gate, &world->agent, NAME, &defaults,
				 &world->entropy.entropy, now(world), world->tag),
		0);
	return world;
}

static inline void come(struct world *world)
{
	assert_int_equal(link_session_dial(&world->client, world->agent.id, world->tag, &defaults,
				 now(world)),
		0);
	world->client_is_there = true;
}

static inline struct world *connect_both(void)
{
	struct world *world = expect_client();

	come(world);
	run(world, SECOND);
	assert_int_equal(world->agent.state, LINK_SESSION_CONNECTED);
	assert_int_equal(world->client.state, LINK_SESSION_CONNECTED);
	return world;
}

static inline void end_world(struct world *world)
{
	link_session_clear(&world->agent);
	if (world->client_is_there)
		link_session_clear(&world->client);
	link_gate_clear(&world->gate);
	free(world);
}

/* TCP breaks and both ends see it. */
static inline void cut(struct world *world)
{
	world->connection++;
	world->admitted = false;
	drop_frames(world);
	link_session_tcp_down(&world->agent, ERROR_CLOSED, now(world));
	link_session_tcp_down(&world->client, ERROR_CLOSED, now(world));
	settle(world);
}

static inline void assert_steps(
	const struct record *record, const enum link_step *steps, size_t count)
{
	assert_int_equal(record->step_count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(record->steps[i], steps[i]);
}

static inline void assert_end(const struct record *record, int error, unsigned cause)
{
	assert_int_equal(record->closed, 1);
	assert_int_equal(record->end.error, error);
	assert_int_equal(record->end.cause, cause);
}

static inline struct frame hello(const struct world *world, const char *tag)
{
	return (struct frame){
		.type = FRAME_HELLO,
		.version = FRAME_VERSION,
		.session = world->agent.id,
		.tag = {(const uint8_t *)tag, strlen(tag)},
	};
}

static inline struct frame resume(const struct world *world, const uint8_t *secret)
{
	return (struct frame){
		.type = FRAME_RESUME,
		.version = FRAME_VERSION,
		.session = world->agent.id,
		.secret = {secret, FRAME_SECRET_SIZE},
	};
}

/* A datagram to the agent changes nothing. */
static inline void assert_ignored(
	struct world *world, const uint8_t *bytes, size_t length, int expected)
{
	int64_t heard = world->agent.heard_at;
	uint64_t highest = world->agent.opener.highest;
	bool newest;

	assert_int_equal(
		link_session_packet(&world->agent, bytes, length, now(world), &newest), expected);
	assert_int_equal(world->agent.heard_at, heard);
	assert_int_equal(world->agent.opener.highest, highest);
	assert_int_equal(world->agent.wire.count, 0);
	assert_int_equal(world->agent.events.count, 0);
}

#endif
