#include "service/identity.h"

enum result_id identity_check(struct identity *identity, struct arena *arena, const char *user,
	const char *domain, const char *password, struct identity_user *ret_user)
{
	return identity->check(
		identity, arena, user, domain != NULL ? domain : "", password, ret_user);
}

void identity_free(struct identity *identity)
{
	if (identity != NULL)
		identity->free(identity);
}
