/*
 * link_packet.h - the session's UDP datagrams: keys, sealing, opening.
 *
 * Layout and reasons: docs/session-wire.md, section 3. One direction has one
 * key; a sealer numbers what it seals, an opener takes each number once.
 */
#ifndef FAIRLEAD_SERVICE_LINK_PACKET_H
#define FAIRLEAD_SERVICE_LINK_PACKET_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_PACKET_KEY_SIZE 44 /* AES-256 key and IV */
#define LINK_PACKET_HEADER_SIZE 17
#define LINK_PACKET_TAG_SIZE 16
#define LINK_PACKET_MAXIMUM 1200
#define LINK_PACKET_PAYLOAD_MAXIMUM                                                                \
	(LINK_PACKET_MAXIMUM - LINK_PACKET_HEADER_SIZE - LINK_PACKET_TAG_SIZE)
#define LINK_PACKET_WINDOW 960 /* numbers below the highest that may still come */

/* Both directions, named by the sender. Wipe after use. */
struct link_packet_keys {
	uint8_t client[LINK_PACKET_KEY_SIZE];
	uint8_t agent[LINK_PACKET_KEY_SIZE];
};

/* From a TLS connection whose handshake is done. 0 or ERROR_TLS. */
int link_packet_export(SSL *ssl, struct link_packet_keys *ret_keys);

struct link_packet_cipher {
	EVP_CIPHER_CTX *context;
	uint8_t iv[12];
};

struct link_packet_sealer {
	struct link_packet_cipher cipher;
	uint64_t sequence; /* of the newest packet; 0: none */
};

struct link_packet_opener {
	struct link_packet_cipher cipher;
	uint64_t highest;                           /* 0: none */
	uint64_t seen[LINK_PACKET_WINDOW / 64 + 1]; /* ring of bits, one word in reserve */
};

/* A zeroed struct is a sealer or opener without a key. Setting a key starts
 * numbers and window anew. 0, ERROR_MEMORY or ERROR_CRYPTO (then without a key). */
int link_packet_seal_with(
	struct link_packet_sealer *sealer, const uint8_t key[LINK_PACKET_KEY_SIZE]);
int link_packet_open_with(
	struct link_packet_opener *opener, const uint8_t key[LINK_PACKET_KEY_SIZE]);
void link_packet_sealer_clear(struct link_packet_sealer *sealer);
void link_packet_opener_clear(struct link_packet_opener *opener);

/* Writes a datagram of at most LINK_PACKET_MAXIMUM bytes. 0, ERROR_LIMIT
 * (payload too long), ERROR_STATE (no key), ERROR_CRYPTO. */
int link_packet_seal(struct link_packet_sealer *sealer, uint64_t session, const void *payload,
	size_t length, uint8_t packet[LINK_PACKET_MAXIMUM], size_t *ret_length);

/* The session a datagram claims to belong to; nothing is proven by it. 0 or
 * ERROR_INPUT (no datagram of ours). */
int link_packet_session(const void *packet, size_t length, uint64_t *ret_session);

/* Opens a datagram of the session with that id. `*ret_newest`: its number is the highest so far.
 * 0, ERROR_INPUT (not ours), ERROR_STATE (no key), ERROR_CRYPTO (does not
 * authenticate), ERROR_EXISTS (number was seen or is too old). The window
 * changes on success only. */
int link_packet_open(struct link_packet_opener *opener, uint64_t session, const void *packet,
	size_t length, uint8_t payload[LINK_PACKET_PAYLOAD_MAXIMUM], size_t *ret_length,
	bool *ret_newest);

#endif
