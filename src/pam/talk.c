#include "pam/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static void note(struct talk *talk, const char *before, const char *text)
{
	size_t length = strlen(talk->said);

	snprintf(talk->said + length, sizeof(talk->said) - length, "%s%s%s", length > 0 ? "; " : "",
		before, text);
}

static bool has(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

/* Whether a hidden prompt is for a password and not, say, for the code of a token: the first prompt
 * of all is taken for one whatever its words are. */
static bool is_for_password(const struct talk *talk, const char *prompt)
{
	return talk->prompts == 0 || has(prompt, "password") || has(prompt, "passphrase");
}

static const char *answer_to(const struct talk *talk, const char *prompt)
{
	bool is_old = (has(prompt, "current") || has(prompt, "old")) && !has(prompt, "new");

	if (talk->prompts >= TALK_PROMPTS_MAXIMUM)
		return NULL;
	if (!talk->changing)
		return is_for_password(talk, prompt) ? talk->password : NULL;
	return is_old ? talk->password : talk->new_password;
}

static int answer_one(struct talk *talk, const struct pam_message *message, char **ret_text)
{
	const char *text = message->msg != NULL ? message->msg : "";
	const char *answer = NULL;

	if (message->msg_style == PAM_TEXT_INFO || message->msg_style == PAM_ERROR_MSG) {
		note(talk, "", text);
		return PAM_SUCCESS;
	}
	if (message->msg_style == PAM_PROMPT_ECHO_OFF)
		answer = answer_to(talk, text);
	if (answer == NULL) {
		note(talk, "a module asked for more than the password: ", text);
		return PAM_CONV_ERR;
	}
	talk->prompts++;
	*ret_text = strdup(answer);
	return *ret_text != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

int talk_answer(int count, const struct pam_message **messages, struct pam_response **ret_responses,
	void *data)
{
	struct talk *talk = data;
	struct pam_response *responses;
	int code = PAM_SUCCESS;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	responses = calloc((size_t)count, sizeof(*responses));
	if (responses == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; code == PAM_SUCCESS && i < count; i++)
		code = answer_one(talk, messages[i], &responses[i].resp);
	if (code != PAM_SUCCESS) {
		for (int i = 0; i < count; i++) {
			secret_wipe_text(responses[i].resp);
			free(responses[i].resp);
		}
		free(responses);
		return code;
	}
	*ret_responses = responses;
	return PAM_SUCCESS;
}
