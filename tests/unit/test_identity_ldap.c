#include "slapd_bed.h"

static struct bed_slapd slapd;

#define PEOPLE ",ou=people," BED_BASE
#define GROUPS ",ou=groups," BED_BASE
#define ENTRY(dn, class, lines) "dn: " dn "\nobjectClass: " class "\n" lines "\n\n"
#define PERSON(uid, lines)                                                                         \
	ENTRY("uid=" uid PEOPLE, "inetOrgPerson", "uid: " uid "\ncn: c\nsn: s\n" lines)
#define SECRET "userPassword: right\n"
#define POLICY(cn, lines)                                                                          \
	ENTRY("cn=" cn "," BED_BASE, "person", "objectClass: pwdPolicy\nsn: s\n" lines)

static const char overlays[] =
	"access to attrs=userPassword by self write by anonymous auth by * none\n"
	"access to * by * read\n"
	"overlay memberof\n"
	"overlay ppolicy\nppolicy_use_lockout\nppolicy_default \"cn=strict," BED_BASE "\"\n";

static const char *const entries[] = {
	ENTRY(BED_BASE, "domain", "dc: studio"),
	ENTRY("ou=people," BED_BASE, "organizationalUnit", "ou: people"),
	ENTRY("ou=groups," BED_BASE, "organizationalUnit", "ou: groups"),
	POLICY("strict",
		"pwdAttribute: userPassword\npwdMaxAge: 1000000\npwdMustChange: TRUE\n"
		"pwdMinLength: 5\npwdCheckQuality: 2\npwdLockout: TRUE\n"),
	POLICY("graceful",
		"pwdAttribute: userPassword\npwdMaxAge: 1000000\npwdGraceAuthNLimit: 9\n"),
	PERSON("alice", SECRET),
	PERSON("bob", SECRET),
	PERSON("zoë müller", "userPassword: pässwörd 日本\n"),
	ENTRY("cn=st\\2Car*\\28x\\29\\5C" PEOPLE, "inetOrgPerson",
		"uid: st,ar*(x)\\\nsn: s\n" SECRET),
	PERSON("twin", SECRET),
	ENTRY("cn=twin" PEOPLE, "inetOrgPerson", "uid: twin\nsn: s\n" SECRET),
	PERSON("old", SECRET "pwdChangedTime: 20010101000000Z\n"),
	PERSON("grace",
		SECRET "pwdChangedTime: 20010101000000Z\n"
		       "pwdPolicySubentry: cn=graceful," BED_BASE "\n"),
	PERSON("reset", SECRET "pwdReset: TRUE\n"),
	PERSON("locked", SECRET "pwdAccountLockedTime: 000001010000Z\n"),
	ENTRY("cn=artists" GROUPS, "groupOfNames",
		"member: uid=alice" PEOPLE "\nmember: cn=everybody" GROUPS),
	ENTRY("cn=staff" GROUPS, "groupOfNames", "member: cn=artists" GROUPS),
	ENTRY("cn=everybody" GROUPS, "groupOfNames", "member: cn=staff" GROUPS),
	ENTRY("cn=unix" GROUPS, "posixGroup", "gidNumber: 7\nmemberUid: bob"),
	ENTRY("cn=ring" GROUPS, "groupOfUniqueNames",
		"uniqueMember: cn=unix" GROUPS "\nuniqueMember: cn=round" GROUPS),
	ENTRY("cn=round" GROUPS, "groupOfUniqueNames", "uniqueMember: cn=ring" GROUPS),
	NULL,
};

static int set_up_all(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	bed_slapd_new(&slapd, overlays, entries);
	bed_start();
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	bed_slapd_free(&slapd);
	bed_end();
	return 0;
}

static bool in_group(const char *name)
{
	for (size_t i = 0; i < answer.user.group_count; i++) {
		if (strcmp(answer.user.groups[i], name) == 0)
			return true;
	}
	return false;
}

/* --- with slapd --- */

static struct identity *studio;

static int set_up_studio(void **state)
{
	const char *const servers[] = {slapd.plain_url};
	struct identity_ldap_options options = plain(servers, 1);

	(void)state;
	studio = make(&options);
	return 0;
}

static int tear_down_studio(void **state)
{
	(void)state;
	identity_free(studio);
	return 0;
}

static void test_right(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "alice", "right"), REASON_RIGHT);
	assert_string_equal(answer.user.name, "alice");
	assert_string_equal(answer.user.domain, "STUDIO");
	assert_string_equal(answer.user.named_domain, "");
	assert_int_equal(strlen(answer.user.account), 36); /* entryUUID */
	assert_string_equal(answer.source, "studio");
	assert_string_equal(answer.server, slapd.plain_url);
	assert_true(answer.remote);
	assert_true(answer.took > 0);
	assert_int_equal(answer.trouble_count, 0);
	assert_int_equal(log_on(studio, "ALICE", "right"), REASON_RIGHT);
	assert_string_equal(answer.user.name, "alice");
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "alice", "wrong"), REASON_WRONG_PASSWORD);
	assert_non_null(strstr(answer.detail, "result 49"));
	assert_int_equal(log_on(studio, "nobody", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "twin", "right"), REASON_AMBIGUOUS_USER);
	assert_int_equal(log_on(studio, "alice", ""), REASON_EMPTY_PASSWORD);
	assert_int_equal(log_on(studio, "nobody", ""), REASON_EMPTY_PASSWORD);
}

static void test_foreign_characters(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "zoë müller", "pässwörd 日本"), REASON_RIGHT);
	assert_string_equal(answer.user.name, "zoë müller");
	assert_int_equal(log_on(studio, "zoë müller", "passwörd 日本"), REASON_WRONG_PASSWORD);
	/* As a filter each of these would find somebody. */
	assert_int_equal(log_on(studio, "*", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "al*", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "alice)(uid=*", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "\xff\xfe", "right"), REASON_UNKNOWN_USER);
	/* The backslash would make a domain of what is before it. */
	assert_int_equal(log_on(studio, "STUDIO\\st,ar*(x)\\", "right"), REASON_RIGHT);
	assert_string_equal(answer.user.name, "st,ar*(x)\\");
}

static void test_domains(void **state)
{
	const struct identity_request named = {
		.user = "alice@studio.example", .domain = "STUDIO", .password = "right"};
	const struct identity_request other = {
		.user = "alice", .domain = "OTHER", .password = "right"};

	(void)state;
	assert_int_equal(log_on(studio, "studio\\alice", "right"), REASON_RIGHT);
	assert_string_equal(answer.user.named_domain, "studio");
	assert_int_equal(log_on(studio, "alice@studio.example", "right"), REASON_RIGHT);
	assert_int_equal(ask(studio, named), REASON_RIGHT);
	assert_string_equal(answer.user.named_domain, "studio.example");
	assert_int_equal(log_on(studio, "OTHER\\alice", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(log_on(studio, "alice@elsewhere", "right"), REASON_UNKNOWN_USER);
	assert_int_equal(ask(studio, other), REASON_UNKNOWN_USER);
}

/* memberOf; three levels and a cycle. */
static void test_groups_of_user(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "alice", "right"), REASON_RIGHT);
	assert_int_equal(answer.user.group_count, 6);
	assert_true(in_group("artists"));
	assert_true(in_group("staff"));
	assert_true(in_group("everybody"));
	assert_true(in_group("cn=staff,ou=groups," BED_BASE));
	assert_false(answer.groups_cut);
	/* From the cache. */
	assert_int_equal(log_on(studio, "alice", "right"), REASON_RIGHT);
	assert_int_equal(answer.user.group_count, 6);
}

/* member, uniqueMember and memberUid; a cycle. */
static void test_groups_with_members(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "bob", "right"), REASON_RIGHT);
	assert_int_equal(answer.user.group_count, 6);
	assert_true(in_group("unix"));
	assert_true(in_group("ring"));
	assert_true(in_group("round"));
}

static size_t groups_with(
	enum ldap_groups groups, const char *filter, const char *base, const char *user)
{
	const char *const servers[] = {slapd.plain_url};
	struct identity_ldap_options options = plain(servers, 1);
	struct identity *identity;

	options.groups = groups;
	options.group_filter = filter;
	options.group_base = base;
	identity = make(&options);
	assert_int_equal(log_on(identity, user, "right"), REASON_RIGHT);
	identity_free(identity);
	return answer.user.group_count;
}

static void test_groups_as_configured(void **state)
{
	(void)state;
	assert_int_equal(groups_with(LDAP_GROUPS_NONE, NULL, NULL, "alice"), 0);
	assert_int_equal(groups_with(LDAP_GROUPS_DIRECT, NULL, NULL, "alice"), 2);
	assert_true(in_group("artists"));
	assert_int_equal(groups_with(LDAP_GROUPS_DIRECT, NULL, NULL, "bob"), 2);
	assert_true(in_group("unix"));
	/* slapd lacks the rule. */
	assert_int_equal(groups_with(LDAP_GROUPS_IN_CHAIN, NULL, NULL, "alice"), 6);
	assert_int_equal(
		groups_with(LDAP_GROUPS_RECURSIVE, "(objectClass=posixGroup)", NULL, "bob"), 2);
	assert_int_equal(groups_with(LDAP_GROUPS_RECURSIVE, "(cn=artists)", NULL, "alice"), 2);
	assert_int_equal(
		groups_with(LDAP_GROUPS_RECURSIVE, NULL, "ou=people," BED_BASE, "alice"), 0);
	assert_int_equal(
		groups_with(LDAP_GROUPS_RECURSIVE, NULL, "OU=groups, " BED_BASE, "alice"), 6);
}

static void test_policy(void **state)
{
	(void)state;
	assert_int_equal(log_on(studio, "old", "right"), REASON_PASSWORD_EXPIRED);
	assert_int_equal(log_on(studio, "grace", "right"), REASON_RIGHT);
	assert_int_equal(log_on(studio, "old", "wrong"), REASON_WRONG_PASSWORD);
	assert_int_equal(log_on(studio, "reset", "right"), REASON_PASSWORD_MUST_CHANGE);
	assert_int_equal(log_on(studio, "locked", "right"), REASON_ACCOUNT_LOCKED);
}

static bool admitted;
static char asked_account[256];

static bool admit(void *context, const char *account)
{
	(void)context;
	snprintf(asked_account, sizeof(asked_account), "%s", account);
	return admitted;
}

static void test_admit(void **state)
{
	struct identity_request request = {.user = "alice", .password = "right", .admit = admit};

	(void)state;
	admitted = true;
	assert_int_equal(ask(studio, request), REASON_RIGHT);
	assert_string_equal(asked_account, answer.user.account);
	admitted = false;
	assert_int_equal(ask(studio, request), REASON_GUARDED);
	/* Nobody has no account. */
	asked_account[0] = '\0';
	request.user = "nobody";
	assert_int_equal(ask(studio, request), REASON_UNKNOWN_USER);
	assert_string_equal(asked_account, "");
}

/* More at once than there are threads, right and wrong ones mixed. */
#define MANY 200
static size_t many_right, many_wrong;

static void count_answer(void *context, const struct identity_answer *given)
{
	(void)context;
	many_right += given->reason == REASON_RIGHT && given->user.group_count == 6;
	many_wrong += given->reason == REASON_WRONG_PASSWORD;
}

static void test_many_at_once(void **state)
{
	static struct identity_request requests[MANY];

	(void)state;
	many_right = many_wrong = 0;
	for (size_t i = 0; i < MANY; i++) {
		requests[i] = (struct identity_request){.user = i % 2 == 0 ? "alice" : "bob",
			.password = i % 4 < 2 ? "right" : "wrong",
			.client = "127.0.0.1",
			.arena = arena_new(1 << 20),
			.loop = &loop,
			.clock = clock_system()};
		identity_ask(studio, &requests[i], count_answer, NULL);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(many_right, MANY / 2);
	assert_int_equal(many_wrong, MANY / 2);
	for (size_t i = 0; i < MANY; i++)
		arena_free(requests[i].arena);
}

/* Kept connections to a server that was restarted are replaced. */
static void test_restart(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(log_on(studio, "alice", "right"), REASON_RIGHT);
		bed_slapd_stop(&slapd, round == 0 ? SIGTERM : SIGKILL);
		bed_slapd_start(&slapd);
		assert_int_equal(log_on(studio, "alice", "right"), REASON_RIGHT);
		assert_int_equal(answer.trouble_count, 0);
	}
}

static void test_order_and_hold_down(void **state)
{
	uint16_t port;
	int fd = bed_bind(&port);
	char dead[64];
	const char *const servers[] = {dead, slapd.plain_url};
	struct identity_ldap_options options = plain(servers, 2);
	struct identity *identity;

	(void)state;
	snprintf(dead, sizeof(dead), "ldap://127.0.0.1:%u", port);
	identity = make(&options);
	assert_int_equal(log_on(identity, "alice", "right"), REASON_RIGHT);
	assert_string_equal(answer.server, slapd.plain_url);
	assert_int_equal(answer.trouble_count, 1);
	assert_string_equal(answer.troubles[0].server, dead);
	assert_string_equal(answer.troubles[0].text, "Connection refused");
	/* Not asked again. */
	assert_int_equal(log_on(identity, "alice", "right"), REASON_RIGHT);
	assert_int_equal(answer.trouble_count, 0);
	identity_free(identity);
	options.server_count = 1;
	identity = make(&options);
	assert_int_equal(log_on(identity, "alice", "right"), REASON_DIRECTORY_UNREACHABLE);
	assert_string_equal(answer.server, dead);
	assert_string_equal(answer.detail, "Connection refused");
	identity_free(identity);
	close(fd);
}

static void test_own_account_refused(void **state)
{
	const char *const servers[] = {slapd.plain_url};
	struct identity_ldap_options options = plain(servers, 1);
	struct identity *identity;

	(void)state;
	options.bind_password = "wrong";
	identity = make(&options);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(log_on(identity, "alice", "right"), REASON_DIRECTORY_REFUSED);
		assert_non_null(strstr(answer.detail, "result 49"));
	}
	identity_free(identity);
}

static enum reason log_on_with_tls(const char *url, bool starttls, const char *ca, bool verify_none)
{
	const char *const servers[] = {url};
	struct identity_ldap_options options = plain(servers, 1);
	struct identity *identity;
	enum reason reason;

	options.allow_plain = false;
	options.starttls = starttls;
	options.ca_file = ca;
	options.verify_none = verify_none;
	identity = make(&options);
	reason = log_on(identity, "alice", "right");
	identity_free(identity);
	return reason;
}

static void test_tls(void **state)
{
	char ca[128], by_name[128];

	(void)state;
	snprintf(ca, sizeof(ca), "%s", bed_path(&slapd, "ca.pem"));
	assert_int_equal(log_on_with_tls(slapd.tls_url, false, ca, false), REASON_RIGHT);
	assert_int_equal(log_on_with_tls(slapd.plain_url, true, ca, false), REASON_RIGHT);
	/* The system knows no such authority. */
	assert_int_equal(
		log_on_with_tls(slapd.tls_url, false, NULL, false), REASON_DIRECTORY_UNTRUSTED);
	assert_non_null(strstr(answer.detail, "certificate"));
	assert_int_equal(
		log_on_with_tls(slapd.plain_url, true, NULL, false), REASON_DIRECTORY_UNTRUSTED);
	assert_int_equal(log_on_with_tls(slapd.tls_url, false, NULL, true), REASON_RIGHT);
	/* The certificate is one for the address. */
	snprintf(by_name, sizeof(by_name), "ldaps://localhost%s", strrchr(slapd.tls_url, ':'));
	assert_int_equal(log_on_with_tls(by_name, false, ca, false), REASON_DIRECTORY_UNTRUSTED);
	assert_int_equal(log_on_with_tls(by_name, false, ca, true), REASON_RIGHT);
}

/* What could be read at the start can be gone, or be closed to the user the program has become. */
static void test_authorities_gone(void **state)
{
	const char *const servers[] = {slapd.tls_url};
	struct identity_ldap_options options = plain(servers, 1);
	char gone[128], ca[128];
	struct identity *identity;

	(void)state;
	snprintf(ca, sizeof(ca), "%s", bed_path(&slapd, "ca.pem"));
	snprintf(gone, sizeof(gone), "%s", bed_path(&slapd, "gone.pem"));
	assert_int_equal(link(ca, gone), 0);
	options.allow_plain = false;
	options.ca_file = gone;
	identity = make(&options);
	assert_int_equal(unlink(gone), 0);
	assert_int_equal(log_on(identity, "alice", "right"), REASON_DIRECTORY_UNTRUSTED);
	assert_non_null(strstr(answer.detail, "gone.pem' cannot be read: No such file"));
	identity_free(identity);
}

static void test_new_password(void **state)
{
	const char *const servers[] = {slapd.tls_url};
	struct identity_ldap_options options = plain(servers, 1);
	struct identity_request request = {
		.user = "reset", .password = "right", .new_password = "a new one"};
	struct identity *identity;

	(void)state;
	assert_false(studio->can_change_password);
	assert_int_equal(ask(studio, request), REASON_PASSWORD_NOT_CHANGED);
	options.change_password = true;
	options.verify_none = true;
	identity = make(&options);
	assert_true(identity->can_change_password);
	request.password = "wrong";
	assert_int_equal(ask(identity, request), REASON_WRONG_PASSWORD);
	request.password = "right";
	request.new_password = "1234";
	assert_int_equal(ask(identity, request), REASON_NEW_PASSWORD_REFUSED);
	request.new_password = "a new öne";
	assert_int_equal(ask(identity, request), REASON_RIGHT);
	assert_int_equal(log_on(identity, "reset", "a new öne"), REASON_RIGHT);
	assert_int_equal(log_on(identity, "reset", "right"), REASON_WRONG_PASSWORD);
	/* A logon of grace is enough; without one the directory lets nobody do it. */
	request.user = "grace";
	assert_int_equal(ask(identity, request), REASON_RIGHT);
	request.user = "old";
	assert_int_equal(ask(identity, request), REASON_PASSWORD_NOT_CHANGED);
	identity_free(identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_right, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(test_wrong, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(
			test_foreign_characters, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(test_domains, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(
			test_groups_of_user, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(
			test_groups_with_members, set_up_studio, tear_down_studio),
		cmocka_unit_test(test_groups_as_configured),
		cmocka_unit_test_setup_teardown(test_policy, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(test_admit, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(test_many_at_once, set_up_studio, tear_down_studio),
		cmocka_unit_test_setup_teardown(test_restart, set_up_studio, tear_down_studio),
		cmocka_unit_test(test_order_and_hold_down),
		cmocka_unit_test(test_own_account_refused),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_authorities_gone),
		cmocka_unit_test_setup_teardown(test_new_password, set_up_studio, tear_down_studio),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
