#include "radius_bytes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define HEAD 20
#define DIGEST 16

void radius_bytes_add(struct radius_bytes *bytes, uint8_t type, const void *value, size_t length)
{
	assert(length <= 253 && bytes->length + length + 2 <= sizeof(bytes->bytes));
	bytes->bytes[bytes->length] = type;
	bytes->bytes[bytes->length + 1] = (uint8_t)(length + 2);
	if (length > 0)
		memcpy(bytes->bytes + bytes->length + 2, value, length);
	bytes->length += length + 2;
}

void radius_bytes_text(struct radius_bytes *bytes, uint8_t type, const char *text)
{
	radius_bytes_add(bytes, type, text, strlen(text));
}

const uint8_t *radius_bytes_find(
	const uint8_t *packet, size_t length, uint8_t type, size_t *ret_length)
{
	for (size_t at = HEAD; at + 2 <= length; at += packet[at + 1]) {
		assert(packet[at + 1] >= 2 && at + packet[at + 1] <= length);
		if (packet[at] == type) {
			*ret_length = (size_t)packet[at + 1] - 2;
			return packet + at + 2;
		}
	}
	return NULL;
}

static void md5(const void *a, size_t a_length, const void *b, size_t b_length, const void *c,
	size_t c_length, uint8_t digest[DIGEST])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert(context && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1);
	EVP_DigestUpdate(context, a, a_length);
	EVP_DigestUpdate(context, b, b_length);
	EVP_DigestUpdate(context, c, c_length);
	EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
}

static void hmac(const uint8_t *bytes, size_t length, const char *secret, uint8_t digest[DIGEST])
{
	unsigned size = DIGEST;

	HMAC(EVP_md5(), secret, (int)strlen(secret), bytes, length, digest, &size);
}

bool radius_bytes_signed(const uint8_t *request, size_t length, const char *secret)
{
	uint8_t copy[RADIUS_BYTES_MAXIMUM];
	uint8_t digest[DIGEST];
	size_t size = 0;
	const uint8_t *given = radius_bytes_find(request, length, TYPE_AUTHENTICATOR, &size);

	if (!given || size != DIGEST)
		return false;
	memcpy(copy, request, length);
	memset(copy + (given - request), 0, DIGEST);
	hmac(copy, length, secret, digest);
	return memcmp(digest, given, DIGEST) == 0;
}

bool radius_bytes_password(
	const uint8_t *request, size_t length, const char *secret, char *password)
{
	size_t size = 0;
	const uint8_t *hidden = radius_bytes_find(request, length, TYPE_USER_PASSWORD, &size);
	const uint8_t *before = request + 4;

	if (!hidden || size == 0 || size > 128 || size % DIGEST != 0)
		return false;
	for (size_t at = 0; at < size; at += DIGEST) {
		uint8_t digest[DIGEST];

		md5(secret, strlen(secret), before, DIGEST, NULL, 0, digest);
		for (size_t i = 0; i < DIGEST; i++)
			password[at + i] = (char)(hidden[at + i] ^ digest[i]);
		before = hidden + at;
	}
	password[size] = '\0';
	return true;
}

bool radius_bytes_chap(const uint8_t *request, size_t length, const char *password)
{
	size_t size = 0;
	size_t challenge_size = 0;
	const uint8_t *value = radius_bytes_find(request, length, TYPE_CHAP_PASSWORD, &size);
	const uint8_t *challenge =
		radius_bytes_find(request, length, TYPE_CHAP_CHALLENGE, &challenge_size);
	uint8_t digest[DIGEST];

	if (!value || size != 1 + DIGEST || !challenge)
		return false;
	md5(value, 1, password, strlen(password), challenge, challenge_size, digest);
	return memcmp(digest, value + 1, DIGEST) == 0;
}

void radius_bytes_answer(struct radius_bytes *answer, uint8_t code, const uint8_t *request,
	const struct radius_bytes *attributes, const char *secret, bool sign)
{
	static const uint8_t zeros[DIGEST];
	uint8_t digest[DIGEST];

	memset(answer->bytes, 0, HEAD);
	answer->length = HEAD;
	if (sign)
		radius_bytes_add(answer, TYPE_AUTHENTICATOR, zeros, DIGEST);
	if (attributes) {
		assert(answer->length + attributes->length <= sizeof(answer->bytes));
		memcpy(answer->bytes + answer->length, attributes->bytes, attributes->length);
		answer->length += attributes->length;
	}
	answer->bytes[0] = code;
	answer->bytes[1] = request[1];
	answer->bytes[2] = (uint8_t)(answer->length >> 8);
	answer->bytes[3] = (uint8_t)answer->length;
	memcpy(answer->bytes + 4, request + 4, DIGEST);
	if (sign) {
		hmac(answer->bytes, answer->length, secret, digest);
		memcpy(answer->bytes + HEAD + 2, digest, DIGEST);
	}
	md5(answer->bytes, answer->length, secret, strlen(secret), NULL, 0, digest);
	memcpy(answer->bytes + 4, digest, DIGEST);
}
