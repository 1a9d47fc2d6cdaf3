#include "wire/certificate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define NAME_SIZE 96 /* of one name within a sentence */

/* A validity date in trouble: the leaf's or that of an authority above it. */
struct date_trouble {
	int depth;
	char authority[NAME_SIZE];
	char stamp[32];
};

/* What one handshake has found so far; lives during judge(). */
struct findings {
	struct certificate_report *report;
	bool own_signature; /* the leaf signed itself; else an authority did so */
	char authority[NAME_SIZE];
	struct date_trouble expired, early;
	int other; /* first X.509 error of CERTIFICATE_OTHER */
	char wanted[2 * CERTIFICATE_FINGERPRINT_BYTES + 1];
};

/* Places where policy, report and findings hang. */
static int policy_of_ssl, report_of_ssl, policy_of_context, report_of_context, findings_of_store;
static pthread_once_t places_once = PTHREAD_ONCE_INIT;

static void make_places(void)
{
	policy_of_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	report_of_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	policy_of_context = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	report_of_context = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	findings_of_store = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static bool have_places(void)
{
	pthread_once(&places_once, make_places);
	return policy_of_ssl >= 0 && report_of_ssl >= 0 && policy_of_context >= 0 &&
		report_of_context >= 0 && findings_of_store >= 0;
}

bool certificate_name_is_address(const char *name)
{
	unsigned char address[16];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* Cuts at the size; a text longer than that ends in "...". */
static void copy_cut(char *to, size_t size, const char *from, size_t length)
{
	if (length < size) {
		memcpy(to, from, length);
		to[length] = '\0';
		return;
	}
	length = size - 4;
	while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80)
		length--;
	memcpy(to, from, length);
	memcpy(to + length, "...", 4);
}

static void stamp(const ASN1_TIME *time, char text[32])
{
	struct tm tm;

	text[0] = '\0';
	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The whole name in RFC 2253 form; control characters escaped. */
static void name_text(const X509_NAME *name, char *text, size_t size)
{
	const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long length;

	text[0] = '\0';
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		length = BIO_get_mem_data(bio, &bytes);
		if (length > 0)
			copy_cut(text, size, bytes, (size_t)length);
	}
	BIO_free(bio);
}

/* What people call it: the common name, else the whole name. */
static void short_name(const X509_NAME *name, char *text, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *bytes = NULL;
	int length = -1;

	if (at >= 0)
		length = ASN1_STRING_to_UTF8(
			&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (length <= 0) {
		name_text(name, text, size);
	} else {
		for (int i = 0; i < length; i++) {
			if (bytes[i] < 0x20 || bytes[i] == 0x7F)
				bytes[i] = '?';
		}
		copy_cut(text, size, (const char *)bytes, (size_t)length);
	}
	OPENSSL_free(bytes);
}

static void general_name(const GENERAL_NAME *name, char *text, size_t size)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const unsigned char *bytes;
	int length;

	text[0] = '\0';
	if (type != GEN_DNS && type != GEN_IPADD)
		return;
	bytes = ASN1_STRING_get0_data(value);
	length = ASN1_STRING_length(value);
	if (type == GEN_IPADD) {
		if (length == 4)
			inet_ntop(AF_INET, bytes, text, (socklen_t)size);
		else if (length == 16)
			inet_ntop(AF_INET6, bytes, text, (socklen_t)size);
		return;
	}
	for (int i = 0; i < length && (size_t)i < size - 1; i++) {
		text[i] = bytes[i] > 0x20 && bytes[i] < 0x7F ? (char)bytes[i] : '?';
		text[i + 1] = '\0';
	}
}

static void alternative_names(X509 *leaf, char *text, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		char one[NAME_SIZE];
		size_t length;

		general_name(sk_GENERAL_NAME_value(names, i), one, sizeof(one));
		length = strlen(one);
		if (length == 0)
			continue;
		/* room for ", ", "..." and the NUL */
		if (used + length + 6 > size) {
			snprintf(text + used, size - used, "%s...", used > 0 ? ", " : "");
			break;
		}
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used > 0 ? ", " : "", one);
	}
	GENERAL_NAMES_free(names);
}

static int fingerprint_of(
	const X509 *certificate, unsigned char bytes[CERTIFICATE_FINGERPRINT_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1 ||
		length != CERTIFICATE_FINGERPRINT_BYTES)
		return ERROR_TLS;
	memcpy(bytes, digest, CERTIFICATE_FINGERPRINT_BYTES);
	return 0;
}

static void note_date(struct findings *findings, enum certificate_trouble trouble, int depth,
	const X509 *certificate)
{
	bool expired = trouble == CERTIFICATE_EXPIRED;
	struct date_trouble *date = expired ? &findings->expired : &findings->early;

	/* The leaf's date is the one to renew first. */
	if ((findings->report->troubles & trouble) != 0 && depth >= date->depth)
		return;
	findings->report->troubles |= trouble;
	date->depth = depth;
	date->stamp[0] = date->authority[0] = '\0';
	if (certificate == NULL)
		return;
	stamp(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate),
		date->stamp);
	short_name(X509_get_subject_name(certificate), date->authority, sizeof(date->authority));
}

/* Called by the chain verification for every trouble; 1 lets it go on, so
 * that all of them are found. */
static int note_trouble(int good, X509_STORE_CTX *store)
{
	struct findings *findings = X509_STORE_CTX_get_ex_data(store, findings_of_store);
	const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	int depth = X509_STORE_CTX_get_error_depth(store);
	int error = X509_STORE_CTX_get_error(store);

	if (good != 0)
		return 1;
	switch (error) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		findings->report->troubles |= CERTIFICATE_SELF_SIGNED;
		findings->own_signature = true;
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		findings->report->troubles |= CERTIFICATE_SELF_SIGNED;
		if (certificate != NULL)
			short_name(X509_get_subject_name(certificate), findings->authority,
				sizeof(findings->authority));
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		findings->report->troubles |= CERTIFICATE_UNKNOWN_CA;
		if (certificate != NULL && findings->authority[0] == '\0')
			short_name(X509_get_issuer_name(certificate), findings->authority,
				sizeof(findings->authority));
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		note_date(findings, CERTIFICATE_EXPIRED, depth, certificate);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		note_date(findings, CERTIFICATE_NOT_YET_VALID, depth, certificate);
		break;
	default:
		findings->report->troubles |= CERTIFICATE_OTHER;
		if (findings->other == X509_V_OK)
			findings->other = error;
		break;
	}
	return 1;
}

/* With a fingerprint nobody else's word counts, only the dates. */
static void check_dates(struct findings *findings, const X509 *leaf)
{
	/* 0: not a time; what cannot be read is not trusted. */
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
		note_date(findings, CERTIFICATE_EXPIRED, 0, leaf);
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) >= 0)
		note_date(findings, CERTIFICATE_NOT_YET_VALID, 0, leaf);
}

static bool name_matches(X509 *leaf, const char *name)
{
	size_t length = strlen(name);

	if (certificate_name_is_address(name))
		return X509_check_ip_asc(leaf, name, 0) == 1;
	if (length > 0 && name[length - 1] == '.')
		length--;
	/* X509_check_host takes an empty name for "none to check" */
	return length > 0 &&
		X509_check_host(leaf, name, length, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) ==
		1;
}

/* Appends to a line that may be full. */
__attribute__((format(printf, 3, 4))) static void add(
	char *text, size_t *used, const char *format, ...)
{
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(text + *used, CERTIFICATE_TEXT_SIZE - *used, format, list);
	va_end(list);
	if (length > 0)
		*used += (size_t)length;
	if (*used >= CERTIFICATE_TEXT_SIZE) {
		char *end = text + CERTIFICATE_TEXT_SIZE - 4;

		while (end > text && ((unsigned char)*end & 0xC0) == 0x80)
			end--;
		memcpy(end, "...", 4);
		*used = CERTIFICATE_TEXT_SIZE - 1;
	}
}

/* "the certificate" the first time, "; it" after that. */
static const char *subject(const size_t *used)
{
	return *used == 0 ? "the certificate" : "; it";
}

static void add_date(char *text, size_t *used, const struct date_trouble *date, const char *verb)
{
	if (date->depth == 0)
		add(text, used, "%s %s %s", subject(used), verb, date->stamp);
	else
		add(text, used, "%sits authority '%s' %s %s", *used == 0 ? "" : "; ",
			date->authority, verb, date->stamp);
}

static void write_text(const struct findings *findings, const struct certificate_policy *policy)
{
	struct certificate_report *report = findings->report;
	char *text = report->text, whom[NAME_SIZE];
	size_t used = 0;

	if (report->troubles & CERTIFICATE_WRONG_FINGERPRINT)
		add(text, &used, "%s has the fingerprint %s, not %s", subject(&used),
			report->fingerprint, findings->wanted);
	if (report->troubles & CERTIFICATE_SELF_SIGNED) {
		if (findings->own_signature)
			add(text, &used, "%s is self-signed", subject(&used));
		else
			add(text, &used,
				"%s is signed by '%s', a self-signed authority that is "
				"not trusted",
				subject(&used), findings->authority);
	}
	if (report->troubles & CERTIFICATE_UNKNOWN_CA)
		add(text, &used, "%s is signed by '%s', an authority that is not known",
			subject(&used), findings->authority);
	if (report->troubles & CERTIFICATE_WRONG_NAME) {
		copy_cut(whom, sizeof(whom), report->names, strlen(report->names));
		if (whom[0] == '\0')
			copy_cut(whom, sizeof(whom), report->subject, strlen(report->subject));
		add(text, &used, "%s is for '%s', not for '%s'", subject(&used), whom,
			policy->name);
	}
	if (report->troubles & CERTIFICATE_EXPIRED)
		add_date(text, &used, &findings->expired, "expired on");
	if (report->troubles & CERTIFICATE_NOT_YET_VALID)
		add_date(text, &used, &findings->early, "is not valid before");
	if (report->troubles & CERTIFICATE_OTHER)
		add(text, &used, "%s was not accepted: %s", subject(&used),
			X509_verify_cert_error_string(findings->other));
}

static void describe(X509 *leaf, struct certificate_report *report)
{
	unsigned char digest[CERTIFICATE_FINGERPRINT_BYTES];

	name_text(X509_get_subject_name(leaf), report->subject, sizeof(report->subject));
	name_text(X509_get_issuer_name(leaf), report->issuer, sizeof(report->issuer));
	alternative_names(leaf, report->names, sizeof(report->names));
	/* No alternative names: then the common name is the one that counts. */
	if (report->names[0] == '\0')
		short_name(X509_get_subject_name(leaf), report->names, sizeof(report->names));
	stamp(X509_get0_notAfter(leaf), report->not_after);
	if (fingerprint_of(leaf, digest) == 0)
		secret_hex(digest, sizeof(digest), report->fingerprint);
}

static void check_fingerprint(
	struct findings *findings, const X509 *leaf, const struct certificate_policy *policy)
{
	unsigned char wanted[CERTIFICATE_FINGERPRINT_BYTES], found[CERTIFICATE_FINGERPRINT_BYTES];

	memset(wanted, 0, sizeof(wanted));
	if (secret_unhex(policy->fingerprint, wanted, sizeof(wanted)) != 0 ||
		fingerprint_of(leaf, found) != 0 || memcmp(wanted, found, sizeof(found)) != 0)
		findings->report->troubles |= CERTIFICATE_WRONG_FINGERPRINT;
	secret_hex(wanted, sizeof(wanted), findings->wanted);
}

static void check_chain(struct findings *findings, X509_STORE_CTX *store)
{
	X509_STORE_CTX_set_verify_cb(store, note_trouble);
	/* Every trouble it reports has been noted and passed over; what fails
	 * all the same is no judgement but a breakdown. */
	if (X509_verify_cert(store) <= 0 && findings->report->troubles == 0) {
		findings->report->troubles |= CERTIFICATE_OTHER;
		findings->other = X509_STORE_CTX_get_error(store);
		if (findings->other == X509_V_OK)
			findings->other = X509_V_ERR_UNSPECIFIED;
	}
}

/* Stands in for OpenSSL's own verification; 1: the handshake goes on. */
static int judge(X509_STORE_CTX *store, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct certificate_policy *policy = SSL_get_ex_data(ssl, policy_of_ssl);
	struct findings findings = {.report = SSL_get_ex_data(ssl, report_of_ssl)};
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	(void)unused;
	if (policy == NULL) {
		policy = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), policy_of_context);
		findings.report = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), report_of_context);
	}
	if (policy == NULL || findings.report == NULL || leaf == NULL ||
		X509_STORE_CTX_set_ex_data(store, findings_of_store, &findings) != 1) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}

	*findings.report = (struct certificate_report){.troubles = CERTIFICATE_GOOD};
	describe(leaf, findings.report);
	if (policy->fingerprint != NULL) {
		check_fingerprint(&findings, leaf, policy);
		check_dates(&findings, leaf);
	} else {
		check_chain(&findings, store);
		if (policy->name != NULL && !name_matches(leaf, policy->name))
			findings.report->troubles |= CERTIFICATE_WRONG_NAME;
	}
	write_text(&findings, policy);
	X509_STORE_CTX_set_ex_data(store, findings_of_store, NULL);
	if (findings.report->troubles != 0 && policy->verify == CERTIFICATE_VERIFY_FULL) {
		/* the alert that the peer gets follows from this */
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* A trust store with the certificates of a file. */
static int read_authorities(const char *file, X509_STORE **ret_store)
{
	X509_STORE *store;
	FILE *opened = fopen(file, "re");

	/* OpenSSL does not tell an unreadable file from a senseless one. */
	if (opened == NULL)
		return ERROR_SYSTEM;
	fclose(opened);
	store = X509_STORE_new();
	if (store == NULL)
		return ERROR_TLS;
	/* Whoever is in the file is trusted, though not a root. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_STORE_load_file(store, file) != 1) {
		X509_STORE_free(store);
		ERR_clear_error();
		return ERROR_INPUT;
	}
	*ret_store = store;
	return 0;
}

static int prepare(SSL_CTX *context)
{
	if (!have_places() || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return ERROR_TLS;
	/* A renegotiation could show another certificate behind the first one's back. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, judge, NULL);
	return 0;
}

int certificate_prepare(SSL_CTX *context, const struct certificate_policy *policy)
{
	unsigned char wanted[CERTIFICATE_FINGERPRINT_BYTES];
	X509_STORE *store = NULL;
	int error;

	if (policy->fingerprint != NULL) {
		/* no authority is asked, so none is read */
		if (secret_unhex(policy->fingerprint, wanted, sizeof(wanted)) != 0)
			return ERROR_INPUT;
	} else if (policy->ca_file != NULL) {
		error = read_authorities(policy->ca_file, &store);
		if (error != 0)
			return error;
	} else {
		store = X509_STORE_new();
		if (store == NULL || X509_STORE_set_default_paths(store) != 1) {
			X509_STORE_free(store);
			return ERROR_TLS;
		}
	}
	if (store != NULL)
		SSL_CTX_set_cert_store(context, store);
	return prepare(context);
}

int certificate_prepare_like(SSL_CTX *context, SSL_CTX *prepared)
{
	SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(prepared));
	return prepare(context);
}

int certificate_watch(
	SSL *ssl, const struct certificate_policy *policy, struct certificate_report *report)
{
	char name[256];
	size_t length;

	assert(report != NULL);
	memset(report, 0, sizeof(*report));
	if (!have_places() || SSL_set_ex_data(ssl, policy_of_ssl, (void *)(uintptr_t)policy) != 1 ||
		SSL_set_ex_data(ssl, report_of_ssl, report) != 1)
		return ERROR_TLS;
	if (policy->name == NULL || certificate_name_is_address(policy->name))
		return 0;
	length = strlen(policy->name);
	if (length > 0 && policy->name[length - 1] == '.')
		length--;
	if (length == 0)
		return 0;
	if (length >= sizeof(name))
		return ERROR_TLS;
	memcpy(name, policy->name, length);
	name[length] = '\0';
	return SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : ERROR_TLS;
}

int certificate_watch_context(SSL_CTX *context, const struct certificate_policy *policy,
	struct certificate_report *report)
{
	assert(report != NULL);
	memset(report, 0, sizeof(*report));
	if (!have_places() ||
		SSL_CTX_set_ex_data(context, policy_of_context, (void *)(uintptr_t)policy) != 1 ||
		SSL_CTX_set_ex_data(context, report_of_context, report) != 1)
		return ERROR_TLS;
	return 0;
}
