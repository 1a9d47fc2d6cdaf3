#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "identity/ldap_link_private.h"

#define PASSWORD_MAXIMUM 4096 /* bytes of one in UTF-16 */

static void append_unit(struct buffer *buffer, uint32_t unit)
{
	buffer_byte(buffer, (char)(unit & 0xff));
	buffer_byte(buffer, (char)(unit >> 8 & 0xff));
}

/* In quotation marks, UTF-16 little-endian; false: not UTF-8, too long, no memory. */
static bool encode(struct buffer *buffer, const char *password)
{
	append_unit(buffer, '"');
	while (*password != '\0') {
		uint32_t value;
		size_t length = utf8_character(password, &value);

		if (length == 0)
			return false;
		if (value >= 0x10000) {
			append_unit(buffer, 0xd800 + ((value - 0x10000) >> 10));
			append_unit(buffer, 0xdc00 + ((value - 0x10000) & 0x3ff));
		} else {
			append_unit(buffer, value);
		}
		password += length;
	}
	append_unit(buffer, '"');
	return !buffer->failed;
}

void ldap_link_change_unicode(struct ldap_link *link, const char *dn, const char *old_password,
	const char *new_password, int64_t until, struct ldap_outcome *outcome)
{
	static char attribute[] = "unicodePwd";
	struct buffer old, new;
	struct berval old_value, new_value;
	struct berval *old_values[] = {&old_value, NULL}, *new_values[] = {&new_value, NULL};
	LDAPMod removed = {.mod_op = LDAP_MOD_DELETE | LDAP_MOD_BVALUES,
		.mod_type = attribute,
		.mod_vals.modv_bvals = old_values};
	LDAPMod added = {.mod_op = LDAP_MOD_ADD | LDAP_MOD_BVALUES,
		.mod_type = attribute,
		.mod_vals.modv_bvals = new_values};
	LDAPMod *changes[] = {&removed, &added, NULL};
	int code, id = -1;

	buffer_init(&old, PASSWORD_MAXIMUM);
	buffer_init(&new, PASSWORD_MAXIMUM);
	if (!encode(&old, old_password) || !encode(&new, new_password)) {
		ldap_link_fail(outcome, LDAP_TROUBLE_NONE, "the password is not text, or too long");
		outcome->code = LDAP_INVALID_SYNTAX;
		outcome->meaning = REASON_NEW_PASSWORD_REFUSED;
		goto out;
	}
	old_value = (struct berval){.bv_val = old.bytes, .bv_len = old.length};
	new_value = (struct berval){.bv_val = new.bytes, .bv_len = new.length};
	code = ldap_modify_ext(link->ld, dn, changes, NULL, NULL, &id);
	ldap_link_await(link, code, id, LDAP_RES_MODIFY, until, ldap_result_of_change, outcome);
out:
	buffer_free(&old);
	buffer_free(&new);
}

static struct berval value_of(const char *text)
{
	return (struct berval){.bv_val = (char *)(uintptr_t)text, .bv_len = strlen(text)};
}

void ldap_link_change_extended(struct ldap_link *link, const char *dn, const char *old_password,
	const char *new_password, int64_t until, struct ldap_outcome *outcome)
{
	struct berval user = value_of(dn), old = value_of(old_password),
		      new = value_of(new_password);
	int id = -1;
	int code = ldap_passwd(link->ld, &user, &old, &new, NULL, NULL, &id);

	ldap_link_await(link, code, id, LDAP_RES_EXTENDED, until, ldap_result_of_change, outcome);
}
