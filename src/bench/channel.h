/*
 * channel.h - one TLS connection of the load generator: requests out,
 * answers in, on an epoll descriptor. No session is ever resumed and no certificate verified:
 * what is measured is the server.
 */
#ifndef FAIRLEAD_BENCH_CHANNEL_H
#define FAIRLEAD_BENCH_CHANNEL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "bench/answer.h"

#define CHANNEL_ADDRESSES_MAXIMUM (200 * 200)

/* What all channels share. */
struct channel_target {
	struct sockaddr_storage address;
	socklen_t length;
	SSL_CTX *context;
	const char *name; /* for SNI; NULL: the address is all there is */
	int epoll;
	unsigned addresses; /* clients have so many of 127.1.0.1 and on; 0: the system's choice */
	unsigned opened;    /* channels, ever */
};

enum channel_state {
	CHANNEL_CLOSED,
	CHANNEL_CONNECTING,
	CHANNEL_HANDSHAKE,
	CHANNEL_READY, /* nothing is asked */
	CHANNEL_SENDING,
	CHANNEL_WAITING, /* for the answer */
};

enum channel_event {
	CHANNEL_NOTHING,  /* the epoll descriptor will tell */
	CHANNEL_OPENED,   /* ready for the first request */
	CHANNEL_ANSWERED, /* `answer` is complete; ready for the next request */
	CHANNEL_FAILED,   /* see channel_why; must be closed */
};

struct channel {
	struct channel_target *target;
	enum channel_state state;
	int fd;
	SSL *ssl;
	uint32_t events;   /* asked of epoll */
	struct buffer out; /* the caller fills it before channel_send */
	size_t out_at;
	struct answer answer;
	const char *why; /* static */
};

/* Resolves and prepares; 0, ERROR_INPUT (no such host), ERROR_TLS, ERROR_SYSTEM. The host's text
 * must stay. Free with channel_target_free also after a failure. */
int channel_target_init(struct channel_target *target, const char *host, uint16_t port);
void channel_target_free(struct channel_target *target);

void channel_init(struct channel *channel, struct channel_target *target);
void channel_free(struct channel *channel);

/* Begins to connect; the channel must be closed. `tag` is what epoll gives back. 0 or ERROR_SYSTEM.
 */
int channel_open(struct channel *channel, void *tag);

/* Says good-bye in TLS and closes. */
void channel_close(struct channel *channel);

/* Sends channel->out. CHANNEL_NOTHING or CHANNEL_FAILED. */
enum channel_event channel_send(struct channel *channel, void *tag);

/* Goes on after epoll has told. */
enum channel_event channel_advance(struct channel *channel, void *tag);

/* Why it failed; static text. */
const char *channel_why(const struct channel *channel);

#endif
