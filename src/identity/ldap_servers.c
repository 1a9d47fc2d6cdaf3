#include "identity/ldap_servers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct server {
	struct ldap_place place;
	char *url;
	bool down;
	int64_t down_until; /* steady; while down */
};

struct ldap_servers {
	pthread_mutex_t lock;
	const struct clock *clock;
	int64_t hold_down;
	size_t count;
	struct server list[LDAP_SERVERS_MAXIMUM];
};

static int read_url(
	const struct ldap_servers_options *options, const char *url, struct server *server)
{
	LDAPURLDesc *parts = NULL;
	struct ldap_place *place = &server->place;
	int error = ERROR_INPUT;

	if (ldap_url_parse(url, &parts) != LDAP_URL_SUCCESS)
		return ERROR_INPUT;
	if (parts->lud_host == NULL || *parts->lud_host == '\0' || parts->lud_port < 1 ||
		parts->lud_port > 65535 || (parts->lud_dn != NULL && *parts->lud_dn != '\0') ||
		parts->lud_attrs != NULL || parts->lud_filter != NULL || parts->lud_exts != NULL)
		goto out;
	place->tls = strcmp(parts->lud_scheme, "ldaps") == 0;
	place->starttls = !place->tls && options->starttls;
	if (!place->tls &&
		(strcmp(parts->lud_scheme, "ldap") != 0 ||
			(!options->starttls && !options->allow_plain)))
		goto out;
	server->url = strdup(url);
	place->url = server->url;
	place->address = resolve_new(parts->lud_host, (uint16_t)parts->lud_port, SOCK_STREAM);
	error = server->url == NULL || place->address == NULL ? ERROR_MEMORY : 0;
out:
	ldap_free_urldesc(parts);
	return error;
}

int ldap_servers_new(const struct ldap_servers_options *options, struct ldap_servers **ret_servers)
{
	struct ldap_servers *servers;
	int error = 0;

	if (options->count == 0 || options->count > LDAP_SERVERS_MAXIMUM)
		return ERROR_INPUT;
	servers = calloc(1, sizeof(*servers));
	if (servers == NULL)
		return ERROR_MEMORY;
	pthread_mutex_init(&servers->lock, NULL);
	servers->clock = options->clock;
	servers->hold_down = options->hold_down;
	for (size_t i = 0; error == 0 && i < options->count; i++) {
		error = read_url(options, options->urls[i], &servers->list[i]);
		servers->count++;
	}
	if (error != 0) {
		ldap_servers_free(servers);
		return error;
	}
	*ret_servers = servers;
	return 0;
}

void ldap_servers_free(struct ldap_servers *servers)
{
	if (servers == NULL)
		return;
	for (size_t i = 0; i < servers->count; i++) {
		resolve_free(servers->list[i].place.address);
		free(servers->list[i].url);
	}
	pthread_mutex_destroy(&servers->lock);
	free(servers);
}

size_t ldap_servers_count(const struct ldap_servers *servers)
{
	return servers->count;
}

const struct ldap_place *ldap_servers_place(const struct ldap_servers *servers, size_t index)
{
	assert(index < servers->count);
	return &servers->list[index].place;
}

bool ldap_servers_secure(const struct ldap_servers *servers)
{
	bool secure = true;

	for (size_t i = 0; i < servers->count; i++)
		secure = secure && (servers->list[i].place.tls || servers->list[i].place.starttls);
	return secure;
}

/* Whether it has its place; the first to ask after the time has tried it for all. */
static bool is_up(struct ldap_servers *servers, struct server *server, int64_t now)
{
	if (!server->down)
		return true;
	if (now < server->down_until)
		return false;
	server->down_until = now + servers->hold_down;
	return true;
}

size_t ldap_servers_order(struct ldap_servers *servers, size_t order[LDAP_SERVERS_MAXIMUM])
{
	size_t held[LDAP_SERVERS_MAXIMUM] = {0}, held_count = 0, count = 0;
	int64_t now = clock_steady(servers->clock);

	pthread_mutex_lock(&servers->lock);
	for (size_t i = 0; i < servers->count; i++) {
		/* No more than one on trial for one caller: he has to be answered, too. */
		if ((count == 0 || !servers->list[i].down) &&
			is_up(servers, &servers->list[i], now))
			order[count++] = i;
		else
			held[held_count++] = i;
	}
	pthread_mutex_unlock(&servers->lock);
	memcpy(&order[count], held, held_count * sizeof(held[0]));
	return count + held_count;
}

void ldap_servers_failed(struct ldap_servers *servers, size_t index)
{
	assert(index < servers->count);
	pthread_mutex_lock(&servers->lock);
	servers->list[index].down = true;
	servers->list[index].down_until = clock_steady(servers->clock) + servers->hold_down;
	pthread_mutex_unlock(&servers->lock);
}

void ldap_servers_answered(struct ldap_servers *servers, size_t index)
{
	assert(index < servers->count);
	pthread_mutex_lock(&servers->lock);
	servers->list[index].down = false;
	pthread_mutex_unlock(&servers->lock);
}
