/*
 * One question to a group of servers: a state machine on a loop.
 *
 * A server is looked up, then asked at one of its addresses by `line`, a connected socket of its
 * own, so that the kernel drops what others send and tells when nobody listens. Silence, refusal
 * and errors lead to its next address, then to the next server. The last address of the last server
 * is asked, ever more rarely, until the time is over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/radius_exchange.h"

#define RECEIVE_AT_ONCE 16
#define PAUSE_MOST_MS 10000 /* between requests to the last server */
#define RESOLVE_PAUSE_MS 20 /* between questions to the resolver */
#define RESOLVE_PAUSE_MOST_MS 200
#define UNRESOLVED "its name was not found in time"

static void advance(struct exchange *exchange);
static void on_next(uv_timer_t *timer);
static void on_find_again(uv_timer_t *timer);

static bool last_server(const struct exchange *exchange)
{
	return exchange->at + 1 == exchange->radius->peer_count;
}

/* --- one address --- */

/* Nothing more is expected of this address. */
static void leave(struct exchange *exchange, const char *why)
{
	(void)snprintf(exchange->trouble, sizeof(exchange->trouble), "%s", why);
	radius_outcome_drop_line(exchange);
	uv_timer_stop(&exchange->next);
	exchange->address_at++;
	advance(exchange);
}

static const char *silence_of(const struct exchange *exchange)
{
	if (exchange->here.without > 0)
		return "its answers lack a Message-Authenticator";
	if (exchange->here.forged > 0)
		return "its answers do not fit the shared secret";
	return "it did not answer";
}

static const char *trouble_of(int number)
{
	return number == ECONNREFUSED ? "nothing listens at its port" : uv_strerror(-number);
}

/* 0, or why nothing can be received: an errno. */
static int receive(struct line *line)
{
	struct exchange *exchange = line->exchange;
	uint8_t bytes[RADIUS_PACKET_MAXIMUM];

	for (int i = 0; i < RECEIVE_AT_ONCE && exchange->line == line; i++) {
		ssize_t length = recv(line->fd, bytes, sizeof(bytes), MSG_TRUNC);

		if (length < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : errno;
		if ((size_t)length > sizeof(bytes))
			exchange->all.foreign++;
		else
			radius_outcome_received(exchange, bytes, (size_t)length);
	}
	return 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct line *line = poll->data;
	struct exchange *exchange = line->exchange;
	int number = receive(line);

	(void)events;
	if (exchange->line != line)
		return;
	/* libuv stops to poll a socket with an error that is waiting to be read. */
	if (number == 0 && status < 0 && uv_poll_start(poll, UV_READABLE, on_readable) != 0)
		number = EIO;
	if (number != 0)
		leave(exchange, trouble_of(number));
}

static void wait_next(struct exchange *exchange, uint64_t milliseconds)
{
	(void)uv_timer_start(&exchange->next, on_next, milliseconds, 0);
}

/* 0, or an errno that says this address is no good. */
static int send_request(struct exchange *exchange)
{
	ssize_t length =
		send(exchange->line->fd, exchange->packet, exchange->packet_length, MSG_NOSIGNAL);

	/* Full buffers lose a datagram as a network does. */
	if (length < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		return errno;
	exchange->sent++;
	exchange->here.sent++;
	exchange->all.sent++;
	wait_next(exchange, exchange->pause);
	return 0;
}

static int write_request(struct exchange *exchange)
{
	const struct radius *radius = exchange->radius;
	const struct radius_request *given = exchange->request;
	struct radius_packet_request request = {
		.user = given->user,
		.password = given->password,
		.method = radius->password,
		.state = given->state,
		.state_length = given->state_length,
		.client = given->client,
		.nas_identifier = radius->nas_identifier,
		.secret = peer_of(exchange)->secret,
	};
	uint8_t random[2 + 2 * RADIUS_PACKET_RANDOM];
	int error = entropy_fill(given->entropy, random, sizeof(random));

	if (error)
		return error;
	request.id = random[0];
	request.chap_id = random[1];
	memcpy(request.authenticator, random + 2, RADIUS_PACKET_RANDOM);
	memcpy(request.chap_challenge, random + 2 + RADIUS_PACKET_RANDOM, RADIUS_PACKET_RANDOM);
	exchange->id = request.id;
	memcpy(exchange->authenticator, request.authenticator, RADIUS_PACKET_RANDOM);
	return radius_packet_write(&request, exchange->packet, &exchange->packet_length);
}

/* 0 or an errno. */
static int open_line(struct exchange *exchange)
{
	const struct sockaddr_storage *address = &exchange->addresses.list[exchange->address_at];
	socklen_t length = exchange->addresses.lengths[exchange->address_at];
	struct line *line = calloc(1, sizeof(*line));
	int number;

	if (!line)
		return ENOMEM;
	line->exchange = exchange;
	line->fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (line->fd < 0 || connect(line->fd, (const struct sockaddr *)address, length) != 0) {
		number = errno;
		goto failed;
	}
	number = -uv_poll_init(exchange->request->loop, &line->poll, line->fd);
	if (number != 0)
		goto failed;
	line->poll.data = line;
	exchange->line = line;
	exchange->handles++;
	return -uv_poll_start(&line->poll, UV_READABLE, on_readable);
failed:
	if (line->fd >= 0)
		close(line->fd);
	free(line);
	return number;
}

/* True: an answer is waited for. */
static bool ask_address(struct exchange *exchange)
{
	int error = write_request(exchange);
	const char *why = error_text(error);
	int number;

	if (!error) {
		exchange->sent = 0;
		exchange->pause = exchange->radius->retry_ms;
		number = open_line(exchange);
		if (number == 0)
			number = send_request(exchange);
		if (number == 0)
			return true;
		why = trouble_of(number);
	}
	(void)snprintf(exchange->trouble, sizeof(exchange->trouble), "%s", why);
	radius_outcome_drop_line(exchange);
	return false;
}

static void on_next(uv_timer_t *timer)
{
	struct exchange *exchange = timer->data;
	int number;

	if (exchange->sent >= exchange->radius->tries) {
		/* Another address of its own would be asked what this one may be at work on, and
		 * a person would have to approve twice. */
		if (!last_server(exchange)) {
			exchange->address_at = exchange->addresses.count;
			leave(exchange, silence_of(exchange));
			return;
		}
		exchange->pause *= 2;
		if (exchange->pause > PAUSE_MOST_MS)
			exchange->pause = PAUSE_MOST_MS;
	}
	number = send_request(exchange);
	if (number != 0)
		leave(exchange, trouble_of(number));
}

/* --- one server --- */

static void note_unfound(struct exchange *exchange, int error)
{
	if (error == ERROR_NOT_FOUND)
		(void)snprintf(exchange->trouble, sizeof(exchange->trouble),
			"its name was not found: %s", resolve_trouble(peer_of(exchange)->address));
	else if (error == ERROR_TIMEOUT)
		(void)snprintf(exchange->trouble, sizeof(exchange->trouble), "%s", UNRESOLVED);
	else
		(void)snprintf(exchange->trouble, sizeof(exchange->trouble),
			"its name cannot be looked up: %s", error_text(error));
}

/* True: the resolver is at work, and is asked again before long. */
static bool find_server(struct exchange *exchange)
{
	uint64_t now = uv_now(exchange->request->loop);
	uint64_t pause = exchange->pause;
	int error = resolve_poll(peer_of(exchange)->address, exchange->request->clock,
		&exchange->look_up, &exchange->addresses);

	exchange->resolving = error == ERROR_TIMEOUT && now < exchange->resolve_until;
	if (exchange->resolving) {
		if (pause > exchange->resolve_until - now)
			pause = exchange->resolve_until - now;
		(void)uv_timer_start(&exchange->next, on_find_again, pause, 0);
		exchange->pause *= 2;
		if (exchange->pause > RESOLVE_PAUSE_MOST_MS)
			exchange->pause = RESOLVE_PAUSE_MOST_MS;
	} else if (error) {
		note_unfound(exchange, error);
	}
	return exchange->resolving;
}

static void on_find_again(uv_timer_t *timer)
{
	struct exchange *exchange = timer->data;

	if (!find_server(exchange))
		advance(exchange);
}

/* True: the resolver is at work. */
static bool take_server(struct exchange *exchange)
{
	const struct radius *radius = exchange->radius;

	memset(&exchange->here, 0, sizeof(exchange->here));
	exchange->trouble[0] = '\0';
	exchange->address_at = 0;
	exchange->addresses.count = 0;
	exchange->look_up = 0;
	exchange->pause = RESOLVE_PAUSE_MS;
	exchange->resolve_until = last_server(exchange)
		? UINT64_MAX
		: uv_now(exchange->request->loop) + radius->retry_ms * radius->tries;
	return find_server(exchange);
}

/* The server had its chance, and another one has not had its own. */
static void pass_over(struct exchange *exchange)
{
	struct radius_answer *answer = &exchange->answer;

	radius_hold(exchange->radius, exchange->order[exchange->at],
		clock_steady(exchange->request->clock));
	if (answer->trouble_count < IDENTITY_TROUBLES_MAXIMUM)
		answer->troubles[answer->trouble_count++] = (struct identity_trouble){
			.server = radius_outcome_text(exchange, peer_of(exchange)->label),
			.text = radius_outcome_text(exchange, exchange->trouble)};
}

/* Goes on until something is waited for. */
static void advance(struct exchange *exchange)
{
	for (;;) {
		if (exchange->address_at < exchange->addresses.count) {
			if (ask_address(exchange))
				return;
			exchange->address_at++;
			continue;
		}
		if (last_server(exchange)) {
			radius_outcome_fail(exchange);
			return;
		}
		pass_over(exchange);
		exchange->at++;
		if (take_server(exchange))
			return;
	}
}

static void on_whole(uv_timer_t *timer)
{
	struct exchange *exchange = timer->data;

	(void)snprintf(exchange->trouble, sizeof(exchange->trouble), "%s",
		exchange->resolving ? UNRESOLVED : silence_of(exchange));
	/* The last one may be waiting for a person; those before it had the time they were given.
	 */
	if (!last_server(exchange))
		pass_over(exchange);
	radius_outcome_fail(exchange);
}

static bool acceptable(const struct radius_request *request)
{
	size_t user = strnlen(request->user, RADIUS_PACKET_VALUE + 1);
	size_t password = strnlen(request->password, RADIUS_PASSWORD_MAXIMUM + 1);

	return user > 0 && user <= RADIUS_PACKET_VALUE && password > 0 &&
		password <= RADIUS_PASSWORD_MAXIMUM &&
		(!request->state ||
			(request->state_length > 0 &&
				request->state_length <= RADIUS_STATE_MAXIMUM));
}

int radius_ask(struct radius *radius, const struct radius_request *request, radius_done *done,
	void *context)
{
	struct exchange *exchange;

	if (!acceptable(request))
		return ERROR_INPUT;
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return ERROR_MEMORY;
	exchange->radius = radius;
	exchange->request = request;
	exchange->done = done;
	exchange->context = context;
	exchange->answer.message = "";
	exchange->answer.detail = "";
	exchange->began = clock_steady(request->clock);
	radius_order(radius, exchange->began, exchange->order);
	(void)uv_timer_init(request->loop, &exchange->whole);
	(void)uv_timer_init(request->loop, &exchange->next);
	exchange->handles = 2;
	exchange->whole.data = exchange;
	exchange->next.data = exchange;
	/* Timers count from the loop's idea of now, which may be old by what was done since. */
	uv_update_time(request->loop);
	(void)uv_timer_start(&exchange->whole, on_whole, radius->wait_ms, 0);
	if (!take_server(exchange))
		advance(exchange);
	return 0;
}
