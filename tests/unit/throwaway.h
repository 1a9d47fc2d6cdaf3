/*
 * throwaway.h - certificates for tests, made on the spot.
 */
#ifndef FAIRLEAD_TESTS_THROWAWAY_H
#define FAIRLEAD_TESTS_THROWAWAY_H

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THROWAWAY_DAY 86400L

struct throwaway {
	X509 *certificate;
	EVP_PKEY *key;
};

struct throwaway_options {
	const char *common_name;
	const char *alternative;        /* as openssl writes it: "DNS:a,IP:127.0.0.1"; NULL: none */
	const struct throwaway *issuer; /* NULL: signs itself */
	long from_days, to_days;        /* from now; both 0: -1 and 30 */
	const char *usage;              /* extended key usage; NULL: none */
	bool authority;
};

static inline void throwaway_extend(
	X509 *certificate, const struct throwaway *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer != NULL ? issuer->certificate : certificate, certificate,
		NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert(extension != NULL);
	assert(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static inline struct throwaway throwaway_new(const struct throwaway_options *options)
{
	static long serial = 1;
	struct throwaway made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
	bool usual = options->from_days == 0 && options->to_days == 0;
	X509_NAME *name = X509_NAME_new();

	assert(made.certificate != NULL && made.key != NULL && name != NULL);
	X509_set_version(made.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate),
		(usual ? -1 : options->from_days) * THROWAWAY_DAY);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate),
		(usual ? 30 : options->to_days) * THROWAWAY_DAY);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_UTF8, (const unsigned char *)options->common_name, -1, -1, 0);
	X509_set_subject_name(made.certificate, name);
	X509_set_issuer_name(made.certificate,
		options->issuer != NULL ? X509_get_subject_name(options->issuer->certificate)
					: name);
	X509_NAME_free(name);
	X509_set_pubkey(made.certificate, made.key);
	throwaway_extend(made.certificate, options->issuer, NID_basic_constraints,
		options->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (options->alternative != NULL)
		throwaway_extend(made.certificate, options->issuer, NID_subject_alt_name,
			options->alternative);
	if (options->usage != NULL)
		throwaway_extend(
			made.certificate, options->issuer, NID_ext_key_usage, options->usage);
	assert(X509_sign(made.certificate,
		       options->issuer != NULL ? options->issuer->key : made.key,
		       EVP_sha256()) > 0);
	return made;
}

static inline void throwaway_free(struct throwaway *made)
{
	X509_free(made->certificate);
	EVP_PKEY_free(made->key);
}

/* Writes the certificate to a new file under /tmp and its name into `file`. */
static inline void throwaway_write(const struct throwaway *made, char file[32])
{
	FILE *opened;
	int number;

	snprintf(file, 32, "/tmp/throwaway-XXXXXX");
	number = mkstemp(file);
	assert(number >= 0);
	opened = fdopen(number, "w");
	assert(opened != NULL);
	number = PEM_write_X509(opened, made->certificate);
	assert(number == 1);
	number = fclose(opened);
	assert(number == 0);
}

#endif
