#include <errno.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "throwaway.h"
#include "wire/certificate.h"

static struct throwaway authority, stranger;
static char authority_file[32], other_file[32];

static int setup(void **state)
{
	(void)state;
	authority = throwaway_new(
		&(struct throwaway_options){.common_name = "Test CA", .authority = true});
	stranger = throwaway_new(
		&(struct throwaway_options){.common_name = "Other CA", .authority = true});
	throwaway_write(&authority, authority_file);
	throwaway_write(&stranger, other_file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(authority_file);
	unlink(other_file);
	throwaway_free(&authority);
	throwaway_free(&stranger);
	return 0;
}

/* One handshake in memory. */
struct meeting {
	bool done;
	struct certificate_report report;
	char sni[256];
	int version;
};

static int keep_sni(SSL *ssl, int *alert, void *user)
{
	struct meeting *meeting = user;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	snprintf(meeting->sni, sizeof(meeting->sni), "%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

enum watching { WATCH_SSL, WATCH_CONTEXT, WATCH_NOBODY };

static void shake_hands(SSL_CTX *client_context, SSL_CTX *server_context,
	const struct certificate_policy *policy, enum watching watching, struct meeting *meeting)
{
	SSL *client = NULL, *server = SSL_new(server_context);
	BIO *one = NULL, *two = NULL;
	bool client_done = false, server_done = false;

	if (watching == WATCH_CONTEXT)
		assert_int_equal(
			certificate_watch_context(client_context, policy, &meeting->report), 0);
	client = SSL_new(client_context);
	if (watching == WATCH_SSL)
		assert_int_equal(certificate_watch(client, policy, &meeting->report), 0);
	assert_int_equal(BIO_new_bio_pair(&one, 0, &two, 0), 1);
	SSL_set_bio(client, one, one);
	SSL_set_bio(server, two, two);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 20 && !(client_done && server_done); i++) {
		int result = SSL_do_handshake(client);

		client_done = result == 1;
		if (result != 1 && SSL_get_error(client, result) != SSL_ERROR_WANT_READ)
			break;
		server_done = SSL_do_handshake(server) == 1;
	}
	meeting->done = client_done;
	meeting->version = SSL_version(client);
	ERR_clear_error();
	SSL_free(client);
	SSL_free(server);
}

static SSL_CTX *server_for(const struct throwaway *leaf, const struct throwaway *above)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(context, leaf->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, leaf->key), 1);
	if (above != NULL)
		assert_int_equal(SSL_CTX_add1_chain_cert(context, above->certificate), 1);
	return context;
}

static struct meeting meet_with_chain(const struct certificate_policy *policy,
	const struct throwaway_options *options, const struct throwaway *above)
{
	struct meeting meeting = {.done = false};
	struct throwaway leaf = throwaway_new(options);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server = server_for(&leaf, above);

	SSL_CTX_set_tlsext_servername_callback(server, keep_sni);
	SSL_CTX_set_tlsext_servername_arg(server, &meeting);
	assert_int_equal(certificate_prepare(client, policy), 0);
	shake_hands(client, server, policy, WATCH_SSL, &meeting);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	throwaway_free(&leaf);
	return meeting;
}

static struct meeting meet(
	const struct certificate_policy *policy, const struct throwaway_options *options)
{
	return meet_with_chain(policy, options, NULL);
}

static const struct throwaway_options good = {.common_name = "ws-7",
	.alternative = "DNS:ws-7,DNS:ws-7.example,IP:127.0.0.1,IP:::1",
	.issuer = &authority};

static void a_good_certificate_is_described(void **state)
{
	struct certificate_policy policy = {.ca_file = authority_file, .name = "ws-7.example"};
	struct meeting meeting = meet(&policy, &good);

	(void)state;
	assert_true(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_GOOD);
	assert_string_equal(meeting.report.text, "");
	assert_string_equal(meeting.report.subject, "CN=ws-7");
	assert_string_equal(meeting.report.issuer, "CN=Test CA");
	assert_string_equal(meeting.report.names, "ws-7, ws-7.example, 127.0.0.1, ::1");
	assert_int_equal(strlen(meeting.report.fingerprint), 64);
	assert_int_equal(strlen(meeting.report.not_after), 20);
	assert_int_equal(meeting.report.not_after[10], 'T');
	assert_int_equal(meeting.report.not_after[19], 'Z');
	assert_string_equal(meeting.sni, "ws-7.example");
}

static void names_and_addresses_match(void **state)
{
	static const struct {
		const char *name;
		bool matches;
		const char *sni;
	} cases[] = {
		{"ws-7", true, "ws-7"},
		{"WS-7.Example", true, "WS-7.Example"},
		{"ws-7.example.", true, "ws-7.example"},
		{"127.0.0.1", true, ""},
		{"::1", true, ""},
		{"ws-8", false, "ws-8"},
		{"x.ws-7", false, "x.ws-7"},
		{"127.0.0.2", false, ""},
		{"::2", false, ""},
		{"", false, ""},
		{".", false, ""},
		{NULL, true, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct certificate_policy policy = {
			.ca_file = authority_file, .name = cases[i].name};
		struct meeting meeting = meet(&policy, &good);

		assert_int_equal(meeting.done, cases[i].matches);
		assert_int_equal(meeting.report.troubles,
			cases[i].matches ? CERTIFICATE_GOOD : CERTIFICATE_WRONG_NAME);
		assert_string_equal(meeting.sni, cases[i].sni);
	}
}

static void every_trouble_is_reported_at_once(void **state)
{
	struct certificate_policy policy = {.ca_file = authority_file, .name = "broker.example"};
	struct throwaway_options options = {
		.common_name = "ws-7", .from_days = -20, .to_days = -10};
	struct meeting meeting = meet(&policy, &options);
	char expected[200];

	(void)state;
	assert_false(meeting.done);
	assert_int_equal(meeting.report.troubles,
		CERTIFICATE_SELF_SIGNED | CERTIFICATE_WRONG_NAME | CERTIFICATE_EXPIRED);
	snprintf(expected, sizeof(expected),
		"the certificate is self-signed; it is for 'ws-7', not for 'broker.example'; "
		"it expired on %s",
		meeting.report.not_after);
	assert_string_equal(meeting.report.text, expected);
}

static void each_trouble_alone(void **state)
{
	struct certificate_policy policy = {.ca_file = authority_file, .name = "ws-7"};
	struct throwaway_options options = good;
	struct meeting meeting;
	char expected[200];

	(void)state;
	options.issuer = NULL;
	meeting = meet(&policy, &options);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_SELF_SIGNED);
	assert_string_equal(meeting.report.text, "the certificate is self-signed");

	options.issuer = &stranger;
	meeting = meet(&policy, &options);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_UNKNOWN_CA);
	assert_string_equal(meeting.report.text,
		"the certificate is signed by 'Other CA', an authority that is not known");
	meeting = meet_with_chain(&policy, &options, &stranger);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_SELF_SIGNED);
	assert_string_equal(meeting.report.text,
		"the certificate is signed by 'Other CA', a "
		"self-signed authority that is not trusted");

	options = good;
	options.from_days = -3;
	options.to_days = -1;
	meeting = meet(&policy, &options);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_EXPIRED);
	snprintf(expected, sizeof(expected), "the certificate expired on %s",
		meeting.report.not_after);
	assert_string_equal(meeting.report.text, expected);

	options.from_days = 1;
	options.to_days = 3;
	meeting = meet(&policy, &options);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_NOT_YET_VALID);
	assert_non_null(strstr(meeting.report.text, "the certificate is not valid before 2"));

	options = good;
	options.usage = "clientAuth";
	meeting = meet(&policy, &options);
	assert_false(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_OTHER);
	assert_non_null(strstr(meeting.report.text, "the certificate was not accepted: "));
}

static void an_expired_authority_is_named(void **state)
{
	struct throwaway old = throwaway_new(&(struct throwaway_options){
		.common_name = "Old CA", .authority = true, .from_days = -9, .to_days = -2});
	struct certificate_policy policy = {.name = "ws-7"};
	struct throwaway_options options = good;
	struct meeting meeting;
	char file[32];

	(void)state;
	throwaway_write(&old, file);
	policy.ca_file = file;
	options.issuer = &old;
	meeting = meet(&policy, &options);
	assert_false(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_EXPIRED);
	assert_non_null(strstr(meeting.report.text, "its authority 'Old CA' expired on 2"));
	unlink(file);
	throwaway_free(&old);
}

/* A CA file may hold an authority that is no root, or the host's own
 * self-signed certificate. */
static void whoever_is_in_the_file_is_trusted(void **state)
{
	struct throwaway between = throwaway_new(&(struct throwaway_options){
		.common_name = "Between", .authority = true, .issuer = &stranger});
	struct throwaway own = throwaway_new(&(struct throwaway_options){.common_name = "ws-7"});
	struct certificate_policy policy = {.name = "ws-7"};
	struct throwaway_options options = good;
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server = server_for(&own, NULL);
	struct meeting meeting;
	char file[32];

	(void)state;
	throwaway_write(&between, file);
	policy.ca_file = file;
	options.issuer = &between;
	meeting = meet(&policy, &options);
	assert_true(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_GOOD);
	unlink(file);

	throwaway_write(&own, file);
	assert_int_equal(certificate_prepare(client, &policy), 0);
	shake_hands(client, server, &policy, WATCH_SSL, &meeting);
	assert_true(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_GOOD);
	unlink(file);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	throwaway_free(&own);
	throwaway_free(&between);
}

static void warn_and_none_report_but_go_on(void **state)
{
	struct throwaway_options options = {.common_name = "ws-7"};

	(void)state;
	for (int verify = CERTIFICATE_VERIFY_WARN; verify <= CERTIFICATE_VERIFY_NONE; verify++) {
		struct certificate_policy policy = {.verify = (enum certificate_verify)verify,
			.ca_file = authority_file,
			.name = "ws-8"};
		struct meeting meeting = meet(&policy, &options);

		assert_true(meeting.done);
		assert_int_equal(
			meeting.report.troubles, CERTIFICATE_SELF_SIGNED | CERTIFICATE_WRONG_NAME);
		assert_string_not_equal(meeting.report.text, "");
	}
}

/* The pinned certificate, and no other, whatever its name and signer. */
static void a_fingerprint_decides_alone(void **state)
{
	static const struct throwaway_options plain = {.common_name = "ws-7"},
					      old = {.common_name = "ws-7",
						      .from_days = -9,
						      .to_days = -1};
	const struct throwaway_options *each[] = {&plain, &old};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct throwaway pinned = throwaway_new(each[i]);
		SSL_CTX *server = server_for(&pinned, NULL);
		unsigned char digest[32];
		char print[65], colons[97];
		struct certificate_policy policy = {.fingerprint = colons, .name = "no-match"};
		struct meeting meeting = {.done = false};
		SSL_CTX *client = SSL_CTX_new(TLS_client_method());

		assert_int_equal(X509_digest(pinned.certificate, EVP_sha256(), digest, NULL), 1);
		for (size_t k = 0; k < 32; k++) {
			snprintf(print + 2 * k, 3, "%02x", digest[k]);
			snprintf(colons + 3 * k, 4, "%02x%s", digest[k], k < 31 ? ":" : "");
		}
		assert_int_equal(certificate_prepare(client, &policy), 0);
		shake_hands(client, server, &policy, WATCH_SSL, &meeting);
		assert_int_equal(meeting.done, i == 0);
		assert_int_equal(
			meeting.report.troubles, i == 0 ? CERTIFICATE_GOOD : CERTIFICATE_EXPIRED);
		assert_string_equal(meeting.report.fingerprint, print);
		SSL_CTX_free(client);
		SSL_CTX_free(server);

		/* A certificate that any other check would pass is not that one. */
		policy.ca_file = authority_file;
		policy.name = "ws-7";
		meeting = meet(&policy, &good);
		assert_false(meeting.done);
		assert_int_equal(meeting.report.troubles, CERTIFICATE_WRONG_FINGERPRINT);
		assert_non_null(strstr(meeting.report.text, print));
		assert_non_null(strstr(meeting.report.text, meeting.report.fingerprint));
		throwaway_free(&pinned);
	}
}

static void the_context_may_be_watched_instead(void **state)
{
	struct throwaway leaf = throwaway_new(&good);
	struct certificate_policy policy = {.ca_file = authority_file, .name = "ws-7"};
	SSL_CTX *server = server_for(&leaf, NULL);
	SSL_CTX *first = SSL_CTX_new(TLS_client_method());
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct meeting meeting = {.done = false};

	(void)state;
	assert_int_equal(certificate_prepare(first, &policy), 0);
	assert_int_equal(certificate_prepare_like(client, first), 0);
	SSL_CTX_free(first);
	shake_hands(client, server, &policy, WATCH_CONTEXT, &meeting);
	assert_true(meeting.done);
	assert_string_equal(meeting.report.subject, "CN=ws-7");
	policy.name = "ws-8";
	shake_hands(client, server, &policy, WATCH_CONTEXT, &meeting);
	assert_false(meeting.done);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_WRONG_NAME);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	throwaway_free(&leaf);
}

static void nobody_watching_means_no(void **state)
{
	struct throwaway leaf = throwaway_new(&good);
	struct certificate_policy policy = {
		.verify = CERTIFICATE_VERIFY_NONE, .ca_file = authority_file};
	SSL_CTX *server = server_for(&leaf, NULL);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct meeting meeting = {.done = false};

	(void)state;
	assert_int_equal(certificate_prepare(client, &policy), 0);
	shake_hands(client, server, &policy, WATCH_NOBODY, &meeting);
	assert_false(meeting.done);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	throwaway_free(&leaf);
}

static void old_protocols_are_not_spoken(void **state)
{
	struct throwaway leaf = throwaway_new(&good);
	struct certificate_policy policy = {.ca_file = authority_file, .name = "ws-7"};
	SSL_CTX *server = server_for(&leaf, NULL);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	struct meeting meeting = {.done = false};

	(void)state;
	SSL_CTX_set_security_level(server, 0);
	SSL_CTX_set_security_level(client, 0);
	assert_int_equal(certificate_prepare(client, &policy), 0);
	SSL_CTX_set_min_proto_version(server, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(server, TLS1_1_VERSION);
	shake_hands(client, server, &policy, WATCH_SSL, &meeting);
	assert_false(meeting.done);
	SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
	shake_hands(client, server, &policy, WATCH_SSL, &meeting);
	assert_true(meeting.done);
	assert_int_equal(meeting.version, TLS1_2_VERSION);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	throwaway_free(&leaf);
}

/* Names are the peer's: they must neither break the line nor the bounds. */
static void hostile_names_stay_in_their_line(void **state)
{
	char common[65], alternative[900] = "";
	struct throwaway_options options = {.common_name = common, .alternative = alternative};
	char name[200];
	struct certificate_policy policy = {.ca_file = authority_file, .name = name};
	struct meeting meeting;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(common, 'c', sizeof(common) - 1);
	common[sizeof(common) - 1] = '\0';
	common[1] = '\n';
	common[2] = '\x1B';
	for (int i = 0; i < 20; i++)
		snprintf(alternative + strlen(alternative),
			sizeof(alternative) - strlen(alternative),
			"%sDNS:host-%02d\x7F\x1B[2J.a-rather-long-domain.example", i > 0 ? "," : "",
			i);
	meeting = meet(&policy, &options);
	assert_int_equal(meeting.report.troubles, CERTIFICATE_SELF_SIGNED | CERTIFICATE_WRONG_NAME);
	assert_null(strpbrk(meeting.report.text, "\n\r\x1B"));
	assert_null(strpbrk(meeting.report.names, "\n\r\x1B"));
	assert_null(strpbrk(meeting.report.subject, "\n\r\x1B"));
	assert_true(strlen(meeting.report.names) < CERTIFICATE_TEXT_SIZE);
	assert_string_equal(meeting.report.names + strlen(meeting.report.names) - 3, "...");
	assert_string_equal(meeting.report.text + strlen(meeting.report.text) - 3, "...");

	/* The common name counts when there is no other, and is no safer. */
	options.alternative = NULL;
	meeting = meet(&policy, &options);
	assert_null(strpbrk(meeting.report.names, "\n\r\x1B"));
	assert_null(strpbrk(meeting.report.text, "\n\r\x1B"));
}

static void unusable_policies_are_refused(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	struct certificate_policy policy = {.ca_file = "/nonexistent/ca.pem"};
	char file[] = "/tmp/throwaway-XXXXXX";
	int number = mkstemp(file);

	(void)state;
	assert_true(number >= 0);
	errno = 0;
	assert_int_equal(certificate_prepare(context, &policy), ERROR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(write(number, "not a certificate\n", 18), 18);
	policy.ca_file = file;
	assert_int_equal(certificate_prepare(context, &policy), ERROR_INPUT);
	policy = (struct certificate_policy){.fingerprint = "abcd"};
	assert_int_equal(certificate_prepare(context, &policy), ERROR_INPUT);
	policy.fingerprint = "";
	assert_int_equal(certificate_prepare(context, &policy), ERROR_INPUT);
	policy = (struct certificate_policy){.ca_file = NULL};
	assert_int_equal(certificate_prepare(context, &policy), 0);
	close(number);
	unlink(file);
	SSL_CTX_free(context);
}

static void addresses_are_told_from_names(void **state)
{
	(void)state;
	assert_true(certificate_name_is_address("127.0.0.1"));
	assert_true(certificate_name_is_address("2001:db8::1"));
	assert_false(certificate_name_is_address("ws-7"));
	assert_false(certificate_name_is_address("127.0.0.1.example"));
	assert_false(certificate_name_is_address(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_certificate_is_described),
		cmocka_unit_test(names_and_addresses_match),
		cmocka_unit_test(every_trouble_is_reported_at_once),
		cmocka_unit_test(each_trouble_alone),
		cmocka_unit_test(an_expired_authority_is_named),
		cmocka_unit_test(whoever_is_in_the_file_is_trusted),
		cmocka_unit_test(warn_and_none_report_but_go_on),
		cmocka_unit_test(a_fingerprint_decides_alone),
		cmocka_unit_test(the_context_may_be_watched_instead),
		cmocka_unit_test(nobody_watching_means_no),
		cmocka_unit_test(old_protocols_are_not_spoken),
		cmocka_unit_test(hostile_names_stay_in_their_line),
		cmocka_unit_test(unusable_policies_are_refused),
		cmocka_unit_test(addresses_are_told_from_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
