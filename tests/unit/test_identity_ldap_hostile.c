#include "fake_directory_bed.h"

#include "base/error.h"

#define BIND 0x60
#define SEARCH 0x63
#define BIND_RESULT 0x61
#define SEARCH_RESULT 0x65
#define SUCCESS 0
#define REFERRAL 10
#define WRONG 49
#define BUSY 51
#define OTHER 80

static struct bed_fake fake, second;

/* The library forgets a request whose answer it cannot decode; a sanitizer's stacks end in liblber.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:liblber";
}

static int set_up(void **state)
{
	(void)state;
	bed_start();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bed_end();
	return 0;
}

/* Without an account of its own and without groups: one search and one bind make a logon. */
static struct identity_ldap_options bare(const char *const *servers, size_t count)
{
	struct identity_ldap_options options = plain(servers, count);

	options.bind_dn = options.bind_password = NULL;
	options.groups = LDAP_GROUPS_NONE;
	return options;
}

static bool good(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	(void)directory;
	if (operation == BIND)
		return bed_result(fd, BIND_RESULT, number, SUCCESS);
	if (operation == SEARCH)
		return bed_entry(fd, number) && bed_result(fd, SEARCH_RESULT, number, SUCCESS);
	return false;
}

static bool finds_nobody(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	(void)directory;
	return operation == BIND ? bed_result(fd, BIND_RESULT, number, WRONG)
				 : bed_result(fd, SEARCH_RESULT, number, SUCCESS);
}

static bool silent(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	(void)directory;
	(void)fd;
	(void)operation;
	(void)number;
	return true;
}

static bool silent_to_binds(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return operation == BIND || good(directory, fd, operation, number);
}

static bool half_a_message(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	const uint8_t half[] = {0x30, 0x50, 0x02, 1, number, 0x64};

	(void)directory;
	(void)operation;
	return bed_send(fd, half, sizeof(half));
}

static bool garbage(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	static const char text[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n"
		"Content-Length: 42\r\nConnection: close\r\n\r\nThis is not what you look for";

	(void)directory;
	(void)operation;
	(void)number;
	return bed_send(fd, text, sizeof(text));
}

static bool garbage_in_message(
	struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	const uint8_t bytes[] = {0x30, 10, 0x02, 1, number, 0x65, 0x7f, 1, 2, 3, 4, 5};

	(void)directory;
	(void)operation;
	return bed_send(fd, bytes, sizeof(bytes));
}

static bool huge(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	static const uint8_t bytes[] = {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 1, 1, 0x65};

	(void)directory;
	(void)operation;
	(void)number;
	return bed_send(fd, bytes, sizeof(bytes));
}

static bool wrong_number(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return good(directory, fd, operation, (uint8_t)(number + 7));
}

static bool hangs_up(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	(void)directory;
	(void)fd;
	(void)operation;
	(void)number;
	return false;
}

static bool hangs_up_on_binds(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return operation != BIND && good(directory, fd, operation, number);
}

static bool refers(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	(void)directory;
	return bed_result(fd, operation == BIND ? BIND_RESULT : SEARCH_RESULT, number, REFERRAL);
}

static bool busy_for_binds(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return operation == BIND ? bed_result(fd, BIND_RESULT, number, BUSY)
				 : good(directory, fd, operation, number);
}

static bool fails_binds(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return operation == BIND ? bed_result(fd, BIND_RESULT, number, OTHER)
				 : good(directory, fd, operation, number);
}

static bool fails_searches(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return operation == SEARCH ? bed_result(fd, SEARCH_RESULT, number, OTHER)
				   : good(directory, fd, operation, number);
}

/* As many as the socket takes. */
static bool endless_entries(struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	if (operation == BIND)
		return bed_result(fd, BIND_RESULT, number, WRONG);
	if (operation != SEARCH)
		return true; /* it was abandoned */
	for (int i = 0; i < 1000; i++) {
		if (!bed_entry(fd, number))
			return false;
	}
	return good(directory, fd, operation, number);
}

/* References to other servers, as many as the socket takes. */
static bool endless_references(
	struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	const uint8_t reference[] = {
		0x30, 12, 0x02, 1, number, 0x73, 7, 0x04, 5, 'l', 'd', 'a', 'p', ':'};

	if (operation != SEARCH)
		return operation != BIND || good(directory, fd, operation, number);
	for (int i = 0; i < 100000; i++) {
		if (!bed_send(fd, reference, sizeof(reference)))
			return false;
	}
	return true;
}

/* The second bind of a connection breaks it, as if the server had been restarted in between. */
static bool hangs_up_on_second(
	struct bed_fake *directory, int fd, uint8_t operation, uint8_t number)
{
	return (operation == BIND && number > 1) ? false : good(directory, fd, operation, number);
}

/* A logon at one server that behaves so. */
static enum reason at(bed_reply *reply, unsigned answer_ms)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;
	enum reason reason;

	bed_fake_start(&fake, reply);
	options.answer_ms = answer_ms;
	identity = make(&options);
	reason = log_on(identity, "a", "right");
	identity_free(identity);
	bed_fake_stop(&fake);
	return reason;
}

/* At two, the second of which is good. */
static enum reason at_two(bed_reply *reply, unsigned answer_ms)
{
	const char *const servers[] = {fake.url, second.url};
	struct identity_ldap_options options = bare(servers, 2);
	struct identity *identity;
	enum reason reason;

	bed_fake_start(&fake, reply);
	bed_fake_start(&second, good);
	options.answer_ms = answer_ms;
	identity = make(&options);
	reason = log_on(identity, "a", "right");
	identity_free(identity);
	bed_fake_stop(&fake);
	bed_fake_stop(&second);
	return reason;
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(at(good, 20000), REASON_RIGHT);
	assert_string_equal(answer.user.name, "a");
	assert_string_equal(answer.user.account, "uid=a");
	assert_int_equal(fake.searches, 1);
	assert_int_equal(fake.binds, 1);
}

/* The server has as much to do for a name that does not exist. */
static void test_nobody_is_tried_as_well(void **state)
{
	(void)state;
	assert_int_equal(at(finds_nobody, 20000), REASON_UNKNOWN_USER);
	assert_int_equal(fake.searches, 1);
	assert_int_equal(fake.binds, 1);
}

static void test_silent(void **state)
{
	(void)state;
	assert_int_equal(at(silent, 200), REASON_DIRECTORY_SILENT);
	assert_string_equal(answer.detail, "no answer in time");
	assert_true(answer.took >= 200 * CLOCK_MILLISECOND);
	assert_int_equal(at(silent_to_binds, 200), REASON_DIRECTORY_SILENT);
	assert_int_equal(at(half_a_message, 200), REASON_DIRECTORY_SILENT);
	assert_int_equal(at(wrong_number, 200), REASON_DIRECTORY_SILENT);
}

static void test_deadline(void **state)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;

	(void)state;
	bed_fake_start(&fake, silent);
	identity = make(&options);
	assert_int_equal(ask(identity,
				 (struct identity_request){.user = "a",
					 .password = "right",
					 .deadline = clock_steady(clock_system()) + 100000}),
		REASON_DIRECTORY_SILENT);
	identity_free(identity);
	bed_fake_stop(&fake);
}

static void test_nonsense(void **state)
{
	(void)state;
	assert_int_equal(at(garbage, 20000), REASON_DIRECTORY_FAILED);
	assert_int_equal(at(garbage_in_message, 20000), REASON_DIRECTORY_FAILED);
	assert_int_equal(at(huge, 20000), REASON_DIRECTORY_FAILED);
	assert_int_equal(at(hangs_up, 20000), REASON_DIRECTORY_FAILED);
	assert_int_equal(at(hangs_up_on_binds, 20000), REASON_DIRECTORY_FAILED);
	assert_int_equal(fake.binds, 1);
}

static void test_referral(void **state)
{
	(void)state;
	assert_int_equal(at(refers, 20000), REASON_DIRECTORY_FAILED);
	assert_non_null(strstr(answer.detail, "result 10"));
	assert_int_equal(fake.connections, 1);
}

static void test_too_many_entries(void **state)
{
	(void)state;
	assert_int_equal(at(endless_entries, 20000), REASON_AMBIGUOUS_USER);
}

static void test_too_many_references(void **state)
{
	(void)state;
	assert_int_equal(at(endless_references, 20000), REASON_DIRECTORY_FAILED);
}

/* Whatever happens before the password is sent, the next server may answer. */
static void test_next_server(void **state)
{
	static bed_reply *const replies[] = {
		silent, garbage, hangs_up, half_a_message, fails_searches};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		assert_int_equal(at_two(replies[i], 2000), REASON_RIGHT);
		assert_string_equal(answer.server, second.url);
		assert_int_equal(answer.trouble_count, 1);
		assert_string_equal(answer.troubles[0].server, fake.url);
		assert_int_equal(fake.binds, 0);
		assert_int_equal(second.binds, 1);
	}
	/* It said that it did not look at it. */
	assert_int_equal(at_two(busy_for_binds, 2000), REASON_RIGHT);
	assert_string_equal(answer.server, second.url);
}

/* A password that was sent to one server is sent to no other. */
static void test_one_server_only(void **state)
{
	static bed_reply *const replies[] = {silent_to_binds, hangs_up_on_binds, fails_binds};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		assert_int_not_equal(at_two(replies[i], 300), REASON_RIGHT);
		assert_string_equal(answer.server, fake.url);
		assert_int_equal(fake.binds, 1);
		assert_int_equal(second.connections, 0);
	}
}

static void test_kept_connection_breaks(void **state)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;

	(void)state;
	bed_fake_start(&fake, hangs_up_on_second);
	identity = make(&options);
	assert_int_equal(log_on(identity, "a", "right"), REASON_RIGHT);
	assert_int_equal(log_on(identity, "a", "right"), REASON_RIGHT);
	assert_int_equal(answer.trouble_count, 0);
	identity_free(identity);
	bed_fake_stop(&fake);
	assert_int_equal(fake.binds, 3);
}

static void test_empty_password_reaches_nobody(void **state)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;

	(void)state;
	bed_fake_start(&fake, good);
	identity = make(&options);
	assert_int_equal(log_on(identity, "a", ""), REASON_EMPTY_PASSWORD);
	assert_false(answer.remote);
	identity_free(identity);
	bed_fake_stop(&fake);
	assert_int_equal(fake.connections, 0);
}

static bool refuse(void *context, const char *account)
{
	(void)context;
	(void)account;
	return false;
}

static void test_not_admitted(void **state)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;

	(void)state;
	bed_fake_start(&fake, good);
	identity = make(&options);
	assert_int_equal(ask(identity,
				 (struct identity_request){
					 .user = "a", .password = "right", .admit = refuse}),
		REASON_GUARDED);
	identity_free(identity);
	bed_fake_stop(&fake);
	/* The server has as much to do as for a wrong password, and gets none of his. */
	assert_int_equal(fake.binds, 1);
	assert_string_equal(fake.bound, "cn=00000000-0000-0000-0000-000000000000," BED_BASE);
}

/* Answers of requests that are asked at the same time, by the order in which they were asked. */
#define AT_ONCE 3
static enum reason reasons[AT_ONCE];
static char details[AT_ONCE][64];
static size_t answers;

static void take_one(void *context, const struct identity_answer *given)
{
	size_t index = (size_t)((const char *)context - (const char *)reasons) / sizeof(reasons[0]);

	reasons[index] = given->reason;
	snprintf(details[index], sizeof(details[index]), "%s", given->detail);
	answers++;
}

/* One thread: the second waits until its time is over, for the third there is no room. */
static void test_queue(void **state)
{
	const char *const servers[] = {fake.url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity_request request = {.user = "a",
		.password = "right",
		.arena = arena,
		.loop = &loop,
		.clock = clock_system(),
		.client = "127.0.0.1"};
	struct identity_request requests[AT_ONCE] = {request, request, request};
	struct identity *identity;

	(void)state;
	bed_fake_start(&fake, silent);
	options.connections = 1;
	options.waiting = 1;
	options.answer_ms = 300;
	identity = make(&options);
	answers = 0;
	for (size_t i = 0; i < AT_ONCE; i++) {
		requests[i].arena = arena_new(65536);
		if (i == 1)
			requests[i].deadline = clock_steady(clock_system()) + 100000;
		identity_ask(identity, &requests[i], take_one, &reasons[i]);
	}
	assert_int_equal(answers, 1);
	assert_int_equal(reasons[2], REASON_DIRECTORY_BUSY);
	while (answers < AT_ONCE)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(reasons[0], REASON_DIRECTORY_SILENT);
	assert_string_equal(details[0], "no answer in time");
	assert_int_equal(reasons[1], REASON_DIRECTORY_SILENT);
	assert_int_equal(strncmp(details[1], "waited ", 7), 0);
	identity_free(identity);
	bed_fake_stop(&fake);
	assert_int_equal(fake.searches, 1);
	for (size_t i = 0; i < AT_ONCE; i++)
		arena_free(requests[i].arena);
}

/* Nobody accepts the connection, but it is there. */
static void test_silent_tls(void **state)
{
	uint16_t port;
	int fd = bed_bind(&port);
	char url[72];
	const char *const servers[] = {url};
	struct identity_ldap_options options = bare(servers, 1);
	struct identity *identity;

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	snprintf(url, sizeof(url), "ldaps://127.0.0.1:%u", port);
	options.answer_ms = 200;
	identity = make(&options);
	assert_int_equal(log_on(identity, "a", "right"), REASON_DIRECTORY_SILENT);
	assert_string_equal(answer.detail, "no TLS handshake in time");
	identity_free(identity);
	close(fd);
}

static void test_options(void **state)
{
	const char *server = "ldap://127.0.0.1:1";
	const struct identity_ldap_options right = bare(&server, 1);
	struct identity_ldap_options options;
	struct identity *identity = NULL;
	static const char *const urls[] = {"", "127.0.0.1", "http://host", "ldapi:///", "ldap://",
		"ldap://host/dc=example", "ldaps://host:70000", "ldap://host/?uid"};
	static const char *const filters[] = {"", "uid={user}", "(uid={user)", "(uid={user}",
		"(uid={name})", "(uid={})", "(&(uid={user})", "(uid={user}))", "(uid=*)",
		"(uid=bob)", "({user}=x)", "(&(uid={user})({login}=*))", "(dc={domain})"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		options = right;
		options.servers = &urls[i];
		assert_int_equal(
			identity_ldap_new(&options, clock_system(), &identity), ERROR_INPUT);
	}
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		options = right;
		options.user_filter = filters[i];
		assert_int_equal(
			identity_ldap_new(&options, clock_system(), &identity), ERROR_INPUT);
	}
#define WRONG_OPTION(change)                                                                       \
	options = right;                                                                           \
	change;                                                                                    \
	assert_int_equal(identity_ldap_new(&options, clock_system(), &identity), ERROR_INPUT)
	WRONG_OPTION(options.allow_plain = false);
	WRONG_OPTION(options.base = "nonsense");
	WRONG_OPTION(options.group_base = "nonsense");
	WRONG_OPTION(options.group_filter = "nonsense");
	WRONG_OPTION(options.group_name = "cn)(a");
	WRONG_OPTION(options.bind_dn = "cn=a");
	WRONG_OPTION(options.bind_dn = "a"; options.bind_password = "b");
	WRONG_OPTION(options.bind_dn = "cn=a"; options.bind_password = "");
	WRONG_OPTION(options.kind = LDAP_KIND_ACTIVE_DIRECTORY);
	WRONG_OPTION(options.group_filter = "(cn={user})");
	WRONG_OPTION(options.server_count = 0);
	WRONG_OPTION(options.ca_file = "/nowhere/ca.pem");
	assert_null(identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_nobody_is_tried_as_well),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_referral),
		cmocka_unit_test(test_too_many_entries),
		cmocka_unit_test(test_too_many_references),
		cmocka_unit_test(test_next_server),
		cmocka_unit_test(test_one_server_only),
		cmocka_unit_test(test_kept_connection_breaks),
		cmocka_unit_test(test_empty_password_reaches_nobody),
		cmocka_unit_test(test_not_admitted),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_silent_tls),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
