#include "wire/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/secret.h"
#include "wire/http_lane.h"

#define DETAIL_SIZE 640
#define HOST_SIZE 256
#define TIMEOUT_MS 5000
/* Policies whose connections are kept; the one idle longest makes room. */
#define LANES_MAXIMUM 64
/* Below the 60 seconds after which servers (our own too) close idle
 * connections, so that a request seldom meets one that is being closed. */
#define IDLE_SECONDS 50L
#define SWEEP_MS 10000

struct http_client {
	uv_loop_t *loop;
	uv_timer_t sweep;
	struct http_lane *lanes;
	unsigned lane_count;
	struct call *calls;
	bool closing;
};

/* What a connection's handshake found. Belongs to the connection's SSL_CTX,
 * since the connection outlives the call that made it. */
struct handshake {
	struct certificate_report report;
	struct call *call; /* the call that made it, while that lasts */
};

struct call {
	struct call *next, **link; /* the client's list */
	struct http_lane *lane;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char *body;
	size_t body_length;
	char host[HOST_SIZE], port[8];
	bool bad_url;
	unsigned timeout_ms, connect_ms;
	uint64_t started; /* uv_hrtime() */
	bool repeated;

	struct handshake *handshake; /* of a connection made for this call */
	struct certificate_report report;
	size_t head_length;
	struct buffer cookie, answer;
	int error; /* our own reason to break off; 0: none */
	char detail[DETAIL_SIZE];
	char curl_detail[CURL_ERROR_SIZE];

	void (*done)(void *user, const struct http_answer *answer);
	void *user;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int handshake_place = -1;
static bool curl_stands;

static void forget_handshake(
	void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long argument, void *user)
{
	struct handshake *handshake = pointer;

	(void)parent;
	(void)data;
	(void)index;
	(void)argument;
	(void)user;
	if (handshake == NULL)
		return;
	if (handshake->call != NULL) {
		handshake->call->report = handshake->report;
		handshake->call->handshake = NULL;
	}
	free(handshake);
}

static void start_libraries(void)
{
	curl_stands = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	handshake_place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, forget_handshake);
}

/* libcurl is about to open TLS on a new connection. */
static CURLcode on_context(CURL *easy, void *given, void *user)
{
	SSL_CTX *context = given;
	struct call *call = user;
	struct handshake *handshake = calloc(1, sizeof(*handshake));

	(void)easy;
	if (handshake == NULL || SSL_CTX_set_ex_data(context, handshake_place, handshake) != 1) {
		free(handshake);
		return CURLE_OUT_OF_MEMORY;
	}
	/* a second connection for one call: the first was found dead */
	if (call->handshake != NULL)
		call->handshake->call = NULL;
	call->handshake = handshake;
	handshake->call = call;
	call->error = http_lane_prepare(call->lane, context, call->detail, sizeof(call->detail));
	if (call->error == 0)
		call->error =
			certificate_watch_context(context, &call->lane->policy, &handshake->report);
	return call->error == 0 ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

/* The report of the connection in use, which an earlier call may have made. */
static void take_report(struct call *call)
{
	struct curl_tlssessioninfo *session = NULL;
	const struct handshake *handshake;

	if (curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
		session == NULL || session->internals == NULL ||
		session->backend != CURLSSLBACKEND_OPENSSL)
		return;
	handshake = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session->internals), handshake_place);
	if (handshake != NULL)
		call->report = handshake->report;
}

/* Keeps the value of "JSESSIONID=value; ..." */
static void take_cookie(struct call *call, const char *text, size_t length)
{
	static const char name[] = "JSESSIONID=";
	const char *end;

	while (length > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		length--;
	}
	if (length < sizeof(name) - 1 || memcmp(text, name, sizeof(name) - 1) != 0)
		return;
	text += sizeof(name) - 1;
	length -= sizeof(name) - 1;
	end = memchr(text, ';', length);
	if (end != NULL)
		length = (size_t)(end - text);
	while (length > 0 && memchr(" \t\r\n", text[length - 1], 4) != NULL)
		length--;
	buffer_clear(&call->cookie);
	buffer_append(&call->cookie, text, length);
}

static int head_fault(char *detail, size_t size)
{
	snprintf(detail, size, "the answer's head has more than %d bytes", HTTP_HEAD_MAXIMUM);
	return ERROR_LIMIT;
}

static size_t on_header(char *bytes, size_t one, size_t length, void *user)
{
	static const char name[] = "Set-Cookie:";
	struct call *call = user;

	(void)one;
	if (call->head_length == 0)
		take_report(call);
	call->head_length += length;
	if (call->head_length > HTTP_HEAD_MAXIMUM) {
		call->error = head_fault(call->detail, sizeof(call->detail));
		return 0;
	}
	/* a status line: what came before was an interim answer */
	if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		buffer_clear(&call->cookie);
	else if (length >= sizeof(name) - 1 && strncasecmp(bytes, name, sizeof(name) - 1) == 0)
		take_cookie(call, bytes + sizeof(name) - 1, length - (sizeof(name) - 1));
	return length;
}

static size_t on_body(char *bytes, size_t one, size_t length, void *user)
{
	struct call *call = user;

	(void)one;
	call->error = buffer_append(&call->answer, bytes, length);
	if (call->error == 0)
		return length;
	snprintf(call->detail, sizeof(call->detail), "the answer has more than %zu bytes",
		call->answer.maximum);
	return 0;
}

static void free_list(struct curl_slist *list)
{
	for (struct curl_slist *item = list; item != NULL; item = item->next)
		secret_wipe_text(item->data);
	curl_slist_free_all(list);
}

static void free_call(struct call *call)
{
	if (call->handshake != NULL)
		call->handshake->call = NULL;
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	free_list(call->headers);
	free_list(call->connect_to);
	secret_wipe(call->body, call->body_length);
	free(call->body);
	buffer_free(&call->cookie);
	buffer_free(&call->answer);
	free(call);
}

static int connect_fault(const struct call *call, char *detail, size_t size)
{
	long number = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		snprintf(detail, size, "connection to %s:%s refused", call->host, call->port);
	else if (number == EHOSTUNREACH || number == ENETUNREACH)
		snprintf(detail, size, "no route to %s:%s", call->host, call->port);
	else
		snprintf(detail, size, "connection to %s:%s failed: %s", call->host, call->port,
			number != 0 ? strerror((int)number) : call->curl_detail);
	return ERROR_UNREACHABLE;
}

static int tls_fault(const struct call *call, char *detail, size_t size)
{
	if (call->report.troubles != 0 && call->lane->policy.verify == CERTIFICATE_VERIFY_FULL) {
		snprintf(detail, size, "%s", call->report.text);
		return ERROR_UNTRUSTED;
	}
	snprintf(detail, size, "TLS with %s:%s failed: %s", call->host, call->port,
		call->curl_detail);
	return ERROR_TLS;
}

/* libcurl calls a header line beyond its own maximum (100 KiB) a lack of
 * memory. Once an answer has begun, that is by far the likelier reason. */
static int memory_fault(const struct call *call, char *detail, size_t size)
{
	curl_off_t begun = 0;

	curl_easy_getinfo(call->easy, CURLINFO_STARTTRANSFER_TIME_T, &begun);
	if (begun > 0 && call->answer.length == 0)
		return head_fault(detail, size);
	snprintf(detail, size, "%s", error_text(ERROR_MEMORY));
	return ERROR_MEMORY;
}

/* libcurl's outcome in our words. */
static int judge(const struct call *call, CURLcode code, char *detail, size_t size)
{
	curl_off_t asked = 0; /* microseconds; 0: it did not get so far as to send anything */

	if (code != CURLE_OK && call->error != 0) {
		snprintf(detail, size, "%s", call->detail);
		return call->error;
	}
	switch (code) {
	case CURLE_OK:
		detail[0] = '\0';
		return 0;
	case CURLE_COULDNT_RESOLVE_HOST:
		snprintf(detail, size, "name %s not found", call->host);
		return ERROR_UNREACHABLE;
	case CURLE_COULDNT_CONNECT:
		return connect_fault(call, detail, size);
	case CURLE_OPERATION_TIMEDOUT:
		curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
		snprintf(detail, size, "no answer within %u ms",
			asked == 0 && call->connect_ms < call->timeout_ms ? call->connect_ms
									  : call->timeout_ms);
		return ERROR_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return tls_fault(call, detail, size);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		snprintf(detail, size, "%s:%s closed the connection before its answer was complete",
			call->host, call->port);
		return ERROR_CLOSED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		if (call->bad_url)
			snprintf(detail, size, "not an https address");
		else
			snprintf(detail, size, "%s:%s does not answer in HTTP", call->host,
				call->port);
		return ERROR_INPUT;
	case CURLE_OUT_OF_MEMORY:
		return memory_fault(call, detail, size);
	default:
		snprintf(detail, size, "the call to %s:%s failed: %s", call->host, call->port,
			call->curl_detail[0] != '\0' ? call->curl_detail
						     : curl_easy_strerror(code));
		return ERROR_SYSTEM;
	}
}

static void take_times(const struct call *call, struct http_answer *answer)
{
	curl_off_t name = 0, connect = 0, tls = 0, total = 0;
	long connections = 0;

	curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &total);
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections);
	if (connections > 0) {
		curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &name);
		curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connect);
		curl_easy_getinfo(call->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
	}
	answer->name_us = name;
	answer->connect_us = connect;
	answer->tls_us = tls;
	answer->total_us = total;
}

/* The call is out of its lane; tells the caller and ends it. */
static void finish(struct call *call, int error, const char *detail)
{
	struct http_answer answer = {.error = error, .detail = detail, .report = &call->report};
	long status = 0;

	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	if (call->handshake != NULL)
		call->report = call->handshake->report;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.status = (int)status;
	answer.body = call->answer.bytes != NULL ? call->answer.bytes : "";
	answer.body_length = call->answer.length;
	answer.cookie = call->cookie.length > 0 ? call->cookie.bytes : NULL;
	take_times(call, &answer);
	call->done(call->user, &answer);
	free_call(call);
}

/* A kept connection can be closed by the server in the very moment of its
 * use; libcurl notices only some of those cases. Nothing of an answer has come, so the call is made
 * again, once and on a new connection, within the time that it has left. */
static bool repeat(struct call *call, CURLcode code)
{
	uint64_t spent = (uv_hrtime() - call->started) / 1000000;
	long connections = 0;

	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connections);
	if (call->repeated || connections > 0 || call->head_length > 0 || spent >= call->timeout_ms)
		return false;
	call->repeated = true;
	call->curl_detail[0] = '\0';
	return curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
		curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS,
			(long)(call->timeout_ms - spent)) == CURLE_OK &&
		http_lane_add(call->lane, call->easy) == 0;
}

static void on_finished(CURL *easy, CURLcode code)
{
	struct call *call = NULL;
	char detail[DETAIL_SIZE];
	int error;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
	if (repeat(call, code))
		return;
	if (call->handshake != NULL)
		call->report = call->handshake->report;
	error = judge(call, code, detail, sizeof(detail));
	finish(call, error, detail);
}

static void close_lane(struct http_client *client, struct http_lane *lane)
{
	struct http_lane **link = &client->lanes;

	while (*link != lane)
		link = &(*link)->next;
	*link = lane->next;
	client->lane_count--;
	http_lane_close(lane);
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_client *client = timer->data;
	uint64_t now = uv_now(client->loop);
	struct http_lane *next;

	for (struct http_lane *lane = client->lanes; lane != NULL; lane = next) {
		next = lane->next;
		if (lane->calls == 0 && now - lane->used >= (uint64_t)IDLE_SECONDS * 1000)
			close_lane(client, lane);
	}
}

int http_client_new(uv_loop_t *loop, struct http_client **ret_client)
{
	struct http_client *client;

	pthread_once(&once, start_libraries);
	if (!curl_stands || handshake_place < 0)
		return ERROR_MEMORY;
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return ERROR_MEMORY;
	client->loop = loop;
	uv_timer_init(loop, &client->sweep);
	client->sweep.data = client;
	uv_timer_start(&client->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	/* sweeping alone is no reason for a loop to go on */
	uv_unref((uv_handle_t *)&client->sweep);
	*ret_client = client;
	return 0;
}

static void client_closed(uv_handle_t *sweep)
{
	free(sweep->data);
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	assert(!client->closing);
	client->closing = true;
	while (client->calls != NULL) {
		struct call *call = client->calls;

		/* finish() takes it off the list through call->link, which the analyser cannot
		 * follow. */
		http_lane_remove(call->lane, call->easy); /* NOLINT(clang-analyzer-unix.Malloc) */
		finish(call, ERROR_CLOSED, "the call was given up");
	}
	while (client->lanes != NULL)
		close_lane(client, client->lanes);
	uv_close((uv_handle_t *)&client->sweep, client_closed);
}

static int find_lane(struct http_client *client, const struct certificate_policy *policy,
	struct http_lane **ret_lane)
{
	struct http_lane *oldest = NULL, *lane;
	int error;

	for (lane = client->lanes; lane != NULL; lane = lane->next) {
		if (http_lane_serves(lane, policy)) {
			*ret_lane = lane;
			return 0;
		}
		if (lane->calls == 0 && (oldest == NULL || lane->used <= oldest->used))
			oldest = lane;
	}
	error = http_lane_new(client->loop, policy, on_finished, &lane);
	if (error != 0)
		return error;
	/* With every lane busy there are more for a while; the sweep ends that. */
	if (client->lane_count >= LANES_MAXIMUM && oldest != NULL)
		close_lane(client, oldest);
	lane->next = client->lanes;
	client->lanes = lane;
	client->lane_count++;
	*ret_lane = lane;
	return 0;
}

/* Text that ends up in the head must not bring lines of its own. */
static bool one_line(const char *text)
{
	for (; text != NULL && *text != '\0'; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7F)
			return false;
	}
	return true;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 3;
	struct curl_slist *longer;
	char *line = malloc(size);

	if (line == NULL)
		return ERROR_MEMORY;
	/* libcurl's way to write a header without a value */
	if (value[0] == '\0')
		snprintf(line, size, "%s;", name);
	else
		snprintf(line, size, "%s: %s", name, value);
	longer = curl_slist_append(*list, line);
	secret_wipe(line, size);
	free(line);
	if (longer == NULL)
		return ERROR_MEMORY;
	*list = longer;
	return 0;
}

static int add_plain(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return ERROR_MEMORY;
	*list = longer;
	return 0;
}

static int write_headers(struct call *call, const struct http_call *given)
{
	int error;

	if (!one_line(given->user_agent) || !one_line(given->content_type))
		return ERROR_INPUT;
	/* Without a value: libcurl leaves the header out. Waiting for "100
	 * Continue" would cost a second with servers that do not know it. */
	error = add_plain(&call->headers, "Expect:");
	if (error == 0 && given->content_type != NULL)
		error = add_header(&call->headers, "Content-Type", given->content_type);
	else if (error == 0)
		error = add_plain(&call->headers, "Content-Type:");
	for (size_t i = 0; error == 0 && i < given->header_count; i++) {
		const struct http_header *header = &given->headers[i];

		if (!one_line(header->name) || !one_line(header->value) ||
			strpbrk(header->name, ":; \t") != NULL)
			return ERROR_INPUT;
		error = add_header(&call->headers, header->name, header->value);
	}
	return error;
}

/* SNI follows the address that libcurl is given. Where the name to check is
 * another one, libcurl is given that name, and told where to find it. */
static int aim(struct call *call, CURLU *url, const char *name)
{
	char target[2 * HOST_SIZE + 32];
	char *aimed = NULL;
	int length;

	if (name == NULL || name[0] == '\0' || certificate_name_is_address(name) ||
		strcasecmp(name, call->host) == 0 ||
		curl_url_set(url, CURLUPART_HOST, name, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_URL, &aimed, 0) != CURLUE_OK)
		return 0;
	length = snprintf(
		target, sizeof(target), "%s:%s:%s:%s", name, call->port, call->host, call->port);
	if (length > 0 && (size_t)length < sizeof(target)) {
		call->connect_to = curl_slist_append(NULL, target);
		if (call->connect_to == NULL ||
			curl_easy_setopt(call->easy, CURLOPT_URL, aimed) != CURLE_OK) {
			curl_free(aimed);
			return ERROR_MEMORY;
		}
		curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
	}
	curl_free(aimed);
	return 0;
}

static int read_url(struct call *call, const struct http_call *given)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	int error = 0;

	if (url == NULL || curl_easy_setopt(call->easy, CURLOPT_URL, given->url) != CURLE_OK) {
		curl_url_cleanup(url);
		return ERROR_MEMORY;
	}
	call->bad_url = true;
	if (curl_url_set(url, CURLUPART_URL, given->url, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		strcmp(scheme, "https") == 0 && strlen(host) < sizeof(call->host)) {
		call->bad_url = false;
		snprintf(call->host, sizeof(call->host), "%s", host);
		snprintf(call->port, sizeof(call->port), "%s", port);
		error = aim(call, url, given->policy->name);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return error;
}

static int set_options(struct call *call, const struct http_call *given)
{
	CURL *easy = call->easy;
	bool good = true;

#define SET(option, value) good = curl_easy_setopt(easy, option, value) == CURLE_OK && good
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->curl_detail);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* a slow name server must not hold up the loop after the time-out */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	/* whatever the environment says: hosts are reached directly */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms);
	SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	/* Off only because wire/certificate.c judges instead: it reports every
	 * trouble where libcurl would stop at the first, and knows names and
	 * fingerprints libcurl does not. on_context installs it; without it no
	 * handshake on such a context succeeds. */
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_context);
	SET(CURLOPT_SSL_CTX_DATA, call);
	/* a resumed session shows no certificate to judge */
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HTTPHEADER, call->headers);
	if (given->user_agent != NULL)
		SET(CURLOPT_USERAGENT, given->user_agent);
	if (given->body != NULL) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
		SET(CURLOPT_POSTFIELDS, call->body);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
	}
#undef SET
	return good ? 0 : ERROR_MEMORY;
}

static int copy_body(struct call *call, const struct http_call *given)
{
	if (given->body == NULL)
		return 0;
	call->body = malloc(given->body_length + 1);
	if (call->body == NULL)
		return ERROR_MEMORY;
	memcpy(call->body, given->body, given->body_length);
	call->body[given->body_length] = '\0';
	call->body_length = given->body_length;
	return 0;
}

int http_client_post(struct http_client *client, const struct http_call *given,
	void (*done)(void *user, const struct http_answer *answer), void *user)
{
	struct call *call;
	int error;

	assert(given->url != NULL && given->policy != NULL && done != NULL);
	if (client->closing)
		return ERROR_CLOSED;
	call = calloc(1, sizeof(*call));
	if (call == NULL)
		return ERROR_MEMORY;
	call->done = done;
	call->user = user;
	call->started = uv_hrtime();
	call->timeout_ms = given->timeout_ms != 0 ? given->timeout_ms : TIMEOUT_MS;
	call->connect_ms = given->connect_ms != 0 ? given->connect_ms : call->timeout_ms;
	buffer_init(&call->cookie, HTTP_HEAD_MAXIMUM);
	buffer_init(&call->answer,
		given->answer_maximum != 0 ? given->answer_maximum : HTTP_BODY_MAXIMUM);
	call->easy = curl_easy_init();
	error = call->easy != NULL ? 0 : ERROR_MEMORY;
	if (error == 0)
		error = write_headers(call, given);
	if (error == 0)
		error = copy_body(call, given);
	if (error == 0)
		error = set_options(call, given);
	if (error == 0)
		error = read_url(call, given);
	if (error == 0)
		error = find_lane(client, given->policy, &call->lane);
	if (error == 0)
		error = http_lane_add(call->lane, call->easy);
	if (error != 0) {
		free_call(call);
		return error;
	}
	call->next = client->calls;
	call->link = &client->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	client->calls = call;
	return 0;
}
