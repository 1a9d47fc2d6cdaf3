/*
 * From names, addresses and passwords to keys: HMAC-SHA-256 under the guard's secret, cut to 64
 * bits, with what a key is for and the length of every part in it.
 *
 * Names: "DOMAIN\user" is taken apart at the first backslash, else "user@domain" at the last '@',
 * and a domain in the name outranks the one beside it, as it does where chains are chosen. All of
 * Unicode loses its case (by way of the upper case, so that a final sigma is a sigma), or ASCII
 * where the system lacks the locale C.UTF-8; white space around the parts goes. What directories
 * compare beyond that (accents, widths, other names of a user) is for the account to bring
 * together. A part is cut after NAME_BYTES: no source knows names as long.
 */
#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>
#include <wctype.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "identity/guard_private.h"

#define NAME_BYTES 1024
#define DIGEST_BYTES 32

/* What a key is for. */
enum { FOR_USER = 'u', FOR_ACCOUNT = 'n', FOR_ADDRESS = 'a', FOR_PREFIX = 'x', FOR_PASSWORD = 'p' };

struct part {
	const void *bytes;
	size_t length;
};

struct name {
	unsigned char bytes[NAME_BYTES];
	size_t length;
};

/* As a network sees it. */
struct place {
	unsigned char bytes[16];
	size_t address; /* bytes that tell one customer of a network from another */
	size_t prefix;
};

int guard_key_open(struct guard_ring *ring, const struct entropy *entropy)
{
	*ring = (struct guard_ring){0};
	if (entropy_fill(entropy, ring->secret, sizeof(ring->secret)) != 0)
		return ERROR_SYSTEM;
	ring->mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	if (ring->mac == NULL) {
		guard_key_close(ring);
		return ERROR_SYSTEM;
	}
	ring->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return 0;
}

void guard_key_close(struct guard_ring *ring)
{
	EVP_MAC_free(ring->mac);
	if (ring->locale != (locale_t)0)
		freelocale(ring->locale);
	secret_wipe(ring, sizeof(*ring));
}

/* --- digests --- */

static EVP_MAC_CTX *digest_new(const struct guard_ring *ring)
{
	char name[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(ring->mac);

	if (context != NULL && EVP_MAC_CTX_set_params(context, parameters) != 1) {
		EVP_MAC_CTX_free(context);
		return NULL;
	}
	return context;
}

static bool digest_part(EVP_MAC_CTX *context, const struct part *part)
{
	uint64_t length = part->length;

	return EVP_MAC_update(context, (const unsigned char *)&length, sizeof(length)) == 1 &&
		(part->length == 0 || EVP_MAC_update(context, part->bytes, part->length) == 1);
}

static int digest(const struct guard_ring *ring, EVP_MAC_CTX *context, int use,
	const struct part *parts, size_t count, uint64_t *ret_key)
{
	unsigned char bytes[DIGEST_BYTES], label = (unsigned char)use;
	size_t length;
	bool done = EVP_MAC_init(context, ring->secret, sizeof(ring->secret), NULL) == 1 &&
		EVP_MAC_update(context, &label, 1) == 1;

	for (size_t i = 0; i < count; i++)
		done = done && digest_part(context, &parts[i]);
	if (!done || EVP_MAC_final(context, bytes, &length, sizeof(bytes)) != 1)
		return ERROR_MEMORY;
	memcpy(ret_key, bytes, sizeof(*ret_key));
	if (*ret_key == 0)
		*ret_key = UINT64_MAX;
	secret_wipe(bytes, sizeof(bytes));
	return 0;
}

/* Mixing steps of the splitmix64 generator (public domain algorithm). What goes in is keyed. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

uint64_t guard_key_pair(uint64_t of, uint64_t with)
{
	uint64_t key = mix(mix(of) + with);

	return key != 0 ? key : 1;
}

/* --- names --- */

/* Without its case; every kind of white space becomes a blank. */
static uint32_t fold(const struct guard_ring *ring, uint32_t value)
{
	if (value < 0x80) {
		if (value >= 'A' && value <= 'Z')
			return value - 'A' + 'a';
		return value >= '\t' && value <= '\r' ? ' ' : value;
	}
	if (value == 0x85 || value == 0xa0 || value == 0x1680 || value == 0x2028 ||
		value == 0x2029 || value == 0x202f || value == 0x205f || value == 0x3000 ||
		(value >= 0x2000 && value <= 0x200b) || value == 0xfeff)
		return ' ';
	if (ring->locale == (locale_t)0)
		return value;
	return towlower_l(towupper_l((wint_t)value, ring->locale), ring->locale);
}

static size_t put_character(unsigned char *at, uint32_t value)
{
	if (value < 0x80) {
		at[0] = (unsigned char)value;
		return 1;
	}
	if (value < 0x800) {
		at[0] = (unsigned char)(0xc0 | value >> 6);
		at[1] = (unsigned char)(0x80 | (value & 0x3f));
		return 2;
	}
	if (value < 0x10000) {
		at[0] = (unsigned char)(0xe0 | value >> 12);
		at[1] = (unsigned char)(0x80 | (value >> 6 & 0x3f));
		at[2] = (unsigned char)(0x80 | (value & 0x3f));
		return 3;
	}
	at[0] = (unsigned char)(0xf0 | value >> 18);
	at[1] = (unsigned char)(0x80 | (value >> 12 & 0x3f));
	at[2] = (unsigned char)(0x80 | (value >> 6 & 0x3f));
	at[3] = (unsigned char)(0x80 | (value & 0x3f));
	return 4;
}

/* Up to `end`, which is where a character ends; blanks around it are left out. */
static void fold_name(
	const struct guard_ring *ring, const char *text, const char *end, struct name *ret_name)
{
	size_t length = 0, kept = 0;

	while (text < end && length + 4 <= NAME_BYTES) {
		uint32_t value = (unsigned char)*text;
		size_t taken = utf8_character(text, &value);

		if (taken > 0)
			value = fold(ring, value);
		if (taken > 0 && value == ' ' && kept == 0) {
			text += taken;
			continue;
		}
		if (taken > 0)
			length += put_character(ret_name->bytes + length, value);
		else /* a byte that is no character stands for itself */
			ret_name->bytes[length++] = (unsigned char)value;
		text += taken > 0 ? taken : 1;
		if (taken == 0 || value != ' ')
			kept = length;
	}
	ret_name->length = kept;
}

static void take_apart(const struct guard_ring *ring, const char *user, const char *domain,
	struct name *ret_user, struct name *ret_domain)
{
	const char *end = user + strlen(user);
	const char *slash = strchr(user, '\\'), *at = strrchr(user, '@');

	ret_domain->length = 0;
	if (slash != NULL) {
		fold_name(ring, user, slash, ret_domain);
		fold_name(ring, slash + 1, end, ret_user);
	} else if (at != NULL) {
		fold_name(ring, user, at, ret_user);
		fold_name(ring, at + 1, end, ret_domain);
	} else {
		fold_name(ring, user, end, ret_user);
	}
	if (ret_domain->length == 0)
		fold_name(ring, domain, domain + strlen(domain), ret_domain);
}

/* --- addresses --- */

/* An IPv6 customer has a /64 at least, so that is his address; IPv4 in IPv6 clothing is IPv4. False
 * when it is no numeric address. */
static bool parse_place(const char *address, struct place *ret_place)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	size_t length = strcspn(address, "%"); /* a zone is this machine's own matter */

	if (length >= sizeof(text))
		return false;
	memcpy(text, address, length);
	text[length] = '\0';
	if (inet_pton(AF_INET, text, ret_place->bytes) == 1) {
		ret_place->address = 4;
		ret_place->prefix = 3;
		return true;
	}
	if (inet_pton(AF_INET6, text, ret_place->bytes) != 1)
		return false;
	ret_place->address = 8;
	ret_place->prefix = 6;
	if (memcmp(ret_place->bytes, mapped, sizeof(mapped)) == 0) {
		memmove(ret_place->bytes, ret_place->bytes + sizeof(mapped), 4);
		ret_place->address = 4;
		ret_place->prefix = 3;
	}
	return true;
}

/* --- keys --- */

static int user_key(const struct guard_ring *ring, EVP_MAC_CTX *context, const char *user,
	const char *domain, uint64_t *ret_key)
{
	struct name name, realm;
	struct part parts[] = {{.bytes = name.bytes}, {.bytes = realm.bytes}};

	take_apart(ring, user, domain, &name, &realm);
	parts[0].length = name.length;
	parts[1].length = realm.length;
	return digest(ring, context, FOR_USER, parts, 2, ret_key);
}

static int place_keys(const struct guard_ring *ring, EVP_MAC_CTX *context, const char *address,
	struct guard_keys *keys)
{
	struct place place = {0};
	struct part part = {.bytes = place.bytes};
	int error;

	keys->placed = parse_place(address, &place);
	/* The lengths tell IPv4 from IPv6, and nothing at all from both. */
	part.length = place.address;
	error = digest(ring, context, FOR_ADDRESS, &part, 1, &keys->address);
	part.length = place.prefix;
	if (error == 0)
		error = digest(ring, context, FOR_PREFIX, &part, 1, &keys->prefix);
	return error;
}

int guard_key_try(const struct guard_ring *ring, const char *user, const char *domain,
	const char *address, const char *password, struct guard_keys *ret_keys)
{
	EVP_MAC_CTX *context = digest_new(ring);
	struct guard_keys keys = {0};
	int error;

	if (context == NULL)
		return ERROR_MEMORY;
	error = user_key(ring, context, user, domain, &keys.user);
	if (error == 0)
		error = place_keys(ring, context, address, &keys);
	if (error == 0 && password != NULL && *password != '\0') {
		const struct part part = {password, strlen(password)};

		error = digest(ring, context, FOR_PASSWORD, &part, 1, &keys.password);
	}
	if (error == 0)
		*ret_keys = keys;
	EVP_MAC_CTX_free(context);
	return error;
}

int guard_key_account(const struct guard_ring *ring, const char *account, uint64_t *ret_key)
{
	EVP_MAC_CTX *context = digest_new(ring);
	struct name name;
	struct part part = {.bytes = name.bytes};
	int error;

	if (context == NULL)
		return ERROR_MEMORY;
	fold_name(ring, account, account + strlen(account), &name);
	part.length = name.length;
	error = digest(ring, context, FOR_ACCOUNT, &part, 1, ret_key);
	EVP_MAC_CTX_free(context);
	return error;
}
