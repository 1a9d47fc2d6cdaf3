#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "identity/identity.h"
#include "identity/password.h"

/* Checked for unknown users while nobody is configured at all; no password is known to fit. */
static const char nobodys_hash[] =
	"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";

struct identity_file {
	struct identity identity; /* first: what callers hold */
	struct arena *arena;
	struct identity_entry *entries; /* domain never NULL */
	const char **domains;           /* the offered ones */
	size_t domain_count;            /* 0: any */
	size_t count;
};

static bool is_offered(const struct identity_file *file, const char *domain)
{
	bool offered = file->domain_count == 0 || *domain == '\0';

	for (size_t i = 0; i < file->domain_count; i++)
		offered = offered || strcasecmp(file->domains[i], domain) == 0;
	return offered;
}

/* The one entry that is meant, or NULL. Looks at every entry always. */
static const struct identity_entry *find(
	const struct identity_file *file, const struct identity_name *wanted)
{
	const struct identity_entry *exact = NULL, *general = NULL, *any = NULL;
	size_t same_name = 0;

	for (size_t i = 0; i < file->count; i++) {
		const struct identity_entry *entry = &file->entries[i];

		if (strcasecmp(entry->name, wanted->user) != 0)
			continue;
		same_name++;
		any = entry;
		if (entry->domain[0] == '\0')
			general = entry;
		else if (strcasecmp(entry->domain, wanted->domain) == 0)
			exact = entry;
	}
	if (exact != NULL)
		return exact;
	if (general != NULL)
		return is_offered(file, wanted->domain) ? general : NULL;
	return wanted->domain[0] == '\0' && same_name == 1 ? any : NULL;
}

static const struct identity_entry *look_up(const struct identity_file *file, const char *user,
	const char *domain, struct identity_name *wanted)
{
	const struct identity_entry *entry = NULL;

	if (strlen(user) <= IDENTITY_NAME_MAXIMUM && strlen(domain) <= IDENTITY_NAME_MAXIMUM) {
		strcpy(wanted->user, user);
		strcpy(wanted->domain, domain);
		entry = find(file, wanted);
	}
	if (entry == NULL && identity_split_name(user, domain, wanted))
		entry = find(file, wanted);
	return entry;
}

/* For an unknown name always the same one of the configured hashes, so that
 * unknown users take the time that known ones take, whatever their hashes cost. */
static const char *stand_in(const struct identity_file *file, const char *user)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	if (file->count == 0)
		return nobodys_hash;
	for (; *user != '\0'; user++)
		hash = (hash ^ (unsigned char)*user) * UINT64_C(1099511628211);
	return file->entries[hash % file->count].password;
}

static int copy_groups(
	struct arena *arena, const struct identity_entry *entry, const char *const **ret_groups)
{
	const char **groups = arena_alloc(arena, (entry->group_count + 1) * sizeof(*groups));

	if (groups == NULL)
		return ERROR_MEMORY;
	for (size_t i = 0; i < entry->group_count; i++) {
		groups[i] = arena_text(arena, entry->groups[i]);
		if (groups[i] == NULL)
			return ERROR_MEMORY;
	}
	*ret_groups = groups;
	return 0;
}

/* One question, from the loop to a thread and back. */
struct file_check {
	const struct identity_file *file;
	const struct identity_request *request;
	identity_done *done;
	void *context;
	int64_t started;
	struct identity_answer answer;
};

/* "name@domain" of the entry: what tells it from all others of the file. */
static const char *account_of(struct arena *arena, const struct identity_entry *entry)
{
	size_t length = strlen(entry->name), domain = strlen(entry->domain);
	char *account = arena_alloc(arena, length + domain + 2);

	if (account == NULL)
		return NULL;
	memcpy(account, entry->name, length);
	account[length] = '@';
	memcpy(account + length + 1, entry->domain, domain + 1);
	return account;
}

static int fill_user(struct arena *arena, const struct identity_entry *entry,
	const char *named_domain, struct identity_user *user)
{
	user->name = arena_text(arena, entry->name);
	user->domain = arena_text(arena, entry->domain);
	user->group_count = entry->group_count;
	user->named_domain = arena_text(arena, named_domain);
	user->account = account_of(arena, entry);
	if (user->name == NULL || user->domain == NULL || user->named_domain == NULL ||
		user->account == NULL)
		return ERROR_MEMORY;
	return copy_groups(arena, entry, &user->groups);
}

static enum reason check(const struct identity_file *file, const struct identity_request *request,
	struct identity_user *ret_user)
{
	const char *domain = request->domain != NULL ? request->domain : "";
	struct identity_name wanted;
	const struct identity_entry *entry = look_up(file, request->user, domain, &wanted);
	const char *hash = entry != NULL ? entry->password : stand_in(file, request->user);
	struct identity_user user;

	if (entry != NULL && fill_user(request->arena, entry, wanted.domain, &user) != 0)
		return REASON_SERVICE_BUSY;
	if (entry != NULL && request->admit != NULL &&
		!request->admit(request->admit_context, user.account))
		return REASON_GUARDED;
	if (!password_right(request->password, hash) || entry == NULL)
		return entry != NULL ? REASON_WRONG_PASSWORD : REASON_UNKNOWN_USER;
	*ret_user = user;
	return REASON_RIGHT;
}

static void check_run(void *user)
{
	struct file_check *job = user;

	job->answer.reason = check(job->file, job->request, &job->answer.user);
}

static void check_done(void *user)
{
	struct file_check *job = user;

	job->answer.took = clock_steady(job->request->clock) - job->started;
	job->done(job->context, &job->answer);
}

static void file_ask(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context)
{
	const struct identity_answer busy = {
		.reason = REASON_SERVICE_BUSY, .source = "users", .server = "", .detail = ""};
	struct file_check *job = arena_alloc(request->arena, sizeof(*job));

	if (job != NULL) {
		*job = (struct file_check){
			.file = (const struct identity_file *)identity,
			.request = request,
			.done = done,
			.context = context,
			.started = clock_steady(request->clock),
			.answer = busy,
		};
	}
	if (job == NULL ||
		work_submit(request->work, request->loop, check_run, check_done, job) != 0)
		done(context, &busy);
}

static void free_all(struct identity_file *file)
{
	arena_free(file->arena);
	free(file);
}

static void file_free(struct identity *identity)
{
	free_all((struct identity_file *)identity);
}

static int check_entry(const struct identity_file *file, const struct identity_entry *entry)
{
	const char *domain = entry->domain != NULL ? entry->domain : "";

	if (entry->name[0] == '\0' || strlen(entry->name) > IDENTITY_NAME_MAXIMUM ||
		strlen(domain) > IDENTITY_NAME_MAXIMUM || !password_is_hash(entry->password))
		return ERROR_INPUT;
	for (size_t i = 0; i < file->count; i++) {
		if (strcasecmp(file->entries[i].name, entry->name) == 0 &&
			strcasecmp(file->entries[i].domain, domain) == 0)
			return ERROR_EXISTS;
	}
	return 0;
}

static int add_entry(struct identity_file *file, const struct identity_entry *from)
{
	struct identity_entry *to = &file->entries[file->count];

	to->name = arena_text(file->arena, from->name);
	to->domain = arena_text(file->arena, from->domain != NULL ? from->domain : "");
	to->password = arena_text(file->arena, from->password);
	to->group_count = from->group_count;
	if (to->name == NULL || to->domain == NULL || to->password == NULL)
		return ERROR_MEMORY;
	if (copy_groups(file->arena, from, &to->groups) != 0)
		return ERROR_MEMORY;
	file->count++;
	return 0;
}

static int copy_domains(struct identity_file *file, const char *const *domains, size_t count)
{
	const char **copy = arena_alloc(file->arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; copy != NULL && i < count; i++)
		copy[i] = arena_text(file->arena, domains[i]);
	file->domains = copy;
	file->domain_count = count;
	return arena_lacking(file->arena) ? ERROR_MEMORY : 0;
}

int identity_file_new(const struct identity_entry *entries, size_t count,
	const char *const *domains, size_t domain_count, struct identity **ret_identity)
{
	struct identity_file *file = calloc(1, sizeof(*file));
	int error;

	if (file == NULL)
		return ERROR_MEMORY;
	file->identity.ask = file_ask;
	file->identity.free = file_free;
	file->arena = arena_new(SIZE_MAX / 2);
	if (file->arena != NULL)
		file->entries = arena_alloc(file->arena, (count + 1) * sizeof(*file->entries));
	error = file->entries != NULL ? copy_domains(file, domains, domain_count) : ERROR_MEMORY;
	for (size_t i = 0; error == 0 && i < count; i++) {
		error = check_entry(file, &entries[i]);
		if (error == 0)
			error = add_entry(file, &entries[i]);
	}
	if (error != 0) {
		free_all(file);
		return error;
	}
	*ret_identity = (struct identity *)file;
	return 0;
}
