/*
 * What the user is asked next, as a message says it.
 */
#include <string.h>

#include "service/logon_private.h"

static bool announces(const struct transaction *transaction, const char *capability)
{
	int bit = field_value_index(FIELD_HELLO_CAPS_CAP, capability);

	return bit >= 0 && (transaction->session->capabilities & 1u << bit) != 0;
}

bool logon_shows_dialogs(const struct transaction *transaction)
{
	return announces(transaction, "CAP_DIALOG_AUTHENTICATION");
}

bool logon_shows_terms(const struct transaction *transaction)
{
	return announces(transaction, "CAP_DISCLAIMER_AUTHENTICATION");
}

static const char *say(const struct transaction *transaction, enum text_key key)
{
	return text_template(transaction_language(transaction), key);
}

#define PARAGRAPH_MAXIMUM 1024 /* bytes: fields.def */
/* Once there are so many the rest is cut by length only, so that all of it finds room: two pieces
 * in a row are longer than one paragraph may be. */
#define PARAGRAPHS_APART (FIELD_REPEAT_MAXIMUM / 2)
_Static_assert(
	2 * LOGON_TERMS_MAXIMUM / PARAGRAPH_MAXIMUM + 1 <= FIELD_REPEAT_MAXIMUM - PARAGRAPHS_APART,
	"the longest terms have to fit");

/* Puts the terms paragraph by paragraph; what is too long for one is cut into several, between
 * words where there are any. */
static void put_paragraphs(
	struct message *reply, struct message_node *group, enum field_id field, const char *text)
{
	char paragraph[PARAGRAPH_MAXIMUM + 1];
	unsigned count = 0;

	while (*(text += strspn(text, " \t\r\n")) != '\0' && count < FIELD_REPEAT_MAXIMUM) {
		const char *end = count < PARAGRAPHS_APART ? strstr(text, "\n\n") : NULL;
		size_t length = end != NULL ? (size_t)(end - text) : strlen(text);

		if (length > PARAGRAPH_MAXIMUM) {
			length = PARAGRAPH_MAXIMUM;
			while (length > 0 && text[length] != ' ' && text[length] != '\n')
				length--;
			if (length == 0)
				length = PARAGRAPH_MAXIMUM;
			/* at a whole character */
			while (((unsigned char)text[length] & 0xc0) == 0x80)
				length--;
		}
		memcpy(paragraph, text, length);
		paragraph[length] = '\0';
		message_add(reply, group, field, paragraph);
		text += length;
		count++;
	}
}

bool logon_invites_specially(const struct transaction *transaction, const struct logon_plan *plan)
{
	return plan->disclaimer.text != NULL && logon_shows_terms(transaction);
}

void logon_invite(struct transaction *transaction, const struct logon_plan *plan)
{
	const struct logon_disclaimer *terms = &plan->disclaimer;
	struct message *reply = transaction->reply;
	struct message_node *methods, *group;

	methods = message_put(
		reply, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS, NULL);
	if (methods == NULL)
		return;
	if (!logon_invites_specially(transaction, plan)) {
		message_add(reply, methods,
			FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
			"AUTHENTICATE_VIA_PASSWORD");
		return;
	}
	message_add(reply, methods,
		FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
		"AUTHENTICATE_VIA_DISCLAIMER");
	/* Who announces the capability but knows another form of terms can go on all the same. */
	if (!terms->required)
		message_add(reply, methods,
			FIELD_HELLO_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD,
			"AUTHENTICATE_VIA_PASSWORD");
	group = message_put(reply, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER, NULL);
	if (group == NULL)
		return;
	message_add(reply, group, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_TITLE,
		terms->title != NULL ? terms->title : say(transaction, TEXT_DISCLAIMER_TITLE));
	put_paragraphs(reply, group, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH,
		terms->text);
}

/* One method, below a next-authentication of its own. */
static void put_method(const struct logon *logon, const char *method)
{
	message_put(logon->transaction->reply,
		FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_AUTHENTICATION_METHODS_METHOD, method);
}

void logon_put_password(const struct logon *logon)
{
	struct message *reply = logon->transaction->reply;
	struct message_node *domains;

	put_method(logon, "AUTHENTICATE_VIA_PASSWORD");
	domains = message_put(reply, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DOMAINS, NULL);
	for (size_t i = 0; domains != NULL && i < logon->plan->domain_count; i++)
		message_add(reply, domains,
			FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN,
			logon->plan->domains[i]);
}

void logon_put_terms(const struct logon *logon)
{
	const struct logon_disclaimer *terms = &logon->plan->disclaimer;
	struct transaction *transaction = logon->transaction;
	struct message_node *group;

	put_method(logon, "AUTHENTICATE_VIA_DISCLAIMER");
	group = message_put(
		transaction->reply, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DISCLAIMER, NULL);
	if (group == NULL)
		return;
	message_add(transaction->reply, group,
		FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DISCLAIMER_TITLE,
		terms->title != NULL ? terms->title : say(transaction, TEXT_DISCLAIMER_TITLE));
	put_paragraphs(transaction->reply, group,
		FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DISCLAIMER_PARAGRAPH, terms->text);
}

static void put_prompt(
	const struct logon *logon, struct message_node *dialog, const char *name, const char *label)
{
	struct message *reply = logon->transaction->reply;
	struct message_node *prompt = message_add(
		reply, dialog, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT, label);

	if (prompt == NULL)
		return;
	message_add(reply, prompt, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT_NAME,
		name);
	message_add(reply, prompt, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PROMPT_HIDDEN,
		"true");
}

void logon_put_dialog(const struct logon *logon)
{
	const struct conversation *conversation = conversation_of(logon->transaction->session);
	struct transaction *transaction = logon->transaction;
	struct message *reply = transaction->reply;
	bool change = conversation->question == CONVERSATION_NEW_PASSWORD;
	const struct logon_factor *factor =
		change ? NULL : logon->chain->factors[conversation->factor];
	struct message_node *dialog;
	const char *text;

	put_method(logon, "AUTHENTICATE_VIA_DIALOG");
	dialog = message_put(reply, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG, NULL);
	if (dialog == NULL)
		return;
	message_add(reply, dialog, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_ID,
		conversation->id);
	message_add(reply, dialog, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_PURPOSE,
		change ? "new-password" : "second-factor");
	message_add(reply, dialog, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_TITLE,
		say(transaction, change ? TEXT_CHANGE_TITLE : TEXT_FACTOR_TITLE));
	/* What the server wants the user to read comes first, then the administrator's wording. */
	if (change)
		text = say(transaction, TEXT_CHANGE_TEXT);
	else if (conversation->message != NULL && *conversation->message != '\0')
		text = conversation->message;
	else
		text = factor->prompt != NULL ? factor->prompt : say(transaction, TEXT_FACTOR_TEXT);
	message_add(reply, dialog, FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_TEXT, text);
	if (change) {
		put_prompt(logon, dialog, "new-password", say(transaction, TEXT_CHANGE_PROMPT));
		put_prompt(logon, dialog, "repeat", say(transaction, TEXT_CHANGE_REPEAT));
	} else {
		put_prompt(logon, dialog, "answer", say(transaction, TEXT_FACTOR_PROMPT));
	}
}
