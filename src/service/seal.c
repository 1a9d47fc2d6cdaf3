#include "service/seal.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define SALT_BYTES 16
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define KEY_BYTES 32
#define OVERHEAD (SALT_BYTES + NONCE_BYTES + TAG_BYTES)

/* Where the parts of a seal lie. */
enum { SALT_AT = 0, NONCE_AT = SALT_BYTES, TAG_AT = SALT_BYTES + NONCE_BYTES, TEXT_AT = OVERHEAD };

/* The label keeps this key apart from any other use of the cookie. */
static const char label[] = "fairlead password seal 1";

static int derive(const char *cookie, const unsigned char *salt, unsigned char key[KEY_BYTES])
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	int error = ERROR_CRYPTO;
	size_t length = KEY_BYTES;

	if (context == NULL)
		return ERROR_MEMORY;
	if (EVP_PKEY_derive_init(context) == 1 &&
		EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1 &&
		EVP_PKEY_CTX_set1_hkdf_salt(context, salt, SALT_BYTES) == 1 &&
		EVP_PKEY_CTX_set1_hkdf_key(
			context, (const unsigned char *)cookie, (int)strlen(cookie)) == 1 &&
		EVP_PKEY_CTX_add1_hkdf_info(
			context, (const unsigned char *)label, sizeof(label) - 1) == 1 &&
		EVP_PKEY_derive(context, key, &length) == 1)
		error = 0;
	EVP_PKEY_CTX_free(context);
	return error;
}

static int encrypt(
	unsigned char *bytes, const unsigned char *key, const char *secret, size_t length)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int error = ERROR_CRYPTO;
	int done = 0, more = 0;

	if (context == NULL)
		return ERROR_MEMORY;
	if (EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, bytes + NONCE_AT) == 1 &&
		EVP_EncryptUpdate(context, bytes + TEXT_AT, &done, (const unsigned char *)secret,
			(int)length) == 1 &&
		EVP_EncryptFinal_ex(context, bytes + TEXT_AT + done, &more) == 1 &&
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, bytes + TAG_AT) == 1)
		error = 0;
	EVP_CIPHER_CTX_free(context);
	return error;
}

int seal_close(
	struct seal *seal, const struct entropy *entropy, const char *cookie, const char *secret)
{
	size_t length = strlen(secret);
	unsigned char key[KEY_BYTES];
	unsigned char *bytes;
	int error;

	if (length > SEAL_SECRET_MAXIMUM)
		return ERROR_LIMIT;
	bytes = malloc(OVERHEAD + length);
	if (bytes == NULL)
		return ERROR_MEMORY;
	error = entropy_fill(entropy, bytes, SALT_BYTES + NONCE_BYTES);
	if (error == 0)
		error = derive(cookie, bytes + SALT_AT, key);
	if (error == 0)
		error = encrypt(bytes, key, secret, length);
	secret_wipe(key, sizeof(key));
	if (error != 0) {
		free(bytes);
		return error;
	}
	seal_wipe(seal);
	seal->bytes = bytes;
	seal->length = OVERHEAD + length;
	return 0;
}

int seal_open(const struct seal *seal, const char *cookie, char secret[SEAL_SECRET_MAXIMUM + 1])
{
	EVP_CIPHER_CTX *context;
	unsigned char plain[SEAL_SECRET_MAXIMUM + 1];
	unsigned char key[KEY_BYTES];
	unsigned char tag[TAG_BYTES];
	int done = 0, more = 0;
	int error;

	if (seal->bytes == NULL)
		return ERROR_NOT_FOUND;
	error = derive(cookie, seal->bytes + SALT_AT, key);
	if (error != 0)
		return error;
	context = EVP_CIPHER_CTX_new();
	if (context == NULL) {
		error = ERROR_MEMORY;
		goto out;
	}
	memcpy(tag, seal->bytes + TAG_AT, TAG_BYTES);
	error = ERROR_CRYPTO;
	if (EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, seal->bytes + NONCE_AT) !=
			1 ||
		EVP_DecryptUpdate(context, plain, &done, seal->bytes + TEXT_AT,
			(int)(seal->length - OVERHEAD)) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) != 1 ||
		EVP_DecryptFinal_ex(context, plain + done, &more) != 1)
		goto out;
	plain[done] = '\0';
	memcpy(secret, plain, (size_t)done + 1);
	error = 0;
out:
	EVP_CIPHER_CTX_free(context);
	secret_wipe(key, sizeof(key));
	secret_wipe(plain, sizeof(plain));
	return error;
}

void seal_wipe(struct seal *seal)
{
	if (seal->bytes != NULL) {
		secret_wipe(seal->bytes, seal->length);
		free(seal->bytes);
	}
	seal->bytes = NULL;
	seal->length = 0;
}
