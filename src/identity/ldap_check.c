#include "identity/ldap_check.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "identity/ldap_admit.h"
#include "identity/ldap_filter.h"
#include "identity/ldap_member.h"

#define SCRATCH_MAXIMUM (64 << 20) /* bytes; ten thousand groups take a few million */

struct check {
	struct ldap_directory *directory;
	const struct identity_request *request;
	struct identity_answer *answer;
	struct arena *scratch;
	struct ldap_reach reach;
	struct identity_name name; /* taken apart; domain "": none named */
	struct ldap_user user;
	size_t entries; /* found for the name */
	uint64_t mark;  /* before the search for it */
};

/* --- the name --- */

static bool is_ours(const struct identity_ldap_options *options, const char *domain)
{
	bool ours = options->domain_count == 0 || *domain == '\0';

	for (size_t i = 0; i < options->domain_count; i++)
		ours = ours || strcasecmp(options->domains[i], domain) == 0;
	return ours;
}

static bool copy_name(char to[IDENTITY_NAME_MAXIMUM + 1], const char *from)
{
	size_t length = strlen(from);

	if (length > IDENTITY_NAME_MAXIMUM)
		return false;
	memcpy(to, from, length + 1);
	return true;
}

/* What a user wrote before an @ or after a backslash; user@domain with a domain that is not ours
 * may still be a userPrincipalName. False: no user of this directory. */
static bool read_name(struct check *check)
{
	const struct identity_ldap_options *options = &check->directory->options;
	const char *user = check->request->user;
	const char *domain = check->request->domain != NULL ? check->request->domain : "";
	struct identity_name split;

	if (identity_split_name(user, "", &split) &&
		(strchr(user, '\\') != NULL || is_ours(options, split.domain))) {
		check->name = split;
		return is_ours(options, split.domain);
	}
	return *user != '\0' && strchr(user, '\\') == NULL && copy_name(check->name.user, user) &&
		copy_name(check->name.domain, domain) && is_ours(options, domain);
}

/* --- ends --- */

static void copy_troubles(struct check *check, size_t count)
{
	check->answer->trouble_count = count;
	memcpy(check->answer->troubles, check->reach.troubles,
		count * sizeof(check->answer->troubles[0]));
}

/* The directory gave no answer. */
static void end_failed(struct check *check)
{
	assert(check->reach.reason != REASON_RIGHT);
	check->answer->reason = check->reach.reason;
	check->answer->server = check->reach.server;
	check->answer->detail = check->reach.detail;
	copy_troubles(check, check->reach.trouble_count);
}

static void end_lacking(struct check *check)
{
	check->answer->reason = REASON_DIRECTORY_FAILED;
	check->answer->detail = "out of memory";
}

/* It answered; servers that were passed over before are troubles. */
static void end(struct check *check, enum reason reason, const char *detail)
{
	const struct ldap_reach *reach = &check->reach;
	struct identity_answer *answer = check->answer;
	const char *server = arena_text(check->request->arena, ldap_reach_server(reach));
	const char *copy = arena_text(check->request->arena, detail);

	answer->reason = reason;
	answer->server = server != NULL ? server : "";
	answer->detail = copy != NULL ? copy : "";
	copy_troubles(check, reach->trouble_count);
	if (reach->reason != REASON_RIGHT && answer->trouble_count < IDENTITY_TROUBLES_MAXIMUM)
		answer->troubles[answer->trouble_count++] =
			(struct identity_trouble){.server = reach->server, .text = reach->detail};
}

static bool is_admitted(const struct check *check)
{
	const struct identity_request *request = check->request;

	return request->admit == NULL ||
		request->admit(request->admit_context, check->user.account);
}

static bool copy_groups(struct check *check, const struct ldap_member *member)
{
	struct arena *arena = check->request->arena;
	struct identity_user *user = &check->answer->user;
	const char **groups = arena_alloc(arena, (member->count + 1) * sizeof(*groups));

	for (size_t i = 0; groups != NULL && i < member->count; i++) {
		groups[i] = arena_text(arena, member->groups[i]);
		if (groups[i] == NULL)
			return false;
	}
	user->groups = groups;
	user->group_count = member->count;
	check->answer->groups_cut = member->cut;
	return groups != NULL;
}

static void end_right(struct check *check, const char *detail)
{
	const struct identity_ldap_options *options = &check->directory->options;
	struct arena *arena = check->request->arena;
	struct identity_user *user = &check->answer->user;
	const char *name = check->user.name != NULL ? check->user.name : check->name.user;
	struct ldap_member member;

	/* What may fail from here on has nothing to do with the password. */
	check->answer->tried = false;
	if (!ldap_member_find(
		    &check->reach, check->scratch, &check->user, check->name.user, &member)) {
		if (check->reach.reason == REASON_RIGHT)
			end_lacking(check);
		else
			end_failed(check);
		return;
	}
	user->name = arena_text(arena, name);
	user->domain = arena_text(arena, options->domain_count > 0 ? options->domains[0] : "");
	user->named_domain = arena_text(arena, check->name.domain);
	user->account = arena_text(arena, check->user.account);
	if (user->name == NULL || user->domain == NULL || user->named_domain == NULL ||
		user->account == NULL || !copy_groups(check, &member))
		end_lacking(check);
	else
		end(check, REASON_RIGHT, detail);
}

/* --- finding --- */

static void forget_entries(void *context)
{
	struct check *check = context;

	check->entries = 0;
}

static bool take_entry(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct check *check = context;

	(void)index;
	check->entries++;
	return ldap_user_read(check->scratch, check->directory->options.kind, check->name.user, ld,
		entry, &check->user);
}

/* One that is written like a DNS name goes with user@domain. */
static const char *domain_of(const struct check *check)
{
	const struct identity_ldap_options *options = &check->directory->options;

	if (check->name.domain[0] != '\0' || options->domain_count == 0)
		return check->name.domain;
	for (size_t i = 0; i < options->domain_count; i++) {
		if (strchr(options->domains[i], '.') != NULL)
			return options->domains[i];
	}
	return options->domains[0];
}

/* True: the directory answered; see `entries`. False: ended. */
static bool find(struct check *check)
{
	const struct identity_ldap_options *options = &check->directory->options;
	const struct ldap_filter_names names = {
		check->name.user, domain_of(check), check->request->user};
	struct buffer filter;
	struct ldap_outcome outcome;
	struct ldap_search search = {.base = options->base,
		.scope = LDAP_SCOPE_SUBTREE,
		.attributes =
			ldap_user_attributes(options->kind, options->groups != LDAP_GROUPS_NONE),
		.most = 2};
	const struct ldap_question question = {.searches = &search,
		.count = 1,
		.outcomes = &outcome,
		.entry = take_entry,
		.restart = forget_entries,
		.context = check};
	bool good = false;

	buffer_init(&filter, LDAP_FILTER_MAXIMUM);
	if (ldap_filter_expand(&filter, options->user_filter, &names) != 0) {
		end_lacking(check);
		goto out;
	}
	search.filter = filter.bytes;
	check->mark = ldap_admit_mark(check->directory);
	good = ldap_reach_search(&check->reach, &question);
	if (!good) {
		end_failed(check);
	} else if (outcome.code != LDAP_SUCCESS && outcome.code != LDAP_SIZELIMIT_EXCEEDED) {
		end(check, REASON_DIRECTORY_FAILED, outcome.text);
		good = false;
	}
out:
	buffer_free(&filter);
	return good;
}

/* --- proving --- */

static bool bind_user(struct check *check, const char *name, struct ldap_outcome *outcome)
{
	const struct identity_request *request = check->request;
	const char *password =
		request->new_password != NULL ? request->new_password : request->password;

	if (ldap_reach_bind(&check->reach, name, password, false, outcome))
		return true;
	end_failed(check);
	return false;
}

/* A bind as nobody takes the server as long as one as somebody, and cannot succeed: the time does
 * not tell for which reason nobody was let in. */
static void end_as_nobody(struct check *check, enum reason reason, const char *detail)
{
	struct ldap_outcome outcome;

	if (bind_user(check, check->directory->nobody, &outcome))
		end(check, reason, detail);
}

/* On a connection of his own; false: ended. */
static bool bind_for_change(struct check *check)
{
	struct ldap_outcome outcome;

	if (!ldap_reach_bind(
		    &check->reach, check->user.dn, check->request->password, true, &outcome)) {
		end_failed(check);
		return false;
	}
	if (outcome.code == LDAP_SUCCESS)
		return true;
	ldap_reach_end(&check->reach);
	end(check,
		outcome.meaning == REASON_PASSWORD_EXPIRED ? REASON_PASSWORD_NOT_CHANGED
							   : outcome.meaning,
		outcome.text);
	return false;
}

/* Active Directory takes the old password with the new one from any account, and lets nobody log on
 * with an expired one; others let users log on who must change it, or not at all. True: it is set.
 * False: ended. */
static bool change(struct check *check)
{
	const struct identity_request *request = check->request;
	struct ldap_outcome outcome;

	if (check->directory->options.kind != LDAP_KIND_ACTIVE_DIRECTORY && !bind_for_change(check))
		return false;
	if (!ldap_reach_change(&check->reach, check->user.dn, request->password,
		    request->new_password, &outcome)) {
		end_failed(check);
		return false;
	}
	ldap_reach_end(&check->reach);
	if (outcome.meaning == REASON_RIGHT)
		return true;
	end(check, outcome.meaning, outcome.text);
	return false;
}

static void prove(struct check *check)
{
	struct ldap_outcome outcome = {.meaning = REASON_DIRECTORY_FAILED};
	bool answered;

	check->answer->tried = true;
	answered = (check->request->new_password == NULL || change(check)) &&
		bind_user(check, check->user.dn, &outcome);
	ldap_admit_end(check->directory, &check->user, answered && outcome.meaning == REASON_RIGHT);
	if (!answered)
		return;
	if (outcome.meaning == REASON_RIGHT)
		end_right(check, outcome.text);
	else
		end(check, outcome.meaning, outcome.text);
}

static void check_found(struct check *check)
{
	const char *detail = "";

	if (!is_admitted(check)) {
		end_as_nobody(check, REASON_GUARDED, "");
		return;
	}
	switch (ldap_admit_begin(&check->reach, &check->user, check->mark, &detail)) {
	case LDAP_ADMIT_GO:
		prove(check);
		break;
	case LDAP_ADMIT_REFUSED:
		end_as_nobody(check, REASON_GUARDED, detail);
		break;
	case LDAP_ADMIT_LATE:
		end(check, REASON_DIRECTORY_BUSY, detail);
		break;
	case LDAP_ADMIT_FAILED:
		end_failed(check);
		break;
	}
}

static void check_named(struct check *check)
{
	if (!find(check))
		return;
	if (check->entries == 1)
		check_found(check);
	else if (check->entries > 1)
		end_as_nobody(check, REASON_AMBIGUOUS_USER, "more than one entry");
	else
		end_as_nobody(check, REASON_UNKNOWN_USER, "no entry");
}

void ldap_check_run(struct ldap_directory *directory, const struct identity_request *request,
	int64_t until, struct identity_answer *answer)
{
	struct check check = {.directory = directory, .request = request, .answer = answer};

	check.scratch = arena_new(SCRATCH_MAXIMUM);
	if (check.scratch == NULL) {
		end_lacking(&check);
		return;
	}
	ldap_reach_begin(&check.reach, directory, request->arena, until);
	if (!read_name(&check))
		end(&check, REASON_UNKNOWN_USER, "the name is not of this directory");
	else
		check_named(&check);
	ldap_reach_end(&check.reach);
	arena_free(check.scratch);
}
