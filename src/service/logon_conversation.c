#include "service/logon_conversation.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

static void forget(char **text)
{
	secret_wipe_text(*text);
	free(*text);
	*text = NULL;
}

static void end_held(struct conversation *conversation, enum reason_count count)
{
	for (size_t i = 0; i < conversation->held_count; i++)
		guard_end(conversation->guard, &conversation->held[i], count);
	conversation->held_count = 0;
}

void conversation_reset(struct conversation *conversation)
{
	bool accepted;

	if (conversation == NULL)
		return;
	end_held(conversation, REASON_COUNTS_WRONG);
	accepted = conversation->terms_accepted;
	forget(&conversation->message);
	forget(&conversation->typed_user);
	forget(&conversation->typed_domain);
	forget(&conversation->name);
	forget(&conversation->domain);
	forget(&conversation->named_domain);
	forget(&conversation->account);
	for (size_t i = 0; i < conversation->group_count; i++)
		free(conversation->groups[i]);
	free(conversation->groups);
	seal_wipe(&conversation->password);
	secret_wipe(conversation, sizeof(*conversation));
	conversation->terms_accepted = accepted;
}

static void conversation_free(void *logon)
{
	conversation_reset(logon);
	free(logon);
}

struct conversation *conversation_of(const struct session *session)
{
	return session->logon;
}

struct conversation *conversation_open(struct session *session)
{
	if (session->logon == NULL) {
		session->logon = calloc(1, sizeof(struct conversation));
		session->logon_free = conversation_free;
	}
	return session->logon;
}

int conversation_keep_typed(struct conversation *conversation, const char *user, const char *domain)
{
	int error = sessions_set_text(&conversation->typed_user, user);

	return error == 0 ? sessions_set_text(&conversation->typed_domain, domain) : error;
}

int conversation_keep_user(struct conversation *conversation, const struct identity_user *user)
{
	const struct {
		char **to;
		const char *from;
	} texts[] = {
		{&conversation->name, user->name},
		{&conversation->domain, user->domain},
		{&conversation->named_domain, user->named_domain},
		{&conversation->account, user->account},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (sessions_set_text(texts[i].to, texts[i].from) != 0)
			return ERROR_MEMORY;
	}
	conversation->groups = calloc(user->group_count + 1, sizeof(*conversation->groups));
	if (conversation->groups == NULL)
		return ERROR_MEMORY;
	for (; conversation->group_count < user->group_count; conversation->group_count++) {
		char *copy = strdup(user->groups[conversation->group_count]);

		if (copy == NULL)
			return ERROR_MEMORY;
		conversation->groups[conversation->group_count] = copy;
	}
	return 0;
}

int conversation_keep_challenge(
	struct conversation *conversation, const char *message, const void *state, size_t length)
{
	if (length > sizeof(conversation->state))
		return ERROR_LIMIT;
	if (length > 0)
		memcpy(conversation->state, state, length);
	conversation->state_length = length;
	return sessions_set_text(&conversation->message, message);
}

struct identity_user conversation_user(const struct conversation *conversation)
{
	return (struct identity_user){
		.name = conversation->name,
		.domain = conversation->domain,
		.named_domain = conversation->named_domain,
		.account = conversation->account,
		.groups = (const char *const *)conversation->groups,
		.group_count = conversation->group_count,
	};
}

void conversation_hold(
	struct conversation *conversation, struct guard *guard, struct guard_try *try)
{
	if (conversation->held_count == CONVERSATION_HELD_MAXIMUM) {
		guard_end(guard, try, REASON_COUNTS_NONE);
		return;
	}
	conversation->guard = guard;
	conversation->held[conversation->held_count++] = *try;
	try->open = false;
}

void conversation_absolve(struct conversation *conversation)
{
	end_held(conversation, REASON_COUNTS_NONE);
}

int conversation_ask(struct conversation *conversation, enum conversation_question question,
	const struct entropy *entropy)
{
	unsigned char bytes[CONVERSATION_ID_SIZE / 2];
	int error;

	if (conversation->dialogs == CONVERSATION_DIALOGS_MAXIMUM)
		return ERROR_LIMIT;
	error = entropy_fill(entropy, bytes, sizeof(bytes));
	if (error != 0)
		return error;
	secret_hex(bytes, sizeof(bytes), conversation->id);
	conversation->question = question;
	conversation->dialogs++;
	return 0;
}

bool conversation_is_open(const struct conversation *conversation, const char *id)
{
	return conversation != NULL && conversation->question != CONVERSATION_NOTHING &&
		secret_equal_text(id, conversation->id);
}
