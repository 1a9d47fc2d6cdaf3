#include "service/link_packet.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "protocol/frame.h"

#define LABEL "EXPORTER-Fairlead-session"
#define AES_KEY_SIZE 32
#define WORDS (LINK_PACKET_WINDOW / 64 + 1)

static_assert(LINK_PACKET_WINDOW % 64 == 0, "the window is counted in words");
static_assert(AES_KEY_SIZE + 12 == LINK_PACKET_KEY_SIZE, "a key and an IV");

static int export_one(SSL *ssl, const char *sender, uint8_t key[LINK_PACKET_KEY_SIZE])
{
	return SSL_export_keying_material(ssl, key, LINK_PACKET_KEY_SIZE, LABEL, strlen(LABEL),
		       (const unsigned char *)sender, strlen(sender), 1) == 1
		? 0
		: ERROR_TLS;
}

int link_packet_export(SSL *ssl, struct link_packet_keys *ret_keys)
{
	struct link_packet_keys keys = {0};
	int error;

	error = export_one(ssl, "client", keys.client);
	if (error == 0)
		error = export_one(ssl, "agent", keys.agent);
	if (error == 0)
		*ret_keys = keys;
	secret_wipe(&keys, sizeof(keys));
	return error;
}

static void cipher_clear(struct link_packet_cipher *cipher)
{
	EVP_CIPHER_CTX_free(cipher->context);
	secret_wipe(cipher, sizeof(*cipher));
}

static int cipher_set(
	struct link_packet_cipher *cipher, const uint8_t key[LINK_PACKET_KEY_SIZE], int encrypt)
{
	cipher_clear(cipher);
	cipher->context = EVP_CIPHER_CTX_new();
	if (!cipher->context)
		return ERROR_MEMORY;
	if (EVP_CipherInit_ex2(cipher->context, EVP_aes_256_gcm(), key, NULL, encrypt, NULL) != 1) {
		cipher_clear(cipher);
		return ERROR_CRYPTO;
	}
	memcpy(cipher->iv, key + AES_KEY_SIZE, sizeof(cipher->iv));
	return 0;
}

int link_packet_seal_with(
	struct link_packet_sealer *sealer, const uint8_t key[LINK_PACKET_KEY_SIZE])
{
	sealer->sequence = 0;
	return cipher_set(&sealer->cipher, key, 1);
}

int link_packet_open_with(
	struct link_packet_opener *opener, const uint8_t key[LINK_PACKET_KEY_SIZE])
{
	opener->highest = 0;
	memset(opener->seen, 0, sizeof(opener->seen));
	return cipher_set(&opener->cipher, key, 0);
}

void link_packet_sealer_clear(struct link_packet_sealer *sealer)
{
	cipher_clear(&sealer->cipher);
	sealer->sequence = 0;
}

void link_packet_opener_clear(struct link_packet_opener *opener)
{
	cipher_clear(&opener->cipher);
	opener->highest = 0;
	memset(opener->seen, 0, sizeof(opener->seen));
}

static void put64(uint8_t *bytes, uint64_t value)
{
	for (size_t i = 8; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
}

static uint64_t get64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Starts a packet: nonce and additional data. */
static int begin(struct link_packet_cipher *cipher, const uint8_t header[LINK_PACKET_HEADER_SIZE],
	uint64_t sequence)
{
	uint8_t nonce[12];
	int ignored;

	memcpy(nonce, cipher->iv, sizeof(nonce));
	put64(nonce + 4, get64(nonce + 4) ^ sequence);
	if (EVP_CipherInit_ex2(cipher->context, NULL, NULL, nonce, -1, NULL) != 1)
		return ERROR_CRYPTO;
	if (EVP_CipherUpdate(cipher->context, NULL, &ignored, header, LINK_PACKET_HEADER_SIZE) != 1)
		return ERROR_CRYPTO;
	return 0;
}

int link_packet_seal(struct link_packet_sealer *sealer, uint64_t session, const void *payload,
	size_t length, uint8_t packet[LINK_PACKET_MAXIMUM], size_t *ret_length)
{
	EVP_CIPHER_CTX *context = sealer->cipher.context;
	uint8_t *body = packet + LINK_PACKET_HEADER_SIZE;
	int written;

	if (!context)
		return ERROR_STATE;
	if (length == 0 || length > LINK_PACKET_PAYLOAD_MAXIMUM || sealer->sequence == UINT64_MAX)
		return ERROR_LIMIT;
	/* Counted before it can fail: a number is never used for two packets. */
	sealer->sequence++;
	packet[0] = FRAME_VERSION;
	put64(packet + 1, session);
	put64(packet + 9, sealer->sequence);
	if (begin(&sealer->cipher, packet, sealer->sequence) != 0 ||
		EVP_CipherUpdate(context, body, &written, payload, (int)length) != 1 ||
		EVP_CipherFinal_ex(context, body + length, &written) != 1 ||
		EVP_CIPHER_CTX_ctrl(
			context, EVP_CTRL_AEAD_GET_TAG, LINK_PACKET_TAG_SIZE, body + length) != 1)
		return ERROR_CRYPTO;
	*ret_length = LINK_PACKET_HEADER_SIZE + length + LINK_PACKET_TAG_SIZE;
	return 0;
}

int link_packet_session(const void *packet, size_t length, uint64_t *ret_session)
{
	const uint8_t *bytes = packet;

	if (length < LINK_PACKET_HEADER_SIZE + 1 + LINK_PACKET_TAG_SIZE ||
		length > LINK_PACKET_MAXIMUM || bytes[0] != FRAME_VERSION)
		return ERROR_INPUT;
	*ret_session = get64(bytes + 1);
	return 0;
}

static bool is_new(const struct link_packet_opener *opener, uint64_t sequence)
{
	if (sequence == 0)
		return false;
	if (sequence > opener->highest)
		return true;
	if (opener->highest - sequence >= LINK_PACKET_WINDOW)
		return false;
	return !(opener->seen[sequence / 64 % WORDS] >> sequence % 64 & 1);
}

/* A ring of words: those between the old and the new highest number are
 * emptied as the window moves over them (the way of RFC 6479). */
static void mark(struct link_packet_opener *opener, uint64_t sequence)
{
	if (sequence > opener->highest) {
		uint64_t words = sequence / 64 - opener->highest / 64;

		for (uint64_t i = 1; i <= words && i <= WORDS; i++)
			opener->seen[(opener->highest / 64 + i) % WORDS] = 0;
		opener->highest = sequence;
	}
	opener->seen[sequence / 64 % WORDS] |= UINT64_C(1) << sequence % 64;
}

int link_packet_open(struct link_packet_opener *opener, uint64_t session, const void *packet,
	size_t length, uint8_t payload[LINK_PACKET_PAYLOAD_MAXIMUM], size_t *ret_length,
	bool *ret_newest)
{
	EVP_CIPHER_CTX *context = opener->cipher.context;
	const uint8_t *bytes = packet;
	uint8_t tag[LINK_PACKET_TAG_SIZE];
	uint8_t plain[LINK_PACKET_PAYLOAD_MAXIMUM];
	uint64_t claimed;
	uint64_t sequence;
	size_t body;
	int written;
	int error = link_packet_session(packet, length, &claimed);

	if (error != 0)
		return error;
	if (claimed != session)
		return ERROR_INPUT;
	if (!context)
		return ERROR_STATE;
	sequence = get64(bytes + 9);
	body = length - LINK_PACKET_HEADER_SIZE - LINK_PACKET_TAG_SIZE;
	memcpy(tag, bytes + LINK_PACKET_HEADER_SIZE + body, sizeof(tag));
	if (begin(&opener->cipher, bytes, sequence) != 0 ||
		EVP_CipherUpdate(context, plain, &written, bytes + LINK_PACKET_HEADER_SIZE,
			(int)body) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, LINK_PACKET_TAG_SIZE, tag) !=
			1 ||
		EVP_CipherFinal_ex(context, plain + body, &written) != 1) {
		error = ERROR_CRYPTO;
		goto out;
	}
	if (!is_new(opener, sequence)) {
		error = ERROR_EXISTS;
		goto out;
	}
	*ret_newest = sequence > opener->highest;
	mark(opener, sequence);
	memcpy(payload, plain, body);
	*ret_length = body;
out:
	secret_wipe(plain, sizeof(plain));
	return error;
}
