#include "bench/channel.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"

#define REQUEST_MAXIMUM (128 * 1024)
#define SCRATCH_SIZE (16 * 1024)

int channel_target_init(struct channel_target *target, const char *host, uint16_t port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	unsigned char numeric[sizeof(struct in6_addr)];
	struct addrinfo *found;
	char service[8];

	memset(target, 0, sizeof(*target));
	target->epoll = -1;
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return ERROR_INPUT;
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->length = found->ai_addrlen;
	freeaddrinfo(found);
	if (inet_pton(AF_INET, host, numeric) != 1 && inet_pton(AF_INET6, host, numeric) != 1)
		target->name = host;
	target->context = SSL_CTX_new(TLS_client_method());
	if (target->context == NULL)
		return ERROR_TLS;
	SSL_CTX_set_verify(target->context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(target->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(target->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	target->epoll = epoll_create1(EPOLL_CLOEXEC);
	return target->epoll >= 0 ? 0 : ERROR_SYSTEM;
}

void channel_target_free(struct channel_target *target)
{
	SSL_CTX_free(target->context);
	if (target->epoll >= 0)
		close(target->epoll);
}

void channel_init(struct channel *channel, struct channel_target *target)
{
	memset(channel, 0, sizeof(*channel));
	channel->target = target;
	channel->fd = -1;
	channel->why = "";
	buffer_init(&channel->out, REQUEST_MAXIMUM);
	answer_init(&channel->answer);
}

void channel_free(struct channel *channel)
{
	channel_close(channel);
	buffer_free(&channel->out);
	answer_free(&channel->answer);
}

static enum channel_event fail(struct channel *channel, const char *why)
{
	channel->why = why;
	return CHANNEL_FAILED;
}

/* Asks epoll for these events; the kernel hears of it only when they change. */
static enum channel_event wait_for(struct channel *channel, uint32_t events, void *tag)
{
	struct epoll_event event = {.events = events, .data = {.ptr = tag}};
	int operation = channel->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (channel->events == events)
		return CHANNEL_NOTHING;
	if (epoll_ctl(channel->target->epoll, operation, channel->fd, &event) != 0)
		return fail(channel, "epoll refuses the socket");
	channel->events = events;
	return CHANNEL_NOTHING;
}

/* The next of the clients' addresses; nothing is claimed by a client who may have any. */
static int take_address(struct channel_target *target, int fd)
{
	unsigned number = target->opened++;
	struct sockaddr_in own = {.sin_family = AF_INET};

	if (target->addresses == 0)
		return 0;
	number %= target->addresses;
	own.sin_addr.s_addr = htonl(0x7f010001 + number / 200 * 256 + number % 200);
	return bind(fd, (const struct sockaddr *)&own, sizeof(own));
}

int channel_open(struct channel *channel, void *tag)
{
	struct channel_target *target = channel->target;
	const int on = 1;

	assert(channel->state == CHANNEL_CLOSED);
	channel->fd =
		socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (channel->fd < 0)
		return ERROR_SYSTEM;
	channel->state = CHANNEL_CONNECTING;
	(void)setsockopt(channel->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (take_address(target, channel->fd) != 0 ||
		(connect(channel->fd, (const struct sockaddr *)&target->address, target->length) !=
				0 &&
			errno != EINPROGRESS)) {
		channel_close(channel);
		return ERROR_SYSTEM;
	}
	if (wait_for(channel, EPOLLOUT, tag) == CHANNEL_FAILED) {
		channel_close(channel);
		return ERROR_SYSTEM;
	}
	return 0;
}

void channel_close(struct channel *channel)
{
	if (channel->ssl != NULL) {
		ERR_clear_error();
		if (channel->state >= CHANNEL_READY)
			(void)SSL_shutdown(channel->ssl);
		SSL_free(channel->ssl);
		channel->ssl = NULL;
	}
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	channel->events = 0;
	channel->state = CHANNEL_CLOSED;
}

/* What OpenSSL wants after `result`. */
static enum channel_event await(struct channel *channel, int result, const char *why, void *tag)
{
	switch (SSL_get_error(channel->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(channel, EPOLLIN, tag);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(channel, EPOLLIN | EPOLLOUT, tag);
	case SSL_ERROR_ZERO_RETURN:
		return fail(channel, "the server has closed the connection");
	default:
		return fail(channel, why);
	}
}

static enum channel_event connected(struct channel *channel)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0)
		return fail(channel, "connection refused");
	channel->ssl = SSL_new(channel->target->context);
	if (channel->ssl == NULL || SSL_set_fd(channel->ssl, channel->fd) != 1)
		return fail(channel, "out of memory");
	if (channel->target->name != NULL &&
		SSL_set_tlsext_host_name(channel->ssl, channel->target->name) != 1)
		return fail(channel, "out of memory");
	SSL_set_connect_state(channel->ssl);
	SSL_set_read_ahead(channel->ssl, 1);
	channel->state = CHANNEL_HANDSHAKE;
	return CHANNEL_NOTHING;
}

static enum channel_event handshake(struct channel *channel, void *tag)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(channel->ssl);
	if (result != 1)
		return await(channel, result, "the TLS handshake failed", tag);
	channel->state = CHANNEL_READY;
	if (wait_for(channel, EPOLLIN, tag) == CHANNEL_FAILED)
		return CHANNEL_FAILED;
	return CHANNEL_OPENED;
}

static enum channel_event push(struct channel *channel, void *tag)
{
	ERR_clear_error();
	while (channel->out_at < channel->out.length) {
		int result = SSL_write(channel->ssl, channel->out.bytes + channel->out_at,
			(int)(channel->out.length - channel->out_at));

		if (result <= 0)
			return await(channel, result, "the request cannot be sent", tag);
		channel->out_at += (size_t)result;
	}
	channel->state = CHANNEL_WAITING;
	return wait_for(channel, EPOLLIN, tag);
}

enum channel_event channel_send(struct channel *channel, void *tag)
{
	assert(channel->state == CHANNEL_READY);
	channel->state = CHANNEL_SENDING;
	channel->out_at = 0;
	answer_begin(&channel->answer);
	return push(channel, tag);
}

static enum channel_event pull(struct channel *channel, void *tag)
{
	static _Thread_local char scratch[SCRATCH_SIZE];

	do {
		enum answer_result result;
		int got;

		ERR_clear_error();
		got = SSL_read(channel->ssl, scratch, sizeof(scratch));
		if (got <= 0)
			return await(channel, got, "the connection broke", tag);
		if (channel->state != CHANNEL_WAITING)
			return fail(channel, "bytes that nobody asked for");
		result = answer_feed(&channel->answer, scratch, (size_t)got);
		if (result == ANSWER_BROKEN)
			return fail(channel, "the answer is not HTTP");
		if (result == ANSWER_DONE) {
			channel->state = CHANNEL_READY;
			return CHANNEL_ANSWERED;
		}
	} while (SSL_has_pending(channel->ssl) != 0);
	return CHANNEL_NOTHING;
}

enum channel_event channel_advance(struct channel *channel, void *tag)
{
	switch (channel->state) {
	case CHANNEL_CONNECTING:
		if (connected(channel) == CHANNEL_FAILED)
			return CHANNEL_FAILED;
		return handshake(channel, tag);
	case CHANNEL_HANDSHAKE:
		return handshake(channel, tag);
	case CHANNEL_SENDING:
		return push(channel, tag);
	case CHANNEL_READY: /* session tickets, or the server's good-bye */
	case CHANNEL_WAITING:
		return pull(channel, tag);
	case CHANNEL_CLOSED:
		break;
	}
	return CHANNEL_NOTHING;
}

const char *channel_why(const struct channel *channel)
{
	return channel->why;
}
