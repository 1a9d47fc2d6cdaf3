#include "wire/http_lane.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Idle connections kept in one lane. */
#define KEPT_MAXIMUM 32L

/* One socket of libcurl's on the loop; dies when the loop has closed it. */
struct watch {
	uv_poll_t poll;
	struct http_lane *lane;
	curl_socket_t socket;
};

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drain(struct http_lane *lane)
{
	CURLMsg *message;
	int left;

	while (!lane->closed && (message = curl_multi_info_read(lane->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		/* `message` dies with this */
		http_lane_remove(lane, easy);
		lane->finished(easy, code);
	}
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
	const struct watch *watch = poll->data;
	/* libcurl may let go of the watch in the call */
	struct http_lane *lane = watch->lane;
	int running, flags = 0;

	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(lane->multi, watch->socket, flags, &running);
	drain(lane);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_lane *lane = timer->data;
	int running;

	curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	drain(lane);
}

static int want_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct http_lane *lane = user;

	(void)multi;
	if (lane->closed)
		return 0;
	if (timeout_ms < 0)
		uv_timer_stop(&lane->timer);
	else
		uv_timer_start(&lane->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static int want_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned)
{
	struct http_lane *lane = user;
	struct watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL) {
			curl_multi_assign(lane->multi, socket, NULL);
			uv_close((uv_handle_t *)&watch->poll, watch_closed);
		}
		return 0;
	}
	if (watch == NULL) {
		watch = calloc(1, sizeof(*watch));
		if (watch == NULL)
			return -1;
		if (uv_poll_init_socket(lane->loop, &watch->poll, socket) != 0) {
			free(watch);
			return -1;
		}
		watch->poll.data = watch;
		watch->lane = lane;
		watch->socket = socket;
		curl_multi_assign(lane->multi, socket, watch);
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= UV_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_socket_event) == 0 ? 0 : -1;
}

static bool copy_text(const char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static void free_lane(struct http_lane *lane)
{
	free((void *)(uintptr_t)lane->policy.ca_file);
	free((void *)(uintptr_t)lane->policy.name);
	free((void *)(uintptr_t)lane->policy.fingerprint);
	SSL_CTX_free(lane->prepared);
	if (lane->multi != NULL)
		curl_multi_cleanup(lane->multi);
	free(lane);
}

int http_lane_new(uv_loop_t *loop, const struct certificate_policy *policy,
	void (*finished)(CURL *easy, CURLcode code), struct http_lane **ret_lane)
{
	struct http_lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		return ERROR_MEMORY;
	lane->loop = loop;
	lane->finished = finished;
	lane->used = uv_now(loop);
	lane->policy.verify = policy->verify;
	lane->multi = curl_multi_init();
	if (lane->multi == NULL || !copy_text(&lane->policy.ca_file, policy->ca_file) ||
		!copy_text(&lane->policy.name, policy->name) ||
		!copy_text(&lane->policy.fingerprint, policy->fingerprint)) {
		free_lane(lane);
		return ERROR_MEMORY;
	}
	uv_timer_init(loop, &lane->timer);
	lane->timer.data = lane;
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, KEPT_MAXIMUM);
	*ret_lane = lane;
	return 0;
}

static void lane_closed(uv_handle_t *timer)
{
	free_lane(timer->data);
}

void http_lane_close(struct http_lane *lane)
{
	assert(!lane->closed && lane->calls == 0);
	/* libcurl first: it still says which sockets it gives up */
	curl_multi_cleanup(lane->multi);
	lane->multi = NULL;
	lane->closed = true;
	uv_close((uv_handle_t *)&lane->timer, lane_closed);
}

static bool same_text(const char *one, const char *two)
{
	return one == two || (one != NULL && two != NULL && strcmp(one, two) == 0);
}

bool http_lane_serves(const struct http_lane *lane, const struct certificate_policy *policy)
{
	return lane->policy.verify == policy->verify &&
		same_text(lane->policy.ca_file, policy->ca_file) &&
		same_text(lane->policy.name, policy->name) &&
		same_text(lane->policy.fingerprint, policy->fingerprint);
}

int http_lane_add(struct http_lane *lane, CURL *easy)
{
	if (curl_multi_add_handle(lane->multi, easy) != CURLM_OK)
		return ERROR_MEMORY;
	lane->calls++;
	lane->used = uv_now(lane->loop);
	return 0;
}

void http_lane_remove(struct http_lane *lane, CURL *easy)
{
	curl_multi_remove_handle(lane->multi, easy);
	lane->calls--;
	lane->used = uv_now(lane->loop);
}

static bool same_file(const struct stat *one, const struct stat *two)
{
	return one->st_dev == two->st_dev && one->st_ino == two->st_ino &&
		one->st_size == two->st_size && one->st_mtim.tv_sec == two->st_mtim.tv_sec &&
		one->st_mtim.tv_nsec == two->st_mtim.tv_nsec;
}

static int read_policy(struct http_lane *lane, char *detail, size_t size)
{
	const struct certificate_policy *policy = &lane->policy;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int error = context != NULL ? certificate_prepare(context, policy) : ERROR_MEMORY;

	if (error == 0) {
		SSL_CTX_free(lane->prepared);
		lane->prepared = context;
		return 0;
	}
	if (error == ERROR_SYSTEM)
		snprintf(detail, size, "the CA file '%s' cannot be read: %s", policy->ca_file,
			strerror(errno));
	else if (error == ERROR_INPUT && policy->fingerprint != NULL)
		snprintf(detail, size, "the fingerprint '%s' is not 64 hexadecimal digits",
			policy->fingerprint);
	else if (error == ERROR_INPUT)
		snprintf(detail, size, "the CA file '%s' holds no certificate", policy->ca_file);
	else
		snprintf(detail, size, "TLS cannot be set up");
	SSL_CTX_free(context);
	return error;
}

int http_lane_prepare(struct http_lane *lane, SSL_CTX *context, char *detail, size_t size)
{
	struct stat found;
	bool stale = lane->prepared == NULL;
	int error;

	memset(&found, 0, sizeof(found));
	if (lane->policy.ca_file != NULL && lane->policy.fingerprint == NULL) {
		if (stat(lane->policy.ca_file, &found) != 0) {
			snprintf(detail, size, "the CA file '%s' cannot be read: %s",
				lane->policy.ca_file, strerror(errno));
			return ERROR_SYSTEM;
		}
		stale = stale || !same_file(&found, &lane->ca_file);
	}
	if (stale) {
		error = read_policy(lane, detail, size);
		if (error != 0)
			return error;
		lane->ca_file = found;
	}
	error = certificate_prepare_like(context, lane->prepared);
	if (error != 0)
		snprintf(detail, size, "TLS cannot be set up");
	return error;
}
