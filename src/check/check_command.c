/* fairlead check: options. fairlead-check(1). */

#include <curl/curl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/usage.h"
#include "check/check.h"

#define NAME "check"
#define SESSION_LEAST 4 /* characters of --session */

enum option_number {
	FORMAT = 1,
	OUTPUT,
	SESSION,
	SINCE,
	UNTIL,
	MASK,
	RULES,
	LINT,
	MAIL_TO,
	MAIL_FROM,
	SMTP,
	SMTP_LOGIN,
	SMTP_CA,
	SMTP_PLAIN,
	QUIET,
};

static const struct option known[] = {
	{"format", required_argument, NULL, FORMAT},
	{"output", required_argument, NULL, OUTPUT},
	{"session", required_argument, NULL, SESSION},
	{"since", required_argument, NULL, SINCE},
	{"until", required_argument, NULL, UNTIL},
	{"mask", no_argument, NULL, MASK},
	{"rules", required_argument, NULL, RULES},
	{"lint", no_argument, NULL, LINT},
	{"mail-to", required_argument, NULL, MAIL_TO},
	{"mail-from", required_argument, NULL, MAIL_FROM},
	{"smtp", required_argument, NULL, SMTP},
	{"smtp-login", required_argument, NULL, SMTP_LOGIN},
	{"smtp-ca", required_argument, NULL, SMTP_CA},
	{"smtp-plain", no_argument, NULL, SMTP_PLAIN},
	{"quiet", no_argument, NULL, QUIET},
	{0},
};

static int read_format(const char *text, enum check_format *ret_format)
{
	static const char *const words[] = {
		[CHECK_TEXT] = "text", [CHECK_JSON] = "json", [CHECK_HTML] = "html"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_format = (enum check_format)i;
			return 0;
		}
	}
	return usage_fault(NAME, "'%s' is not a format; text, json and html are", text);
}

static int read_session(const char *text, struct store_filter *filter)
{
	size_t length = strlen(text);

	if (length < SESSION_LEAST || length > SESSION_ID_TEXT ||
		strspn(text, "0123456789abcdefABCDEF-") != length)
		return usage_fault(NAME,
			"'%s' is not a session id, nor at least its first %d characters", text,
			SESSION_LEAST);
	filter->session = text;
	return 0;
}

static int read_time(const char *text, int64_t *ret_time)
{
	if (stamp_option(text, ret_time) != 0)
		return usage_fault(NAME, "'%s' is not a time such as 2021-03-24T21:10:59Z", text);
	return 0;
}

static int read_address(const char *text, struct mail_options *mail)
{
	if (!mail_address(text))
		return usage_fault(NAME, "'%s' is not an e-mail address", text);
	if (mail->to_count == MAIL_RECIPIENTS_MAXIMUM)
		return usage_fault(
			NAME, "the report goes to at most %d addresses", MAIL_RECIPIENTS_MAXIMUM);
	mail->to[mail->to_count++] = text;
	return 0;
}

static int take_mail_option(int option, const char *value, struct mail_options *mail)
{
	switch (option) {
	case MAIL_TO:
		return read_address(value, mail);
	case MAIL_FROM:
		if (!mail_address(value))
			return usage_fault(NAME, "'%s' is not an e-mail address", value);
		mail->from = value;
		return 0;
	case SMTP:
		if (strncmp(value, "smtp://", 7) != 0 && strncmp(value, "smtps://", 8) != 0)
			return usage_fault(
				NAME, "'%s' begins with neither smtp:// nor smtps://", value);
		mail->url = value;
		return 0;
	case SMTP_LOGIN:
		mail->credentials = value;
		return 0;
	case SMTP_CA:
		mail->ca = value;
		return 0;
	case SMTP_PLAIN:
	default:
		mail->plain = true;
		return 0;
	}
}

static int take_option(int option, char *value, struct check_options *options, bool *lint)
{
	switch (option) {
	case FORMAT:
		return read_format(value, &options->format);
	case OUTPUT:
		options->output = value;
		return 0;
	case SESSION:
		return read_session(value, &options->filter);
	case SINCE:
		return read_time(value, &options->filter.since);
	case UNTIL:
		return read_time(value, &options->filter.until);
	case MASK:
		options->mask = true;
		return 0;
	case RULES:
		options->rules = value;
		return 0;
	case LINT:
		*lint = true;
		return 0;
	case QUIET:
		options->quiet = true;
		return 0;
	default:
		return take_mail_option(option, value, &options->mail);
	}
}

/* What no single option can tell. */
static int check_together(const struct check_options *options, bool lint)
{
	const struct mail_options *mail = &options->mail;

	if (lint)
		return options->path_count == 0
			? 0
			: usage_fault(NAME, "--lint reads rules, no logs: '%s' is too much",
				  options->paths[0]);
	if (options->path_count == 0)
		return usage_fault(NAME, "which logs? Give a folder, a bundle or '-'");
	if (options->filter.since != STAMP_NONE && options->filter.until != STAMP_NONE &&
		options->filter.since > options->filter.until)
		return usage_fault(NAME, "--since is later than --until");
	if (mail->to_count != 0 && mail->url == NULL)
		return usage_fault(NAME, "--mail-to needs --smtp URL");
	if (mail->to_count == 0 &&
		(mail->url != NULL || mail->from != NULL || mail->credentials != NULL ||
			mail->ca != NULL || mail->plain))
		return usage_fault(NAME, "options of the mail server need --mail-to ADDRESS");
	return 0;
}

int check_command(int argc, char **argv)
{
	struct check_options options = {.filter = {.since = STAMP_NONE, .until = STAMP_NONE}};
	bool lint = false;
	int option, status = 0;

	opterr = 0;
	optind = 1;
	while (status == 0 && (option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == ':')
			return usage_fault(NAME, "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage_fault(NAME, "%s is not an option", argv[optind - 1]);
		status = take_option(option, optarg, &options, &lint);
	}
	options.paths = argv + optind;
	options.path_count = (size_t)(argc - optind);
	if (status == 0)
		status = check_together(&options, lint);
	if (status != 0)
		return status;
	if (lint)
		return (int)check_lint(options.rules);
	if (options.mail.to_count != 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return CHECK_EXIT_OWN;
	status = (int)check_run(&options);
	if (options.mail.to_count != 0)
		curl_global_cleanup();
	return status;
}
