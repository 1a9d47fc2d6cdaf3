#include "identity/identity_ldap.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "identity/ldap_check.h"
#include "identity/ldap_filter.h"
#include "identity/ldap_user.h"

#define CACHE_GROUPS 8192     /* entries of the cache */
#define CACHE_BYTES (8 << 20) /* of the cache */

/* The name first: servers that go by the order need not look at the index of all persons then. */
static const char windows_filter[] = "(&(|(sAMAccountName={user})(userPrincipalName={login})"
				     "(userPrincipalName={user}@{domain}))"
				     "(objectCategory=person)(objectClass=user))";
static const char other_filter[] =
	"(&(uid={user})(|(objectClass=person)(objectClass=posixAccount)))";

struct source {
	struct identity identity; /* first: what callers hold */
	struct ldap_directory directory;
	struct work_queue *queue;
};

/* One request on its way. */
struct job {
	struct source *source;
	const struct identity_request *request;
	identity_done *done;
	void *context;
	int64_t begun; /* steady */
	int64_t until;
	struct identity_answer answer;
};

static void answer(struct job *job)
{
	struct source *source = job->source;

	job->answer.source = source->directory.options.name;
	job->answer.took = clock_steady(source->directory.clock) - job->begun;
	job->done(job->context, &job->answer);
}

static void run(void *user)
{
	struct job *job = user;
	const struct clock *clock = job->source->directory.clock;
	int64_t now = clock_steady(clock);

	if (now >= job->until) {
		const char *text =
			arena_print(job->request->arena, "waited %lld ms for a connection",
				(long long)((now - job->begun) / CLOCK_MILLISECOND));

		job->answer.reason = REASON_DIRECTORY_SILENT;
		job->answer.detail = text != NULL ? text : "";
		return;
	}
	ldap_check_run(&job->source->directory, job->request, job->until, &job->answer);
}

static void finish(void *user)
{
	struct job *job = user;

	answer(job);
	free(job);
}

static void end_at_once(const struct job *job, enum reason reason)
{
	struct job ended = *job;

	ended.answer.reason = reason;
	ended.answer.remote = false;
	answer(&ended);
}

static void ask(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context)
{
	struct source *source = (struct source *)identity;
	struct job asked = {.source = source,
		.request = request,
		.done = done,
		.context = context,
		.begun = clock_steady(source->directory.clock),
		.answer = {.server = "", .detail = "", .remote = true}};
	struct job *job;

	asked.until = asked.begun + source->directory.options.answer_ms * CLOCK_MILLISECOND;
	if (request->deadline != 0 && request->deadline < asked.until)
		asked.until = request->deadline;
	if (request->password[0] == '\0' ||
		(request->new_password != NULL && request->new_password[0] == '\0')) {
		end_at_once(&asked, REASON_EMPTY_PASSWORD);
		return;
	}
	if (request->new_password != NULL && !identity->can_change_password) {
		end_at_once(&asked, REASON_PASSWORD_NOT_CHANGED);
		return;
	}
	job = malloc(sizeof(*job));
	if (job != NULL)
		*job = asked;
	if (job == NULL || work_submit(source->queue, request->loop, run, finish, job) != 0) {
		free(job);
		end_at_once(&asked, REASON_DIRECTORY_BUSY);
	}
}

static void free_source(struct source *source)
{
	struct ldap_directory *directory = &source->directory;

	work_queue_free(source->queue);
	ldap_pool_free(directory->pool);
	ldap_servers_free(directory->servers);
	ldap_cache_free(directory->groups);
	ldap_lockout_free(directory->lockout);
	pthread_mutex_destroy(&directory->lock);
	arena_free(directory->arena);
	free(source);
}

static void free_identity(struct identity *identity)
{
	free_source((struct source *)identity);
}

/* --- options --- */

static const char *copy(struct arena *arena, const char *text)
{
	return text != NULL ? arena_text(arena, text) : NULL;
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
	return value != 0 ? value : otherwise;
}

static void set_defaults(struct identity_ldap_options *options)
{
	bool windows = options->kind == LDAP_KIND_ACTIVE_DIRECTORY;

	options->connections = or_default(options->connections, 16);
	options->waiting = or_default(options->waiting, 4096);
	options->connect_ms = or_default(options->connect_ms, 2000);
	options->answer_ms = or_default(options->answer_ms, LDAP_ANSWER_MS);
	options->slow_ms = or_default(options->slow_ms, LDAP_SLOW_MS);
	options->hold_down_seconds = or_default(options->hold_down_seconds, 30);
	options->group_cache_seconds = or_default(options->group_cache_seconds, 300);
	if (options->groups == LDAP_GROUPS_DEFAULT)
		options->groups = LDAP_GROUPS_RECURSIVE;
	if (options->group_base == NULL)
		options->group_base = options->base;
	if (options->user_filter == NULL)
		options->user_filter = windows ? windows_filter : other_filter;
}

static int copy_options(struct ldap_directory *directory, const struct identity_ldap_options *from)
{
	struct arena *arena = directory->arena;
	struct identity_ldap_options *to = &directory->options;
	const char **domains = arena_alloc(arena, (from->domain_count + 1) * sizeof(*domains));

	*to = *from;
	for (size_t i = 0; domains != NULL && i < from->domain_count; i++)
		domains[i] = arena_text(arena, from->domains[i]);
	to->domains = domains;
	to->servers = NULL; /* ldap_servers.h has them */
	to->name = copy(arena, from->name);
	to->ca_file = copy(arena, from->ca_file);
	to->base = copy(arena, from->base);
	to->group_base = copy(arena, from->group_base);
	to->bind_dn = copy(arena, from->bind_dn);
	to->bind_password = copy(arena, from->bind_password);
	to->user_filter = copy(arena, from->user_filter);
	to->group_filter = copy(arena, from->group_filter);
	to->group_name = copy(arena, from->group_name);
	if (arena_lacking(arena))
		return ERROR_MEMORY;
	set_defaults(to);
	directory->group_base = (char *)(uintptr_t)ldap_dn_key(arena, to->group_base);
	directory->nobody = arena_print(arena, "cn=00000000-0000-0000-0000-000000000000%s%s",
		to->base[0] != '\0' ? "," : "", to->base);
	return arena_lacking(arena) ? ERROR_MEMORY : 0;
}

static bool is_dn(const char *text)
{
	LDAPDN dn = NULL;

	if (ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return false;
	ldap_dnfree(dn);
	return true;
}

/* An attribute's name goes into requests as it is. */
static bool is_attribute(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

static bool is_bind_name(enum ldap_kind kind, const char *name)
{
	bool windows = kind == LDAP_KIND_ACTIVE_DIRECTORY;

	/* Active Directory takes user@domain and DOMAIN\user as well. */
	return name[0] != '\0' &&
		((windows && (strchr(name, '@') != NULL || strchr(name, '\\') != NULL)) ||
			is_dn(name));
}

static int check_options(const struct identity_ldap_options *options)
{
	bool bind = options->bind_dn != NULL;
	int error = 0;

	if (options->name == NULL || options->base == NULL || !is_dn(options->base) ||
		(options->group_base != NULL && !is_dn(options->group_base)) ||
		(options->group_name != NULL && !is_attribute(options->group_name)))
		return ERROR_INPUT;
	if ((!bind && options->kind == LDAP_KIND_ACTIVE_DIRECTORY) ||
		bind != (options->bind_password != NULL) ||
		(bind &&
			(options->bind_password[0] == '\0' ||
				!is_bind_name(options->kind, options->bind_dn))))
		return ERROR_INPUT;
	/* It would find the same entry for every name; and groups are asked for without one. */
	if ((options->user_filter != NULL && !ldap_filter_names_user(options->user_filter)) ||
		(options->group_filter != NULL && strchr(options->group_filter, '{') != NULL))
		return ERROR_INPUT;
	if (options->user_filter != NULL)
		error = ldap_filter_check(options->user_filter);
	if (error == 0 && options->group_filter != NULL)
		error = ldap_filter_check(options->group_filter);
	if (error == 0 && !options->verify_none && options->ca_file != NULL)
		error = ldap_link_check_ca(options->ca_file);
	return error;
}

/* The library reads its configuration when it is first used, which must not happen on two threads
 * at once. Nothing of it is used: ldap_link.h. */
static void start_library(void)
{
	int version;

	ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
}

static int make_parts(struct source *source, const struct identity_ldap_options *options)
{
	struct ldap_directory *directory = &source->directory;
	struct identity_ldap_options *filled = &directory->options;
	struct ldap_servers_options servers = {.urls = options->servers,
		.count = options->server_count,
		.starttls = options->starttls,
		.allow_plain = options->allow_plain,
		.clock = directory->clock};
	int error;

	directory->arena = arena_new(SIZE_MAX / 2);
	error = directory->arena != NULL ? copy_options(directory, options) : ERROR_MEMORY;
	if (error != 0)
		return error;
	servers.hold_down = filled->hold_down_seconds * CLOCK_SECOND;
	error = ldap_servers_new(&servers, &directory->servers);
	if (error != 0)
		return error;
	directory->pool =
		ldap_pool_new(options->server_count, filled->connections, directory->clock);
	directory->groups = ldap_cache_new(CACHE_GROUPS, CACHE_BYTES,
		filled->group_cache_seconds * CLOCK_SECOND, directory->clock);
	if (directory->pool == NULL || directory->groups == NULL)
		return ERROR_MEMORY;
	if (filled->kind == LDAP_KIND_ACTIVE_DIRECTORY) {
		directory->lockout = ldap_lockout_new(
			filled->group_cache_seconds * CLOCK_SECOND, directory->clock);
		if (directory->lockout == NULL)
			return ERROR_MEMORY;
	}
	source->queue =
		work_queue_new_own(filled->waiting + filled->connections, filled->connections);
	return source->queue != NULL ? 0 : ERROR_SYSTEM;
}

int identity_ldap_new(const struct identity_ldap_options *options, const struct clock *clock,
	struct identity **ret_identity)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct source *source;
	int error;

	pthread_once(&once, start_library);
	error = check_options(options);
	if (error != 0)
		return error;
	source = calloc(1, sizeof(*source));
	if (source == NULL)
		return ERROR_MEMORY;
	source->directory.clock = clock;
	pthread_mutex_init(&source->directory.lock, NULL);
	error = make_parts(source, options);
	if (error != 0) {
		free_source(source);
		return error;
	}
	source->identity = (struct identity){.ask = ask,
		.free = free_identity,
		.can_change_password =
			options->change_password && ldap_servers_secure(source->directory.servers),
		.slow = source->directory.options.slow_ms * CLOCK_MILLISECOND};
	*ret_identity = &source->identity;
	return 0;
}
