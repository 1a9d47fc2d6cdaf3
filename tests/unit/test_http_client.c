#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/error.h"
#include "throwaway.h"
#include "throwaway_server.h"
#include "wire/http_client.h"

/* --- what every test has --- */

struct fixture {
	struct throwaway authority, leaf;
	char ca_file[32];
	struct certificate_policy policy;
	struct server server;
	uv_loop_t loop;
	struct http_client *client;
	/* the newest answer */
	unsigned answers;
	struct http_answer got;
	struct certificate_report report;
	char detail[1024], cookie[256], *body;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct throwaway_options options = {.common_name = "Test CA", .authority = true};

	signal(SIGPIPE, SIG_IGN);
	fixture->authority = throwaway_new(&options);
	options = (struct throwaway_options){.common_name = "ws-7",
		.alternative = "DNS:ws-7,IP:127.0.0.1",
		.issuer = &fixture->authority};
	fixture->leaf = throwaway_new(&options);
	throwaway_write(&fixture->authority, fixture->ca_file);
	fixture->policy =
		(struct certificate_policy){.ca_file = fixture->ca_file, .name = "127.0.0.1"};
	server_start(&fixture->server, &fixture->leaf);
	uv_loop_init(&fixture->loop);
	assert_int_equal(http_client_new(&fixture->loop, &fixture->client), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	http_client_free(fixture->client);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	server_stop(&fixture->server);
	unlink(fixture->ca_file);
	throwaway_free(&fixture->authority);
	throwaway_free(&fixture->leaf);
	free(fixture->body);
	free(fixture);
	return 0;
}

static void keep(struct fixture *fixture, const struct http_answer *given)
{
	fixture->answers++;
	fixture->got = *given;
	fixture->report = *given->report;
	snprintf(fixture->detail, sizeof(fixture->detail), "%s", given->detail);
	snprintf(fixture->cookie, sizeof(fixture->cookie), "%s",
		given->cookie != NULL ? given->cookie : "(none)");
	assert_int_equal(given->body[given->body_length], '\0');
	fixture->body = realloc(fixture->body, given->body_length + 1);
	assert_non_null(fixture->body);
	memcpy(fixture->body, given->body, given->body_length + 1);
}

static void on_done(void *user, const struct http_answer *given)
{
	struct fixture *fixture = user;

	keep(fixture, given);
	uv_stop(&fixture->loop);
}

/* Runs the loop until there is an answer. */
static void wait_for(struct fixture *fixture)
{
	unsigned before = fixture->answers;

	while (fixture->answers == before)
		assert_true(uv_run(&fixture->loop, UV_RUN_ONCE) != 0 || fixture->answers > before);
}

static int call_url(struct fixture *fixture, const char *url, struct http_call *call)
{
	unsigned before = fixture->answers;

	call->url = url;
	if (call->policy == NULL)
		call->policy = &fixture->policy;
	if (call->timeout_ms == 0)
		call->timeout_ms = 60000; /* a slow machine is no fault */
	assert_int_equal(http_client_post(fixture->client, call, on_done, fixture), 0);
	assert_int_equal(fixture->answers, before); /* never from inside */
	wait_for(fixture);
	return fixture->got.error;
}

static int call_path(struct fixture *fixture, const char *path, struct http_call call)
{
	char url[128];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", fixture->server.port, path);
	return call_url(fixture, url, &call);
}

#define PLAIN ((struct http_call){.body = "question", .body_length = 8})

static unsigned connections(struct fixture *fixture)
{
	unsigned count;

	pthread_mutex_lock(&fixture->server.lock);
	count = fixture->server.count;
	pthread_mutex_unlock(&fixture->server.lock);
	return count;
}

static void change_certificate(struct fixture *fixture, const struct throwaway_options *options)
{
	struct throwaway made = throwaway_new(options);

	pthread_mutex_lock(&fixture->server.lock);
	SSL_CTX_free(fixture->server.context);
	fixture->server.context = context_of(&made);
	pthread_mutex_unlock(&fixture->server.lock);
	throwaway_free(&made);
}

/* --- tests --- */

static void a_post_is_answered(void **state)
{
	struct fixture *fixture = *state;
	const struct http_header headers[] = {{"Client-Log-Id", "4208"}, {"X-Empty", ""}};
	struct http_call call = {.body = "<a/>",
		.body_length = 4,
		.user_agent = "Fairlead",
		.content_type = "application/xml charset=UTF-8",
		.headers = headers,
		.header_count = 2};
	const char *request = fixture->server.request;

	assert_int_equal(call_path(fixture, "/pcoip-broker/xml", call), 0);
	assert_string_equal(fixture->detail, "");
	assert_int_equal(fixture->got.status, 200);
	assert_int_equal(fixture->got.body_length, 5);
	assert_string_equal(fixture->body, "hello");
	assert_string_equal(fixture->cookie, "(none)");
	assert_ptr_equal(strstr(request, "POST /pcoip-broker/xml HTTP/1.1\r\n"), request);
	assert_non_null(strstr(request, "\r\nUser-Agent: Fairlead\r\n"));
	assert_non_null(strstr(request, "\r\nContent-Type: application/xml charset=UTF-8\r\n"));
	assert_non_null(strstr(request, "\r\nClient-Log-Id: 4208\r\n"));
	assert_non_null(strstr(request, "\r\nX-Empty:\r\n"));
	assert_non_null(strstr(request, "\r\nContent-Length: 4\r\n"));
	assert_null(strstr(request, "Expect"));
	assert_non_null(strstr(request, "\r\n\r\n<a/>"));
	assert_int_equal(fixture->report.troubles, CERTIFICATE_GOOD);
	assert_string_equal(fixture->report.subject, "CN=ws-7");
	assert_true(fixture->got.connect_us > 0);
	assert_true(fixture->got.tls_us >= fixture->got.connect_us);
	assert_true(fixture->got.total_us >= fixture->got.tls_us);
}

static void without_a_body_it_is_a_get(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(call_path(fixture, "/x", (struct http_call){.body = NULL}), 0);
	assert_ptr_equal(
		strstr(fixture->server.request, "GET /x HTTP/1.1\r\n"), fixture->server.request);
	assert_int_equal(
		call_path(fixture, "/x", (struct http_call){.body = "", .body_length = 0}), 0);
	assert_ptr_equal(
		strstr(fixture->server.request, "POST /x HTTP/1.1\r\n"), fixture->server.request);
	assert_null(strstr(fixture->server.request, "Content-Type"));
}

static void answers_come_as_they_are(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(call_path(fixture, "/chunked", PLAIN), 0);
	assert_string_equal(fixture->body, "abcdefg");
	assert_int_equal(call_path(fixture, "/redirect", PLAIN), 0);
	assert_int_equal(fixture->got.status, 302);
	assert_string_equal(fixture->cookie, "(none)");
	assert_int_equal(call_path(fixture, "/error", PLAIN), 0);
	assert_int_equal(fixture->got.status, 503);
	assert_string_equal(fixture->body, "busy");
}

static void the_session_cookie_is_found(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(call_path(fixture, "/cookie", PLAIN), 0);
	assert_string_equal(fixture->cookie, "abc123");
	assert_int_equal(call_path(fixture, "/interim", PLAIN), 0);
	assert_int_equal(fixture->got.status, 200);
	assert_string_equal(fixture->cookie, "(none)");
	/* cookies are the caller's affair: none is sent back by itself */
	assert_null(strstr(fixture->server.request, "abc123"));
}

static void connections_are_used_again(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(call_path(fixture, "/x", PLAIN), 0);
		/* the handshake's report, though this call made none */
		assert_string_equal(fixture->report.subject, "CN=ws-7");
		assert_int_equal(strlen(fixture->report.fingerprint), 64);
		assert_int_equal(fixture->got.tls_us > 0, i == 0);
		assert_int_equal(fixture->got.connect_us > 0, i == 0);
		assert_int_equal(fixture->got.name_us > 0, i == 0);
		assert_true(fixture->got.total_us > 0);
	}
	assert_int_equal(connections(fixture), 1);
}

/* A kept connection is no reason for a loop to go on. */
static void an_idle_client_lets_the_loop_end(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(call_path(fixture, "/x", PLAIN), 0);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(call_path(fixture, "/x", PLAIN), 0);
	assert_int_equal(connections(fixture), 1);
}

static void a_connection_the_server_closed_is_made_anew(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(call_path(fixture, "/once", PLAIN), 0);
	assert_int_equal(connections(fixture), 3);
}

/* What one policy accepted must not serve a stricter one. */
static void policies_do_not_share_connections(void **state)
{
	struct fixture *fixture = *state;
	struct certificate_policy lax = {
		.verify = CERTIFICATE_VERIFY_WARN, .ca_file = fixture->ca_file, .name = "other"};
	struct certificate_policy strict = lax, none = lax;
	struct http_call call = PLAIN;
	struct throwaway stranger = throwaway_new(
		&(struct throwaway_options){.common_name = "Other CA", .authority = true});
	char stranger_file[32];

	throwaway_write(&stranger, stranger_file);
	call.policy = &lax;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_WRONG_NAME);
	strict.verify = CERTIFICATE_VERIFY_FULL;
	call.policy = &strict;
	assert_int_equal(call_path(fixture, "/x", call), ERROR_UNTRUSTED);
	none.name = NULL;
	call.policy = &none;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_GOOD);
	assert_int_equal(connections(fixture), 3);
	call.policy = &lax;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_WRONG_NAME);
	assert_string_equal(
		fixture->report.text, "the certificate is for 'ws-7, 127.0.0.1', not for 'other'");
	assert_int_equal(connections(fixture), 3);
	none = fixture->policy;
	call.policy = &none;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	none.ca_file = stranger_file;
	assert_int_equal(call_path(fixture, "/x", call), ERROR_UNTRUSTED);
	unlink(stranger_file);
	throwaway_free(&stranger);
}

static void the_name_may_differ_from_the_address(void **state)
{
	struct fixture *fixture = *state;
	struct certificate_policy policy = {.ca_file = fixture->ca_file, .name = "ws-7"};
	struct http_call call = PLAIN;

	call.policy = &policy;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	assert_string_equal(fixture->server.sni, "ws-7");
	assert_non_null(strstr(fixture->server.request, "\r\nHost: ws-7:"));
	policy.name = "ws-8";
	assert_int_equal(call_path(fixture, "/x", call), ERROR_UNTRUSTED);
	assert_string_equal(
		fixture->detail, "the certificate is for 'ws-7, 127.0.0.1', not for 'ws-8'");
	/* an address is no SNI */
	assert_int_equal(call_path(fixture, "/y", PLAIN), 0);
	assert_string_equal(fixture->server.sni, "");
}

static void each_trouble_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct throwaway stranger = throwaway_new(
		&(struct throwaway_options){.common_name = "Other CA", .authority = true});
	struct throwaway_options options = {
		.common_name = "ws-7", .alternative = "DNS:ws-7,IP:127.0.0.1"};

	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_SELF_SIGNED);
	assert_string_equal(fixture->detail, "the certificate is self-signed");
	assert_int_equal(fixture->got.status, 0);

	options.issuer = &stranger;
	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_UNKNOWN_CA);

	options.issuer = &fixture->authority;
	options.alternative = "DNS:ws-7";
	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_WRONG_NAME);

	options.alternative = "IP:127.0.0.1";
	options.from_days = -9;
	options.to_days = -2;
	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_EXPIRED);

	options.from_days = 2;
	options.to_days = 9;
	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_NOT_YET_VALID);

	/* none of it got a request through */
	assert_string_equal(fixture->server.request, "");
	throwaway_free(&stranger);
}

static void a_pinned_certificate_is_accepted_and_no_other(void **state)
{
	struct fixture *fixture = *state;
	struct throwaway_options options = {.common_name = "ws-7"};
	struct certificate_policy policy = {.name = "127.0.0.1"};
	struct http_call call = PLAIN;
	char fingerprint[65];

	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/x", PLAIN), ERROR_UNTRUSTED);
	memcpy(fingerprint, fixture->report.fingerprint, sizeof(fingerprint));
	policy.fingerprint = fingerprint;
	call.policy = &policy;
	assert_int_equal(call_path(fixture, "/x", call), 0);
	fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
	assert_int_equal(call_path(fixture, "/x", call), ERROR_UNTRUSTED);
	assert_int_equal(fixture->report.troubles, CERTIFICATE_WRONG_FINGERPRINT);
}

static void unusable_policies_say_why(void **state)
{
	struct fixture *fixture = *state;
	struct certificate_policy policy = {.ca_file = "/nonexistent/ca.pem", .name = "127.0.0.1"};
	struct http_call call = PLAIN;

	call.policy = &policy;
	assert_int_equal(call_path(fixture, "/x", call), ERROR_SYSTEM);
	assert_string_equal(fixture->detail,
		"the CA file '/nonexistent/ca.pem' cannot be read: No such file or directory");
	policy = (struct certificate_policy){.fingerprint = "abc"};
	assert_int_equal(call_path(fixture, "/x", call), ERROR_INPUT);
	assert_string_equal(fixture->detail, "the fingerprint 'abc' is not 64 hexadecimal digits");
	policy = (struct certificate_policy){.ca_file = "/dev/null"};
	assert_int_equal(call_path(fixture, "/x", call), ERROR_INPUT);
	assert_string_equal(fixture->detail, "the CA file '/dev/null' holds no certificate");
}

static void a_changed_ca_file_is_read_again(void **state)
{
	struct fixture *fixture = *state;
	struct throwaway renewed = throwaway_new(
		&(struct throwaway_options){.common_name = "New CA", .authority = true});
	struct throwaway_options options = {
		.common_name = "ws-7", .alternative = "IP:127.0.0.1", .issuer = &renewed};
	char file[32];

	assert_int_equal(call_path(fixture, "/once", PLAIN), 0);
	change_certificate(fixture, &options);
	assert_int_equal(call_path(fixture, "/once", PLAIN), ERROR_UNTRUSTED);
	throwaway_write(&renewed, file);
	assert_int_equal(rename(file, fixture->ca_file), 0);
	assert_int_equal(call_path(fixture, "/once", PLAIN), 0);
	throwaway_free(&renewed);
}

static void who_cannot_be_reached_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;
	uint16_t port;
	int closed = open_port(&port, false); /* bound, but nobody listens */
	char url[256], expected[100];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", port);
	snprintf(expected, sizeof(expected), "connection to 127.0.0.1:%u refused", port);
	assert_int_equal(call_url(fixture, url, &call), ERROR_UNREACHABLE);
	assert_string_equal(fixture->detail, expected);
	assert_string_equal(fixture->report.text, "");
	assert_int_equal(fixture->got.tls_us, 0);
	/* by a name: what was asked for is what is told */
	fixture->policy.name = "ws-7";
	assert_int_equal(call_url(fixture, url, &call), ERROR_UNREACHABLE);
	assert_string_equal(fixture->detail, expected);
	close(closed);

	/* a label beyond 63 bytes is no name, so no server is asked */
	memset(expected, 'n', 64);
	expected[64] = '\0';
	snprintf(url, sizeof(url), "https://%s/x", expected);
	assert_int_equal(call_url(fixture, url, &call), ERROR_UNREACHABLE);
	snprintf(url, sizeof(url), "name %s not found", expected);
	assert_string_equal(fixture->detail, url);
}

static void silence_ends_in_time(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;
	uint16_t port;
	int deaf = open_port(&port, true); /* connects, but never answers */
	char url[64];

	call.timeout_ms = 50;
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", port);
	assert_int_equal(call_url(fixture, url, &call), ERROR_TIMEOUT);
	assert_string_equal(fixture->detail, "no answer within 50 ms");
	assert_true(fixture->got.total_us >= 40000);
	call.timeout_ms = 60000; /* to answer, but not to connect */
	call.connect_ms = 60;
	assert_int_equal(call_url(fixture, url, &call), ERROR_TIMEOUT);
	assert_string_equal(fixture->detail, "no answer within 60 ms");
	close(deaf);
	call.timeout_ms = 50;
	call.connect_ms = 40;
	/* with the handshake done before, only the answer is missing */
	assert_int_equal(call_path(fixture, "/x", PLAIN), 0);
	assert_int_equal(call_path(fixture, "/silent", call), ERROR_TIMEOUT);
	assert_string_equal(fixture->detail, "no answer within 50 ms");
}

static void broken_answers_are_faults(void **state)
{
	struct fixture *fixture = *state;
	char expected[128];

	assert_int_equal(call_path(fixture, "/nothing", PLAIN), ERROR_CLOSED);
	snprintf(expected, sizeof(expected),
		"127.0.0.1:%u closed the connection before its answer was complete",
		fixture->server.port);
	assert_string_equal(fixture->detail, expected);
	assert_int_equal(call_path(fixture, "/half", PLAIN), ERROR_CLOSED);
	assert_string_equal(fixture->detail, expected);
	assert_int_equal(call_path(fixture, "/garbage", PLAIN), ERROR_INPUT);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u does not answer in HTTP",
		fixture->server.port);
	assert_string_equal(fixture->detail, expected);
}

static void answers_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;

	assert_int_equal(call_path(fixture, "/large", PLAIN), ERROR_LIMIT);
	assert_string_equal(fixture->detail, "the answer has more than 65536 bytes");
	call.answer_maximum = 100000;
	assert_int_equal(call_path(fixture, "/large", call), 0);
	assert_int_equal(fixture->got.body_length, 100000);
	call.answer_maximum = 99999;
	assert_int_equal(call_path(fixture, "/large", call), ERROR_LIMIT);
	assert_int_equal(call_path(fixture, "/endless", PLAIN), ERROR_LIMIT);
	assert_int_equal(call_path(fixture, "/headers", PLAIN), ERROR_LIMIT);
	assert_string_equal(fixture->detail, "the answer's head has more than 16384 bytes");
	assert_int_equal(call_path(fixture, "/header", PLAIN), ERROR_LIMIT);
	assert_string_equal(fixture->detail, "the answer's head has more than 16384 bytes");
}

static void addresses_that_are_not_https_are_faults(void **state)
{
	static const char *const urls[] = {"", "nonsense", "http://127.0.0.1:1/x",
		"file:///etc/passwd", "https://", "https://127.0.0.1:99999/", "https://a b/"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct http_call call = PLAIN;

		assert_int_equal(call_url(fixture, urls[i], &call), ERROR_INPUT);
		assert_string_equal(fixture->detail, "not an https address");
	}
}

static void what_speaks_no_tls_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;
	uint16_t port;
	int listening = open_port(&port, true), accepted;
	unsigned before = fixture->answers;
	char url[64], *start;

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", port);
	call.url = url;
	call.policy = &fixture->policy;
	call.timeout_ms = 60000;
	assert_int_equal(http_client_post(fixture->client, &call, on_done, fixture), 0);
	while (poll(&(struct pollfd){.fd = listening, .events = POLLIN}, 1, 0) == 0)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	accepted = accept(listening, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(write(accepted, "HTTP/1.0 400 Bad Request\r\n\r\n", 28), 28);
	if (fixture->answers == before)
		wait_for(fixture);
	assert_int_equal(fixture->got.error, ERROR_TLS);
	start = strstr(fixture->detail, "TLS with 127.0.0.1:");
	assert_ptr_equal(start, fixture->detail);
	close(accepted);
	close(listening);
}

static void headers_bring_no_lines_of_their_own(void **state)
{
	static const struct http_header bad[] = {{"X", "a\r\nY: b"}, {"X\r\nY", "a"}, {"X: y", "a"},
		{"X", "a\nb"}, {"X", "\x7F"}, {"X Y", "a"}};
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;

	call.url = "https://127.0.0.1:1/";
	call.policy = &fixture->policy;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		call.headers = &bad[i];
		call.header_count = 1;
		assert_int_equal(
			http_client_post(fixture->client, &call, on_done, fixture), ERROR_INPUT);
	}
	call.header_count = 0;
	call.user_agent = "a\r\nb: c";
	assert_int_equal(http_client_post(fixture->client, &call, on_done, fixture), ERROR_INPUT);
	call.user_agent = NULL;
	call.content_type = "a\r\nb: c";
	assert_int_equal(http_client_post(fixture->client, &call, on_done, fixture), ERROR_INPUT);
	assert_int_equal(fixture->answers, 0);
}

/* More policies than are kept: the oldest idle ones make room, calls go on. */
static void many_policies_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct certificate_policy policy = {
		.verify = CERTIFICATE_VERIFY_WARN, .ca_file = fixture->ca_file};
	struct http_call call = PLAIN;
	char name[32];

	call.policy = &policy;
	policy.name = name;
	for (int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "host-%d", i);
		assert_int_equal(call_path(fixture, "/x", call), 0);
		assert_string_equal(fixture->server.sni, name);
	}
	assert_int_equal(connections(fixture), 80);
	assert_int_equal(call_path(fixture, "/x", call), 0); /* kept */
	assert_int_equal(connections(fixture), 80);
	snprintf(name, sizeof(name), "host-0");
	assert_int_equal(call_path(fixture, "/x", call), 0); /* not kept */
	assert_int_equal(connections(fixture), 81);
}

struct many {
	struct fixture *fixture;
	unsigned wanted;
};

static void on_one_of_many(void *user, const struct http_answer *given)
{
	struct many *many = user;

	assert_int_equal(given->error, 0);
	assert_string_equal(given->report->subject, "CN=ws-7");
	keep(many->fixture, given);
}

static void calls_run_at_the_same_time(void **state)
{
	struct fixture *fixture = *state;
	struct many many = {.fixture = fixture, .wanted = 20};
	struct http_call call = PLAIN;
	unsigned made;
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", fixture->server.port);
	call.url = url;
	call.policy = &fixture->policy;
	call.timeout_ms = 60000;
	for (unsigned i = 0; i < many.wanted; i++)
		assert_int_equal(
			http_client_post(fixture->client, &call, on_one_of_many, &many), 0);
	memset(url, 'x', sizeof(url)); /* everything was copied */
	while (fixture->answers < many.wanted)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, many.wanted);
	/* and as many again need no further connections */
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", fixture->server.port);
	made = connections(fixture);
	for (unsigned i = 0; i < many.wanted; i++)
		assert_int_equal(
			http_client_post(fixture->client, &call, on_one_of_many, &many), 0);
	while (fixture->answers < 2 * many.wanted)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_int_equal(connections(fixture), made);
}

struct chain {
	struct fixture *fixture;
	char url[64];
	int left;
};

static void next_in_chain(void *user, const struct http_answer *given)
{
	struct chain *chain = user;
	struct http_call call = {
		.url = chain->url, .policy = &chain->fixture->policy, .timeout_ms = 60000};

	assert_int_equal(given->error, 0);
	keep(chain->fixture, given);
	if (--chain->left > 0)
		assert_int_equal(
			http_client_post(chain->fixture->client, &call, next_in_chain, chain), 0);
}

static void an_answer_may_bring_the_next_call(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain = {.fixture = fixture, .left = 4};
	struct http_call call = {.url = chain.url, .policy = &fixture->policy, .timeout_ms = 60000};

	snprintf(chain.url, sizeof(chain.url), "https://127.0.0.1:%u/x", fixture->server.port);
	assert_int_equal(http_client_post(fixture->client, &call, next_in_chain, &chain), 0);
	while (chain.left > 0)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_int_equal(fixture->answers, 4);
	assert_int_equal(connections(fixture), 1);
}

static void on_given_up(void *user, const struct http_answer *given)
{
	struct fixture *fixture = user;
	struct http_call call = {.url = "https://127.0.0.1:1/", .policy = &fixture->policy};

	assert_int_equal(given->error, ERROR_CLOSED);
	assert_string_equal(given->detail, "the call was given up");
	keep(fixture, given);
	/* too late for another */
	assert_int_equal(
		http_client_post(fixture->client, &call, on_given_up, fixture), ERROR_CLOSED);
}

static void freeing_ends_the_calls(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;
	char silent[64], fresh[64];
	uint16_t port;
	int deaf = open_port(&port, true);

	/* one waits for its answer, one for its handshake, one has not begun */
	snprintf(silent, sizeof(silent), "https://127.0.0.1:%u/silent", fixture->server.port);
	snprintf(fresh, sizeof(fresh), "https://127.0.0.1:%u/x", port);
	call.policy = &fixture->policy;
	call.timeout_ms = 60000;
	call.url = silent;
	assert_int_equal(http_client_post(fixture->client, &call, on_given_up, fixture), 0);
	call.url = fresh;
	assert_int_equal(http_client_post(fixture->client, &call, on_given_up, fixture), 0);
	for (;;) {
		bool arrived;

		pthread_mutex_lock(&fixture->server.lock);
		arrived = fixture->server.request[0] != '\0';
		pthread_mutex_unlock(&fixture->server.lock);
		if (arrived)
			break;
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(http_client_post(fixture->client, &call, on_given_up, fixture), 0);
	http_client_free(fixture->client);
	assert_int_equal(fixture->answers, 3);
	fixture->client = NULL;
	close(deaf);
}

static void free_client(void *user, const struct http_answer *given)
{
	struct fixture *fixture = user;

	assert_int_equal(given->error, 0);
	keep(fixture, given);
	http_client_free(fixture->client);
	fixture->client = NULL;
	/* the answer still lives */
	assert_string_equal(given->body, "hello");
	assert_string_equal(given->report->subject, "CN=ws-7");
}

static void the_client_may_be_freed_by_an_answer(void **state)
{
	struct fixture *fixture = *state;
	struct http_call call = PLAIN;
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", fixture->server.port);
	call.url = url;
	call.policy = &fixture->policy;
	call.timeout_ms = 60000;
	assert_int_equal(http_client_post(fixture->client, &call, free_client, fixture), 0);
	wait_for(fixture);
	assert_null(fixture->client);
}

/* Hosts are reached directly, whatever the environment names. */
static void the_environments_proxy_is_not_used(void **state)
{
	struct fixture *fixture = *state;

	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_int_equal(call_path(fixture, "/x", PLAIN), 0);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_post_is_answered),
		TEST(without_a_body_it_is_a_get),
		TEST(answers_come_as_they_are),
		TEST(the_session_cookie_is_found),
		TEST(connections_are_used_again),
		TEST(an_idle_client_lets_the_loop_end),
		TEST(a_connection_the_server_closed_is_made_anew),
		TEST(policies_do_not_share_connections),
		TEST(the_name_may_differ_from_the_address),
		TEST(each_trouble_is_told),
		TEST(a_pinned_certificate_is_accepted_and_no_other),
		TEST(unusable_policies_say_why),
		TEST(a_changed_ca_file_is_read_again),
		TEST(who_cannot_be_reached_is_named),
		TEST(silence_ends_in_time),
		TEST(broken_answers_are_faults),
		TEST(answers_are_bounded),
		TEST(addresses_that_are_not_https_are_faults),
		TEST(what_speaks_no_tls_is_told),
		TEST(headers_bring_no_lines_of_their_own),
		TEST(many_policies_are_bounded),
		TEST(calls_run_at_the_same_time),
		TEST(an_answer_may_bring_the_next_call),
		TEST(freeing_ends_the_calls),
		TEST(the_client_may_be_freed_by_an_answer),
		TEST(the_environments_proxy_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
