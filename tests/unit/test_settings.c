#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "service/settings.h"

/* As a program would have it. */
struct sample {
	struct settings common;
	struct settings_listen *listen;
	unsigned listen_count;
	struct settings_proxies proxies;
	struct settings_trust trust;
};

static const struct cyaml_schema_field fields[] = {
	SETTINGS_FIELDS(struct sample, common),
	SETTINGS_LISTEN("listen", CYAML_FLAG_OPTIONAL, struct sample, listen),
	SETTINGS_PROXIES(struct sample, proxies),
	SETTINGS_TRUST("trust", struct sample, trust),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, fields),
};

#define CERTIFICATES "certificates:\n  - certificate: a.pem\n    key: a.key\n"

static char folder[] = "/tmp/test-settings-XXXXXX";
static char file[64];
static struct config *config;
static struct sample *sample;
static struct config_fault fault;

static void write_pair(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	char path[96];
	FILE *to;

	assert_non_null(key);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(PEM_write_X509(to, certificate), 1);
	fclose(to);
	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(to);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/c.yaml", folder);
	write_pair("a");
	write_pair("b");
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"a.pem", "a.key", "b.pem", "b.key", "c.yaml"};
	char path[96];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static int tear_down(void **state)
{
	(void)state;
	config_free(config);
	config = NULL;
	return 0;
}

/* Loads and makes all checks. */
static int load(const char *text)
{
	FILE *to = fopen(file, "w");
	int error;

	assert_non_null(to);
	fputs(text, to);
	fclose(to);
	config_free(config);
	config = NULL;
	memset(&fault, 0, sizeof(fault));
	error = config_load(file, &schema, &config, &fault);
	if (error != 0)
		return error;
	sample = config_data(config);
	error = settings_check(config, &sample->common, &fault);
	if (error == 0)
		error = settings_check_listen(
			config, sample->listen, sample->listen_count, "listen", &fault);
	if (error == 0)
		error = settings_check_proxies(config, &sample->proxies, "trusted-proxies", &fault);
	if (error == 0)
		error = settings_check_trust(config, &sample->trust, "trust", &fault);
	return error;
}

/* The text is refused at line:column with a message that contains `part`. */
static void assert_refused(const char *text, const char *at, const char *part)
{
	char start[160];

	assert_int_equal(load(text), ERROR_INPUT);
	snprintf(start, sizeof(start), "%s:%s: ", file, at);
	if (strncmp(fault.text, start, strlen(start)) != 0 || strstr(fault.text, part) == NULL)
		fail_msg("expected \"%s...%s...\", got \"%s\"", start, part, fault.text);
}

static void test_smallest(void **state)
{
	struct http_limits limits;

	(void)state;
	if (load(CERTIFICATES) != 0)
		fail_msg("%s", fault.text);
	assert_int_equal(sample->common.certificates_count, 1);
	assert_int_equal(settings_log_level(&sample->common), LOG_INFORMATION);
	assert_int_equal(sample->common.log.names, LOG_NAMES_MASKED);
	assert_null(sample->common.log.file);
	assert_null(sample->common.user);
	assert_int_equal(sample->trust.verify, CERTIFICATE_VERIFY_FULL);
	limits = settings_http_limits(&sample->common);
	assert_int_equal(limits.connections, 0);
	assert_int_equal(sample->listen_count, 0);
	assert_false(settings_proxy_trusted(&sample->proxies, "127.0.0.1"));
}

static void test_all_keys(void **state)
{
	struct http_limits limits;

	(void)state;
	if (load("certificates:\n"
		 "  - {certificate: a.pem, key: a.key}\n"
		 "  - {certificate: b.pem, key: b.key}\n"
		 "log: {file: x.log, level: 0, names: clear}\n"
		 "limits: {connections: 1, connections-per-address: 2, head-seconds: 3, "
		 "idle-seconds: 4, queue: 5}\n"
		 "workers: 2\n"
		 "user: root\n"
		 "capture: messages\n"
		 "listen:\n"
		 "  - address: 0.0.0.0:443\n"
		 "  - {address: '[::]:443', tls10: true}\n"
		 "trusted-proxies: [10.0.0.0/8, '2001:db8::/33', '::1', 192.0.2.7]\n"
		 "trust: {ca: a.pem, verify: warn, fingerprint: "
		 "'00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:"
		 "1a:1b:1c:1d:1e:1f'}\n") != 0)
		fail_msg("%s", fault.text);
	assert_int_equal(settings_log_level(&sample->common), LOG_CRITICAL);
	assert_int_equal(sample->common.log.names, LOG_NAMES_CLEAR);
	assert_string_equal(sample->common.log.file, "x.log");
	limits = settings_http_limits(&sample->common);
	assert_int_equal(limits.connections, 1);
	assert_int_equal(limits.connections_per_address, 2);
	assert_int_equal(limits.head_seconds, 3);
	assert_int_equal(limits.idle_seconds, 4);
	assert_int_equal(sample->common.limits.queue, 5);
	assert_int_equal(sample->common.workers, 2);
	assert_string_equal(sample->common.user, "root");
	assert_string_equal(sample->common.capture, "messages");
	assert_int_equal(sample->listen_count, 2);
	assert_false(sample->listen[0].tls10);
	assert_true(sample->listen[1].tls10);
	assert_int_equal(sample->trust.verify, CERTIFICATE_VERIFY_WARN);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("workers: 1\n", "1:1", "certificates");
	assert_refused(
		CERTIFICATES "log: {level: 4}\n", "4:14", "expected 0 (critical) to 3 (debug)");
	assert_refused(CERTIFICATES "log:\n  names: loud\n", "5:10", "loud");
	assert_refused(CERTIFICATES "workers: 65\n", "4:10", "at most 64");
	assert_refused(CERTIFICATES "limits: {idle-seconds: 86401}\n", "4:24", "at most 86400");
	assert_refused(CERTIFICATES "user: no-such-user-here\n", "4:7", "there is no user");
	assert_refused(CERTIFICATES "listen: []\n", "4:9", "expected at least 1");
	assert_refused(CERTIFICATES "listen:\n  - address: 0.0.0.0:443\n  - address: 0.0.0.0\n",
		"6:14", "expected ADDRESS:PORT");
	assert_refused(CERTIFICATES "listen: [{address: 'broker.example:443'}]\n", "4:20",
		"broker.example");
	assert_refused(
		CERTIFICATES "trusted-proxies: [10.0.0.0/8, 10.0.0.0/33]\n", "4:31", "10.0.0.0/33");
	assert_refused(CERTIFICATES "trusted-proxies: [10.0.0.0/]\n", "4:19", "network");
	assert_refused(CERTIFICATES "trusted-proxies: [somewhere]\n", "4:19", "somewhere");
	assert_refused(CERTIFICATES "trust: {fingerprint: abc}\n", "4:22", "64 hexadecimal digits");
	assert_refused(CERTIFICATES "trust: {verify: maybe}\n", "4:17", "maybe");
	assert_refused(CERTIFICATES "trust: {ca: missing.pem}\n", "4:13", "missing.pem");
	assert_refused(CERTIFICATES "trust: {ca: c.yaml}\n", "4:13", "PEM");
}

static void test_certificates_refused(void **state)
{
	(void)state;
	assert_refused("certificates:\n  - {certificate: a.pem, key: a.key}\n"
		       "  - {certificate: b.pem, key: a.key}\n",
		"3:5", "does not belong");
	assert_refused("certificates:\n  - {certificate: missing.pem, key: a.key}\n", "2:5",
		"missing.pem");
	assert_refused("certificates:\n  - {certificate: a.key, key: a.key}\n", "2:5", "a.key");
	assert_refused("certificates: []\n", "1:15", "expected at least 1");
}

static void test_contexts(void **state)
{
	char text[TLS_FAULT_SIZE];
	SSL_CTX *context = NULL;

	(void)state;
	assert_int_equal(load(CERTIFICATES), 0);
	assert_int_equal(settings_tls(config, &sample->common, false, false, &context, text), 0);
	assert_int_equal(SSL_CTX_get_min_proto_version(context), TLS1_2_VERSION);
	SSL_CTX_free(context);
	assert_int_equal(settings_tls(config, &sample->common, true, false, &context, text), 0);
	assert_int_equal(SSL_CTX_get_min_proto_version(context), TLS1_VERSION);
	SSL_CTX_free(context);
	assert_int_equal(settings_tls(config, &sample->common, false, true, &context, text), 0);
	assert_int_equal(SSL_CTX_get_min_proto_version(context), TLS1_3_VERSION);
	SSL_CTX_free(context);
}

static void test_policy(void **state)
{
	struct certificate_policy policy;
	char expected[96];

	(void)state;
	assert_int_equal(load(CERTIFICATES "trust: {ca: a.pem, verify: none}\n"), 0);
	assert_int_equal(settings_policy(config, &sample->trust, "ws-7", &policy), 0);
	snprintf(expected, sizeof(expected), "%s/a.pem", folder);
	assert_string_equal(policy.ca_file, expected);
	assert_string_equal(policy.name, "ws-7");
	assert_null(policy.fingerprint);
	assert_int_equal(policy.verify, CERTIFICATE_VERIFY_NONE);
	assert_int_equal(load(CERTIFICATES), 0);
	assert_int_equal(settings_policy(config, &sample->trust, NULL, &policy), 0);
	assert_null(policy.ca_file);
	assert_int_equal(policy.verify, CERTIFICATE_VERIFY_FULL);
}

static void test_proxies(void **state)
{
	char *texts[] = {"10.0.0.0/8", "192.0.2.128/25", "198.51.100.7", "2001:db8::/33", "::1",
		"172.16.0.0/12"};
	const struct settings_proxies proxies = {texts, 6};
	char *all[] = {"0.0.0.0/0"};
	const struct settings_proxies every_four = {all, 1};
	static const char *const yes[] = {"10.0.0.0", "10.255.255.255", "192.0.2.128",
		"192.0.2.255", "198.51.100.7", "2001:db8:7fff::1", "::1", "::ffff:10.1.2.3",
		"0:0:0:0:0:0:0:1", "172.31.255.255"};
	static const char *const no[] = {"9.255.255.255", "11.0.0.0", "192.0.2.127", "198.51.100.6",
		"172.32.0.0", "172.15.255.255", "2001:db8:8000::1", "::2", "", "10.0.0.0/8",
		"10.0.0", "10.0.0.1:443", "host",
		"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!settings_proxy_trusted(&proxies, yes[i]))
			fail_msg("%s should be trusted", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (settings_proxy_trusted(&proxies, no[i]))
			fail_msg("%s should not be trusted", no[i]);
	}
	assert_true(settings_proxy_trusted(&every_four, "203.0.113.9"));
	assert_false(settings_proxy_trusted(&every_four, "::1"));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_smallest),
		TEST(test_all_keys),
		TEST(test_refused),
		TEST(test_certificates_refused),
		TEST(test_contexts),
		TEST(test_policy),
		TEST(test_proxies),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
