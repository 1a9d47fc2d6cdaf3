/*
 * options.h - what fairlead-bench is asked to do. fairlead-bench(1).
 */
#ifndef FAIRLEAD_BENCH_OPTIONS_H
#define FAIRLEAD_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/message.h"

#define OPTIONS_PIDS_MAXIMUM 8
#define OPTIONS_CONNECTIONS_MAXIMUM 100000

/* What is measured. */
enum bench_mode {
	BENCH_HELLO,   /* hello after hello on kept-alive connections */
	BENCH_CONNECT, /* a new connection, with a full handshake, for each hello */
	BENCH_LOGON,   /* a new connection for each hello, authenticate ... bye */
	BENCH_BIND,    /* bind after bind at a directory, on kept-alive connections */
	BENCH_IDLE,    /* connections that stand and ask for nothing */
};

struct options {
	enum bench_mode mode;
	char host[256];
	uint16_t port;
	const char *url;  /* of the directory, in place of host and port: binds */
	const char *ca;   /* of the directory's certificate; NULL: the system's */
	const char *path; /* of the URL; NULL: that of the root */
	enum message_root root;
	unsigned connections; /* at once */
	double seconds;       /* measured */
	double warm_up;       /* seconds before that, not counted */
	unsigned count;       /* operations, in place of the seconds; 0: no limit */
	double patience;      /* seconds, with one connection or answer */
	bool sleep;           /* while there is nothing to do; else asks again and again */
	unsigned addresses;   /* of clients, 127.1.0.1 and on; 0: whatever the system takes */
	bool fresh;           /* a new connection for each bind */
	unsigned check;       /* every n-th answer is decoded; logons decode every one */
	bool plain;           /* the server is no broker: 200 and a body will do */
	bool json;
	const char *user;
	const char *roll_file; /* in place of `user`: many, who take turns; of binds, their DNs */
	const char *domain;
	const char *password_file;
	pid_t pids[OPTIONS_PIDS_MAXIMUM]; /* whose processor time and memory count */
	unsigned pid_count;
};

/* As in main. 0: go on; else the exit status plus one, everything has been said. */
int options_read(int argc, char **argv, struct options *ret_options);

const char *options_mode_name(enum bench_mode mode);

#endif
