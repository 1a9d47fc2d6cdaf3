/*
 * tls.h - TLS for what listens.
 *
 * One policy for every Fairlead listener: TLS 1.2 and 1.3, the server's
 * order of ciphers (the list the vendor publishes for its connection
 * manager, in that order, for TLS 1.2), RSA and ECDSA certificates side by
 * side, one session ticket, buffers released while idle. TLS 1.0 only on a
 * listener that asks for it, with a context of its own.
 */
#ifndef FAIRLEAD_WIRE_TLS_H
#define FAIRLEAD_WIRE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define TLS_CERTIFICATES_MAXIMUM 4
#define TLS_FAULT_SIZE 256

struct tls_certificate {
	const char *certificate; /* PEM file, leaf first, whole chain */
	const char *key;         /* PEM file */
};

struct tls_options {
	struct tls_certificate certificates[TLS_CERTIFICATES_MAXIMUM];
	size_t count;
	bool tls10;      /* opt-in: 1.0 and 1.1 too, at security level 0 */
	bool tls13_only; /* the session on TCP 4172 */
};

/* A new server context (reference-counted by OpenSSL; free with SSL_CTX_free).
 * 0, ERROR_INPUT (a file is not a certificate or key, or they do not belong
 * together), ERROR_SYSTEM (a file cannot be read), ERROR_TLS; `fault` then
 * says which file and why. To reload on SIGHUP make a new one and put it in the old
 * one's place; connections keep the context they began with. */
int tls_server_context(
	const struct tls_options *options, SSL_CTX **ret_context, char fault[TLS_FAULT_SIZE]);

/* The text of the newest OpenSSL error of this thread; clears the queue. */
const char *tls_error(char text[TLS_FAULT_SIZE]);

#endif
