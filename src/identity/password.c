#include "identity/password.h"

#include <crypt.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define SALT_BYTES 32
#define SHORTEST_DIGEST 43 /* characters after the last '$': 256 bits; a setting alone has none */

_Static_assert(PASSWORD_HASH_SIZE == CRYPT_OUTPUT_SIZE, "as crypt(5) has it");
_Static_assert(PASSWORD_MAXIMUM == CRYPT_MAX_PASSPHRASE_SIZE - 1, "as crypt(5) has it");

/* Methods whose hashes are accepted, by prefix (crypt(5)). The weak ones, DES, MD5, SHA-1
 * and NT, are left out on purpose. */
static const char *const prefixes[] = {"$y$", "$gy$", "$7$", "$2b$", "$2y$", "$6$", "$5$"};

/* crypt_data is 32 KiB and holds the password; one place wipes it. */
static bool compute(const char *password, const char *setting, char hash[PASSWORD_HASH_SIZE])
{
	struct crypt_data data;
	const char *result;
	bool good;

	memset(&data, 0, sizeof(data));
	result = crypt_r(password, setting, &data);
	/* Failure is NULL or a text that begins with '*', which no hash does. */
	good = result != NULL && result[0] != '*' && strlen(result) < PASSWORD_HASH_SIZE;
	if (good)
		memcpy(hash, result, strlen(result) + 1);
	secret_wipe(&data, sizeof(data));
	return good;
}

int password_hash(const struct entropy *entropy, const char *password, unsigned cost,
	char hash[PASSWORD_HASH_SIZE])
{
	char salt[SALT_BYTES];
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char result[PASSWORD_HASH_SIZE];
	int error;

	if (password[0] == '\0' || cost < 1 || cost > 11)
		return ERROR_INPUT;
	if (strlen(password) > PASSWORD_MAXIMUM)
		return ERROR_LIMIT;
	error = entropy_fill(entropy, salt, sizeof(salt));
	if (error != 0)
		return error;
	if (crypt_gensalt_rn("$y$", cost, salt, sizeof(salt), setting, sizeof(setting)) == NULL)
		return ERROR_CRYPTO;
	if (!compute(password, setting, result))
		return ERROR_CRYPTO;
	memcpy(hash, result, sizeof(result));
	return 0;
}

bool password_right(const char *password, const char *hash)
{
	char result[PASSWORD_HASH_SIZE] = "";
	bool computed;

	if (!password_is_hash(hash) || strlen(password) > PASSWORD_MAXIMUM)
		return false;
	/* An empty password costs as much as another, and is never right. */
	computed = compute(password, hash, result);
	return computed && password[0] != '\0' && secret_equal_text(result, hash);
}

bool password_is_hash(const char *text)
{
	bool known = false;
	int salt;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		known = known || strncmp(text, prefixes[i], strlen(prefixes[i])) == 0;
	if (!known || strlen(text) >= PASSWORD_HASH_SIZE)
		return false;
	/* "Legacy" is sha256crypt: no longer made, still safe to check. */
	salt = crypt_checksalt(text);
	if (salt != CRYPT_SALT_OK && salt != CRYPT_SALT_METHOD_LEGACY)
		return false;
	return strlen(strrchr(text, '$') + 1) >= SHORTEST_DIGEST;
}
