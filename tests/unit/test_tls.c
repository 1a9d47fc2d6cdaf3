#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <cmocka.h>

#include "base/error.h"
#include "certificates.h"
#include "wire/tls.h"

static struct certificates set;

static SSL_CTX *server(bool ec, bool rsa, bool tls10, bool tls13_only)
{
	struct tls_options options = {.tls10 = tls10, .tls13_only = tls13_only};
	char fault[TLS_FAULT_SIZE] = "";
	SSL_CTX *context = NULL;

	if (ec)
		options.certificates[options.count++] =
			(struct tls_certificate){set.ec, set.ec_key};
	if (rsa)
		options.certificates[options.count++] =
			(struct tls_certificate){set.rsa, set.rsa_key};
	assert_int_equal(tls_server_context(&options, &context, fault), 0);
	assert_string_equal(fault, "");
	return context;
}

static SSL_CTX *client(int oldest, int newest)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_min_proto_version(context, oldest);
	SSL_CTX_set_max_proto_version(context, newest);
	if (newest < TLS1_2_VERSION)
		SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
	return context;
}

struct pair {
	SSL *client;
	SSL *server;
};

/* Both ends over one socket pair, in turn; true when both are through. */
static bool shake(struct pair *pair)
{
	bool client_done = false;
	bool server_done = false;

	for (int i = 0; i < 20 && !(client_done && server_done); i++) {
		if (!client_done) {
			int result = SSL_connect(pair->client);

			if (result != 1 &&
				SSL_get_error(pair->client, result) != SSL_ERROR_WANT_READ)
				return false;
			client_done = result == 1;
		}
		if (!server_done) {
			int result = SSL_accept(pair->server);

			if (result != 1 &&
				SSL_get_error(pair->server, result) != SSL_ERROR_WANT_READ)
				return false;
			server_done = result == 1;
		}
	}
	return client_done && server_done;
}

static void open_pair(struct pair *pair, SSL_CTX *client_context, SSL_CTX *server_context)
{
	int fds[2];

	ERR_clear_error();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	pair->client = SSL_new(client_context);
	pair->server = SSL_new(server_context);
	SSL_set_fd(pair->client, fds[0]);
	SSL_set_fd(pair->server, fds[1]);
}

static void close_pair(struct pair *pair)
{
	/* A session that was not closed properly may not be resumed. */
	(void)SSL_shutdown(pair->client);
	close(SSL_get_fd(pair->client));
	close(SSL_get_fd(pair->server));
	SSL_free(pair->client);
	SSL_free(pair->server);
}

/* "version cipher key-type" of a connection, "" if there was none. */
static const char *meet(SSL_CTX *client_context, SSL_CTX *server_context)
{
	static char text[128];
	struct pair pair;

	text[0] = '\0';
	open_pair(&pair, client_context, server_context);
	if (shake(&pair)) {
		X509 *certificate = SSL_get1_peer_certificate(pair.client);

		snprintf(text, sizeof(text), "%s %s %s", SSL_get_version(pair.client),
			SSL_get_cipher_name(pair.client),
			EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate)));
		X509_free(certificate);
	}
	close_pair(&pair);
	return text;
}

static void versions(void **state)
{
	SSL_CTX *normal = server(true, true, false, false);
	SSL_CTX *legacy = server(false, true, true, false);
	SSL_CTX *session = server(true, false, false, true);
	SSL_CTX *any = client(TLS1_2_VERSION, TLS1_3_VERSION);
	SSL_CTX *tls12 = client(TLS1_2_VERSION, TLS1_2_VERSION);
	SSL_CTX *tls10 = client(TLS1_VERSION, TLS1_VERSION);
	SSL_CTX *tls11 = client(TLS1_1_VERSION, TLS1_1_VERSION);

	(void)state;
	assert_string_equal(meet(any, normal), "TLSv1.3 TLS_AES_256_GCM_SHA384 EC");
	assert_string_equal(meet(tls12, normal), "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 EC");
	assert_string_equal(meet(tls11, normal), "");
	assert_string_equal(meet(tls10, normal), "");
	assert_string_equal(meet(tls10, legacy), "TLSv1 AES256-SHA RSA");
	assert_string_equal(meet(tls11, legacy), "TLSv1.1 AES256-SHA RSA");
	assert_string_equal(meet(any, legacy), "TLSv1.3 TLS_AES_256_GCM_SHA384 RSA");
	assert_string_equal(meet(any, session), "TLSv1.3 TLS_AES_256_GCM_SHA384 EC");
	assert_string_equal(meet(tls12, session), "");
	SSL_CTX_free(normal);
	SSL_CTX_free(legacy);
	SSL_CTX_free(session);
	SSL_CTX_free(any);
	SSL_CTX_free(tls12);
	SSL_CTX_free(tls10);
	SSL_CTX_free(tls11);
}

static void the_server_chooses_the_cipher(void **state)
{
	SSL_CTX *both = server(true, true, false, false);
	SSL_CTX *rsa = server(false, true, false, false);
	SSL_CTX *tls12 = client(TLS1_2_VERSION, TLS1_2_VERSION);

	(void)state;
	SSL_CTX_set_cipher_list(tls12, "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256");
	assert_string_equal(meet(tls12, both), "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 RSA");
	SSL_CTX_set_cipher_list(tls12, "AES128-SHA:AES256-SHA");
	assert_string_equal(meet(tls12, both), "TLSv1.2 AES256-SHA RSA");
	SSL_CTX_set_cipher_list(tls12, "ECDHE-RSA-CHACHA20-POLY1305");
	assert_string_equal(meet(tls12, both), "");
	SSL_CTX_set_cipher_list(tls12, "ALL");
	assert_string_equal(meet(tls12, rsa), "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 RSA");
	SSL_CTX_set_max_proto_version(tls12, TLS1_3_VERSION);
	SSL_CTX_set_ciphersuites(tls12, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
	assert_string_equal(meet(tls12, both), "TLSv1.3 TLS_AES_128_GCM_SHA256 EC");
	SSL_CTX_free(both);
	SSL_CTX_free(rsa);
	SSL_CTX_free(tls12);
}

/* Every published suite is known to OpenSSL, is offered in this order, and has its twin. */
static void the_published_list(void **state)
{
	static const char *const published[] = {"ECDHE-RSA-AES256-GCM-SHA384",
		"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA256",
		"AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA256",
		"AES256-SHA", "AES128-SHA"};
	SSL_CTX *context = server(true, true, false, false);
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
	int at = 0;
	int tls13 = 0;

	(void)state;
	while (strncmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, at)), "TLS_", 4) == 0) {
		at++;
		tls13++;
	}
	assert_int_equal(tls13, 3);
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
		if (strncmp(published[i], "ECDHE-", 6) == 0) {
			const char *twin = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, at++));

			assert_memory_equal(twin, "ECDHE-ECDSA-", 12);
			assert_string_equal(twin + 12, published[i] + 10);
		}
		assert_string_equal(
			SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, at++)), published[i]);
	}
	assert_int_equal(at, sk_SSL_CIPHER_num(ciphers));
	SSL_CTX_free(context);
}

static int tickets;

static int count_ticket(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_get_app_data(ssl);

	tickets++;
	if (kept == NULL)
		return 0;
	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

static void one_ticket_that_resumes(void **state)
{
	SSL_CTX *server_context = server(true, true, false, false);
	SSL_CTX *client_context = client(TLS1_2_VERSION, TLS1_3_VERSION);
	SSL_SESSION *session = NULL;
	struct pair pair;
	char byte;

	(void)state;
	SSL_CTX_set_session_cache_mode(client_context, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client_context, count_ticket);
	tickets = 0;
	open_pair(&pair, client_context, server_context);
	SSL_set_app_data(pair.client, &session);
	assert_true(shake(&pair));
	assert_int_equal(SSL_read(pair.client, &byte, 1), -1);
	assert_int_equal(tickets, 1);
	assert_non_null(session);
	close_pair(&pair);
	open_pair(&pair, client_context, server_context);
	SSL_set_session(pair.client, session);
	assert_true(shake(&pair));
	assert_true(SSL_session_reused(pair.client));
	close_pair(&pair);
	SSL_SESSION_free(session);
	SSL_CTX_free(server_context);
	SSL_CTX_free(client_context);
}

static void alpn(void **state)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	static const unsigned char h2[] = "\x02h2";
	SSL_CTX *server_context = server(true, false, false, false);
	SSL_CTX *client_context = client(TLS1_2_VERSION, TLS1_3_VERSION);
	const unsigned char *chosen;
	unsigned length;
	struct pair pair;

	(void)state;
	open_pair(&pair, client_context, server_context);
	SSL_set_alpn_protos(pair.client, both, sizeof(both) - 1);
	assert_true(shake(&pair));
	SSL_get0_alpn_selected(pair.client, &chosen, &length);
	assert_int_equal(length, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	close_pair(&pair);
	open_pair(&pair, client_context, server_context);
	SSL_set_alpn_protos(pair.client, h2, sizeof(h2) - 1);
	assert_true(shake(&pair));
	SSL_get0_alpn_selected(pair.client, &chosen, &length);
	assert_int_equal(length, 0);
	close_pair(&pair);
	SSL_CTX_free(server_context);
	SSL_CTX_free(client_context);
}

static void refuses(int error, const char *certificate, const char *key, const char *text)
{
	struct tls_options options = {.certificates = {{certificate, key}}, .count = 1};
	char fault[TLS_FAULT_SIZE] = "";
	SSL_CTX *context = (SSL_CTX *)&set;

	assert_int_equal(tls_server_context(&options, &context, fault), error);
	assert_ptr_equal(context, &set);
	if (strstr(fault, text) == NULL)
		fail_msg("'%s' does not say '%s'", fault, text);
	assert_int_equal(ERR_peek_error(), 0);
}

static void faults_name_the_file(void **state)
{
	char encrypted[128];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file;

	(void)state;
	snprintf(encrypted, sizeof(encrypted), "%s/encrypted.key", set.folder);
	file = fopen(encrypted, "w");
	assert_non_null(file);
	PEM_write_PrivateKey(
		file, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
	fclose(file);
	EVP_PKEY_free(key);
	refuses(ERROR_SYSTEM, "/nonexistent.pem", set.ec_key,
		"/nonexistent.pem: No such file or directory");
	refuses(ERROR_SYSTEM, set.ec, "/nonexistent.key",
		"/nonexistent.key: No such file or directory");
	refuses(ERROR_INPUT, set.ec_key, set.ec_key, "ec.key: cannot be used as a certificate");
	refuses(ERROR_INPUT, set.ec, set.ec, "ec.pem: cannot be used as a private key");
	refuses(ERROR_INPUT, set.ec, set.other_key, "other.key: does not belong to");
	refuses(ERROR_INPUT, set.ec, set.rsa_key, "rsa.key: does not belong to");
	/* and does not ask a terminal for the passphrase */
	refuses(ERROR_INPUT, set.ec, encrypted, "encrypted.key: cannot be used as a private key");
	unlink(encrypted);
}

static void no_certificate(void **state)
{
	struct tls_options options = {.count = 0};
	char fault[TLS_FAULT_SIZE] = "";
	SSL_CTX *context = NULL;

	(void)state;
	assert_int_equal(tls_server_context(&options, &context, fault), ERROR_INPUT);
	assert_string_equal(fault, "no certificate is given");
}

static void error_texts(void **state)
{
	char text[TLS_FAULT_SIZE];

	(void)state;
	ERR_clear_error();
	assert_string_equal(tls_error(text), "no reason given");
	ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
	assert_string_equal(tls_error(text), "no shared cipher");
	assert_int_equal(ERR_peek_error(), 0);
	ERR_raise(ERR_LIB_SYS, ENOENT);
	assert_string_equal(tls_error(text), "No such file or directory");
}

static int make(void **state)
{
	(void)state;
	certificates_make(&set);
	return 0;
}

static int removed(void **state)
{
	(void)state;
	certificates_remove(&set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(the_server_chooses_the_cipher),
		cmocka_unit_test(the_published_list),
		cmocka_unit_test(one_ticket_that_resumes),
		cmocka_unit_test(alpn),
		cmocka_unit_test(faults_name_the_file),
		cmocka_unit_test(no_certificate),
		cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests(tests, make, removed);
}
