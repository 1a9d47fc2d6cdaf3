#include "identity/ldap_reach.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

void ldap_reach_begin(struct ldap_reach *reach, struct ldap_directory *directory,
	struct arena *arena, int64_t until)
{
	*reach = (struct ldap_reach){.directory = directory,
		.arena = arena,
		.until = until,
		.reason = REASON_RIGHT,
		.server = "",
		.detail = ""};
	reach->count = ldap_servers_order(directory->servers, reach->order);
}

static size_t current(const struct ldap_reach *reach)
{
	assert(reach->at < reach->count);
	return reach->order[reach->at];
}

const char *ldap_reach_server(const struct ldap_reach *reach)
{
	return ldap_servers_place(reach->directory->servers, current(reach))->url;
}

void ldap_reach_end(struct ldap_reach *reach)
{
	if (reach->own != NULL)
		ldap_pool_give(reach->directory->pool, current(reach), LDAP_POOL_BIND, reach->own);
	reach->own = NULL;
}

/* --- what failed --- */

static int weight_of(enum reason reason)
{
	switch (reason) {
	case REASON_RIGHT:
		return 0;
	case REASON_DIRECTORY_UNREACHABLE:
		return 1;
	case REASON_DIRECTORY_UNTRUSTED:
		return 2;
	case REASON_DIRECTORY_SILENT:
		return 3;
	default:
		return 4;
	}
}

static void add_trouble(struct ldap_reach *reach, const char *server, const char *text)
{
	if (reach->trouble_count < IDENTITY_TROUBLES_MAXIMUM)
		reach->troubles[reach->trouble_count++] =
			(struct identity_trouble){.server = server, .text = text};
}

static void remember(struct ldap_reach *reach, enum reason reason, const char *text)
{
	const char *server = arena_text(reach->arena, ldap_reach_server(reach));
	const char *copy = arena_text(reach->arena, text);

	if (server == NULL)
		server = "";
	if (copy == NULL)
		copy = "";
	if (weight_of(reason) < weight_of(reach->reason)) {
		add_trouble(reach, server, copy);
		return;
	}
	if (reach->reason != REASON_RIGHT)
		add_trouble(reach, reach->server, reach->detail);
	reach->reason = reason;
	reach->server = server;
	reach->detail = copy;
}

static enum reason reason_of(const struct ldap_outcome *outcome, bool opening)
{
	switch (outcome->trouble) {
	case LDAP_TROUBLE_UNREACHABLE:
		return REASON_DIRECTORY_UNREACHABLE;
	case LDAP_TROUBLE_UNTRUSTED:
		return REASON_DIRECTORY_UNTRUSTED;
	case LDAP_TROUBLE_SILENT:
		return REASON_DIRECTORY_SILENT;
	case LDAP_TROUBLE_BROKEN:
		return opening ? REASON_DIRECTORY_UNREACHABLE : REASON_DIRECTORY_FAILED;
	default:
		return REASON_DIRECTORY_FAILED;
	}
}

/* This server is done with. */
static void pass_over(struct ldap_reach *reach, const struct ldap_outcome *outcome, bool opening)
{
	if (outcome->trouble != LDAP_TROUBLE_LOCAL)
		ldap_servers_failed(reach->directory->servers, current(reach));
	remember(reach, reason_of(outcome, opening), outcome->text);
	reach->at++;
}

/* No server may be asked any more. */
static void stop(struct ldap_reach *reach, enum reason reason, const char *text)
{
	remember(reach, reason, text);
	reach->at = reach->count;
}

/* --- connections --- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when this server may take, while others are left. */
static int64_t share(const struct ldap_reach *reach)
{
	int64_t now = clock_steady(reach->directory->clock);

	return reach->at + 1 < reach->count ? now + (reach->until - now) / 2 : reach->until;
}

static struct ldap_link *open_link(struct ldap_reach *reach, struct ldap_outcome *outcome)
{
	const struct identity_ldap_options *options = &reach->directory->options;
	struct ldap_link_options link = {
		.place = *ldap_servers_place(reach->directory->servers, current(reach)),
		.ca_file = options->ca_file,
		.verify_none = options->verify_none,
		.clock = reach->directory->clock,
		.until = sooner(share(reach),
			clock_steady(reach->directory->clock) +
				options->connect_ms * CLOCK_MILLISECOND),
	};

	return ldap_link_open(&link, outcome);
}

static bool is_refused(struct ldap_reach *reach)
{
	struct ldap_directory *directory = reach->directory;
	char text[LDAP_RESULT_TEXT];
	bool refused;

	pthread_mutex_lock(&directory->lock);
	refused = directory->refused_text[0] != '\0' &&
		clock_steady(directory->clock) < directory->refused_until;
	memcpy(text, directory->refused_text, sizeof(text));
	pthread_mutex_unlock(&directory->lock);
	if (refused)
		stop(reach, REASON_DIRECTORY_REFUSED, text);
	return refused;
}

static void refuse(struct ldap_reach *reach, const struct ldap_outcome *outcome)
{
	struct ldap_directory *directory = reach->directory;

	pthread_mutex_lock(&directory->lock);
	directory->refused_until = clock_steady(directory->clock) +
		directory->options.hold_down_seconds * CLOCK_SECOND;
	memcpy(directory->refused_text, outcome->text, sizeof(directory->refused_text));
	pthread_mutex_unlock(&directory->lock);
	stop(reach, REASON_DIRECTORY_REFUSED, outcome->text);
}

static bool is_elsewhere(const struct ldap_outcome *outcome)
{
	return outcome->trouble == LDAP_TROUBLE_NONE &&
		(ldap_result_is_elsewhere(outcome->code) || outcome->code == LDAP_OTHER);
}

/* A new one, bound with the program's own account where it has one. NULL: the server was passed
 * over, or all were. */
static struct ldap_link *open_search(struct ldap_reach *reach)
{
	const struct identity_ldap_options *options = &reach->directory->options;
	struct ldap_outcome outcome;
	struct ldap_link *link;

	if (is_refused(reach))
		return NULL;
	link = open_link(reach, &outcome);
	if (link == NULL) {
		pass_over(reach, &outcome, true);
		return NULL;
	}
	if (options->bind_dn == NULL)
		return link;
	ldap_link_bind(
		link, options->bind_dn, options->bind_password, false, share(reach), &outcome);
	if (outcome.trouble == LDAP_TROUBLE_NONE && outcome.code == LDAP_SUCCESS)
		return link;
	ldap_link_close(link);
	if (outcome.trouble != LDAP_TROUBLE_NONE || is_elsewhere(&outcome))
		pass_over(reach, &outcome, false);
	else
		refuse(reach, &outcome);
	return NULL;
}

/* --- searches --- */

/* The first that has no result, or none that another server could not have; NULL: all have. */
static const struct ldap_outcome *failed_one(const struct ldap_question *question)
{
	for (size_t i = 0; i < question->count; i++) {
		const struct ldap_outcome *outcome = &question->outcomes[i];

		if (outcome->trouble != LDAP_TROUBLE_NONE || is_elsewhere(outcome))
			return outcome;
	}
	return NULL;
}

static const struct ldap_outcome *search(
	struct ldap_reach *reach, struct ldap_link *link, const struct ldap_question *question)
{
	question->restart(question->context);
	ldap_link_search(link, question->searches, question->count, question->entry,
		question->context, share(reach), question->outcomes);
	return failed_one(question);
}

/* At the current server; false: passed over. */
static bool search_here(struct ldap_reach *reach, const struct ldap_question *question)
{
	struct ldap_directory *directory = reach->directory;
	size_t server = current(reach);
	struct ldap_link *link = ldap_pool_take(directory->pool, server, LDAP_POOL_SEARCH);
	const struct ldap_outcome *failed = NULL;

	if (link != NULL) {
		failed = search(reach, link, question);
		if (failed != NULL && failed->trouble == LDAP_TROUBLE_BROKEN) {
			ldap_link_close(link);
			ldap_pool_drop(directory->pool, server);
			link = NULL;
		}
	}
	if (link == NULL) {
		link = open_search(reach);
		if (link == NULL)
			return false;
		failed = search(reach, link, question);
	}
	if (failed != NULL) {
		ldap_link_close(link);
		pass_over(reach, failed, false);
		return false;
	}
	ldap_pool_give(directory->pool, server, LDAP_POOL_SEARCH, link);
	ldap_servers_answered(directory->servers, server);
	return true;
}

bool ldap_reach_search(struct ldap_reach *reach, const struct ldap_question *question)
{
	while (reach->at < reach->count) {
		if (search_here(reach, question))
			return true;
	}
	return false;
}

/* --- users --- */

/* A connection for binding users, kept or new. NULL: no server is left. */
static struct ldap_link *bind_link(struct ldap_reach *reach, bool *ret_kept)
{
	struct ldap_outcome outcome;
	struct ldap_link *link =
		ldap_pool_take(reach->directory->pool, current(reach), LDAP_POOL_BIND);

	*ret_kept = link != NULL;
	while (link == NULL && reach->at < reach->count) {
		link = open_link(reach, &outcome);
		if (link == NULL)
			pass_over(reach, &outcome, true);
	}
	return link;
}

/* The same server may have it once more: the dead connection was an idle one. */
static struct ldap_link *bind_link_again(struct ldap_reach *reach, struct ldap_link *dead)
{
	struct ldap_outcome outcome;
	struct ldap_link *link;

	ldap_link_close(dead);
	ldap_pool_drop(reach->directory->pool, current(reach));
	link = open_link(reach, &outcome);
	if (link == NULL) {
		pass_over(reach, &outcome, true);
		reach->at = reach->count;
	}
	return link;
}

static void end_bind(struct ldap_reach *reach, struct ldap_link *link, bool keep)
{
	ldap_servers_answered(reach->directory->servers, current(reach));
	if (keep)
		reach->own = link;
	else
		ldap_pool_give(reach->directory->pool, current(reach), LDAP_POOL_BIND, link);
}

/* At the current server, or the next one that can be connected. False: see at and count. */
static bool bind_here(struct ldap_reach *reach, const char *name, const char *password, bool keep,
	struct ldap_outcome *outcome)
{
	bool policy = reach->directory->options.kind == LDAP_KIND_LDAP;
	bool kept;
	struct ldap_link *link = bind_link(reach, &kept);

	if (link == NULL)
		return false;
	ldap_link_bind(link, name, password, policy, reach->until, outcome);
	if (outcome->trouble == LDAP_TROUBLE_BROKEN && kept) {
		link = bind_link_again(reach, link);
		if (link == NULL)
			return false;
		ldap_link_bind(link, name, password, policy, reach->until, outcome);
	}
	if (outcome->trouble != LDAP_TROUBLE_NONE) {
		ldap_link_close(link);
		pass_over(reach, outcome, false);
		reach->at = reach->count;
		return false;
	}
	if (ldap_result_is_elsewhere(outcome->code)) {
		ldap_link_close(link);
		pass_over(reach, outcome, false);
		return false;
	}
	end_bind(reach, link, keep);
	return true;
}

bool ldap_reach_bind(struct ldap_reach *reach, const char *name, const char *password, bool keep,
	struct ldap_outcome *outcome)
{
	while (reach->at < reach->count) {
		if (bind_here(reach, name, password, keep, outcome))
			return true;
	}
	return false;
}

bool ldap_reach_change(struct ldap_reach *reach, const char *dn, const char *old_password,
	const char *new_password, struct ldap_outcome *outcome)
{
	bool unicode = reach->directory->options.kind == LDAP_KIND_ACTIVE_DIRECTORY;
	struct ldap_link *link = reach->own;

	while (link == NULL && reach->at < reach->count)
		link = open_search(reach);
	if (link == NULL)
		return false;
	(unicode ? ldap_link_change_unicode : ldap_link_change_extended)(
		link, dn, old_password, new_password, reach->until, outcome);
	if (link != reach->own)
		ldap_link_close(link);
	if (outcome->trouble == LDAP_TROUBLE_NONE)
		return true;
	if (link == reach->own) {
		ldap_link_close(link);
		reach->own = NULL;
	}
	pass_over(reach, outcome, false);
	reach->at = reach->count;
	return false;
}
