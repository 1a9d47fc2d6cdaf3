#include <assert.h>
#include <errno.h>
#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/ldap_link_private.h"

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define MESSAGE_MAXIMUM (8 << 20) /* bytes of one message of a server */

/* Settings that a configuration of the library could have changed. */
static int set_options(LDAP *ld)
{
	static const struct timeval forever = {.tv_sec = -1};
	static const int version = LDAP_VERSION3, none = LDAP_NO_LIMIT, never = LDAP_DEREF_NEVER;
	const struct {
		int option;
		const void *value;
	} options[] = {
		{LDAP_OPT_PROTOCOL_VERSION, &version},
		{LDAP_OPT_REFERRALS, LDAP_OPT_OFF},
		{LDAP_OPT_RESTART, LDAP_OPT_ON},
		{LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_OFF},
		{LDAP_OPT_KEEPCONN, LDAP_OPT_OFF},
		{LDAP_OPT_DEREF, &never},
		{LDAP_OPT_SIZELIMIT, &none},
		{LDAP_OPT_TIMELIMIT, &none},
		{LDAP_OPT_TIMEOUT, &forever},
		{LDAP_OPT_NETWORK_TIMEOUT, &forever},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (ldap_set_option(ld, options[i].option, options[i].value) != LDAP_OPT_SUCCESS)
			return LDAP_LOCAL_ERROR;
	}
	return LDAP_SUCCESS;
}

int ldap_link_attach(int fd, const char *url, LDAP **ret_ld)
{
	LDAP *ld = NULL;
	int code = ldap_init_fd(fd, LDAP_PROTO_TCP, url, &ld);

	if (code != LDAP_SUCCESS)
		return code;
	code = set_options(ld);
	assert(code == LDAP_SUCCESS);
	*ret_ld = ld;
	return LDAP_SUCCESS;
}

static int set_tls(LDAP *ld, const char *ca_file, bool verify_none)
{
	static const int client = 0, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, any = 0;
	const int verify = verify_none ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_DEMAND;
	const struct {
		int option;
		const void *value;
	} options[] = {
		{LDAP_OPT_X_TLS_CACERTDIR, NULL}, {LDAP_OPT_X_TLS_CERTFILE, NULL},
		{LDAP_OPT_X_TLS_KEYFILE, NULL}, {LDAP_OPT_X_TLS_CIPHER_SUITE, NULL},
		{LDAP_OPT_X_TLS_CRLFILE, NULL}, {LDAP_OPT_X_TLS_PROTOCOL_MAX, &any},
		{LDAP_OPT_X_TLS_PROTOCOL_MIN, &least},
		{LDAP_OPT_X_TLS_CACERTFILE, ca_file != NULL ? ca_file : SYSTEM_CA_FILE},
		{LDAP_OPT_X_TLS_REQUIRE_CERT, &verify},
		{LDAP_OPT_X_TLS_NEWCTX, &client}, /* last: it reads what was set */
	};

	/* The library reads the certificates even where nothing is verified by them. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (verify_none && options[i].option == LDAP_OPT_X_TLS_CACERTFILE)
			continue;
		if (ldap_set_option(ld, options[i].option, options[i].value) != LDAP_OPT_SUCCESS)
			return LDAP_LOCAL_ERROR;
	}
	return LDAP_SUCCESS;
}

int ldap_link_check_ca(const char *ca_file)
{
	LDAP *ld = NULL;
	int code;

	if (ldap_create(&ld) != LDAP_SUCCESS)
		return ERROR_MEMORY;
	code = set_tls(ld, ca_file, false);
	ldap_destroy(ld);
	return code == LDAP_SUCCESS ? 0 : ERROR_INPUT;
}

/* What the library says of GnuTLS' -1, which is no code of GnuTLS: it did not like the certificate.
 */
static const char unknown_error[] = "unknown error code";

/* The library says in words only that a certificate was the matter. */
static bool is_about_trust(const char *text)
{
	return strcasestr(text, "certificate") != NULL || strcasestr(text, "hostname") != NULL ||
		strstr(text, unknown_error) != NULL;
}

static void fail_tls(struct ldap_link *link, int code, struct ldap_outcome *outcome)
{
	char *text = NULL;
	char line[LDAP_RESULT_TEXT];

	if (link->out_of_patience) {
		ldap_link_fail(outcome, LDAP_TROUBLE_SILENT, "no TLS handshake in time");
		return;
	}
	ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
	snprintf(line, sizeof(line), "TLS: %.200s",
		text != NULL && *text != '\0' ? text : ldap_err2string(code));
	if (strstr(line, unknown_error) != NULL)
		snprintf(line, sizeof(line),
			"TLS: its certificate is of no known authority, not valid at present, or "
			"for another name");
	ldap_link_fail(outcome,
		text != NULL && is_about_trust(text) ? LDAP_TROUBLE_UNTRUSTED : LDAP_TROUBLE_BROKEN,
		line);
	ldap_memfree(text);
}

static enum reason meaning_of_starttls(const struct ldap_result *result)
{
	return result->code == LDAP_SUCCESS ? REASON_RIGHT : REASON_DIRECTORY_FAILED;
}

static bool ask_starttls(struct ldap_link *link, int64_t until, struct ldap_outcome *outcome)
{
	int id = -1;
	int code = ldap_start_tls(link->ld, NULL, NULL, &id);

	ldap_link_await(link, code, id, LDAP_RES_EXTENDED, until, meaning_of_starttls, outcome);
	if (outcome->trouble != LDAP_TROUBLE_NONE)
		return false;
	if (outcome->code != LDAP_SUCCESS) {
		char line[LDAP_RESULT_TEXT];

		snprintf(line, sizeof(line), "StartTLS: %.200s", outcome->text);
		ldap_link_fail(outcome, LDAP_TROUBLE_BROKEN, line);
		return false;
	}
	return true;
}

/* The file is read for each connection, as the user the program has become: it may be gone. */
static void fail_authorities(const struct ldap_link_options *options, struct ldap_outcome *outcome)
{
	const char *file = options->ca_file != NULL ? options->ca_file : SYSTEM_CA_FILE;
	int error = access(file, R_OK) == 0 ? EINVAL : errno;
	char line[LDAP_RESULT_TEXT];

	snprintf(line, sizeof(line), "TLS: the file of authorities '%.128s' cannot be read: %.60s",
		file, strerror(error));
	ldap_link_fail(outcome, LDAP_TROUBLE_UNTRUSTED, line);
}

static bool secure(struct ldap_link *link, const struct ldap_link_options *options,
	struct ldap_outcome *outcome)
{
	int code = set_tls(link->ld, options->ca_file, options->verify_none);

	if (code != LDAP_SUCCESS && !options->verify_none) {
		fail_authorities(options, outcome);
		return false;
	}
	if (code == LDAP_SUCCESS) {
		/* The library's own limit is not in every build of it. */
		link->patient_until = options->until;
		code = ldap_install_tls(link->ld);
		link->patient_until = 0;
	}
	if (code != LDAP_SUCCESS)
		fail_tls(link, code, outcome);
	return code == LDAP_SUCCESS;
}

/* The library may make the socket block for a handshake. */
static bool set_sockbuf(struct ldap_link *link)
{
	static const ber_len_t most = MESSAGE_MAXIMUM;
	ber_len_t maximum = most;
	Sockbuf *sockbuf = NULL;

	return ldap_get_option(link->ld, LDAP_OPT_SOCKBUF, &sockbuf) == LDAP_OPT_SUCCESS &&
		ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_NONBLOCK, sockbuf) >= 0 &&
		ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &maximum) >= 0;
}

static bool make_ready(struct ldap_link *link, const struct ldap_link_options *options,
	struct ldap_outcome *outcome)
{
	if (!set_sockbuf(link) || !ldap_link_make_patient(link)) {
		ldap_link_fail(outcome, LDAP_TROUBLE_LOCAL, "the socket could not be set up");
		return false;
	}
	if (options->place.starttls && !ask_starttls(link, options->until, outcome))
		return false;
	if (!options->place.tls && !options->place.starttls)
		return true;
	return secure(link, options, outcome) && set_sockbuf(link);
}

struct ldap_link *ldap_link_open(
	const struct ldap_link_options *options, struct ldap_outcome *outcome)
{
	struct ldap_link *link;
	int fd = ldap_link_connect(options, outcome);

	if (fd < 0)
		return NULL;
	link = calloc(1, sizeof(*link));
	if (link == NULL || ldap_link_attach(fd, options->place.url, &link->ld) != LDAP_SUCCESS) {
		ldap_link_fail(outcome, LDAP_TROUBLE_LOCAL, ldap_err2string(LDAP_NO_MEMORY));
		free(link);
		close(fd);
		return NULL;
	}
	link->clock = options->clock;
	link->fd = fd;
	link->born = clock_steady(options->clock);
	if (!make_ready(link, options, outcome)) {
		ldap_link_close(link);
		return NULL;
	}
	return link;
}

int64_t ldap_link_born(const struct ldap_link *link)
{
	return link->born;
}

bool ldap_link_is_stale(const struct ldap_link *link)
{
	struct pollfd ready = {.fd = link->fd, .events = POLLIN};

	return poll(&ready, 1, 0) != 0;
}
