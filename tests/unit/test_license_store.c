#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "service/license_store.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)
#define LEASE (300 * CLOCK_SECOND)
#define DAY (INT64_C(86400) * CLOCK_SECOND)
#define THREADS 8
#define HOSTS_EACH 25
#define SEATS_FOR_THREADS 17

struct fixture {
	char folder[64];
	char file[80];
	char fault[LICENSE_FAULT_SIZE];
	struct entropy_fake entropy;
	struct license_store *store;
};

static void reopen(struct fixture *fixture)
{
	license_store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(license_store_open(fixture->file, &fixture->entropy.entropy,
				 &fixture->store, fixture->fault),
		0);
}

static void configure(struct fixture *fixture, unsigned seats, int64_t expires)
{
	struct license_seats line = {"standard", seats, expires};

	assert_int_equal(license_store_configure(fixture->store, &line, 1), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->folder, "/tmp/test-license-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->file, sizeof(fixture->file), "%s/store", fixture->folder);
	entropy_fake_init(&fixture->entropy, 7);
	reopen(fixture);
	configure(fixture, 2, INT64_MAX);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	char name[128];

	license_store_close(fixture->store);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", fixture->file, endings[i]);
		(void)unlink(name);
	}
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static enum result_id checkout(
	struct fixture *fixture, const char *host, int64_t now, struct license_lease *lease)
{
	struct license_request request = {"standard", host, "ws", "session"};

	return license_store_checkout(fixture->store, &request, now, LEASE, lease);
}

static void execute(const char *file, const char *text)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void test_seats_are_given_and_returned(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease a, b, c;

	memset(&c, 0x55, sizeof(c));
	assert_int_equal(checkout(fixture, "a", NOW, &a), RESULT_LICENSE_GRANTED);
	assert_int_equal(strlen(a.id), LICENSE_LEASE_SIZE - 1);
	assert_string_equal(a.feature, "standard");
	assert_string_equal(a.host, "a");
	assert_string_equal(a.name, "ws");
	assert_string_equal(a.session, "session");
	assert_true(a.until == NOW + LEASE);
	assert_true(a.expires == INT64_MAX);
	assert_int_equal(a.seats_total, 2);
	assert_int_equal(a.seats_free, 1);
	assert_int_equal(checkout(fixture, "b", NOW, &b), RESULT_LICENSE_GRANTED);
	assert_string_not_equal(a.id, b.id);
	assert_int_equal(b.seats_free, 0);
	assert_int_equal(checkout(fixture, "c", NOW, &c), RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(c.id[0], 0x55);
	assert_int_equal(
		license_store_return(fixture->store, a.id, "a", NOW, &c), RESULT_LICENSE_RETURNED);
	assert_string_equal(c.name, "ws");
	assert_int_equal(c.seats_free, 1);
	assert_int_equal(license_store_return(fixture->store, a.id, "a", NOW, &c),
		RESULT_LICENSE_UNKNOWN_LEASE);
	assert_int_equal(checkout(fixture, "c", NOW, &c), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_count(fixture->store, NOW), 2);
}

static void test_a_host_gets_its_lease_again(void **state)
{
	struct fixture *fixture = *state;
	struct license_request other = {"standard", "a", "renamed", "other"};
	struct license_lease first, again;

	assert_int_equal(checkout(fixture, "a", NOW, &first), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_checkout(fixture->store, &other, NOW + 10, LEASE, &again),
		RESULT_LICENSE_GRANTED);
	assert_string_equal(again.id, first.id);
	assert_string_equal(again.session, "other");
	assert_string_equal(again.name, "renamed");
	assert_true(again.until == NOW + 10 + LEASE);
	assert_int_equal(again.seats_free, 1);
	/* Not once it has ended, swept away or not. */
	assert_int_equal(checkout(fixture, "a", NOW + 10 + LEASE, &again), RESULT_LICENSE_GRANTED);
	assert_string_not_equal(again.id, first.id);
	assert_int_equal(again.seats_free, 1);
}

static void test_a_lease_is_its_hosts_alone(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease, other;

	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "b", NOW, LEASE, &other),
		RESULT_LICENSE_UNKNOWN_LEASE);
	assert_int_equal(license_store_return(fixture->store, lease.id, "b", NOW, &other),
		RESULT_LICENSE_UNKNOWN_LEASE);
	assert_int_equal(
		license_store_renew(fixture->store, "' OR 1=1 --", "a", NOW, LEASE, &other),
		RESULT_LICENSE_UNKNOWN_LEASE);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "a", NOW, LEASE, &other),
		RESULT_LICENSE_RENEWED);
}

static void test_a_renewed_lease_lasts_a_dead_one_ends(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease a, b, c;

	assert_int_equal(checkout(fixture, "a", NOW, &a), RESULT_LICENSE_GRANTED);
	assert_int_equal(checkout(fixture, "b", NOW, &b), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_renew(fixture->store, a.id, "a", NOW + LEASE / 2, LEASE, &a),
		RESULT_LICENSE_RENEWED);
	assert_true(a.until == NOW + LEASE / 2 + LEASE);
	assert_int_equal(
		checkout(fixture, "c", NOW + LEASE - 1, &c), RESULT_LICENSE_DENIED_NO_SEATS);
	/* b's agent died: its seat is free the moment its lease is over. */
	assert_int_equal(checkout(fixture, "c", NOW + LEASE, &c), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_renew(fixture->store, b.id, "b", NOW + LEASE, LEASE, &b),
		RESULT_LICENSE_UNKNOWN_LEASE);
	assert_int_equal(license_store_return(fixture->store, b.id, "b", NOW + LEASE, &b),
		RESULT_LICENSE_UNKNOWN_LEASE);
}

static void test_a_lease_is_not_made_longer(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease;

	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "a", NOW, 2 * LEASE, &lease),
		RESULT_LICENSE_RENEWED);
	assert_true(lease.until == NOW + LEASE);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "a", NOW, LEASE / 3, &lease),
		RESULT_LICENSE_RENEWED);
	assert_true(lease.until == NOW + LEASE / 3);
}

static void note_ended(void *user, const struct license_lease *lease)
{
	char *hosts = user;

	strcat(hosts, lease->host);
	strcat(hosts, "/");
	strcat(hosts, lease->session);
	strcat(hosts, " ");
}

static void test_ended_leases_are_told_once(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease;
	char hosts[64] = "";

	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	assert_int_equal(checkout(fixture, "b", NOW + 1, &lease), RESULT_LICENSE_GRANTED);
	assert_int_equal(
		license_store_expire(fixture->store, NOW + LEASE - 1, note_ended, hosts), 0);
	assert_int_equal(license_store_expire(fixture->store, NOW + LEASE, note_ended, hosts), 1);
	assert_string_equal(hosts, "a/session ");
	assert_int_equal(
		license_store_expire(fixture->store, NOW + 2 * LEASE, note_ended, hosts), 1);
	assert_int_equal(
		license_store_expire(fixture->store, NOW + 2 * LEASE, note_ended, hosts), 0);
	assert_string_equal(hosts, "a/session b/session ");
	assert_int_equal(license_store_count(fixture->store, NOW), 0);
}

static void test_a_clock_set_back_does_not_make_leases_long(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease;
	char hosts[64] = "";

	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	assert_int_equal(license_store_expire(fixture->store, NOW - DAY, note_ended, hosts), 0);
	assert_int_equal(
		license_store_expire(fixture->store, NOW - DAY + LEASE - 1, note_ended, hosts), 0);
	assert_int_equal(
		license_store_expire(fixture->store, NOW - DAY + LEASE, note_ended, hosts), 1);
}

static void test_what_is_not_configured_or_has_expired(void **state)
{
	struct fixture *fixture = *state;
	struct license_request other = {"graphics", "a", "ws", ""};
	struct license_lease lease;

	assert_int_equal(license_store_checkout(fixture->store, &other, NOW, LEASE, &lease),
		RESULT_LICENSE_DENIED_NOT_CONFIGURED);
	configure(fixture, 2, NOW + LEASE / 3);
	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	assert_true(lease.until == NOW + LEASE / 3);
	assert_true(lease.expires == NOW + LEASE / 3);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "a", NOW + 5, LEASE, &lease),
		RESULT_LICENSE_RENEWED);
	assert_true(lease.until == NOW + LEASE / 3);
	assert_int_equal(
		checkout(fixture, "b", NOW + LEASE / 3, &lease), RESULT_LICENSE_DENIED_EXPIRED);
	configure(fixture, 0, INT64_MAX);
	assert_int_equal(checkout(fixture, "b", NOW, &lease), RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(license_store_configure(fixture->store, NULL, 0), 0);
	assert_int_equal(license_store_renew(fixture->store, lease.id, "a", NOW + 5, LEASE, &lease),
		RESULT_LICENSE_DENIED_NOT_CONFIGURED);
	assert_int_equal(license_store_return(fixture->store, lease.id, "a", NOW + 5, &lease),
		RESULT_LICENSE_RETURNED);
}

static void test_with_fewer_seats_the_oldest_leases_stay(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease a, b, c;

	assert_int_equal(checkout(fixture, "z", NOW, &a), RESULT_LICENSE_GRANTED);
	assert_int_equal(checkout(fixture, "b", NOW + 1, &b), RESULT_LICENSE_GRANTED);
	/* Asking again does not make it younger. */
	assert_int_equal(checkout(fixture, "z", NOW + 2, &a), RESULT_LICENSE_GRANTED);
	configure(fixture, 1, INT64_MAX);
	assert_int_equal(license_store_renew(fixture->store, b.id, "b", NOW + 3, LEASE, &b),
		RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(checkout(fixture, "b", NOW + 3, &b), RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(license_store_renew(fixture->store, a.id, "z", NOW + 3, LEASE, &a),
		RESULT_LICENSE_RENEWED);
	assert_int_equal(a.seats_free, 0);
	/* b's has run out, so there is nothing over the number any more. */
	assert_int_equal(license_store_return(fixture->store, a.id, "z", NOW + LEASE + 1, &a),
		RESULT_LICENSE_RETURNED);
	assert_int_equal(checkout(fixture, "c", NOW + LEASE + 1, &c), RESULT_LICENSE_GRANTED);
}

static void test_leases_survive_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease a, b, c;
	struct stat status;

	assert_int_equal(checkout(fixture, "a", NOW, &a), RESULT_LICENSE_GRANTED);
	assert_int_equal(checkout(fixture, "b", NOW, &b), RESULT_LICENSE_GRANTED);
	reopen(fixture);
	assert_int_equal(checkout(fixture, "c", NOW, &c), RESULT_LICENSE_DENIED_NOT_CONFIGURED);
	configure(fixture, 2, INT64_MAX);
	assert_int_equal(license_store_count(fixture->store, NOW), 2);
	assert_int_equal(checkout(fixture, "c", NOW, &c), RESULT_LICENSE_DENIED_NO_SEATS);
	assert_int_equal(license_store_renew(fixture->store, a.id, "a", NOW + 1, LEASE, &a),
		RESULT_LICENSE_RENEWED);
	assert_int_equal(stat(fixture->file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

/* --- many at once --- */

struct crowd {
	struct license_store *store;
	unsigned number;
	unsigned granted, most_taken;
};

static void *take_seats(void *user)
{
	struct crowd *crowd = user;
	struct license_lease lease;
	char host[32];

	for (unsigned i = 0; i < HOSTS_EACH; i++) {
		struct license_request request = {"standard", host, "ws", ""};

		(void)snprintf(host, sizeof(host), "%u-%u", crowd->number, i);
		if (license_store_checkout(crowd->store, &request, NOW, LEASE, &lease) !=
			RESULT_LICENSE_GRANTED)
			continue;
		crowd->granted++;
		if (lease.seats_total - lease.seats_free > crowd->most_taken)
			crowd->most_taken = lease.seats_total - lease.seats_free;
		/* Some come back, so that it is not over after the first few. */
		if (i % 3 == 0 &&
			license_store_return(crowd->store, lease.id, host, NOW, &lease) ==
				RESULT_LICENSE_RETURNED)
			crowd->granted--;
	}
	return NULL;
}

/* Threads of one service, and a second service on the same file. */
static void test_a_crowd_never_gets_more_than_there_is(void **state)
{
	struct fixture *fixture = *state;
	struct license_seats line = {"standard", SEATS_FOR_THREADS, INT64_MAX};
	struct license_store *second;
	struct crowd crowds[THREADS];
	pthread_t threads[THREADS];
	char host[32] = "late";
	struct license_lease lease;
	unsigned granted = 0;

	/* The fake generator is not thread-safe. */
	license_store_close(fixture->store);
	assert_int_equal(license_store_open(
				 fixture->file, entropy_system(), &fixture->store, fixture->fault),
		0);
	assert_int_equal(
		license_store_open(fixture->file, entropy_system(), &second, fixture->fault), 0);
	assert_int_equal(license_store_configure(second, &line, 1), 0);
	configure(fixture, SEATS_FOR_THREADS, INT64_MAX);
	for (unsigned i = 0; i < THREADS; i++) {
		crowds[i] =
			(struct crowd){.store = i % 4 == 3 ? second : fixture->store, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, take_seats, &crowds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		granted += crowds[i].granted;
		assert_true(crowds[i].most_taken <= SEATS_FOR_THREADS);
	}
	license_store_close(second);
	assert_int_equal(granted, license_store_count(fixture->store, NOW));
	/* On a slow disk some of them may have been told that the store is busy. */
	while (checkout(fixture, host, NOW, &lease) == RESULT_LICENSE_GRANTED)
		(void)snprintf(host, sizeof(host), "late-%u", ++granted);
	assert_int_equal(granted, SEATS_FOR_THREADS);
}

/* --- files that are not to be used --- */

static void assert_refused(struct fixture *fixture, const char *why)
{
	struct license_store *store = NULL;

	assert_int_equal(license_store_open(
				 fixture->file, &fixture->entropy.entropy, &store, fixture->fault),
		ERROR_STORE);
	assert_null(store);
	assert_non_null(strstr(fixture->fault, fixture->file));
	if (strstr(fixture->fault, why) == NULL)
		fail_msg("'%s' does not say '%s'", fixture->fault, why);
}

static void close_store(struct fixture *fixture)
{
	license_store_close(fixture->store);
	fixture->store = NULL;
}

static void test_other_versions_and_programs_are_refused(void **state)
{
	struct fixture *fixture = *state;

	close_store(fixture);
	execute(fixture->file, "PRAGMA user_version = 2");
	assert_refused(fixture, "has version 2, this program knows version 1");
	execute(fixture->file, "PRAGMA user_version = 1; PRAGMA application_id = 12");
	assert_refused(fixture, "another program's database");
}

static void test_a_foreign_file_is_not_changed(void **state)
{
	struct fixture *fixture = *state;
	char before[64] = "not a database at all, but long enough to be looked at\n",
	     after[64] = "";
	FILE *stream;

	close_store(fixture);
	stream = fopen(fixture->file, "w");
	assert_non_null(stream);
	assert_true(fputs(before, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_refused(fixture, "not a database");
	stream = fopen(fixture->file, "r");
	assert_non_null(stream);
	assert_non_null(fgets(after, sizeof(after), stream));
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(after, before);
}

static void test_a_damaged_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease;
	char page[512];
	FILE *stream;

	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	close_store(fixture);
	memset(page, 0xa5, sizeof(page));
	stream = fopen(fixture->file, "r+");
	assert_non_null(stream);
	assert_int_equal(fseek(stream, 4096, SEEK_SET), 0); /* the first page after the schema */
	assert_int_equal(fwrite(page, sizeof(page), 1, stream), 1);
	assert_int_equal(fclose(stream), 0);
	assert_refused(fixture, "the licence store");
}

static void test_a_folder_that_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	close_store(fixture);
	assert_int_equal(unlink(fixture->file), 0);
	(void)snprintf(fixture->file, sizeof(fixture->file), "%s/none/store", fixture->folder);
	assert_refused(fixture, "No such file or directory");
}

static void test_a_store_that_fails_is_busy_and_says_why(void **state)
{
	struct fixture *fixture = *state;
	struct license_lease lease;
	char fault[LICENSE_FAULT_SIZE];

	license_store_fault(fixture->store, fault);
	assert_string_equal(fault, "");
	execute(fixture->file, "ALTER TABLE lease RENAME TO away");
	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_SERVICE_BUSY);
	license_store_fault(fixture->store, fault);
	assert_non_null(strstr(fault, "no such table"));
	assert_int_equal(license_store_renew(fixture->store, "x", "a", NOW, LEASE, &lease),
		RESULT_LICENSE_SERVICE_BUSY);
	assert_int_equal(license_store_return(fixture->store, "x", "a", NOW, &lease),
		RESULT_LICENSE_SERVICE_BUSY);
	assert_int_equal(license_store_expire(fixture->store, NOW, note_ended, fault), ERROR_STORE);
	assert_int_equal(license_store_count(fixture->store, NOW), ERROR_STORE);
	/* Nothing was left half done: others can write, and it works again. */
	execute(fixture->file, "ALTER TABLE away RENAME TO lease");
	assert_int_equal(checkout(fixture, "a", NOW, &lease), RESULT_LICENSE_GRANTED);
	license_store_fault(fixture->store, fault);
	assert_string_equal(fault, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_seats_are_given_and_returned),
		TEST(test_a_host_gets_its_lease_again),
		TEST(test_a_lease_is_its_hosts_alone),
		TEST(test_a_renewed_lease_lasts_a_dead_one_ends),
		TEST(test_a_lease_is_not_made_longer),
		TEST(test_ended_leases_are_told_once),
		TEST(test_a_clock_set_back_does_not_make_leases_long),
		TEST(test_what_is_not_configured_or_has_expired),
		TEST(test_with_fewer_seats_the_oldest_leases_stay),
		TEST(test_leases_survive_a_restart),
		TEST(test_a_crowd_never_gets_more_than_there_is),
		TEST(test_other_versions_and_programs_are_refused),
		TEST(test_a_foreign_file_is_not_changed),
		TEST(test_a_damaged_file_is_refused),
		TEST(test_a_folder_that_is_not_there),
		TEST(test_a_store_that_fails_is_busy_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
