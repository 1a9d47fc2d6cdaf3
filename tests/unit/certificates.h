/*
 * certificates.h - throw-away certificates for tests, in a folder of their own.
 */
#ifndef FAIRLEAD_TESTS_CERTIFICATES_H
#define FAIRLEAD_TESTS_CERTIFICATES_H

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct certificates {
	char folder[64];
	char ec[96];
	char ec_key[96];
	char rsa[96];
	char rsa_key[96];
	char other[96]; /* a second ECDSA pair */
	char other_key[96];
};

static inline void certificates_write(
	const char *certificate_file, const char *key_file, const char *name, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	FILE *file;

	assert(key != NULL);
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	assert(X509_sign(certificate, key, EVP_sha256()) > 0);
	file = fopen(certificate_file, "w");
	assert(file != NULL && PEM_write_X509(file, certificate) == 1);
	fclose(file);
	file = fopen(key_file, "w");
	assert(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static inline void certificates_make(struct certificates *set)
{
	strcpy(set->folder, "/tmp/fairlead-test-XXXXXX");
	assert(mkdtemp(set->folder) != NULL);
	snprintf(set->ec, sizeof(set->ec), "%s/ec.pem", set->folder);
	snprintf(set->ec_key, sizeof(set->ec_key), "%s/ec.key", set->folder);
	snprintf(set->rsa, sizeof(set->rsa), "%s/rsa.pem", set->folder);
	snprintf(set->rsa_key, sizeof(set->rsa_key), "%s/rsa.key", set->folder);
	snprintf(set->other, sizeof(set->other), "%s/other.pem", set->folder);
	snprintf(set->other_key, sizeof(set->other_key), "%s/other.key", set->folder);
	certificates_write(set->ec, set->ec_key, "ec", EVP_EC_gen("P-256"));
	certificates_write(set->rsa, set->rsa_key, "rsa", EVP_RSA_gen(2048));
	certificates_write(set->other, set->other_key, "other", EVP_EC_gen("P-256"));
}

static inline void certificates_remove(struct certificates *set)
{
	unlink(set->ec);
	unlink(set->ec_key);
	unlink(set->rsa);
	unlink(set->rsa_key);
	unlink(set->other);
	unlink(set->other_key);
	rmdir(set->folder);
}

#endif
