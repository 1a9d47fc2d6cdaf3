#include "client/demo_ca.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

#define SERIAL_BYTES 16
#define NAMES "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:" DEMO_CA_HOST
#define SKEW_SECONDS 3600 /* clocks of one machine agree, those of its containers may not */

struct demo_ca {
	const char *folder;
	X509 *certificate;
	EVP_PKEY *key;
	EVP_PKEY *rsa; /* of every server; NULL: not made yet */
};

static int set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	int ok = RAND_bytes(bytes, sizeof(bytes)) == 1;

	bytes[0] &= 0x7f; /* RFC 5280, 4.1.2.2: positive */
	bytes[0] |= 0x40;
	ok = ok && (number = BN_bin2bn(bytes, sizeof(bytes), NULL)) != NULL &&
		BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return ok ? 0 : ERROR_CRYPTO;
}

static int add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
	added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added ? 0 : ERROR_CRYPTO;
}

struct extension {
	int id;
	const char *value;
};

/* A certificate of `key`, signed by the CA, or by itself when there is none. */
static X509 *make(const struct demo_ca *ca, EVP_PKEY *key, const char *name,
	const struct extension *extensions, size_t count)
{
	X509 *certificate = X509_new();
	X509 *issuer = ca->certificate != NULL ? ca->certificate : certificate;
	X509_NAME *subject;
	int ok = certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
		set_serial(certificate) == 0 &&
		X509_gmtime_adj(X509_getm_notBefore(certificate), -SKEW_SECONDS) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(certificate), DEMO_CA_DAYS * 86400L) != NULL &&
		X509_set_pubkey(certificate, key) == 1;

	if (ok) {
		subject = X509_get_subject_name(certificate);
		ok = X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
			     (const unsigned char *)"Fairlead demo", -1, -1, 0) == 1 &&
			X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				(const unsigned char *)name, -1, -1, 0) == 1 &&
			X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
	}
	for (size_t i = 0; ok && i < count; i++)
		ok = add_extension(certificate, issuer, extensions[i].id, extensions[i].value) == 0;
	ok = ok && X509_sign(certificate, ca->key != NULL ? ca->key : key, EVP_sha256()) != 0;
	if (ok)
		return certificate;
	X509_free(certificate);
	return NULL;
}

/* A file for the owner only, made new. */
static FILE *create(const struct demo_ca *ca, const char *name, const char *suffix)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s%s", ca->folder, name, suffix);
	int descriptor;

	if (length < 0 || (size_t)length >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
}

static int write_certificate(
	const struct demo_ca *ca, const char *name, const char *suffix, X509 *certificate)
{
	FILE *file = create(ca, name, suffix);
	int ok;

	if (file == NULL)
		return ERROR_SYSTEM;
	ok = PEM_write_X509(file, certificate);
	return (fclose(file) == 0 && ok == 1) ? 0 : ERROR_SYSTEM;
}

static int write_key(const struct demo_ca *ca, const char *name, const char *suffix, EVP_PKEY *key)
{
	FILE *file = create(ca, name, suffix);
	int ok;

	if (file == NULL)
		return ERROR_SYSTEM;
	ok = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	return (fclose(file) == 0 && ok == 1) ? 0 : ERROR_SYSTEM;
}

int demo_ca_new(const char *folder, struct demo_ca **ret_ca)
{
	static const struct extension extensions[] = {
		{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
		{NID_key_usage, "critical,keyCertSign,cRLSign"},
		{NID_subject_key_identifier, "hash"},
	};
	struct demo_ca *ca = calloc(1, sizeof(*ca));
	EVP_PKEY *key;
	int error = ERROR_CRYPTO;

	if (ca == NULL)
		return ERROR_MEMORY;
	ca->folder = folder;
	key = EVP_EC_gen("P-256");
	if (key != NULL)
		ca->certificate = make(ca, key, "Throw-away CA", extensions, 3);
	ca->key = key;
	if (ca->certificate != NULL)
		error = write_certificate(ca, "ca", ".pem", ca->certificate);
	if (error != 0) {
		demo_ca_free(ca);
		return error;
	}
	*ret_ca = ca;
	return 0;
}

void demo_ca_free(struct demo_ca *ca)
{
	if (ca == NULL)
		return;
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	EVP_PKEY_free(ca->rsa);
	free(ca);
}

static int issue(struct demo_ca *ca, const char *name, const char *names, EVP_PKEY *key,
	const char *usage, const char *certificate_suffix, const char *key_suffix)
{
	const struct extension extensions[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, usage},
		{NID_ext_key_usage, "serverAuth"},
		{NID_subject_alt_name, names},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid"},
	};
	X509 *certificate = NULL;
	int error = ERROR_CRYPTO;

	if (key != NULL)
		certificate =
			make(ca, key, name, extensions, sizeof(extensions) / sizeof(extensions[0]));
	if (certificate != NULL)
		error = write_key(ca, name, key_suffix, key);
	if (error == 0)
		error = write_certificate(ca, name, certificate_suffix, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return error;
}

int demo_ca_issue(struct demo_ca *ca, const char *name, const char *address)
{
	char names[sizeof(NAMES) + 64];
	int error;

	snprintf(names, sizeof(names), "%s%s%.46s", NAMES, address != NULL ? ",IP:" : "",
		address != NULL ? address : "");
	error = issue(ca, name, names, EVP_EC_gen("P-256"), "critical,digitalSignature",
		"-ecdsa.pem", "-ecdsa.key");
	/* One key for all: making an RSA key takes longer than anything else here. */
	if (error == 0 && ca->rsa == NULL)
		ca->rsa = EVP_RSA_gen(2048);
	if (error == 0 && (ca->rsa == NULL || EVP_PKEY_up_ref(ca->rsa) != 1))
		error = ERROR_CRYPTO;
	if (error == 0)
		error = issue(ca, name, names, ca->rsa, "critical,digitalSignature,keyEncipherment",
			"-rsa.pem", "-rsa.key");
	return error;
}
