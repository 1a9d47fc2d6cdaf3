/*
 * mail.h - a report by e-mail, through libcurl.
 *
 * One message, multipart/alternative: the text report, and the HTML report for those who can
 * show it. smtps:// is TLS from the start; smtp:// must offer STARTTLS, unless the server is on
 * this machine (a loopback address or localhost) or the options allow plain text.
 */
#ifndef FAIRLEAD_CHECK_MAIL_H
#define FAIRLEAD_CHECK_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#define MAIL_RECIPIENTS_MAXIMUM 16
#define MAIL_TIMEOUT_SECONDS 60 /* of the whole delivery */
#define MAIL_REASON_SIZE 512

struct mail_options {
	const char *to[MAIL_RECIPIENTS_MAXIMUM]; /* addresses, "name@host" */
	size_t to_count;
	const char *from;        /* NULL: fairlead@<this host> */
	const char *url;         /* "smtp://host[:port]" or "smtps://host[:port]" */
	const char *credentials; /* a file: the user name on its first line, the password on the
				    second; NULL */
	const char *ca;          /* a file of CA certificates; NULL: the system's */
	bool plain;              /* may go without TLS */
};

/* True when the text can be an address: one @, no blanks, control characters or angle brackets. */
bool mail_address(const char *text);

/* Sends; the caller has called curl_global_init. 0, ERROR_INPUT (credentials file, URL), or the
 * error of the delivery (ERROR_REFUSED, ERROR_UNREACHABLE, ERROR_TIMEOUT, ERROR_UNTRUSTED,
 * ERROR_TLS, ERROR_SYSTEM, ERROR_MEMORY) with the reason for people. */
int mail_send(const struct mail_options *options, const char *subject, const char *text,
	const char *html, char reason[MAIL_REASON_SIZE]);

#endif
