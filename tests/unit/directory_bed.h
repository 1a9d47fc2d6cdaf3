/*
 * directory_bed.h - what tests with directories share: a free port, a question and its answer.
 */
#ifndef TESTS_DIRECTORY_BED_H
#define TESTS_DIRECTORY_BED_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "identity/identity_ldap.h"

#define BED_BASE "dc=studio,dc=example"
#define BED_ADMIN "cn=admin," BED_BASE
#define BED_SECRET "admin's own"

static uint16_t bed_port_of(int fd)
{
	struct sockaddr_in address = {.sin_port = 0};
	socklen_t length = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

/* A socket bound to a free port of this machine. */
static int bed_bind(uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	static const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	*ret_port = bed_port_of(fd);
	return fd;
}

static uv_loop_t loop;
static struct arena *arena;
static struct identity_answer answer; /* of the last question */
static bool answered;

static void bed_start(void)
{
	assert_int_equal(uv_loop_init(&loop), 0);
	arena = arena_new(1 << 20);
	assert_non_null(arena);
}

static void bed_end(void)
{
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	arena_free(arena);
}

static void take_answer(void *context, const struct identity_answer *given)
{
	(void)context;
	assert_false(answered);
	answer = *given;
	answered = true;
}

static enum reason ask(struct identity *identity, struct identity_request request)
{
	arena_reset(arena);
	answered = false;
	request.arena = arena;
	request.loop = &loop;
	request.clock = clock_system();
	request.client = "127.0.0.1";
	identity_ask(identity, &request, take_answer, NULL);
	while (!answered)
		uv_run(&loop, UV_RUN_ONCE);
	return answer.reason;
}

static enum reason log_on(struct identity *identity, const char *user, const char *password)
{
	return ask(identity, (struct identity_request){.user = user, .password = password});
}

static struct identity *make(const struct identity_ldap_options *options)
{
	struct identity *identity = NULL;

	assert_int_equal(identity_ldap_new(options, clock_system(), &identity), 0);
	return identity;
}

static const char *const domains[] = {"STUDIO", "studio.example"};

/* A directory that is not secured. */
static struct identity_ldap_options plain(const char *const *servers, size_t count)
{
	return (struct identity_ldap_options){.name = "studio",
		.kind = LDAP_KIND_LDAP,
		.domains = domains,
		.domain_count = 2,
		.servers = servers,
		.server_count = count,
		.allow_plain = true,
		.base = BED_BASE,
		.bind_dn = BED_ADMIN,
		.bind_password = BED_SECRET,
		.answer_ms = 20000};
}

#endif
