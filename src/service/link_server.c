#include "service/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "service/link_gate.h"
#include "service/link_listen.h"
#include "service/link_session.h"
#include "service/link_tcp.h"
#include "service/link_udp.h"

#define HANDSHAKE_LIMIT (10 * CLOCK_SECOND)
#define HALF_OPEN_MAXIMUM 64
#define HALF_OPEN_OF_ONE_HOST 16
#define ACCEPT_AT_ONCE 32

struct connection;

/* One expected or live session. */
struct entry {
	struct link_session session; /* first: the gate hands out pointers to it */
	struct link_server *server;
	struct connection *connection; /* NULL while none counts */
	struct link_udp_path path;     /* where its datagrams go */
	uv_timer_t timer;
	char peer[LINK_ADDRESS_SIZE], local[LINK_ADDRESS_SIZE]; /* of the newest connection */
};

/* One TCP connection; lives until its handles are closed. */
struct connection {
	struct link_server *server;
	struct link_tcp *tcp;             /* NULL once it is being closed */
	struct entry *entry;              /* NULL: half-open, or no longer of any session */
	struct connection *older, *newer; /* all connections */
	bool half_open;
	union link_address address;
	char peer[LINK_ADDRESS_SIZE], local[LINK_ADDRESS_SIZE];
};

struct link_server {
	struct link_server_options options;
	struct link_gate gate;
	struct link_session_limits limits;
	int fd;
	uv_poll_t poll;
	struct link_udp udp;
	union link_address bound;
	struct connection *oldest, *newest;
	size_t entries;
	int handles; /* of the server itself: poll and udp */
	bool stopping, closing;
	void (*stopped)(void *user);
	void *stopped_user;
};

static int64_t now(const struct link_server *server)
{
	return clock_steady(server->options.clock);
}

static struct entry *entry_of(struct link_session *session)
{
	return (struct entry *)session;
}

static struct entry *find(const struct link_server *server, uint64_t id)
{
	struct link_session *session = link_gate_find(&server->gate, id);

	return session && session->state != LINK_SESSION_CLOSED ? entry_of(session) : NULL;
}

/* ---- the end ---- */

static void own_handle_closed(struct link_server *server)
{
	if (--server->handles > 0)
		return;
	close(server->fd);
	SSL_CTX_free(server->options.context);
	link_gate_clear(&server->gate);
	if (server->stopped)
		server->stopped(server->stopped_user);
	free(server);
}

static void poll_closed(uv_handle_t *handle)
{
	own_handle_closed(handle->data);
}

static void udp_closed(void *user)
{
	own_handle_closed(user);
}

/* The sockets go last: goodbyes leave through them. */
static void stop_if_empty(struct link_server *server)
{
	if (!server->stopping || server->closing || server->entries > 0 || server->oldest)
		return;
	server->closing = true;
	uv_close((uv_handle_t *)&server->poll, poll_closed);
	link_udp_close(&server->udp, udp_closed);
}

/* ---- what sessions want done ---- */

static void detach(struct entry *entry)
{
	struct connection *connection = entry->connection;

	entry->connection = NULL;
	if (!connection)
		return;
	connection->entry = NULL;
	if (connection->tcp)
		link_tcp_close(connection->tcp);
	connection->tcp = NULL;
}

static void send_packet(struct entry *entry, const struct frame *frame)
{
	uint8_t packet[LINK_PACKET_MAXIMUM];
	size_t length;

	if (entry->path.peer.any.sa_family == AF_UNSPEC)
		return; /* the client's address is not known yet */
	if (link_session_seal(&entry->session, frame, packet, &length) == 0)
		link_udp_send(&entry->server->udp, &entry->path, packet, length);
}

static void run_wire(struct entry *entry)
{
	struct link_session_action action;

	while (link_session_wire(&entry->session, &action)) {
		switch (action.what) {
		case LINK_SESSION_DO_FRAME:
			/* With a full queue the silence limit will end the session. */
			if (entry->connection && entry->connection->tcp)
				(void)link_tcp_send(entry->connection->tcp, &action.frame);
			break;
		case LINK_SESSION_DO_PACKET:
			send_packet(entry, &action.frame);
			break;
		default:
			assert(action.what == LINK_SESSION_DO_HANG_UP);
			detach(entry);
			break;
		}
	}
}

static void tell_step(struct entry *entry, enum link_step step)
{
	const struct link_server_events *events = &entry->server->options.events;
	char peer[LINK_ADDRESS_SIZE];
	char local[LINK_ADDRESS_SIZE];

	if (!events->on_step)
		return;
	if (step != LINK_STEP_UDP_OPEN) {
		events->on_step(events->user, entry->session.id, step, entry->peer, entry->local);
		return;
	}
	link_address_text(&entry->path.peer, peer);
	link_address_text(&entry->path.local, local);
	events->on_step(events->user, entry->session.id, step, peer, local);
}

/* True: the session is over and everybody knows. */
static bool run_events(struct entry *entry)
{
	const struct link_server_events *events = &entry->server->options.events;
	struct link_session_action action;
	struct link_quality quality;

	while (link_session_event(&entry->session, &action)) {
		switch (action.what) {
		case LINK_SESSION_DO_STEP:
			tell_step(entry, action.step);
			break;
		case LINK_SESSION_DO_DATA:
			if (events->on_frame)
				events->on_frame(events->user, entry->session.id,
					action.frame.data.bytes, action.frame.data.length);
			break;
		case LINK_SESSION_DO_CLOSED:
			link_session_quality(&entry->session, &quality);
			if (events->on_closed)
				events->on_closed(
					events->user, entry->session.id, action.cause, &quality);
			return true;
		default:
			break; /* quality is asked for */
		}
	}
	return false;
}

static void entry_freed(uv_handle_t *handle)
{
	struct entry *entry = handle->data;
	struct link_server *server = entry->server;

	free(entry);
	server->entries--;
	stop_if_empty(server);
}

static void due(uv_timer_t *timer);

static void arm(struct entry *entry)
{
	int64_t at = link_session_due(&entry->session);
	int64_t wait;

	if (entry->session.events.count > 0) {
		uv_timer_start(&entry->timer, due, 0, 0);
	} else if (at == INT64_MAX) {
		uv_timer_stop(&entry->timer);
	} else {
		wait = at - now(entry->server);
		wait = wait > 0 ? (wait + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND : 0;
		uv_timer_start(&entry->timer, due, (uint64_t)wait, 0);
	}
}

/* After each input from the loop. */
static void settle(struct entry *entry)
{
	bool over;

	run_wire(entry);
	over = run_events(entry);
	run_wire(entry);
	if (!over) {
		arm(entry);
		return;
	}
	detach(entry);
	link_gate_remove(&entry->server->gate, &entry->session);
	link_session_clear(&entry->session);
	uv_close((uv_handle_t *)&entry->timer, entry_freed);
}

/* After each call of the program. */
static void settle_later(struct entry *entry)
{
	run_wire(entry);
	arm(entry);
}

static void due(uv_timer_t *timer)
{
	struct entry *entry = timer->data;

	link_session_tick(&entry->session, now(entry->server));
	settle(entry);
}

/* ---- connections ---- */

static void connection_freed(void *user)
{
	struct connection *connection = user;
	struct link_server *server = connection->server;

	if (connection->older)
		connection->older->newer = connection->newer;
	else
		server->oldest = connection->newer;
	if (connection->newer)
		connection->newer->older = connection->older;
	else
		server->newest = connection->older;
	free(connection);
	stop_if_empty(server);
}

static void tell_refused(
	struct link_server *server, uint64_t session, unsigned refusal, const char *peer)
{
	const struct link_server_events *events = &server->options.events;

	if (events->on_refused)
		events->on_refused(events->user, session, (enum link_refusal)refusal, peer);
}

/* Says why, as far as the client may know, and closes. */
static void refuse(struct connection *connection, unsigned refusal)
{
	struct frame frame = {.type = FRAME_REFUSED, .refusal = link_gate_told(refusal)};

	if (link_tcp_phase(connection->tcp) == LINK_TCP_UP)
		(void)link_tcp_send(connection->tcp, &frame);
	link_tcp_close(connection->tcp);
	connection->tcp = NULL;
	connection->half_open = false;
}

static void admit(struct connection *connection, struct entry *entry)
{
	struct link_server *server = connection->server;
	uint8_t secret[FRAME_SECRET_SIZE];
	struct link_packet_keys keys;
	int error;

	detach(entry);
	entry->connection = connection;
	connection->entry = entry;
	connection->half_open = false;
	link_tcp_admit(connection->tcp);
	memcpy(entry->peer, connection->peer, sizeof(entry->peer));
	memcpy(entry->local, connection->local, sizeof(entry->local));
	error = entropy_fill(server->options.entropy, secret, sizeof(secret));
	if (error == 0)
		error = link_packet_export(link_tcp_ssl(connection->tcp), &keys);
	if (error == 0)
		error = link_session_admitted(&entry->session, &keys, secret, now(server));
	if (error != 0)
		link_session_close(&entry->session, LINK_CAUSE_INTERNAL_SERVER_FAILURE);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(&keys, sizeof(keys));
	settle(entry);
}

static void judge(struct connection *connection, const struct frame *frame)
{
	struct link_server *server = connection->server;
	const char *name =
		SSL_get_servername(link_tcp_ssl(connection->tcp), TLSEXT_NAMETYPE_host_name);
	struct link_session *session;
	unsigned refusal;

	if (!frame || (frame->type != FRAME_HELLO && frame->type != FRAME_RESUME)) {
		link_tcp_abort(connection->tcp);
		connection->tcp = NULL;
		connection->half_open = false;
		return;
	}
	refusal = link_gate_judge(&server->gate, frame, name, now(server), &session);
	if (refusal == 0) {
		admit(connection, entry_of(session));
		return;
	}
	refuse(connection, refusal);
	tell_refused(server, frame->session, refusal, connection->peer);
	if (session)
		settle(entry_of(session));
}

static void tcp_up(void *user)
{
	(void)user; /* the client speaks first */
}

static void tcp_frame(void *user, const struct frame *frame)
{
	struct connection *connection = user;
	struct entry *entry = connection->entry;

	if (!entry) {
		judge(connection, frame);
		return;
	}
	if (frame)
		link_session_frame(&entry->session, frame, now(connection->server));
	else
		link_session_broken(&entry->session, now(connection->server));
	settle(entry);
}

static void tcp_down(void *user, int error, const char *detail)
{
	struct connection *connection = user;
	struct entry *entry = connection->entry;

	(void)error;
	(void)detail;
	connection->tcp = NULL;
	connection->half_open = false;
	if (!entry)
		return;
	connection->entry = NULL;
	entry->connection = NULL;
	link_session_tcp_down(&entry->session, ERROR_CLOSED, now(connection->server));
	settle(entry);
}

/* The oldest half-open connection, of this host if one is given. */
static struct connection *half_open(
	const struct link_server *server, const union link_address *host, size_t *ret_count)
{
	struct connection *first = NULL;
	size_t count = 0;

	for (struct connection *at = server->oldest; at; at = at->newer) {
		if (!at->half_open || (host && !link_address_same_host(&at->address, host)))
			continue;
		if (!first)
			first = at;
		count++;
	}
	*ret_count = count;
	return first;
}

/* Keeps the number of those who have not yet shown a tag bounded: newer ones
 * push out older ones, because an honest client needs its place for
 * milliseconds only. */
static void make_room(struct link_server *server, const union link_address *host)
{
	struct connection *first;
	size_t count;

	first = half_open(server, host, &count);
	if (count < HALF_OPEN_OF_ONE_HOST)
		first = half_open(server, NULL, &count);
	else
		count = HALF_OPEN_MAXIMUM;
	if (count < HALF_OPEN_MAXIMUM)
		return;
	refuse(first, LINK_REFUSED_BUSY);
	tell_refused(server, 0, LINK_REFUSED_BUSY, first->peer);
}

/* Takes fd. */
static void welcome(struct link_server *server, int fd, const union link_address *peer)
{
	const struct link_tcp_events events = {
		.on_up = tcp_up,
		.on_frame = tcp_frame,
		.on_down = tcp_down,
		.on_freed = connection_freed,
	};
	struct link_tcp_events mine = events;
	struct connection *connection = calloc(1, sizeof(*connection));
	SSL *ssl = SSL_new(server->options.context);
	union link_address local = server->bound;
	socklen_t length = sizeof(local);

	if (!connection || !ssl) {
		SSL_free(ssl);
		close(fd);
		free(connection);
		return;
	}
	(void)getsockname(fd, &local.any, &length);
	connection->server = server;
	connection->address = *peer;
	connection->half_open = true;
	link_address_text(peer, connection->peer);
	link_address_text(&local, connection->local);
	mine.user = connection;
	if (link_tcp_new(server->options.loop, fd, ssl, true,
		    (uint64_t)(server->options.handshake_limit / CLOCK_MILLISECOND), &mine,
		    &connection->tcp) != 0) {
		free(connection);
		return;
	}
	connection->older = server->newest;
	if (server->newest)
		server->newest->newer = connection;
	else
		server->oldest = connection;
	server->newest = connection;
}

static void accept_some(uv_poll_t *poll, int status, int events)
{
	struct link_server *server = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE && !server->stopping; i++) {
		union link_address peer;
		socklen_t length = sizeof(peer);
		int fd;

		memset(&peer, 0, sizeof(peer));
		fd = accept4(server->fd, &peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		make_room(server, &peer);
		welcome(server, fd, &peer);
	}
}

static void datagram(void *user, const void *bytes, size_t length, const struct link_udp_path *path)
{
	struct link_server *server = user;
	struct entry *entry;
	uint64_t id;
	bool newest;

	if (link_packet_session(bytes, length, &id) != 0)
		return;
	entry = find(server, id);
	if (!entry)
		return;
	if (link_session_packet(&entry->session, bytes, length, now(server), &newest) != 0)
		return;
	if (newest)
		entry->path = *path;
	settle(entry);
}

/* ---- the interface ---- */

int link_server_start(const struct link_server_options *options, struct link_server **ret_server)
{
	struct link_server *server = calloc(1, sizeof(*server));
	int error = ERROR_MEMORY;

	if (!server)
		return error;
	server->options = *options;
	if (server->options.handshake_limit <= 0)
		server->options.handshake_limit = HANDSHAKE_LIMIT;
	server->limits = (struct link_session_limits){
		.tag_life = options->tag_life,
		.silence = options->silence_limit,
		.udp_open = options->udp_open_limit,
		.keepalive = options->keepalive_interval,
	};
	error = link_gate_init(&server->gate, options->entropy);
	if (error != 0)
		goto out;
	error = link_listen(options->address, options->loop, &server->udp, datagram, server,
		&server->fd, &server->bound);
	if (error != 0)
		goto out;
	/* A listening socket can always be polled; there is no way back here. */
	error = uv_poll_init(options->loop, &server->poll, server->fd);
	assert(error == 0);
	server->poll.data = server;
	server->handles = 2;
	uv_poll_start(&server->poll, UV_READABLE, accept_some);
	SSL_CTX_up_ref(options->context);
	*ret_server = server;
	return 0;
out:
	free(server);
	return error;
}

uint16_t link_server_port(const struct link_server *server)
{
	return link_address_port(&server->bound);
}

void link_server_set_context(struct link_server *server, SSL_CTX *context)
{
	SSL_CTX_up_ref(context);
	SSL_CTX_free(server->options.context);
	server->options.context = context;
}

void link_server_stop(
	struct link_server *server, unsigned cause, void (*stopped)(void *user), void *user)
{
	assert(!server->stopping);
	server->stopping = true;
	server->stopped = stopped;
	server->stopped_user = user;
	uv_poll_stop(&server->poll);
	for (size_t i = 0; i < LINK_GATE_SESSIONS; i++) {
		struct link_session *session = server->gate.sessions[i];

		if (!session)
			continue;
		link_session_close(session, cause);
		settle_later(entry_of(session));
	}
	for (struct connection *at = server->oldest; at; at = at->newer) {
		if (at->tcp && at->half_open) {
			link_tcp_abort(at->tcp);
			at->tcp = NULL;
			at->half_open = false;
		}
	}
	stop_if_empty(server);
}

int link_server_expect(
	struct link_server *server, const char *sni, uint64_t *ret_session, char tag[LINK_TAG_SIZE])
{
	struct entry *entry;
	int error;

	if (server->stopping)
		return ERROR_STATE;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return ERROR_MEMORY;
	error = link_gate_expect(&server->gate, &entry->session, sni, &server->limits,
		server->options.entropy, now(server), tag);
	if (error != 0) {
		free(entry);
		return error;
	}
	entry->server = server;
	uv_timer_init(server->options.loop, &entry->timer);
	entry->timer.data = entry;
	server->entries++;
	arm(entry);
	*ret_session = entry->session.id;
	return 0;
}

int link_server_license(
	struct link_server *server, uint64_t session, const struct link_license *license)
{
	struct entry *entry = find(server, session);

	if (!entry)
		return ERROR_NOT_FOUND;
	link_session_license(&entry->session, license);
	settle_later(entry);
	return 0;
}

int link_server_send(struct link_server *server, uint64_t session, const void *bytes, size_t length)
{
	struct frame frame = {.type = FRAME_DATA, .data = {bytes, length}};
	struct entry *entry = find(server, session);
	int error;

	if (!entry)
		return ERROR_NOT_FOUND;
	if (length == 0 || length > LINK_FRAME_MAXIMUM)
		return ERROR_INPUT;
	error = link_session_may_send(&entry->session);
	if (error != 0)
		return error;
	if (!entry->connection || !entry->connection->tcp)
		return ERROR_STATE;
	error = link_tcp_send(entry->connection->tcp, &frame);
	if (error == 0)
		link_session_sent(&entry->session, length);
	return error;
}

int link_server_close(struct link_server *server, uint64_t session, unsigned cause)
{
	struct entry *entry = find(server, session);

	if (!entry)
		return ERROR_NOT_FOUND;
	link_session_close(&entry->session, cause);
	settle_later(entry);
	return 0;
}

int link_server_quality(
	const struct link_server *server, uint64_t session, struct link_quality *quality)
{
	const struct entry *entry = find(server, session);

	if (!entry)
		return ERROR_NOT_FOUND;
	link_session_quality(&entry->session, quality);
	return 0;
}
