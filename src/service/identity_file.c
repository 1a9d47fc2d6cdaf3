#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "service/identity.h"
#include "service/password.h"

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

/* A user name as typed, taken apart. */
struct wanted {
	char user[IDENTITY_NAME_MAXIMUM + 1];
	char domain[IDENTITY_NAME_MAXIMUM + 1];
};

static bool copy_part(char to[IDENTITY_NAME_MAXIMUM + 1], const char *from, size_t length)
{
	if (length > IDENTITY_NAME_MAXIMUM)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

static bool is_offered(const struct identity_file *file, const char *domain)
{
	bool offered = file->domain_count == 0 || *domain == '\0';

	for (size_t i = 0; i < file->domain_count; i++)
		offered = offered || strcasecmp(file->domains[i], domain) == 0;
	return offered;
}

/* The one entry that is meant, or NULL. Looks at every entry always. */
static const struct identity_entry *find(
	const struct identity_file *file, const struct wanted *wanted)
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

/* DOMAIN\user or user@domain, where that does not contradict the domain given. */
static bool split(const char *user, const char *domain, struct wanted *wanted)
{
	const char *backslash = strchr(user, '\\');
	const char *at = strrchr(user, '@');
	const char *name = user, *in_name = NULL;
	size_t name_length = 0, domain_length = 0;

	if (backslash != NULL) {
		name = backslash + 1;
		name_length = strlen(name);
		in_name = user;
		domain_length = (size_t)(backslash - user);
	} else if (at != NULL) {
		name_length = (size_t)(at - user);
		in_name = at + 1;
		domain_length = strlen(in_name);
	}
	if (in_name == NULL || name_length == 0 || domain_length == 0)
		return false;
	if (domain[0] != '\0' &&
		(strlen(domain) != domain_length ||
			strncasecmp(domain, in_name, domain_length) != 0))
		return false;
	return copy_part(wanted->user, name, name_length) &&
		copy_part(wanted->domain, in_name, domain_length);
}

static const struct identity_entry *look_up(const struct identity_file *file, const char *user,
	const char *domain, struct wanted *wanted)
{
	const struct identity_entry *entry = NULL;

	if (copy_part(wanted->user, user, strlen(user)) &&
		copy_part(wanted->domain, domain, strlen(domain)))
		entry = find(file, wanted);
	if (entry == NULL && split(user, domain, wanted))
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

static enum result_id file_check(struct identity *identity, struct arena *arena, const char *user,
	const char *domain, const char *password, struct identity_user *ret_user)
{
	const struct identity_file *file = (const struct identity_file *)identity;
	struct wanted wanted;
	const struct identity_entry *entry = look_up(file, user, domain, &wanted);
	const char *hash = entry != NULL ? entry->password : stand_in(file, user);
	struct identity_user found = {.name = NULL};
	bool right = password_right(password, hash);

	if (entry == NULL || !right)
		return RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD;
	found.name = arena_text(arena, entry->name);
	found.domain = arena_text(arena, entry->domain);
	found.group_count = entry->group_count;
	found.named_domain = arena_text(arena, wanted.domain);
	if (found.name == NULL || found.domain == NULL || found.named_domain == NULL ||
		copy_groups(arena, entry, &found.groups) != 0)
		return RESULT_AUTH_FAILED_SERVICE_BUSY;
	*ret_user = found;
	return RESULT_AUTH_SUCCESSFUL_AND_COMPLETE;
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
	file->identity.check = file_check;
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
