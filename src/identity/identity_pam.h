/*
 * identity_pam.h - users of this machine, by PAM, in a process of its own.
 *
 * A pam_helper is the process fairlead-pam: it is started before rights are dropped and keeps them;
 * the program talks to it over a socket pair (pam_wire.h). It serves nothing but "may this user log
 * on with this password to this one service", and forks for each question, so that a module that
 * hangs or crashes ends one question. It ends when the program's end of the socket is closed. A
 * helper that has ended is not started again, because by then the program has no rights to give it:
 * every question is then answered with REASON_PAM_FAILED.
 *
 * REASON_PAM_FAILED: nothing was tried, or PAM said that it could not. REASON_PAM_SILENT: the
 * password was given to PAM and no answer came, be it for time, or because a module crashed.
 * REASON_SERVICE_BUSY: the time was over before anybody was asked, or too many wait.
 */
#ifndef FAIRLEAD_IDENTITY_IDENTITY_PAM_H
#define FAIRLEAD_IDENTITY_IDENTITY_PAM_H

#include <stdbool.h>

#include "identity/identity.h"

struct pam_helper; /* thread-safe; lives as long as the program, longer than its sources */

struct pam_helper_options {
	const char *path; /* of fairlead-pam; NULL: beside the running program, else as installed.
			   * Who could put another one beside it could replace the program too */
	const char *service; /* name in /etc/pam.d; NULL: "fairlead" */
	const char *confdir; /* read in place of /etc/pam.d; NULL: that */
	unsigned
		at_once; /* 0: 16; questions at the same time, at most PAM_HELPER_AT_ONCE_MAXIMUM */
};

#define PAM_HELPER_AT_ONCE_MAXIMUM 256

/* Starts the process and waits until it is ready; 0, ERROR_NOT_FOUND (no such program), ERROR_INPUT
 * (a service that is no name, at_once), ERROR_SYSTEM (it ended at once, or was not ready within 10
 * s), ERROR_MEMORY. */
int pam_helper_start(const struct pam_helper_options *options, struct pam_helper **ret_helper);
/* Ends it and waits for its end (it ends at once). No source may be left. NULL is allowed. */
void pam_helper_stop(struct pam_helper *helper);

struct identity_pam_options {
	struct pam_helper *helper; /* must stay */
	/* What its users may name; none: anything. Copied. DOMAIN\user and user@domain lose a
	 * domain that is listed; another one is part of the name, as it is where the machine has
	 * joined a domain. */
	const char *const *domains;
	size_t domain_count;
	bool change_password; /* users with an expired password may set a new one */
	unsigned answer_ms;   /* 0: 10000 */
};

/* `clock` is that of the requests, and stays. 0, ERROR_MEMORY, ERROR_SYSTEM (threads). Groups are
 * those of getgrouplist(3). */
int identity_pam_new(const struct identity_pam_options *options, const struct clock *clock,
	struct identity **ret_identity);

#endif
