#include "identity/ldap_filter.h"

#include <lber.h>
#include <ldap.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/ldap_link.h"

static int append_escaped(struct buffer *buffer, const void *value, size_t length)
{
	struct berval in = {.bv_len = length, .bv_val = (char *)(uintptr_t)value};
	struct berval out = {.bv_val = NULL};
	int error;

	/* The library takes an empty value for no memory. */
	if (length == 0)
		return 0;
	if (ldap_bv2escaped_filter_value(&in, &out) != 0)
		return ERROR_MEMORY;
	error = buffer_append(buffer, out.bv_val, out.bv_len);
	ber_memfree(out.bv_val);
	return error;
}

int ldap_filter_equal(
	struct buffer *buffer, const char *attribute, const void *value, size_t length)
{
	buffer_print(buffer, "(%s=", attribute);
	append_escaped(buffer, value, length);
	return buffer_text(buffer, ")");
}

/* The value of the name at an opening brace, and where its closing brace is; NULL: no such name. */
static const char *value_of(
	const char *brace, const struct ldap_filter_names *names, const char **ret_end)
{
	const struct {
		const char *name;
		const char *value;
	} known[] = {{"user", names->user}, {"domain", names->domain}, {"login", names->login}};
	const char *end = strchr(brace, '}');

	for (size_t i = 0; end != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = (size_t)(end - brace - 1);

		if (strlen(known[i].name) == length &&
			memcmp(brace + 1, known[i].name, length) == 0) {
			*ret_end = end;
			return known[i].value;
		}
	}
	return NULL;
}

int ldap_filter_expand(
	struct buffer *buffer, const char *template, const struct ldap_filter_names *names)
{
	while (*template != '\0') {
		size_t plain = strcspn(template, "{");
		const char *end, *value;

		buffer_append(buffer, template, plain);
		template += plain;
		if (*template == '\0')
			break;
		value = value_of(template, names, &end);
		if (value == NULL)
			return ERROR_INPUT;
		append_escaped(buffer, value, strlen(value));
		template = end + 1;
	}
	return buffer_text(buffer, "");
}

/* The library's own parser decides, by writing a request to nobody. */
static int check_filter(const char *filter)
{
	int pair[2], code, id, error = 0;
	LDAP *ld = NULL;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return ERROR_SYSTEM;
	code = ldap_link_attach(pair[0], "ldap://localhost", &ld);
	if (code != LDAP_SUCCESS) {
		error = ERROR_MEMORY;
		close(pair[0]);
		goto out;
	}
	code = ldap_search_ext(
		ld, "", LDAP_SCOPE_BASE, filter, NULL, 0, NULL, NULL, NULL, LDAP_NO_LIMIT, &id);
	if (code != LDAP_SUCCESS)
		error = code == LDAP_NO_MEMORY ? ERROR_MEMORY : ERROR_INPUT;
	ldap_unbind_ext_s(ld, NULL, NULL);
out:
	close(pair[1]);
	return error;
}

/* A value goes from the first equals sign to a parenthesis: in a value that one is escaped. */
static bool names_in_values(const char *text)
{
	bool value = false;

	for (; *text != '\0'; text++) {
		if (*text == '=')
			value = true;
		else if (*text == '(' || *text == ')')
			value = false;
		else if (*text == '{' && !value)
			return false;
	}
	return true;
}

bool ldap_filter_names_user(const char *template)
{
	return strstr(template, "{user}") != NULL || strstr(template, "{login}") != NULL;
}

int ldap_filter_check(const char *template)
{
	static const struct ldap_filter_names sample = {"user", "domain", "login"};
	struct buffer buffer;
	int error;

	/* The library would put parentheses round it, our own parts could not rely on that. */
	if (template[0] != '(' || !names_in_values(template))
		return ERROR_INPUT;
	buffer_init(&buffer, LDAP_FILTER_MAXIMUM / 2);
	error = ldap_filter_expand(&buffer, template, &sample);
	if (error == 0)
		error = check_filter(buffer.bytes);
	buffer_free(&buffer);
	return error == ERROR_LIMIT ? ERROR_INPUT : error;
}
