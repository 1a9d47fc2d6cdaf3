#include "wire/tls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Protocol facts, section 3 (published for the connection manager 21.03), in that order. The
 * list is RSA-authenticated only; each ECDHE suite has its ECDSA twin before it, because
 * a client that offers both is served with the certificate that costs less. */
static const char cipher_list[] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
				  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
				  "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
				  "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
				  "AES256-GCM-SHA384:AES128-GCM-SHA256:"
				  "AES256-SHA256:AES128-SHA256:"
				  "AES256-SHA:AES128-SHA";

#define SUITES_13 "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

const char *tls_error(char text[TLS_FAULT_SIZE])
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = NULL;

	if (code != 0 && ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	else if (code != 0)
		reason = ERR_reason_error_string(code);
	if (reason != NULL)
		(void)snprintf(text, TLS_FAULT_SIZE, "%s", reason);
	else if (code != 0)
		ERR_error_string_n(code, text, TLS_FAULT_SIZE);
	else
		(void)snprintf(text, TLS_FAULT_SIZE, "no reason given");
	ERR_clear_error();
	return text;
}

/* A daemon has nobody to ask for the passphrase of a key. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)user;
	return -1;
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
	const unsigned char *in, unsigned in_length, void *user)
{
	static const char http11[] = "http/1.1";
	const size_t wanted = sizeof(http11) - 1;

	(void)ssl;
	(void)user;
	for (unsigned at = 0; at < in_length; at += 1U + in[at]) {
		if (in[at] == wanted && in_length - at > wanted &&
			memcmp(in + at + 1, http11, wanted) == 0) {
			*out = in + at + 1;
			*out_length = in[at];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	/* Whoever asks for something else may still speak HTTP/1.1 unasked. */
	return SSL_TLSEXT_ERR_NOACK;
}

static int check_readable(const char *file, char fault[TLS_FAULT_SIZE])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		(void)snprintf(fault, TLS_FAULT_SIZE, "%s: %s", file, strerror(errno));
		return ERROR_SYSTEM;
	}
	close(fd);
	return 0;
}

static int fail_file(const char *file, const char *what, char fault[TLS_FAULT_SIZE])
{
	char reason[TLS_FAULT_SIZE];

	tls_error(reason);
	(void)snprintf(fault, TLS_FAULT_SIZE, "%s: %s (%.100s)", file, what, reason);
	return ERROR_INPUT;
}

static int use_certificate(
	SSL_CTX *context, const struct tls_certificate *pair, char fault[TLS_FAULT_SIZE])
{
	int result = check_readable(pair->certificate, fault);

	if (result == 0)
		result = check_readable(pair->key, fault);
	if (result != 0)
		return result;
	if (SSL_CTX_use_certificate_chain_file(context, pair->certificate) != 1)
		return fail_file(pair->certificate, "cannot be used as a certificate", fault);
	if (SSL_CTX_use_PrivateKey_file(context, pair->key, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509) {
			ERR_clear_error();
			(void)snprintf(fault, TLS_FAULT_SIZE, "%s: does not belong to %s",
				pair->key, pair->certificate);
			return ERROR_INPUT;
		}
		return fail_file(pair->key, "cannot be used as a private key", fault);
	}
	if (SSL_CTX_check_private_key(context) != 1)
		return fail_file(pair->key, "does not belong to its certificate", fault);
	return 0;
}

static bool set_policy(SSL_CTX *context, const struct tls_options *options)
{
	static const unsigned char session_context[] = "fairlead";
	char ciphers[1024];
	int oldest = options->tls13_only ? TLS1_3_VERSION
		: options->tls10         ? TLS1_VERSION
					 : TLS1_2_VERSION;

	(void)snprintf(ciphers, sizeof(ciphers), "%s%s", cipher_list,
		options->tls10 ? ":@SECLEVEL=0" : "");
	SSL_CTX_set_options(context,
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
			SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION |
			SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(context,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Tickets make resumption work on every loop; a cache would keep memory per client. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
	return SSL_CTX_set_min_proto_version(context, oldest) == 1 &&
		SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(context, ciphers) == 1 &&
		SSL_CTX_set_ciphersuites(context, SUITES_13) == 1 &&
		SSL_CTX_set_num_tickets(context, 1) == 1 &&
		SSL_CTX_set_session_id_context(
			context, session_context, sizeof(session_context) - 1) == 1;
}

int tls_server_context(
	const struct tls_options *options, SSL_CTX **ret_context, char fault[TLS_FAULT_SIZE])
{
	SSL_CTX *context;
	int result = ERROR_TLS;

	assert(options->count <= TLS_CERTIFICATES_MAXIMUM);
	assert(!(options->tls10 && options->tls13_only));
	ERR_clear_error();
	if (options->count == 0) {
		(void)snprintf(fault, TLS_FAULT_SIZE, "no certificate is given");
		return ERROR_INPUT;
	}
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || !set_policy(context, options)) {
		tls_error(fault);
		goto out;
	}
	for (size_t i = 0; i < options->count; i++) {
		result = use_certificate(context, &options->certificates[i], fault);
		if (result != 0)
			goto out;
	}
	*ret_context = context;
	return 0;
out:
	SSL_CTX_free(context);
	return result;
}
