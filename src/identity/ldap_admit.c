#include "identity/ldap_admit.h"

#include <string.h>

/* One entry that is read. */
struct reading {
	struct ldap_lockout_policy policy;
	struct ldap_lockout_count count;
};

static void forget(void *context)
{
	struct reading *reading = context;

	*reading = (struct reading){.policy = {.threshold = 0}};
}

static bool take_policy(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct reading *reading = context;

	(void)index;
	reading->policy.threshold = ldap_user_number(ld, entry, "lockoutThreshold");
	reading->policy.window =
		ldap_lockout_while(ldap_user_number(ld, entry, "lockOutObservationWindow"));
	return true;
}

static bool take_count(void *context, size_t index, LDAP *ld, LDAPMessage *entry)
{
	struct reading *reading = context;

	(void)index;
	ldap_user_read_count(ld, entry, &reading->count);
	return true;
}

static bool read_entry(struct ldap_reach *reach, const char *dn, const char *const *attributes,
	ldap_link_entry *take, struct reading *reading)
{
	const struct ldap_search search = {.base = dn,
		.scope = LDAP_SCOPE_BASE,
		.filter = "(objectClass=*)",
		.attributes = attributes,
		.most = 1};
	struct ldap_outcome outcome;
	const struct ldap_question question = {.searches = &search,
		.count = 1,
		.outcomes = &outcome,
		.entry = take,
		.restart = forget,
		.context = reading};

	return ldap_reach_search(reach, &question);
}

/* False: the directory gave no answer. */
static bool read_policy(
	struct ldap_reach *reach, const char *dn, struct ldap_lockout_policy *ret_policy)
{
	static const char *const attributes[] = {
		"lockoutThreshold", "lockOutObservationWindow", NULL};
	struct ldap_lockout *lockout = reach->directory->lockout;
	const char *head = ldap_lockout_head(dn);
	struct reading reading;

	*ret_policy = (struct ldap_lockout_policy){.threshold = 0};
	if (head == NULL || strlen(head) > LDAP_LOCKOUT_HEAD_MAXIMUM ||
		ldap_lockout_get_policy(lockout, head, ret_policy))
		return true;
	if (!read_entry(reach, head, attributes, take_policy, &reading))
		return false;
	ldap_lockout_put_policy(lockout, head, &reading.policy);
	*ret_policy = reading.policy;
	return true;
}

static const char *print_detail(struct ldap_reach *reach, const struct ldap_lockout_policy *policy,
	const struct ldap_lockout_count *count, bool late)
{
	const char *text = arena_print(reach->arena,
		"%lld bad passwords in the directory, locked at %lld%s", (long long)count->bad,
		(long long)policy->threshold, late ? ", others are being tried" : "");

	return text != NULL ? text : "";
}

uint64_t ldap_admit_mark(struct ldap_directory *directory)
{
	return directory->lockout != NULL ? ldap_lockout_mark(directory->lockout) : 0;
}

enum ldap_admit ldap_admit_begin(struct ldap_reach *reach, const struct ldap_user *user,
	uint64_t mark, const char **ret_detail)
{
	struct ldap_directory *directory = reach->directory;
	struct reading reading = {.count = user->count};
	enum ldap_lockout_verdict verdict = LDAP_LOCKOUT_AGAIN;
	struct ldap_lockout_policy policy;

	if (directory->lockout == NULL)
		return LDAP_ADMIT_GO;
	if (!read_policy(reach, user->dn, &policy))
		return LDAP_ADMIT_FAILED;
	for (;;) {
		verdict = ldap_lockout_begin(directory->lockout, user->account, mark,
			ldap_lockout_left(&policy, &reading.count, clock_wall(directory->clock)),
			reach->until);
		if (verdict != LDAP_LOCKOUT_AGAIN)
			break;
		mark = ldap_lockout_mark(directory->lockout);
		if (!read_entry(
			    reach, user->dn, ldap_user_count_attributes(), take_count, &reading))
			return LDAP_ADMIT_FAILED;
	}
	if (verdict == LDAP_LOCKOUT_GO)
		return LDAP_ADMIT_GO;
	*ret_detail = print_detail(reach, &policy, &reading.count, verdict == LDAP_LOCKOUT_LATE);
	return verdict == LDAP_LOCKOUT_FULL ? LDAP_ADMIT_REFUSED : LDAP_ADMIT_LATE;
}

void ldap_admit_end(struct ldap_directory *directory, const struct ldap_user *user, bool right)
{
	if (directory->lockout != NULL)
		ldap_lockout_end(directory->lockout, user->account, right);
}
