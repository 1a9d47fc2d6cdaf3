#include "service/settings.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

#define PATH_SIZE 128

static const cyaml_strval_t names_strings[] = {
	{"masked", LOG_NAMES_MASKED},
	{"clear", LOG_NAMES_CLEAR},
};

static const cyaml_strval_t verify_strings[] = {
	{"full", CERTIFICATE_VERIFY_FULL},
	{"warn", CERTIFICATE_VERIFY_WARN},
	{"none", CERTIFICATE_VERIFY_NONE},
};

static const struct cyaml_schema_field listen_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"address", CYAML_FLAG_DEFAULT, struct settings_listen, address, 1, 300),
	CYAML_FIELD_BOOL("tls10", CYAML_FLAG_OPTIONAL, struct settings_listen, tls10),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_listen_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_listen, listen_fields),
};

static const struct cyaml_schema_field certificate_fields[] = {
	CYAML_FIELD_STRING_PTR("certificate", CYAML_FLAG_DEFAULT, struct settings_certificate,
		certificate, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_DEFAULT, struct settings_certificate, key, 1,
		SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value settings_certificate_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_certificate, certificate_fields),
};

const struct cyaml_schema_value settings_text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SETTINGS_TEXT_MAXIMUM),
};

const struct cyaml_schema_field settings_log_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"file", CYAML_FLAG_OPTIONAL, struct settings_log, file, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_UINT_PTR("level", CYAML_FLAG_OPTIONAL, struct settings_log, level),
	CYAML_FIELD_ENUM("names", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings_log,
		names, names_strings, CYAML_ARRAY_LEN(names_strings)),
	CYAML_FIELD_END,
};

const struct cyaml_schema_field settings_limits_fields[] = {
	CYAML_FIELD_UINT("connections", CYAML_FLAG_OPTIONAL, struct settings_limits, connections),
	CYAML_FIELD_UINT("connections-per-address", CYAML_FLAG_OPTIONAL, struct settings_limits,
		connections_per_address),
	CYAML_FIELD_UINT("head-seconds", CYAML_FLAG_OPTIONAL, struct settings_limits, head_seconds),
	CYAML_FIELD_UINT("idle-seconds", CYAML_FLAG_OPTIONAL, struct settings_limits, idle_seconds),
	CYAML_FIELD_UINT("queue", CYAML_FLAG_OPTIONAL, struct settings_limits, queue),
	CYAML_FIELD_END,
};

const struct cyaml_schema_field settings_trust_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"ca", CYAML_FLAG_OPTIONAL, struct settings_trust, ca, 1, SETTINGS_TEXT_MAXIMUM),
	CYAML_FIELD_STRING_PTR(
		"fingerprint", CYAML_FLAG_OPTIONAL, struct settings_trust, fingerprint, 1, 128),
	CYAML_FIELD_ENUM("verify", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct settings_trust,
		verify, verify_strings, CYAML_ARRAY_LEN(verify_strings)),
	CYAML_FIELD_END,
};

/* Fills the options for certificates [first, first + count). */
static int tls_options(struct config *config, const struct settings *settings, unsigned first,
	unsigned count, struct tls_options *options)
{
	for (unsigned i = 0; i < count; i++) {
		const struct settings_certificate *from = &settings->certificates[first + i];
		struct tls_certificate *to = &options->certificates[options->count++];

		to->certificate = config_path(config, from->certificate);
		to->key = config_path(config, from->key);
		if (to->certificate == NULL || to->key == NULL)
			return ERROR_MEMORY;
	}
	return 0;
}

int settings_tls(struct config *config, const struct settings *settings, bool tls10,
	bool tls13_only, SSL_CTX **ret_context, char fault[TLS_FAULT_SIZE])
{
	struct tls_options options = {.tls10 = tls10, .tls13_only = tls13_only};

	if (tls_options(config, settings, 0, settings->certificates_count, &options) != 0) {
		snprintf(fault, TLS_FAULT_SIZE, "%s", error_text(ERROR_MEMORY));
		return ERROR_MEMORY;
	}
	return tls_server_context(&options, ret_context, fault);
}

static int check_limit(struct config *config, struct config_fault *fault, const char *key,
	unsigned value, unsigned maximum)
{
	char path[PATH_SIZE];

	if (value <= maximum)
		return 0;
	snprintf(path, sizeof(path), "limits.%s", key);
	return config_fault_at(
		config, fault, path, "'%s' is %u, expected at most %u", key, value, maximum);
}

/* Each pair by itself, so that the fault stands at the right line. */
static int check_certificates(
	struct config *config, const struct settings *settings, struct config_fault *fault)
{
	for (unsigned i = 0; i < settings->certificates_count; i++) {
		struct tls_options options = {.count = 0};
		char text[TLS_FAULT_SIZE];
		char path[PATH_SIZE];
		SSL_CTX *context;

		snprintf(path, sizeof(path), "certificates[%u]", i);
		if (tls_options(config, settings, i, 1, &options) != 0)
			return config_fault_at(config, fault, path, "%s", error_text(ERROR_MEMORY));
		if (tls_server_context(&options, &context, text) != 0)
			return config_fault_at(config, fault, path, "%s", text);
		SSL_CTX_free(context);
	}
	return 0;
}

int settings_check(
	struct config *config, const struct settings *settings, struct config_fault *fault)
{
	const struct settings_limits *limits = &settings->limits;
	int error;

	if (settings->log.level != NULL && *settings->log.level > LOG_DEBUG)
		return config_fault_at(config, fault, "log.level",
			"the level is %u, expected 0 (critical) to 3 (debug)",
			*settings->log.level);
	if (settings->workers > SETTINGS_WORKERS_MAXIMUM)
		return config_fault_at(config, fault, "workers",
			"'workers' is %u, expected at most %d; 0 is one per core",
			settings->workers, SETTINGS_WORKERS_MAXIMUM);
	error = check_limit(config, fault, "connections", limits->connections, 1000000);
	if (error == 0)
		error = check_limit(config, fault, "connections-per-address",
			limits->connections_per_address, 1000000);
	if (error == 0)
		error = check_limit(config, fault, "head-seconds", limits->head_seconds, 3600);
	if (error == 0)
		error = check_limit(config, fault, "idle-seconds", limits->idle_seconds, 86400);
	if (error == 0)
		error = check_limit(config, fault, "queue", limits->queue, 65536);
	if (error == 0 && settings->user != NULL && getpwnam(settings->user) == NULL)
		error = config_fault_at(config, fault, "user",
			"there is no user '%s' on this machine", settings->user);
	if (error == 0)
		error = check_certificates(config, settings, fault);
	return error;
}

int settings_check_listen(const struct config *config, const struct settings_listen *listen,
	unsigned count, const char *path, struct config_fault *fault)
{
	for (unsigned i = 0; i < count; i++) {
		char host[256];
		char at[PATH_SIZE];
		unsigned char numeric[sizeof(struct in6_addr)];
		uint16_t port;
		int error = http_split_address(listen[i].address, host, sizeof(host), &port);

		if (error == 0 && inet_pton(AF_INET, host, numeric) != 1 &&
			inet_pton(AF_INET6, host, numeric) != 1)
			error = ERROR_INPUT;
		snprintf(at, sizeof(at), "%s[%u].address", path, i);
		if (error != 0)
			return config_fault_at(config, fault, at,
				"'%s' is not an address to listen on; expected ADDRESS:PORT such "
				"as "
				"0.0.0.0:443 or [::]:443",
				listen[i].address);
	}
	return 0;
}

int settings_policy(struct config *config, const struct settings_trust *trust, const char *name,
	struct certificate_policy *ret_policy)
{
	struct certificate_policy policy = {
		.verify = trust->verify,
		.name = name,
		.fingerprint = trust->fingerprint,
	};

	if (trust->ca != NULL) {
		policy.ca_file = config_path(config, trust->ca);
		if (policy.ca_file == NULL)
			return ERROR_MEMORY;
	}
	*ret_policy = policy;
	return 0;
}

int settings_check_trust(struct config *config, const struct settings_trust *trust,
	const char *path, struct config_fault *fault)
{
	unsigned char fingerprint[CERTIFICATE_FINGERPRINT_BYTES];
	struct certificate_policy policy;
	char at[PATH_SIZE];
	SSL_CTX *context;
	int error;

	if (trust->fingerprint != NULL &&
		secret_unhex(trust->fingerprint, fingerprint, sizeof(fingerprint)) != 0) {
		snprintf(at, sizeof(at), "%s.fingerprint", path);
		return config_fault_at(config, fault, at,
			"this is not a fingerprint; expected the SHA-256 of the certificate, "
			"64 hexadecimal digits");
	}
	if (trust->ca == NULL)
		return 0;
	snprintf(at, sizeof(at), "%s.ca", path);
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || settings_policy(config, trust, NULL, &policy) != 0) {
		SSL_CTX_free(context);
		return config_fault_at(config, fault, at, "%s", error_text(ERROR_MEMORY));
	}
	error = certificate_prepare(context, &policy);
	SSL_CTX_free(context);
	if (error == ERROR_SYSTEM)
		return config_fault_at(
			config, fault, at, "the file '%s' cannot be read", policy.ca_file);
	if (error != 0)
		return config_fault_at(config, fault, at,
			"'%s' is not a file of CA certificates; expected PEM", policy.ca_file);
	return 0;
}

enum log_level settings_log_level(const struct settings *settings)
{
	return settings->log.level != NULL ? (enum log_level) * settings->log.level
					   : LOG_INFORMATION;
}

struct http_limits settings_http_limits(const struct settings *settings)
{
	return (struct http_limits){
		.connections = settings->limits.connections,
		.connections_per_address = settings->limits.connections_per_address,
		.head_seconds = settings->limits.head_seconds,
		.idle_seconds = settings->limits.idle_seconds,
	};
}

/* An address or a network: 16 bytes, IPv4 mapped, and how many leading bits count. */
struct network {
	struct in6_addr address;
	unsigned bits;
};

static int network_read(const char *text, struct network *ret_network)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct network network = {.bits = 128};
	char host[INET6_ADDRSTRLEN];
	struct in_addr four;
	unsigned widest = 128;

	if (length >= sizeof(host))
		return ERROR_INPUT;
	memcpy(host, text, length);
	host[length] = '\0';
	if (inet_pton(AF_INET, host, &four) == 1) {
		widest = 32;
		memcpy(network.address.s6_addr, mapped, sizeof(mapped));
		memcpy(network.address.s6_addr + sizeof(mapped), &four, sizeof(four));
	} else if (inet_pton(AF_INET6, host, &network.address) != 1) {
		return ERROR_INPUT;
	}
	if (slash != NULL) {
		char *end;
		unsigned long bits = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > widest)
			return ERROR_INPUT;
		network.bits = 128 - widest + (unsigned)bits;
	}
	*ret_network = network;
	return 0;
}

static bool network_has(const struct network *network, const struct in6_addr *address)
{
	unsigned bytes = network->bits / 8;
	unsigned rest = network->bits % 8;
	unsigned char mask = (unsigned char)(0xff00u >> rest);

	if (memcmp(network->address.s6_addr, address->s6_addr, bytes) != 0)
		return false;
	return rest == 0 ||
		(network->address.s6_addr[bytes] & mask) == (address->s6_addr[bytes] & mask);
}

int settings_check_proxies(const struct config *config, const struct settings_proxies *proxies,
	const char *key, struct config_fault *fault)
{
	for (unsigned i = 0; i < proxies->list_count; i++) {
		struct network network;
		char at[PATH_SIZE];

		snprintf(at, sizeof(at), "%s[%u]", key, i);
		if (network_read(proxies->list[i], &network) != 0)
			return config_fault_at(config, fault, at,
				"'%s' is not an address; expected an address or a network such as "
				"192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
				proxies->list[i]);
	}
	return 0;
}

bool settings_proxy_trusted(const struct settings_proxies *proxies, const char *address)
{
	struct network peer;

	if (proxies->list_count == 0 || strchr(address, '/') != NULL ||
		network_read(address, &peer) != 0)
		return false;
	for (unsigned i = 0; i < proxies->list_count; i++) {
		struct network network;

		if (network_read(proxies->list[i], &network) == 0 &&
			network_has(&network, &peer.address))
			return true;
	}
	return false;
}
