#include "check/mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/entropy.h"
#include "base/error.h"
#include "base/secret.h"

#define LINE_SIZE 512
#define CONNECT_SECONDS 15L

struct login {
	char user[LINE_SIZE];
	char password[LINE_SIZE];
};

bool mail_address(const char *text)
{
	const char *at = strchr(text, '@');

	if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
		strlen(text) > 254)
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("<>(),;:\\\"[]", *c) != NULL)
			return false;
	}
	return true;
}

/* ---- the credentials ---- */

static bool take_line(FILE *stream, char line[LINE_SIZE])
{
	size_t length;

	if (fgets(line, LINE_SIZE, stream) == NULL)
		return false;
	length = strcspn(line, "\r\n");
	if (line[length] == '\0' && length == LINE_SIZE - 1)
		return false;
	line[length] = '\0';
	return length != 0;
}

static int read_login(const char *file, struct login *login, char reason[MAIL_REASON_SIZE])
{
	FILE *stream = fopen(file, "re");
	bool complete;

	if (stream == NULL) {
		snprintf(reason, MAIL_REASON_SIZE, "%s: %s", file, strerror(errno));
		return ERROR_INPUT;
	}
	/* No copy of the password stays in a buffer that nobody wipes. */
	setvbuf(stream, NULL, _IONBF, 0);
	complete = take_line(stream, login->user) && take_line(stream, login->password);
	fclose(stream);
	if (complete)
		return 0;
	snprintf(reason, MAIL_REASON_SIZE,
		"%s: the user name is expected on the first line, the password on the second",
		file);
	return ERROR_INPUT;
}

/* ---- the server ---- */

/* A mail server on this machine often has no certificate, and needs none. */
static bool on_this_machine(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool local = false;

	if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		local = strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
			strcmp(host, "[::1]") == 0;
	curl_free(host);
	curl_url_cleanup(parts);
	return local;
}

static int error_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return ERROR_MEMORY;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ERROR_INPUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return ERROR_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return ERROR_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return ERROR_UNTRUSTED;
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
		return ERROR_TLS;
	case CURLE_LOGIN_DENIED:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	default:
		return ERROR_REFUSED;
	}
}

static const char *explain(CURLcode code)
{
	switch (code) {
	case CURLE_USE_SSL_FAILED:
		return "the server offers no TLS (STARTTLS)";
	case CURLE_LOGIN_DENIED:
		return "the server refused the user name or the password";
	default:
		return curl_easy_strerror(code);
	}
}

/* ---- the message ---- */

struct message {
	curl_mime *whole;
	struct curl_slist *headers;
	struct curl_slist *recipients;
};

static bool add(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char line[LINE_SIZE * 2];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	return add(list, line);
}

static bool add_headers(struct message *message, const struct mail_options *options,
	const char *from, const char *subject)
{
	char line[LINE_SIZE], date[64], mark[33];
	uint8_t random[16];
	time_t now = time(NULL);
	struct tm parts;
	bool done = add_header(&message->headers, "From", from) &&
		add_header(&message->headers, "Subject", subject);

	for (size_t i = 0; done && i < options->to_count; i++) {
		snprintf(line, sizeof(line), "<%s>", options->to[i]);
		done = add_header(&message->headers, "To", line) && add(&message->recipients, line);
	}
	if (!done || gmtime_r(&now, &parts) == NULL ||
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &parts) == 0 ||
		entropy_fill(entropy_system(), random, sizeof(random)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(mark + 2 * i, 3, "%02x", random[i]);
	snprintf(line, sizeof(line), "<%s%s>", mark, strchr(from, '@'));
	return add_header(&message->headers, "Date", date) &&
		add_header(&message->headers, "Message-ID", line) &&
		add_header(&message->headers, "Auto-Submitted", "auto-generated");
}

static bool add_part(curl_mime *mime, const char *type, const char *text)
{
	curl_mimepart *part = curl_mime_addpart(mime);

	return part != NULL && curl_mime_data(part, text, CURL_ZERO_TERMINATED) == CURLE_OK &&
		curl_mime_type(part, type) == CURLE_OK &&
		curl_mime_encoder(part, "quoted-printable") == CURLE_OK;
}

/* The plain part first: a reader shows the last one that it can (RFC 2046 5.1.4). */
static bool add_body(CURL *curl, struct message *message, const char *text, const char *html)
{
	curl_mime *both = curl_mime_init(curl);
	curl_mimepart *part;

	message->whole = curl_mime_init(curl);
	part = message->whole != NULL ? curl_mime_addpart(message->whole) : NULL;
	if (part == NULL || both == NULL || !add_part(both, "text/plain; charset=utf-8", text) ||
		!add_part(both, "text/html; charset=utf-8", html) ||
		curl_mime_subparts(part, both) != CURLE_OK) {
		curl_mime_free(both);
		return false;
	}
	return curl_mime_type(part, "multipart/alternative") == CURLE_OK;
}

static void free_message(struct message *message)
{
	curl_mime_free(message->whole);
	curl_slist_free_all(message->headers);
	curl_slist_free_all(message->recipients);
}

/* ---- the delivery ---- */

static void set_server(CURL *curl, const struct mail_options *options, const struct login *login)
{
	bool plain = options->plain || on_this_machine(options->url);

	curl_easy_setopt(curl, CURLOPT_URL, options->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(
		curl, CURLOPT_USE_SSL, plain ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)MAIL_TIMEOUT_SECONDS);
	if (options->ca != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (options->credentials != NULL) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, login->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, login->password);
	}
}

static void default_sender(char from[LINE_SIZE])
{
	char host[256];

	if (gethostname(host, sizeof(host)) != 0 || host[0] == '\0')
		strcpy(host, "localhost");
	host[sizeof(host) - 1] = '\0';
	snprintf(from, LINE_SIZE, "fairlead@%s", host);
}

static int deliver(CURL *curl, const struct mail_options *options, const struct message *message,
	const char *from, char reason[MAIL_REASON_SIZE])
{
	char detail[CURL_ERROR_SIZE] = "", envelope[LINE_SIZE + 2];
	long answer = 0;
	CURLcode code;

	snprintf(envelope, sizeof(envelope), "<%s>", from);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, envelope);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, message->recipients);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, message->headers);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, message->whole);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		return 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	snprintf(reason, MAIL_REASON_SIZE, "%s: %s%s%s", options->url, explain(code),
		detail[0] != '\0' ? ": " : "", detail);
	if (answer >= 400)
		snprintf(reason + strlen(reason), MAIL_REASON_SIZE - strlen(reason),
			" (the server answered %ld)", answer);
	return error_of(code);
}

int mail_send(const struct mail_options *options, const char *subject, const char *text,
	const char *html, char reason[MAIL_REASON_SIZE])
{
	struct login login = {{0}, {0}};
	struct message message = {0};
	char from[LINE_SIZE];
	CURL *curl = NULL;
	int error = 0;

	reason[0] = '\0';
	if (options->from != NULL)
		snprintf(from, sizeof(from), "%s", options->from);
	else
		default_sender(from);
	if (options->credentials != NULL)
		error = read_login(options->credentials, &login, reason);
	if (error != 0)
		goto out;
	error = ERROR_MEMORY;
	curl = curl_easy_init();
	if (curl == NULL)
		goto out;
	set_server(curl, options, &login);
	if (add_headers(&message, options, from, subject) && add_body(curl, &message, text, html))
		error = deliver(curl, options, &message, from, reason);
out:
	curl_easy_cleanup(curl);
	free_message(&message);
	secret_wipe(&login, sizeof(login));
	return error;
}
