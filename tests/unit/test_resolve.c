#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/resolve.h"
#include "names.h"

#define LONG (600 * CLOCK_SECOND)

static struct clock_fake now;

static struct resolve *make(const char *host, int socket_type)
{
	struct resolve *resolve = resolve_new(host, 1812, socket_type);

	assert_non_null(resolve);
	return resolve;
}

/* As one who may wait. */
static int get(struct resolve *resolve, struct resolve_addresses *addresses)
{
	return resolve_get(resolve, clock_system(), clock_steady(clock_system()) + LONG, addresses);
}

/* Until the look-up has ended. */
static int poll_all(
	struct resolve *resolve, unsigned long *number, struct resolve_addresses *addresses)
{
	int error;

	while ((error = resolve_poll(resolve, &now.clock, number, addresses)) == ERROR_TIMEOUT)
		sched_yield();
	return error;
}

static uint32_t first_of(const struct resolve_addresses *addresses)
{
	const struct sockaddr_in *address = (const struct sockaddr_in *)&addresses->list[0];

	assert_int_equal(address->sin_family, AF_INET);
	assert_int_equal(ntohs(address->sin_port), 1812);
	assert_int_equal(addresses->lengths[0], sizeof(*address));
	return ntohl(address->sin_addr.s_addr);
}

static void test_numeric(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct resolve_addresses addresses;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct resolve *four = make("192.0.2.1", types[i]);
		struct resolve *six = make("2001:db8::1", types[i]);
		unsigned long number = 0;

		names_note(-1);
		assert_int_equal(resolve_get(four, &now.clock, 0, &addresses), 0);
		assert_int_equal(addresses.count, 1);
		assert_int_equal(first_of(&addresses), 0xc0000201);
		assert_int_equal(resolve_poll(six, &now.clock, &number, &addresses), 0);
		assert_int_equal(addresses.count, 1);
		assert_int_equal(addresses.list[0].ss_family, AF_INET6);
		/* Nobody was asked. */
		assert_int_equal(names.socket_type, -1);
		resolve_free(four);
		resolve_free(six);
	}
}

static void test_localhost(void **state)
{
	struct resolve *resolve = make("localhost", SOCK_STREAM);
	struct resolve_addresses addresses = {.count = 0};

	(void)state;
	assert_int_equal(get(resolve, &addresses), 0);
	assert_true(addresses.count > 0);
	/* It is known now, whatever time is left. */
	assert_int_equal(resolve_get(resolve, clock_system(), 0, &addresses), 0);
	resolve_free(resolve);
}

static void test_type(void **state)
{
	struct resolve *resolve = make("two", SOCK_DGRAM);
	struct resolve_addresses addresses;

	(void)state;
	assert_int_equal(get(resolve, &addresses), 0);
	assert_int_equal(names.socket_type, SOCK_DGRAM);
	assert_int_equal(addresses.count, 2);
	assert_int_equal(first_of(&addresses), 0x7f000002);
	resolve_free(resolve);
}

static void test_nobody(void **state)
{
	/* The second one is never asked of a name server. */
	static const char *const list[] = {"nobody", "bad..name"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct resolve *resolve = make(list[i], SOCK_DGRAM);
		struct resolve_addresses addresses = {.count = 7};
		unsigned long number = 0;

		assert_int_equal(get(resolve, &addresses), ERROR_NOT_FOUND);
		assert_int_equal(poll_all(resolve, &number, &addresses), ERROR_NOT_FOUND);
		assert_int_equal(addresses.count, 7);
		assert_true(resolve_trouble(resolve)[0] != '\0');
		resolve_free(resolve);
	}
}

/* A failure is not kept for those who ask afterwards. */
static void test_better_later(void **state)
{
	struct resolve *resolve = make("later", SOCK_DGRAM);
	struct resolve_addresses addresses;
	unsigned long first = 0, second = 0;

	(void)state;
	assert_int_equal(resolve_poll(resolve, &now.clock, &first, &addresses), ERROR_TIMEOUT);
	names_answer(EAI_AGAIN);
	assert_int_equal(poll_all(resolve, &first, &addresses), ERROR_NOT_FOUND);
	assert_string_equal(resolve_trouble(resolve), gai_strerror(EAI_AGAIN));
	assert_int_equal(resolve_poll(resolve, &now.clock, &second, &addresses), ERROR_TIMEOUT);
	names_answer(0);
	assert_int_equal(poll_all(resolve, &second, &addresses), 0);
	assert_int_equal(first_of(&addresses), 0x7f000001);
	resolve_free(resolve);
}

/* Whoever comes while a look-up is under way waits for that one. */
static void test_shared(void **state)
{
	struct resolve *resolve = make("later", SOCK_DGRAM);
	struct resolve_addresses addresses;
	unsigned long numbers[100] = {0};
	unsigned asked = names_asked();

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(
			resolve_poll(resolve, &now.clock, &numbers[i], &addresses), ERROR_TIMEOUT);
	assert_int_equal(resolve_get(resolve, &now.clock, 0, &addresses), ERROR_TIMEOUT);
	names_answer(0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(poll_all(resolve, &numbers[i], &addresses), 0);
	assert_int_equal(names_asked(), asked + 1);
	resolve_free(resolve);
}

/* After a minute the old answer stands while a new one is looked up, and when there is none. */
static void test_kept(void **state)
{
	struct resolve *resolve = make("later", SOCK_DGRAM);
	struct resolve_addresses addresses;
	static const int troubles[] = {EAI_AGAIN, EAI_FAIL, EAI_AGAIN};
	unsigned long number = 0;
	unsigned asked = names_asked();

	(void)state;
	assert_int_equal(resolve_poll(resolve, &now.clock, &number, &addresses), ERROR_TIMEOUT);
	names_answer(0);
	assert_int_equal(poll_all(resolve, &number, &addresses), 0);
	clock_fake_advance(&now, 60 * CLOCK_SECOND - 1);
	assert_int_equal(resolve_get(resolve, &now.clock, 0, &addresses), 0);
	for (unsigned i = 0; i < 3; i++) {
		clock_fake_advance(&now, 61 * CLOCK_SECOND);
		addresses.count = 0;
		assert_int_equal(resolve_get(resolve, &now.clock, 0, &addresses), 0);
		assert_int_equal(addresses.count, 1);
		names_answer(troubles[i]);
		assert_int_equal(names_asked(), asked + 2 + i);
		/* The next round is to find this look-up ended. */
		while (strcmp(resolve_trouble(resolve), gai_strerror(troubles[i])) != 0)
			sched_yield();
	}
	resolve_free(resolve);
}

static void test_given_up(void **state)
{
	struct resolve *resolve = make("later", SOCK_DGRAM);
	struct resolve_addresses addresses;

	(void)state;
	assert_int_equal(resolve_get(resolve, clock_system(), 0, &addresses), ERROR_TIMEOUT);
	resolve_free(resolve);
	/* It would never be answered, did it wait. */
	names_answer(0);
	resolve_free(NULL);
}

static int set_up(void **state)
{
	(void)state;
	clock_fake_init(&now, 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_numeric, set_up),
		cmocka_unit_test_setup(test_localhost, set_up),
		cmocka_unit_test_setup(test_type, set_up),
		cmocka_unit_test_setup(test_nobody, set_up),
		cmocka_unit_test_setup(test_better_later, set_up),
		cmocka_unit_test_setup(test_shared, set_up),
		cmocka_unit_test_setup(test_kept, set_up),
		cmocka_unit_test_setup(test_given_up, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
