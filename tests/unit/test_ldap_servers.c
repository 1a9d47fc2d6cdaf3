#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/ldap_servers.h"

#define HOLD_DOWN (30 * CLOCK_SECOND)

static struct clock_fake now;
static struct ldap_servers *servers;

static const char *const urls[] = {
	"ldaps://192.0.2.1", "ldap://192.0.2.2:3890", "ldaps://[2001:db8::3]:6360"};

static int set_up(void **state)
{
	const struct ldap_servers_options options = {.urls = urls,
		.count = 3,
		.starttls = true,
		.hold_down = HOLD_DOWN,
		.clock = &now.clock};

	(void)state;
	clock_fake_init(&now, 0);
	assert_int_equal(ldap_servers_new(&options, &servers), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ldap_servers_free(servers);
	return 0;
}

#define assert_order(first, second, third)                                                         \
	do {                                                                                       \
		size_t order[LDAP_SERVERS_MAXIMUM];                                                \
		assert_int_equal(ldap_servers_order(servers, order), 3);                           \
		assert_int_equal(order[0], first);                                                 \
		assert_int_equal(order[1], second);                                                \
		assert_int_equal(order[2], third);                                                 \
	} while (0)

static void test_places(void **state)
{
	(void)state;
	assert_int_equal(ldap_servers_count(servers), 3);
	assert_true(ldap_servers_secure(servers));
	assert_true(ldap_servers_place(servers, 0)->tls);
	assert_false(ldap_servers_place(servers, 0)->starttls);
	assert_false(ldap_servers_place(servers, 1)->tls);
	assert_true(ldap_servers_place(servers, 1)->starttls);
	assert_string_equal(ldap_servers_place(servers, 2)->url, urls[2]);
}

static void test_addresses(void **state)
{
	static const uint16_t ports[] = {636, 3890, 6360};
	struct resolve_addresses addresses;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct sockaddr_storage *address = &addresses.list[0];

		assert_int_equal(resolve_get(ldap_servers_place(servers, i)->address, &now.clock, 0,
					 &addresses),
			0);
		assert_int_equal(addresses.count, 1);
		if (i < 2)
			assert_int_equal(
				ntohs(((struct sockaddr_in *)address)->sin_port), ports[i]);
		else
			assert_int_equal(
				ntohs(((struct sockaddr_in6 *)address)->sin6_port), ports[i]);
	}
}

static void test_order(void **state)
{
	(void)state;
	assert_order(0, 1, 2);
	ldap_servers_failed(servers, 0);
	assert_order(1, 2, 0);
	ldap_servers_failed(servers, 1);
	assert_order(2, 0, 1);
	ldap_servers_failed(servers, 2);
	assert_order(0, 1, 2);
	ldap_servers_answered(servers, 2);
	assert_order(2, 0, 1);
	ldap_servers_answered(servers, 0);
	assert_order(0, 2, 1);
}

/* When its time is over one caller tries it for all. */
static void test_hold_down(void **state)
{
	(void)state;
	ldap_servers_failed(servers, 0);
	clock_fake_advance(&now, HOLD_DOWN - 1);
	assert_order(1, 2, 0);
	clock_fake_advance(&now, 1);
	assert_order(0, 1, 2);
	assert_order(1, 2, 0);
	clock_fake_advance(&now, HOLD_DOWN);
	assert_order(0, 1, 2);
	ldap_servers_answered(servers, 0);
	assert_order(0, 1, 2);
	assert_order(0, 1, 2);
}

/* Not two that may be dead for one caller. */
static void test_one_trial(void **state)
{
	(void)state;
	ldap_servers_failed(servers, 0);
	ldap_servers_failed(servers, 1);
	clock_fake_advance(&now, HOLD_DOWN);
	assert_order(0, 2, 1);
	assert_order(1, 2, 0);
	assert_order(2, 0, 1);
}

static int with(const char *url, bool starttls, bool allow_plain)
{
	const struct ldap_servers_options options = {.urls = &url,
		.count = 1,
		.starttls = starttls,
		.allow_plain = allow_plain,
		.clock = &now.clock};
	struct ldap_servers *made = NULL;
	int error = ldap_servers_new(&options, &made);

	ldap_servers_free(made);
	return error;
}

static void test_urls(void **state)
{
	static const char *const wrong[] = {"", "host", "http://host", "ldapi://%2ftmp", "ldaps://",
		"ldaps:///", "ldaps://host:0x", "ldaps://host:65536", "ldaps://host/dc=a",
		"ldaps://host/?cn", "ldaps://host/??sub?(a=b)"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(with(wrong[i], true, true), ERROR_INPUT);
	assert_int_equal(with("ldaps://host", false, false), 0);
	assert_int_equal(with("ldaps://host/", false, false), 0);
	assert_int_equal(with("LDAPS://host", false, false), 0);
	assert_int_equal(with("ldap://host", false, false), ERROR_INPUT);
	assert_int_equal(with("ldap://host", true, false), 0);
	assert_int_equal(with("ldap://host", false, true), 0);
}

static void test_number(void **state)
{
	const char *many[LDAP_SERVERS_MAXIMUM + 1];
	struct ldap_servers_options options = {.urls = many, .clock = &now.clock};
	struct ldap_servers *made = NULL;

	(void)state;
	for (size_t i = 0; i <= LDAP_SERVERS_MAXIMUM; i++)
		many[i] = "ldaps://192.0.2.1";
	assert_int_equal(ldap_servers_new(&options, &made), ERROR_INPUT);
	options.count = LDAP_SERVERS_MAXIMUM + 1;
	assert_int_equal(ldap_servers_new(&options, &made), ERROR_INPUT);
	options.count = LDAP_SERVERS_MAXIMUM;
	assert_int_equal(ldap_servers_new(&options, &made), 0);
	ldap_servers_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hold_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_trial, set_up, tear_down),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
