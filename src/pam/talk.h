/*
 * talk.h - the conversation of PAM's modules with a user who is not there: passwords are known
 * beforehand, everything else cannot be answered.
 */
#ifndef FAIRLEAD_PAM_TALK_H
#define FAIRLEAD_PAM_TALK_H

#include <security/pam_appl.h>
#include <stdbool.h>

#define TALK_DETAIL_SIZE 512
#define TALK_PROMPTS_MAXIMUM 16 /* of one question; modules that ask again end by it */

struct talk {
	const char *password;
	const char *new_password;    /* NULL: none */
	bool changing;               /* during pam_chauthtok */
	unsigned prompts;            /* answered so far */
	char said[TALK_DETAIL_SIZE]; /* what modules said, for the administrator's log */
};

/* A pam_conv function; `data` is a struct talk. The first hidden prompt gets the password, as do
 * later ones that speak of a password; while changing, they get the old password when they say so,
 * else the new one. Any other prompt is PAM_CONV_ERR. Prompts are in English: fairlead-pam sets no
 * locale. */
int talk_answer(int count, const struct pam_message **messages, struct pam_response **ret_responses,
	void *data);

#endif
