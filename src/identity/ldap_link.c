#include "identity/ldap_link.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "identity/ldap_link_private.h"

#define REFERENCES_MAXIMUM 100          /* of the searches that are sent together */
#define SLICE (100 * CLOCK_MILLISECOND) /* a request that did not fit the socket goes on */
#define SEARCHES_MAXIMUM 256            /* of one call */

static char policy_oid[] = LDAP_CONTROL_PASSWORDPOLICYREQUEST;
/* An expired password, before there was a policy control: draft-vchu-ldap-pwd-policy. */
static const char old_policy_oid[] = LDAP_CONTROL_X_PASSWORD_EXPIRED;

void ldap_link_fail(struct ldap_outcome *outcome, enum ldap_trouble trouble, const char *text)
{
	outcome->trouble = trouble;
	outcome->meaning = REASON_DIRECTORY_FAILED;
	text_clean(text, true, outcome->text, sizeof(outcome->text));
}

void ldap_link_close(struct ldap_link *link)
{
	if (link == NULL)
		return;
	ldap_unbind_ext(link->ld, NULL, NULL);
	free(link);
}

/* An error of the library, not of the server. */
static void fail_by_code(int code, struct ldap_outcome *outcome)
{
	switch (code) {
	case LDAP_TIMEOUT:
		ldap_link_fail(outcome, LDAP_TROUBLE_SILENT, "no answer in time");
		return;
	case LDAP_SERVER_DOWN:
	case LDAP_UNAVAILABLE: /* its notice of disconnection */
	case LDAP_CONNECT_ERROR:
		ldap_link_fail(outcome, LDAP_TROUBLE_BROKEN, "the connection broke off");
		return;
	case LDAP_NO_MEMORY:
	case LDAP_ENCODING_ERROR:
	case LDAP_FILTER_ERROR:
	case LDAP_PARAM_ERROR:
	case LDAP_LOCAL_ERROR:
		ldap_link_fail(outcome, LDAP_TROUBLE_LOCAL, ldap_err2string(code));
		return;
	default:
		ldap_link_fail(outcome, LDAP_TROUBLE_BROKEN, "the answer is not LDAP");
		return;
	}
}

/* Why the last ldap_result had none. */
static int reading_code(const struct ldap_link *link)
{
	int code = LDAP_SERVER_DOWN;

	ldap_get_option(link->ld, LDAP_OPT_RESULT_CODE, &code);
	if (code == LDAP_NO_MEMORY || code == LDAP_SERVER_DOWN || code == LDAP_UNAVAILABLE)
		return code;
	return LDAP_DECODING_ERROR;
}

static void await_bytes(const struct ldap_link *link, int64_t time)
{
	struct pollfd ready = {.fd = link->fd, .events = POLLIN};

	if (time > SLICE)
		time = SLICE;
	(void)poll(&ready, 1, (int)((time + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND));
}

/* The next message of the answer to request `id`, or the only one. LDAP_SUCCESS, or what the
 * library would have returned. It reckons with the wall clock, which may jump, so it never waits
 * itself. */
static int receive(const struct ldap_link *link, int id, int64_t until, LDAPMessage **ret_message)
{
	for (;;) {
		struct timeval none = {.tv_sec = 0};
		int kind = ldap_result(link->ld, id, LDAP_MSG_ONE, &none, ret_message);
		int64_t time = until - clock_steady(link->clock);

		if (kind > 0)
			return LDAP_SUCCESS;
		if (kind < 0)
			return reading_code(link);
		if (time <= 0)
			return LDAP_TIMEOUT;
		await_bytes(link, time);
	}
}

static void read_controls(LDAP *ld, LDAPControl **controls, struct ldap_policy *policy)
{
	for (; controls != NULL && *controls != NULL; controls++) {
		ber_int_t expire = -1, grace = -1;
		LDAPPasswordPolicyError error = PP_noError;

		if (strcmp((*controls)->ldctl_oid, old_policy_oid) == 0)
			policy->must_change = true;
		if (strcmp((*controls)->ldctl_oid, LDAP_CONTROL_PASSWORDPOLICYRESPONSE) != 0 ||
			ldap_parse_passwordpolicy_control(ld, *controls, &expire, &grace, &error) !=
				LDAP_SUCCESS)
			continue;
		policy->given = true;
		policy->grace = grace;
		policy->error = (int)error;
	}
}

/* Reads the final message of an operation, and frees it. */
static void read_result(struct ldap_link *link, LDAPMessage *message,
	enum reason (*meaning)(const struct ldap_result *result), struct ldap_outcome *outcome)
{
	LDAPControl **controls = NULL;
	char *diagnostic = NULL;
	struct ldap_result result = {.policy.grace = -1, .policy.error = PP_noError};
	int code = ldap_parse_result(
		link->ld, message, &result.code, NULL, &diagnostic, NULL, &controls, 1);

	if (code != LDAP_SUCCESS) {
		fail_by_code(code, outcome);
		return;
	}
	read_controls(link->ld, controls, &result.policy);
	result.diagnostic = diagnostic;
	outcome->trouble = LDAP_TROUBLE_NONE;
	outcome->code = result.code;
	outcome->policy = result.policy;
	outcome->meaning = meaning != NULL ? meaning(&result) : REASON_DIRECTORY_FAILED;
	outcome->text[0] = '\0';
	if (result.code != LDAP_SUCCESS || result.policy.error != PP_noError)
		ldap_result_text(&result, outcome->text);
	ldap_memfree(diagnostic);
	ldap_controls_free(controls);
}

void ldap_link_await(struct ldap_link *link, int code, int id, int kind, int64_t until,
	enum reason (*meaning)(const struct ldap_result *result), struct ldap_outcome *outcome)
{
	LDAPMessage *message = NULL;

	if (code == LDAP_SUCCESS) {
		code = receive(link, id, until, &message);
		if (code != LDAP_SUCCESS)
			ldap_abandon_ext(link->ld, id, NULL, NULL);
	}
	if (code == LDAP_SUCCESS && ldap_msgtype(message) != kind) {
		ldap_msgfree(message);
		code = LDAP_DECODING_ERROR;
	}
	if (code == LDAP_SUCCESS)
		read_result(link, message, meaning, outcome);
	else
		fail_by_code(code, outcome);
}

void ldap_link_bind(struct ldap_link *link, const char *name, const char *password,
	bool with_policy, int64_t until, struct ldap_outcome *outcome)
{
	LDAPControl policy = {.ldctl_oid = policy_oid};
	LDAPControl *controls[] = {&policy, NULL};
	struct berval secret = {.bv_val = (char *)(uintptr_t)password, .bv_len = strlen(password)};
	int code, id = -1;

	/* RFC 4513 5.1.2: a server would let in anybody. */
	assert(name[0] != '\0' && secret.bv_len > 0);
	code = ldap_sasl_bind(link->ld, name, LDAP_SASL_SIMPLE, &secret,
		with_policy ? controls : NULL, NULL, &id);
	ldap_link_await(link, code, id, LDAP_RES_BIND, until, ldap_result_of_bind, outcome);
}

#define UNSENT (-1)
#define ENDED (-2)

/* Searches of one call. */
struct batch {
	struct ldap_link *link;
	const struct ldap_search *searches;
	struct ldap_outcome *outcomes;
	ldap_link_entry *entry;
	void *context;
	size_t count, open;
	int ids[SEARCHES_MAXIMUM]; /* or: */
	size_t entries[SEARCHES_MAXIMUM];
	unsigned references; /* to other servers: never followed, but bounded */
};

static void end_one(struct batch *batch, size_t index)
{
	batch->open--;
	batch->ids[index] = ENDED;
}

static void end_all(struct batch *batch, enum ldap_trouble trouble, const char *text)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->ids[i] == ENDED)
			continue;
		if (batch->ids[i] != UNSENT)
			ldap_abandon_ext(batch->link->ld, batch->ids[i], NULL, NULL);
		ldap_link_fail(&batch->outcomes[i], trouble, text);
		end_one(batch, i);
	}
}

static void end_all_by_code(struct batch *batch, int code)
{
	struct ldap_outcome outcome;

	fail_by_code(code, &outcome);
	end_all(batch, outcome.trouble, outcome.text);
}

/* More entries than were asked for: as if the server had said so. */
static void cut_off(struct batch *batch, size_t index)
{
	ldap_abandon_ext(batch->link->ld, batch->ids[index], NULL, NULL);
	batch->outcomes[index].trouble = LDAP_TROUBLE_NONE;
	batch->outcomes[index].code = LDAP_SIZELIMIT_EXCEEDED;
	end_one(batch, index);
}

static void take_entry(struct batch *batch, size_t index, LDAPMessage *message)
{
	if (batch->entries[index]++ >= batch->searches[index].most)
		cut_off(batch, index);
	else if (!batch->entry(batch->context, index, batch->link->ld, message))
		end_all(batch, LDAP_TROUBLE_LOCAL, ldap_err2string(LDAP_NO_MEMORY));
}

static void take_message(struct batch *batch, int kind, LDAPMessage *message)
{
	int id = ldap_msgid(message);
	size_t i = 0;

	while (i < batch->count && batch->ids[i] != id)
		i++;
	if (i < batch->count && kind == LDAP_RES_SEARCH_RESULT) {
		read_result(batch->link, message, NULL, &batch->outcomes[i]);
		end_one(batch, i);
		return;
	}
	if (i < batch->count && kind == LDAP_RES_SEARCH_ENTRY)
		take_entry(batch, i, message);
	else if (kind != LDAP_RES_SEARCH_REFERENCE || ++batch->references > REFERENCES_MAXIMUM)
		end_all_by_code(batch, id == 0 ? LDAP_SERVER_DOWN : LDAP_DECODING_ERROR);
	ldap_msgfree(message);
}

void ldap_link_search(struct ldap_link *link, const struct ldap_search *searches, size_t count,
	ldap_link_entry *entry, void *context, int64_t until, struct ldap_outcome *outcomes)
{
	struct batch batch = {.link = link,
		.searches = searches,
		.outcomes = outcomes,
		.entry = entry,
		.context = context,
		.count = count};
	int code = LDAP_SUCCESS;

	assert(count <= SEARCHES_MAXIMUM);
	for (size_t i = 0; i < count; i++) {
		const struct ldap_search *search = &searches[i];

		batch.ids[i] = UNSENT;
		outcomes[i] = (struct ldap_outcome){.policy.error = PP_noError};
		if (code == LDAP_SUCCESS)
			code = ldap_search_ext(link->ld, search->base, search->scope,
				search->filter, (char **)(uintptr_t)search->attributes, 0, NULL,
				NULL, NULL, (int)search->most, &batch.ids[i]);
	}
	batch.open = count;
	if (code != LDAP_SUCCESS)
		end_all_by_code(&batch, code);
	while (batch.open > 0) {
		LDAPMessage *message = NULL;

		/* Messages that come without a pause are no answer in time either. */
		code = clock_steady(link->clock) < until
			? receive(link, LDAP_RES_ANY, until, &message)
			: LDAP_TIMEOUT;
		if (code == LDAP_SUCCESS)
			take_message(&batch, ldap_msgtype(message), message);
		else
			end_all_by_code(&batch, code);
	}
}
