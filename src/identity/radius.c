#include "identity/radius.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "identity/radius_packet.h"
#include "identity/radius_private.h"

#define PORT 1812
#define RETRY_MS 2000
#define TRIES 3
#define WAIT_SECONDS 5
#define HOLD_DOWN_SECONDS 30
#define NAS_IDENTIFIER "fairlead"

static char *label_of(const char *address, uint16_t port)
{
	struct sockaddr_in6 v6;
	bool bracket = uv_ip6_addr(address, port, &v6) == 0;
	char *label = NULL;

	if (asprintf(&label, bracket ? "[%s]:%u" : "%s:%u", address, (unsigned)port) < 0)
		return NULL;
	return label;
}

static int copy_peer(struct radius_peer *peer, const struct radius_server *server)
{
	uint16_t port = server->port != 0 ? server->port : PORT;

	if (!server->address || *server->address == '\0' || !server->secret ||
		*server->secret == '\0')
		return ERROR_INPUT;
	peer->address = resolve_new(server->address, port, SOCK_DGRAM);
	peer->secret = strdup(server->secret);
	peer->label = label_of(server->address, port);
	return peer->address && peer->secret && peer->label ? 0 : ERROR_MEMORY;
}

/* All servers are to have their tries before the time is over. */
static uint64_t default_retry(const struct radius *radius)
{
	uint64_t share = radius->wait_ms / (radius->tries * radius->peer_count);

	if (share == 0)
		return 1;
	return share < RETRY_MS ? share : RETRY_MS;
}

static int fill(struct radius *radius, const struct radius_options *options)
{
	const char *nas = options->nas_identifier ? options->nas_identifier : NAS_IDENTIFIER;
	size_t length = strnlen(nas, RADIUS_PACKET_VALUE + 1);
	int error;

	if (options->server_count == 0 || options->server_count > RADIUS_SERVERS_MAXIMUM ||
		length == 0 || length > RADIUS_PACKET_VALUE)
		return ERROR_INPUT;
	for (size_t i = 0; i < options->server_count; i++) {
		radius->peer_count = i + 1;
		error = copy_peer(&radius->peers[i], &options->servers[i]);
		if (error)
			return error;
	}
	radius->nas_identifier = strdup(nas);
	if (!radius->nas_identifier)
		return ERROR_MEMORY;
	radius->password = options->password;
	radius->allow_unsigned = options->allow_unsigned;
	radius->tries = options->tries ? options->tries : TRIES;
	radius->wait_ms =
		1000 * (uint64_t)(options->wait_seconds ? options->wait_seconds : WAIT_SECONDS);
	radius->retry_ms = options->retry_ms ? options->retry_ms : default_retry(radius);
	radius->hold_down = CLOCK_SECOND *
		(options->hold_down_seconds ? options->hold_down_seconds : HOLD_DOWN_SECONDS);
	return 0;
}

int radius_new(const struct radius_options *options, struct radius **ret_radius)
{
	struct radius *radius;
	int error;

	if (!radius_packet_library_fits())
		return ERROR_SYSTEM;
	radius = calloc(1, sizeof(*radius));
	if (!radius)
		return ERROR_MEMORY;
	if (pthread_mutex_init(&radius->lock, NULL) != 0) {
		free(radius);
		return ERROR_SYSTEM;
	}
	error = fill(radius, options);
	if (error) {
		radius_free(radius);
		return error;
	}
	*ret_radius = radius;
	return 0;
}

void radius_free(struct radius *radius)
{
	if (!radius)
		return;
	for (size_t i = 0; i < radius->peer_count; i++) {
		secret_wipe_text(radius->peers[i].secret);
		free(radius->peers[i].secret);
		resolve_free(radius->peers[i].address);
		free(radius->peers[i].label);
	}
	free(radius->nas_identifier);
	pthread_mutex_destroy(&radius->lock);
	free(radius);
}

void radius_order(struct radius *radius, int64_t now, size_t order[RADIUS_SERVERS_MAXIMUM])
{
	size_t count = 0;
	bool held[RADIUS_SERVERS_MAXIMUM] = {false};

	pthread_mutex_lock(&radius->lock);
	for (size_t i = 0; i < radius->peer_count; i++)
		held[i] = now < radius->peers[i].held_until;
	pthread_mutex_unlock(&radius->lock);
	for (size_t i = 0; i < radius->peer_count; i++) {
		if (!held[i])
			order[count++] = i;
	}
	for (size_t i = 0; i < radius->peer_count; i++) {
		if (held[i])
			order[count++] = i;
	}
}

void radius_hold(struct radius *radius, size_t peer, int64_t now)
{
	pthread_mutex_lock(&radius->lock);
	radius->peers[peer].held_until = now + radius->hold_down;
	pthread_mutex_unlock(&radius->lock);
}

void radius_release(struct radius *radius, size_t peer)
{
	pthread_mutex_lock(&radius->lock);
	radius->peers[peer].held_until = 0;
	pthread_mutex_unlock(&radius->lock);
}
