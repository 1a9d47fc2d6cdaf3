/*
 * settings.h - the part of a configuration file that every program has.
 *
 * Each program's cyaml schema includes these fragments, so the same key means
 * the same everywhere. Units are in the key's name ("idle-seconds"). File names are
 * relative to the folder of the configuration file. The structures hold the text of the file;
 * the functions below turn it into what the layers underneath take.
 *
 *   struct broker_config {
 *           struct settings common;
 *           struct settings_listen *listen;
 *           unsigned listen_count;
 *           struct settings_proxies proxies;
 *           ...
 *   };
 *   static const struct cyaml_schema_field fields[] = {
 *           SETTINGS_FIELDS(struct broker_config, common),
 *           SETTINGS_LISTEN("listen", 0, struct broker_config, listen),
 *           SETTINGS_PROXIES(struct broker_config, proxies),
 *           ...
 *           CYAML_FIELD_END
 *   };
 *   const struct cyaml_schema_value broker_schema = {
 *           CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct broker_config, fields) };
 */
#ifndef FAIRLEAD_SERVICE_SETTINGS_H
#define FAIRLEAD_SERVICE_SETTINGS_H

#include <cyaml/cyaml.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/log.h"
#include "wire/certificate.h"
#include "wire/http_server.h"
#include "wire/tls.h"

#define SETTINGS_LISTEN_MAXIMUM 16 /* of one list */
#define SETTINGS_PROXIES_MAXIMUM 256
#define SETTINGS_WORKERS_MAXIMUM 64
#define SETTINGS_TEXT_MAXIMUM 4096 /* bytes of a file name */

/* One element of a list such as "listen:". */
struct settings_listen {
	char *address; /* "0.0.0.0:443", "[::]:443" */
	bool tls10;    /* old zero clients: TLS 1.0 and 1.1 too, on this listener only */
};

struct settings_certificate {
	char *certificate; /* PEM, leaf first */
	char *key;         /* PEM */
};

struct settings_log {
	char *file;           /* NULL or "-": standard error */
	unsigned *level;      /* 0 to 3; NULL: 2. Use settings_log_level */
	enum log_names names; /* masked (default) or clear */
};

/* 0: the default. */
struct settings_limits {
	unsigned connections; /* this and the next three as in http_limits */
	unsigned connections_per_address;
	unsigned head_seconds;
	unsigned idle_seconds;
	unsigned queue; /* blocking jobs waiting or running; 256 */
};

/* How another program's certificate is verified. */
struct settings_trust {
	char *ca;                       /* PEM file; NULL: the system's store */
	char *fingerprint;              /* SHA-256 of its certificate */
	enum certificate_verify verify; /* full (default), warn, none */
};

/* Who may say X-Forwarded-For. */
struct settings_proxies {
	char **list; /* addresses or networks, "10.0.0.0/8", "2001:db8::/32", "::1" */
	unsigned list_count;
};

struct settings {
	struct settings_certificate *certificates; /* at least one */
	unsigned certificates_count;
	struct settings_log log;
	struct settings_limits limits;
	unsigned workers; /* loops; 0: one per core */
	char *user;       /* run as this user after binding; NULL: stay */
	char *capture;    /* folder for redacted copies of every message; NULL: none */
};

/* --- schema --- */

extern const struct cyaml_schema_value settings_listen_value;
extern const struct cyaml_schema_value settings_certificate_value;
/* A text that is not empty, as list element. */
extern const struct cyaml_schema_value settings_text_value;
extern const struct cyaml_schema_field settings_log_fields[];
extern const struct cyaml_schema_field settings_limits_fields[];
extern const struct cyaml_schema_field settings_trust_fields[];

/* The keys that every program has, for a struct `type` with a member `struct settings member`:
 * certificates, log, limits, workers, user, capture. Write a comma after it. */
#define SETTINGS_FIELDS(type, member)                                                              \
	CYAML_FIELD_SEQUENCE("certificates", CYAML_FLAG_POINTER, type, member.certificates,        \
		&settings_certificate_value, 1, TLS_CERTIFICATES_MAXIMUM),                         \
		CYAML_FIELD_MAPPING(                                                               \
			"log", CYAML_FLAG_OPTIONAL, type, member.log, settings_log_fields),        \
		CYAML_FIELD_MAPPING("limits", CYAML_FLAG_OPTIONAL, type, member.limits,            \
			settings_limits_fields),                                                   \
		CYAML_FIELD_UINT("workers", CYAML_FLAG_OPTIONAL, type, member.workers),            \
		CYAML_FIELD_STRING_PTR("user", CYAML_FLAG_OPTIONAL, type, member.user, 1, 64),     \
		CYAML_FIELD_STRING_PTR("capture", CYAML_FLAG_OPTIONAL, type, member.capture, 1,    \
			SETTINGS_TEXT_MAXIMUM)

/* A list of listening addresses: members `struct settings_listen *member` and `unsigned
 * member_count`. flags: 0 or CYAML_FLAG_OPTIONAL. */
#define SETTINGS_LISTEN(key, flags, type, member)                                                  \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), type, member,                      \
		&settings_listen_value, 1, SETTINGS_LISTEN_MAXIMUM)

/* How a peer's certificate is verified: a member `struct settings_trust member`, optional. */
#define SETTINGS_TRUST(key, type, member)                                                          \
	CYAML_FIELD_MAPPING(key, CYAML_FLAG_OPTIONAL, type, member, settings_trust_fields)

/* "trusted-proxies": a member `struct settings_proxies member`, optional. */
#define SETTINGS_PROXIES(type, member)                                                             \
	CYAML_FIELD_SEQUENCE("trusted-proxies", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,    \
		member.list, &settings_text_value, 0, SETTINGS_PROXIES_MAXIMUM)
/* "launch-from": another such list. */
#define SETTINGS_LAUNCH_FROM(type, member)                                                         \
	CYAML_FIELD_SEQUENCE("launch-from", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type,        \
		member.list, &settings_text_value, 1, SETTINGS_PROXIES_MAXIMUM)

/* --- checks: 0, or ERROR_INPUT with a fault that names file, line and column --- */

/* Certificates are readable and match their keys, numbers are in range, the user exists. */
int settings_check(
	struct config *config, const struct settings *settings, struct config_fault *fault);

/* `path` is that of the list ("listen", "launch.listen"). */
int settings_check_listen(const struct config *config, const struct settings_listen *listen,
	unsigned count, const char *path, struct config_fault *fault);

/* `path` is that of the mapping ("broker.trust", "hosts[2].trust"). */
int settings_check_trust(struct config *config, const struct settings_trust *trust,
	const char *path, struct config_fault *fault);

/* `key` is that of the list ("trusted-proxies"). */
int settings_check_proxies(const struct config *config, const struct settings_proxies *proxies,
	const char *key, struct config_fault *fault);

/* --- use --- */

enum log_level settings_log_level(const struct settings *settings);

/* The TLS context of a listener with the configured certificates; 0 or as
 * tls_server_context, with its fault. Free with SSL_CTX_free. */
int settings_tls(struct config *config, const struct settings *settings, bool tls10,
	bool tls13_only, SSL_CTX **ret_context, char fault[TLS_FAULT_SIZE]);

struct http_limits settings_http_limits(const struct settings *settings);

/* The policy for a peer of that name or address; ask once per configuration, not per
 * call. Its texts belong to the config and to
 * the caller (`name`). 0 or ERROR_MEMORY. */
int settings_policy(struct config *config, const struct settings_trust *trust, const char *name,
	struct certificate_policy *ret_policy);

/* Whether this numeric address is one of the proxies; IPv4 mapped into IPv6 counts as IPv4. */
bool settings_proxy_trusted(const struct settings_proxies *proxies, const char *address);

#endif
