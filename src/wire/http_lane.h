/*
 * http_lane.h - the connections of http_client that were judged by one policy.
 *
 * libcurl picks a kept connection by address and options; it does not know
 * by which policy its certificate was accepted. So each policy has a pool
 * (a CURLM) of its own, and a connection accepted by one is never used for another.
 * Only http_client.c uses this. Everything happens on one loop.
 */
#ifndef FAIRLEAD_WIRE_HTTP_LANE_H
#define FAIRLEAD_WIRE_HTTP_LANE_H

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <uv.h>

#include "wire/certificate.h"

struct http_lane {
	struct http_lane *next;           /* the client's list */
	struct certificate_policy policy; /* own copies */
	CURLM *multi;
	uv_loop_t *loop;
	uv_timer_t timer;
	SSL_CTX *prepared;   /* NULL until the first handshake */
	struct stat ca_file; /* as it was when `prepared` was made */
	unsigned calls;      /* under way */
	uint64_t used;       /* uv_now() when the last call ended or began */
	bool closed;
	/* A transfer is over; it has been taken out of the lane. May close the lane. */
	void (*finished)(CURL *easy, CURLcode code);
};

/* 0 or ERROR_MEMORY. */
int http_lane_new(uv_loop_t *loop, const struct certificate_policy *policy,
	void (*finished)(CURL *easy, CURLcode code), struct http_lane **ret_lane);

/* Closes its connections; it must have no calls. The memory goes when the
 * loop has closed its handles. */
void http_lane_close(struct http_lane *lane);

bool http_lane_serves(const struct http_lane *lane, const struct certificate_policy *policy);

/* Starts a transfer; `finished` comes later, never from inside. 0 or ERROR_MEMORY. */
int http_lane_add(struct http_lane *lane, CURL *easy);

/* Takes a transfer out before its end; `finished` is not called. */
void http_lane_remove(struct http_lane *lane, CURL *easy);

/* Makes a new connection's context judge by the lane's policy. The CA file is read at the first
 * handshake and whenever it has changed. 0 or what certificate_prepare returns, with `detail`
 * filled. */
int http_lane_prepare(struct http_lane *lane, SSL_CTX *context, char *detail, size_t size);

#endif
