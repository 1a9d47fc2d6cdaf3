#include "identity/ldap_user.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define DN_MAXIMUM 4096 /* bytes */

static const char groups_attribute[] = "memberOf";
#define LOCKED 0x10 /* UF_LOCKOUT; only this attribute has it, which knows when a lock ends */
#define COMPUTED "msDS-User-Account-Control-Computed"
#define COUNT_ATTRIBUTES "badPwdCount", "badPasswordTime", COMPUTED

const char *const *ldap_user_attributes(enum ldap_kind kind, bool with_groups)
{
	static const char *const windows[] = {COUNT_ATTRIBUTES, "sAMAccountName", "objectGUID",
		"objectSid", "primaryGroupID", groups_attribute, NULL};
	static const char *const windows_bare[] = {
		COUNT_ATTRIBUTES, "sAMAccountName", "objectGUID", NULL};
	static const char *const others[] = {"uid", "entryUUID", groups_attribute, NULL};
	static const char *const others_bare[] = {"uid", "entryUUID", NULL};

	if (kind == LDAP_KIND_ACTIVE_DIRECTORY)
		return with_groups ? windows : windows_bare;
	return with_groups ? others : others_bare;
}

const char *const *ldap_user_count_attributes(void)
{
	static const char *const attributes[] = {COUNT_ATTRIBUTES, NULL};

	return attributes;
}

int64_t ldap_user_number(LDAP *ld, LDAPMessage *entry, const char *attribute)
{
	struct berval **values = ldap_get_values_len(ld, entry, attribute);
	int64_t number = 0;

	if (values != NULL && values[0] != NULL)
		number = ldap_lockout_number(values[0]->bv_val, values[0]->bv_len);
	ldap_value_free_len(values);
	return number;
}

void ldap_user_read_count(LDAP *ld, LDAPMessage *entry, struct ldap_lockout_count *ret_count)
{
	*ret_count = (struct ldap_lockout_count){.bad = ldap_user_number(ld, entry, "badPwdCount"),
		.last = ldap_lockout_moment(ldap_user_number(ld, entry, "badPasswordTime")),
		.locked = (ldap_user_number(ld, entry, COMPUTED) & LOCKED) != 0};
}

const char *ldap_user_text(struct arena *arena, const struct berval *value, size_t most)
{
	const char *text;
	size_t at = 0;

	if (value->bv_len == 0 || value->bv_len > most)
		return NULL;
	text = arena_copy(arena, value->bv_val, value->bv_len);
	while (text != NULL && text[at] != '\0') {
		uint32_t character;
		size_t length = utf8_character(&text[at], &character);

		if (length == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0))
			return NULL;
		at += length;
	}
	/* A NUL inside would have cut the text. */
	return at == value->bv_len ? text : NULL;
}

const char *ldap_user_value(
	struct arena *arena, LDAP *ld, LDAPMessage *entry, const char *attribute, size_t most)
{
	struct berval **values = ldap_get_values_len(ld, entry, attribute);
	const char *text = NULL;

	for (size_t i = 0; values != NULL && values[i] != NULL && text == NULL; i++)
		text = ldap_user_text(arena, values[i], most);
	ldap_value_free_len(values);
	return text;
}

const char *ldap_dn_key(struct arena *arena, const char *dn)
{
	char *normal = NULL, *key;

	if (ldap_dn_normalize(dn, LDAP_DN_FORMAT_LDAPV3, &normal, LDAP_DN_FORMAT_LDAPV3) !=
		LDAP_SUCCESS)
		normal = NULL;
	key = arena_text(arena, normal != NULL ? normal : dn);
	ldap_memfree(normal);
	for (char *at = key; at != NULL && *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	return key;
}

/* The value that was typed, else the first one. */
static const char *read_name(
	struct arena *arena, enum ldap_kind kind, const char *login, LDAP *ld, LDAPMessage *entry)
{
	const char *attribute = kind == LDAP_KIND_ACTIVE_DIRECTORY ? "sAMAccountName" : "uid";
	struct berval **values = ldap_get_values_len(ld, entry, attribute);
	const char *name = NULL;

	for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
		const char *text = ldap_user_text(arena, values[i], IDENTITY_NAME_MAXIMUM);

		if (text != NULL && (name == NULL || strcasecmp(text, login) == 0))
			name = text;
	}
	ldap_value_free_len(values);
	return name;
}

/* The first three parts of a GUID are numbers with the least byte first. */
static const char *read_guid(struct arena *arena, LDAP *ld, LDAPMessage *entry)
{
	struct berval **values = ldap_get_values_len(ld, entry, "objectGUID");
	const char *text = NULL;

	if (values != NULL && values[0] != NULL && values[0]->bv_len == 16) {
		unsigned char b[16];

		memcpy(b, values[0]->bv_val, sizeof(b));
		text = arena_print(arena,
			"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11],
			b[12], b[13], b[14], b[15]);
	}
	ldap_value_free_len(values);
	return text;
}

/* The user's SID with the number of his primary group in place of his own ([MS-ADTS] 3.1.1.4.5.19
 * has the same rule). */
static void read_primary(LDAP *ld, LDAPMessage *entry, struct ldap_user *user)
{
	struct berval **sids = ldap_get_values_len(ld, entry, "objectSid");
	struct berval **numbers = ldap_get_values_len(ld, entry, "primaryGroupID");

	if (sids != NULL && sids[0] != NULL && numbers != NULL && numbers[0] != NULL &&
		sids[0]->bv_len >= 12 && sids[0]->bv_len <= LDAP_USER_SID_MAXIMUM &&
		sids[0]->bv_len % 4 == 0 && numbers[0]->bv_len > 0 && numbers[0]->bv_len <= 10) {
		unsigned long number = strtoul(numbers[0]->bv_val, NULL, 10);
		size_t at = sids[0]->bv_len - 4;

		memcpy(user->primary_sid, sids[0]->bv_val, at);
		for (size_t i = 0; i < 4; i++)
			user->primary_sid[at + i] = (unsigned char)(number >> 8 * i);
		user->primary_length = sids[0]->bv_len;
	}
	ldap_value_free_len(sids);
	ldap_value_free_len(numbers);
}

/* Groups of one attribute are added to those that are there; what is no text is left out. */
static bool add_groups(struct arena *arena, struct berval **values, struct ldap_user *user)
{
	size_t count = (size_t)ldap_count_values_len(values);
	char **groups = arena_alloc(arena, (user->group_count + count + 1) * sizeof(*groups));

	if (groups == NULL)
		return false;
	if (user->group_count > 0)
		memcpy(groups, user->groups, user->group_count * sizeof(*groups));
	user->groups = groups;
	for (size_t i = 0; i < count; i++) {
		const char *text = ldap_user_text(arena, values[i], DN_MAXIMUM);

		if (text != NULL)
			groups[user->group_count++] = (char *)(uintptr_t)text;
	}
	return !arena_lacking(arena);
}

/* "memberOf;range=0-1499": more follow; "...;range=1500-*": the last ([MS-ADTS] 3.1.1.3.1.3.3). */
static void read_range(const char *attribute, struct ldap_user *user)
{
	const char *range = strcasestr(attribute, ";range=");
	unsigned long first, last;
	char *end;

	user->groups_follow = false;
	if (range == NULL)
		return;
	first = strtoul(range + strlen(";range="), &end, 10);
	if (*end != '-' || end[1] == '*')
		return;
	last = strtoul(end + 1, &end, 10);
	if (*end != '\0' || last < first || last >= IDENTITY_GROUPS_MAXIMUM)
		return;
	user->groups_follow = true;
	user->groups_next = last + 1;
}

bool ldap_user_read_groups(
	struct arena *arena, LDAP *ld, LDAPMessage *entry, struct ldap_user *user)
{
	size_t length = sizeof(groups_attribute) - 1;
	BerElement *ber = NULL;
	bool good = true;

	user->groups_follow = false;
	for (char *name = ldap_first_attribute(ld, entry, &ber); name != NULL;
		name = ldap_next_attribute(ld, entry, ber)) {
		if (good && strncasecmp(name, groups_attribute, length) == 0 &&
			(name[length] == '\0' || name[length] == ';')) {
			struct berval **values = ldap_get_values_len(ld, entry, name);

			/* Active Directory sends the attribute empty beside the one with a range.
			 */
			if (values != NULL && values[0] != NULL) {
				good = add_groups(arena, values, user);
				read_range(name, user);
			}
			ldap_value_free_len(values);
		}
		ldap_memfree(name);
	}
	ber_free(ber, 0);
	return good;
}

bool ldap_user_read(struct arena *arena, enum ldap_kind kind, const char *login, LDAP *ld,
	LDAPMessage *entry, struct ldap_user *user)
{
	struct ldap_user read = {.name = NULL};
	char *dn = ldap_get_dn(ld, entry);

	if (dn == NULL)
		return false;
	read.dn = arena_text(arena, dn);
	read.name = read_name(arena, kind, login, ld, entry);
	read.account = kind == LDAP_KIND_ACTIVE_DIRECTORY
		? read_guid(arena, ld, entry)
		: ldap_user_value(arena, ld, entry, "entryUUID", 64);
	if (read.account == NULL)
		read.account = ldap_dn_key(arena, dn);
	if (kind == LDAP_KIND_ACTIVE_DIRECTORY) {
		read_primary(ld, entry, &read);
		ldap_user_read_count(ld, entry, &read.count);
	}
	ldap_memfree(dn);
	if (!ldap_user_read_groups(arena, ld, entry, &read) || arena_lacking(arena))
		return false;
	*user = read;
	return true;
}
