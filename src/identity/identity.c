#include "identity/identity.h"

#include <string.h>
#include <strings.h>

void identity_ask(struct identity *identity, const struct identity_request *request,
	identity_done *done, void *context)
{
	identity->ask(identity, request, done, context);
}

void identity_free(struct identity *identity)
{
	if (identity != NULL)
		identity->free(identity);
}

static bool copy_part(char to[IDENTITY_NAME_MAXIMUM + 1], const char *from, size_t length)
{
	if (length > IDENTITY_NAME_MAXIMUM)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

bool identity_split_name(const char *user, const char *domain, struct identity_name *ret_name)
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
	return copy_part(ret_name->user, name, name_length) &&
		copy_part(ret_name->domain, in_name, domain_length);
}
