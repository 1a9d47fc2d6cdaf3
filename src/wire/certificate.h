/*
 * certificate.h - judging a peer's certificate, and saying what is wrong with it.
 *
 * One judgement for every TLS connection Fairlead opens: the broker protocol
 * over HTTPS, the agent's launch API, and the session on TCP 4172. The four troubles an
 * administrator has to tell apart are told apart.
 */
#ifndef FAIRLEAD_WIRE_CERTIFICATE_H
#define FAIRLEAD_WIRE_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define CERTIFICATE_FINGERPRINT_BYTES 32 /* SHA-256 over the DER certificate */
#define CERTIFICATE_TEXT_SIZE 256

/* Worst last; a certificate with several troubles reports all, see below. */
enum certificate_trouble {
	CERTIFICATE_GOOD = 0,
	CERTIFICATE_SELF_SIGNED = 1 << 0, /* X.509 error 18 or 19 */
	CERTIFICATE_UNKNOWN_CA = 1 << 1,  /* 2, 20, 21: issuer not in the store */
	CERTIFICATE_WRONG_NAME = 1 << 2,  /* no subject matches the name asked for */
	CERTIFICATE_EXPIRED = 1 << 3,
	CERTIFICATE_NOT_YET_VALID = 1 << 4,
	CERTIFICATE_WRONG_FINGERPRINT = 1 << 5,
	CERTIFICATE_OTHER = 1 << 6, /* anything else; see text */
};

enum certificate_verify {
	CERTIFICATE_VERIFY_FULL, /* any trouble ends the handshake */
	CERTIFICATE_VERIFY_WARN, /* troubles are reported, the handshake goes on */
	CERTIFICATE_VERIFY_NONE, /* as WARN, for callers that do not report */
};

/* What to check against. */
struct certificate_policy {
	enum certificate_verify verify;
	const char *ca_file;     /* PEM; NULL: the system's store */
	const char *name;        /* host name or address the user asked for; NULL: not checked */
	const char *fingerprint; /* hexadecimal SHA-256, ':' allowed; when given,
				  * this certificate and no other is good, whoever signed it and
				  * whatever its name; only its dates still count */
};

/* What was found; filled during the handshake. Names come from the peer; what is not printable in
 * them is escaped or shown as '?'. Texts that do not fit are cut. */
struct certificate_report {
	unsigned troubles; /* of enum certificate_trouble, or-ed */
	char subject[CERTIFICATE_TEXT_SIZE];
	char issuer[CERTIFICATE_TEXT_SIZE];
	char names[CERTIFICATE_TEXT_SIZE]; /* alternative names, ", " between; else common name */
	char not_after[32];                /* ISO 8601, UTC */
	char fingerprint[2 * CERTIFICATE_FINGERPRINT_BYTES + 1];
	char text[CERTIFICATE_TEXT_SIZE]; /* one line for people; "" when good */
};

/* Prepares a client context for a policy (trust store, protocol 1.2 and
 * later). 0, ERROR_TLS, ERROR_SYSTEM (CA file unreadable; errno says why), ERROR_INPUT (the
 * fingerprint or CA file is not one). Several connections share the context;
 * policy and report of each are given with certificate_watch. A handshake on a prepared context
 * that nobody watches fails: forgetting it cannot mean trust. */
int certificate_prepare(SSL_CTX *context, const struct certificate_policy *policy);

/* Prepares `context` like `prepared`, which certificate_prepare has prepared,
 * sharing its trust store instead of reading it again. 0 or ERROR_TLS. */
int certificate_prepare_like(SSL_CTX *context, SSL_CTX *prepared);

/* Makes `ssl` judge its peer by `policy` and write into `report`; both must
 * outlive the handshake. Sets SNI when policy->name is a host name. A resumed
 * TLS session shows no certificate and is not judged: resume only under the same policy.
 * 0 or ERROR_TLS. */
int certificate_watch(
	SSL *ssl, const struct certificate_policy *policy, struct certificate_report *report);

/* The same for whoever has only the context at hand, such as libcurl's
 * CURLOPT_SSL_CTX_FUNCTION: holds for every handshake on it that is not watched itself, so the
 * context must serve one connection. SNI is the caller's affair. 0 or ERROR_TLS. */
int certificate_watch_context(SSL_CTX *context, const struct certificate_policy *policy,
	struct certificate_report *report);

/* True for a numeric IPv4 or IPv6 address, which is never sent as SNI. */
bool certificate_name_is_address(const char *name);

#endif
