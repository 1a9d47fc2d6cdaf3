#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "identity/radius_private.h"
#include "service/settings_logon.h"

/* As a program would have it. */
struct sample {
	struct settings common;
	struct settings_users users;
	struct settings_logon logon;
};

static const struct cyaml_schema_field fields[] = {
	SETTINGS_FIELDS(struct sample, common),
	SETTINGS_USERS(struct sample, users),
	SETTINGS_LOGON(struct sample, logon),
	CYAML_FIELD_END,
};

static const struct cyaml_schema_value schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, fields),
};

/* Lines 1 and 2, and 3 to 4. */
#define HEAD                                                                                       \
	"certificates: [{certificate: a.pem, key: a.key}]\n"                                       \
	"domains: [STUDIO, LAB]\n"
#define USERS                                                                                      \
	"users:\n"                                                                                 \
	"  - {name: admin, password: " HASH "}\n"
#define HASH                                                                                       \
	"$y$j9T$jDJc9qXp3lkIbNt1fU6w229IvdunBbxMeE.0S70G/r5$qZNl7B9PVciSHYx/"                      \
	"vdw7.tWSkdbNbFI6kNswYhVGm3A"
/* One line each. */
#define BARE_DIRECTORY_WITH(more)                                                                  \
	"directories: [{name: studio, kind: active-directory, servers: ['ldaps://dc1.example'], "  \
	"base: 'dc=example'" more "}]\n"
#define DIRECTORY_WITH(more) BARE_DIRECTORY_WITH(more ACCOUNT)
#define DIRECTORY DIRECTORY_WITH("")
#define ACCOUNT ", bind-dn: 'cn=f,dc=example', bind-password-file: secret"
#define RADIUS_WITH(more)                                                                          \
	"radius: [{name: token, servers: [{address: radius.example, secret-file: secret}]" more    \
	"}]\n"
#define RADIUS RADIUS_WITH("")

static char folder[] = "/tmp/test-settings-logon-XXXXXX";
static char file[64];
static struct config *config;
static struct sample *sample;
static struct config_fault fault;

static void write_bytes(const char *name, const void *bytes, size_t length, mode_t mode)
{
	char path[96];
	int to;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(to >= 0);
	assert_int_equal(write(to, bytes, length), length);
	assert_int_equal(fchmod(to, mode), 0);
	close(to);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	write_bytes(name, text, strlen(text), mode);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/c.yaml", folder);
	write_file("secret", "s3cret\n", 0600);
	write_file("terms", "Be kind.\r\nAlways.\r\n\r\n", 0644);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"secret", "terms", "other", "c.yaml"};
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

static int load(const char *text)
{
	int error;

	write_file("c.yaml", text, 0600);
	config_free(config);
	config = NULL;
	memset(&fault, 0, sizeof(fault));
	error = config_load(file, &schema, &config, &fault);
	if (error != 0)
		return error;
	sample = config_data(config);
	return settings_check_logon(
		config, &sample->common, &sample->users, &sample->logon, &fault);
}

static void assert_good(const char *text)
{
	if (load(text) != 0)
		fail_msg("%s", fault.text);
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

static struct logon_plan *make_plan(void)
{
	struct logon_plan *plan;

	assert_int_equal(settings_logon_plan(config, &sample->common, &sample->users,
				 &sample->logon, NULL, clock_system(), &plan),
		0);
	return plan;
}

/* --- what is good --- */

static void test_users_only(void **state)
{
	struct guard_limits limits;
	struct logon_plan *plan;

	(void)state;
	assert_good(HEAD USERS);
	assert_true(settings_logon_only_users(&sample->logon));
	limits = settings_guard_limits(&sample->logon);
	assert_memory_equal(&limits, &(struct guard_limits){.off = false}, sizeof(limits));
	plan = make_plan();
	assert_int_equal(plan->chain_count, 1);
	assert_int_equal(plan->chains[0].domain_count, 0);
	assert_int_equal(plan->chains[0].factor_count, 0);
	assert_int_equal(plan->source_count, 1);
	assert_ptr_equal(plan->chains[0].source, plan->sources[0]);
	assert_null(plan->disclaimer.text);
	logon_plan_free(plan);
}

static void test_only_directory(void **state)
{
	const struct settings_directory *directory;
	struct logon_plan *plan;

	(void)state;
	assert_good(HEAD DIRECTORY RADIUS);
	assert_false(settings_logon_only_users(&sample->logon));
	directory = &sample->logon.directories[0];
	assert_int_equal(directory->verify, CERTIFICATE_VERIFY_FULL);
	assert_int_equal(directory->groups, LDAP_GROUPS_DEFAULT);
	assert_false(directory->change_password || directory->starttls || directory->plain);
	assert_int_equal(sample->logon.radius[0].first, LOGON_FIRST_CODE);
	assert_int_equal(sample->logon.radius[0].method, RADIUS_PAP);
	/* Without 'logon': the only source, and everything under 'radius'. */
	plan = make_plan();
	assert_int_equal(plan->source_count, 1);
	assert_int_equal(plan->chain_count, 1);
	assert_int_equal(plan->chains[0].factor_count, 1);
	assert_string_equal(plan->chains[0].factors[0]->name, "token");
	assert_non_null(plan->chains[0].factors[0]->radius);
	assert_null(plan->chains[0].factors[0]->prompt);
	logon_plan_free(plan);
}

static const char all_keys[] = HEAD USERS
	"directories:\n"
	"  - {name: studio, kind: active-directory, domains: [STUDIO, studio.example],\n"
	"     servers: ['ldaps://dc1.example', 'ldap://dc2.example:3268', 'ldap://[::1]:389'],\n"
	"     starttls: yes, verify: none, base: 'dc=example', group-base: 'ou=g,dc=example',\n"
	"     bind-dn: 'cn=fairlead,dc=example', bind-password-file: secret,\n"
	"     user-filter: '(sAMAccountName={user})', group-filter: '(objectClass=group)',\n"
	"     group-name: cn, groups: recursive, connections: 2, waiting: 3, connect-ms: 104,\n"
	"     answer-ms: 105, slow-ms: 6, hold-down-seconds: 7, group-cache-seconds: 8,\n"
	"     change-password: yes}\n"
	"  - {name: old, kind: ldap, servers: ['ldap://old.example'], plain: yes,\n"
	"     base: 'o=old', bind-dn: 'cn=f,o=old', bind-password-file: secret, groups: none}\n"
	"radius:\n"
	"  - name: token\n"
	"    servers:\n"
	"      - {address: '::1', port: 1645, secret-file: secret}\n"
	"      - {address: 192.0.2.7, secret-file: secret}\n"
	"    first: text\n"
	"    text: push\n"
	"    prompt: Code\n"
	"    method: chap\n"
	"    nas-identifier: desk\n"
	"    retry-ms: 101\n"
	"    tries: 2\n"
	"    wait-seconds: 60\n"
	"    hold-down-seconds: 4\n"
	"    unsigned: yes\n"
	"  - {name: codes, first: password, servers: [{address: r.example, secret-file: secret}]}\n"
	"logon:\n"
	"  - {domains: [STUDIO, studio.example, STUDIO2], source: studio, factors: [codes, "
	"token]}\n"
	"  - {domains: [LAB], source: old, factors: []}\n"
	"  - {source: users}\n"
	"disclaimer: {text-file: terms, title: Terms, required: yes}\n"
	"guard: {user: 1, known: 2, address: 3, prefix: 4, password: 5, all: 6, window-seconds: "
	"60,\n"
	"        delay-ms: 8, delay-most-ms: 9, off: yes}\n";

static void test_all_keys(void **state)
{
	const struct settings_directory *directory;
	const struct settings_radius *radius;
	struct guard_limits limits;

	(void)state;
	assert_good(all_keys);
	directory = &sample->logon.directories[0];
	assert_int_equal(directory->kind, LDAP_KIND_ACTIVE_DIRECTORY);
	assert_int_equal(directory->domains_count, 2);
	assert_int_equal(directory->servers_count, 3);
	assert_true(directory->starttls && directory->change_password && !directory->plain);
	assert_int_equal(directory->verify, CERTIFICATE_VERIFY_NONE);
	assert_string_equal(directory->group_base, "ou=g,dc=example");
	assert_string_equal(directory->user_filter, "(sAMAccountName={user})");
	assert_string_equal(directory->group_filter, "(objectClass=group)");
	assert_string_equal(directory->group_name, "cn");
	assert_int_equal(directory->groups, LDAP_GROUPS_RECURSIVE);
	assert_int_equal(directory->connections, 2);
	assert_int_equal(directory->waiting, 3);
	assert_int_equal(directory->connect_ms, 104);
	assert_int_equal(directory->answer_ms, 105);
	assert_int_equal(directory->slow_ms, 6);
	assert_int_equal(directory->hold_down_seconds, 7);
	assert_int_equal(directory->group_cache_seconds, 8);
	assert_int_equal(sample->logon.directories[1].kind, LDAP_KIND_LDAP);
	assert_true(sample->logon.directories[1].plain);
	assert_int_equal(sample->logon.directories[1].groups, LDAP_GROUPS_NONE);
	radius = &sample->logon.radius[0];
	assert_int_equal(radius->servers[0].port, 1645);
	assert_string_equal(radius->servers[1].address, "192.0.2.7");
	assert_int_equal(radius->method, RADIUS_CHAP);
	assert_string_equal(radius->nas_identifier, "desk");
	assert_int_equal(radius->retry_ms, 101);
	assert_int_equal(radius->tries, 2);
	assert_int_equal(radius->wait_seconds, 60);
	assert_int_equal(radius->hold_down_seconds, 4);
	assert_true(radius->allow_unsigned);
	limits = settings_guard_limits(&sample->logon);
	assert_int_equal(limits.user, 1);
	assert_int_equal(limits.known, 2);
	assert_int_equal(limits.address, 3);
	assert_int_equal(limits.prefix, 4);
	assert_int_equal(limits.password, 5);
	assert_int_equal(limits.all, 6);
	assert_int_equal(limits.window_seconds, 60);
	assert_int_equal(limits.delay_ms, 8);
	assert_int_equal(limits.delay_most_ms, 9);
	assert_true(limits.off);
}

static void test_plan(void **state)
{
	const struct logon_chain *studio, *lab, *rest;
	struct logon_plan *plan;

	(void)state;
	assert_good(all_keys);
	plan = make_plan();
	/* The plan is its own: what it was made of may go. */
	config_free(config);
	config = NULL;
	assert_int_equal(plan->chain_count, 3);
	assert_int_equal(plan->source_count, 3);
	assert_int_equal(plan->radius_count, 2);
	studio = logon_plan_chain(plan, "alice@studio.example", "");
	lab = logon_plan_chain(plan, "alice", "lab");
	rest = logon_plan_chain(plan, "alice", "");
	assert_ptr_equal(studio, &plan->chains[0]);
	assert_ptr_equal(lab, &plan->chains[1]);
	assert_ptr_equal(rest, &plan->chains[2]);
	assert_ptr_equal(logon_plan_chain(plan, "alice", "studio2"), studio);
	assert_true(studio->source != lab->source && lab->source != rest->source &&
		studio->source != rest->source);
	assert_true(studio->source->can_change_password);
	assert_false(lab->source->can_change_password);
	assert_int_equal(studio->factor_count, 2);
	assert_string_equal(studio->factors[0]->name, "codes");
	assert_int_equal(studio->factors[0]->first, LOGON_FIRST_PASSWORD);
	assert_string_equal(studio->factors[1]->name, "token");
	assert_int_equal(studio->factors[1]->first, LOGON_FIRST_TEXT);
	assert_string_equal(studio->factors[1]->text, "push");
	assert_string_equal(studio->factors[1]->prompt, "Code");
	assert_int_equal(lab->factor_count, 0);
	assert_ptr_equal(studio->factors[1]->radius, plan->radius[0]);
	assert_int_equal(plan->radius[0]->peer_count, 2);
	assert_string_equal(plan->radius[0]->peers[0].secret, "s3cret");
	assert_int_equal(plan->radius[0]->password, RADIUS_CHAP);
	assert_string_equal(plan->radius[0]->nas_identifier, "desk");
	assert_int_equal(plan->radius[0]->retry_ms, 101);
	assert_int_equal(plan->radius[0]->tries, 2);
	assert_int_equal(plan->radius[0]->wait_ms, 60000);
	assert_int_equal(plan->radius[0]->hold_down, 4 * CLOCK_SECOND);
	assert_true(plan->radius[0]->allow_unsigned);
	assert_false(plan->radius[1]->allow_unsigned);
	assert_string_equal(plan->disclaimer.title, "Terms");
	assert_string_equal(plan->disclaimer.text, "Be kind.\nAlways.");
	assert_true(plan->disclaimer.required);
	logon_plan_free(plan);
}

static void keep_reason(void *context, const struct identity_answer *answer)
{
	*(enum reason *)context = answer->reason;
}

static enum reason ask(const struct logon_plan *plan, const char *user, const char *domain)
{
	struct work_queue *work = work_queue_new(0);
	enum reason reason = REASON_COUNT;
	uv_loop_t loop;
	struct identity_request request = {
		.user = user,
		.domain = domain,
		.password = "change-me",
		.client = "192.0.2.7",
		.arena = arena_new(65536),
		.loop = &loop,
		.work = work,
		.clock = clock_system(),
	};

	assert_int_equal(uv_loop_init(&loop), 0);
	identity_ask(logon_plan_chain(plan, user, domain)->source, &request, keep_reason, &reason);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	work_queue_free(work);
	arena_free(request.arena);
	return reason;
}

/* A name that only a chain knows is one of its source's. */
static void test_domains_of_chains(void **state)
{
	struct logon_plan *plan;

	(void)state;
	assert_good(HEAD USERS DIRECTORY
		"logon: [{domains: [LAB, lab.example], source: users}, {source: studio}]\n");
	plan = make_plan();
	assert_int_equal(ask(plan, "admin@lab.example", ""), REASON_RIGHT);
	assert_int_equal(ask(plan, "admin", "LAB"), REASON_RIGHT);
	logon_plan_free(plan);
	assert_good(HEAD USERS);
	plan = make_plan();
	assert_int_equal(ask(plan, "admin", "STUDIO"), REASON_RIGHT);
	assert_int_equal(ask(plan, "admin@lab.example", ""), REASON_UNKNOWN_USER);
	logon_plan_free(plan);
}

/* A directory with domains of its own has no others, offered or not. No server is asked. */
static void test_domains_of_directories(void **state)
{
	struct logon_plan *plan;

	(void)state;
	assert_good(HEAD DIRECTORY_WITH(", domains: [STUDIO]"));
	plan = make_plan();
	assert_int_equal(ask(plan, "alice", "LAB"), REASON_UNKNOWN_USER);
	logon_plan_free(plan);
}

/* A file that has changed since it was checked ends the plan, and nothing is left over. */
static void test_plan_without_secret(void **state)
{
	struct logon_plan *plan = NULL;

	(void)state;
	write_file("other", "s3cret", 0400);
	assert_good(HEAD USERS "radius: [{name: a, servers: [{address: r1, secret-file: secret}]}, "
			       "{name: b, servers: [{address: r2, secret-file: other}]}]\n");
	write_file("other", "", 0600);
	assert_int_equal(settings_logon_plan(config, &sample->common, &sample->users,
				 &sample->logon, NULL, clock_system(), &plan),
		ERROR_INPUT);
	assert_null(plan);
}

/* --- what is refused --- */

static void test_sources_refused(void **state)
{
	(void)state;
	write_file("other", "auth required pam_deny.so\n", 0644);
	assert_refused(HEAD, "1:1", "expected 'users', 'directories' or 'pam'");
	assert_refused(HEAD "users: []\n", "3:1", "nobody could log on");
	assert_refused(HEAD USERS DIRECTORY, "1:1",
		"several sources of users (users, studio); expected 'logon'");
	assert_refused(HEAD USERS "pam: {service: other, confdir: .}\n", "1:1", "(users, pam)");
	assert_refused(
		"certificates: [{certificate: a.pem, key: a.key}]\n" USERS, "1:1", "domains");
}

static void test_chains_refused(void **state)
{
#define CHAINS(list) HEAD USERS DIRECTORY RADIUS "logon: [" list "]\n"
#define TOKEN ", factors: [token]"
	(void)state;
	assert_good(CHAINS("{domains: [LAB], source: users" TOKEN "}, {source: studio}"));
	assert_refused(CHAINS(""), "7:8", "at least 1");
	assert_refused(CHAINS("{domains: [LAB]}"), "7:9", "source");
	assert_refused(CHAINS("{source: users, factors: token}"), "7:34", "a list");
	assert_refused(CHAINS("{source: pam}"), "7:18", "'pam'; expected one of: users, studio");
	assert_refused(CHAINS("{source: Studio}"), "7:18", "no source of users 'Studio'");
	assert_refused(HEAD DIRECTORY "logon: [{source: users}]\n", "4:18",
		"no source of users 'users'; expected one of: studio");
	assert_refused(CHAINS("{source: users, factors: [token, none]}"), "7:42",
		"no factor 'none'; expected the name of one under 'radius'");
	assert_refused(
		CHAINS("{source: users, factors: [token, token]}"), "7:42", "expected it once");
	assert_refused(CHAINS("{domains: [LAB, lab], source: users}"), "7:25",
		"'lab' has a chain already; expected each domain once");
	assert_refused(
		CHAINS("{domains: [X, LAB], source: users}, {domains: [y, x], source: studio}"),
		"7:59", "'x' has a chain already");
	assert_refused(CHAINS("{source: users}, {source: studio}"), "7:26",
		"all other domains already; expected 'domains'");
	assert_refused(CHAINS("{domains: [LAB], source: users" TOKEN "}"), "2:11",
		"nobody can log on to the domain 'STUDIO'; expected it in 'logon'");
	assert_refused(CHAINS("{source: users}"), "6:17",
		"nobody is asked for 'token'; expected it in the 'factors'");
}

static void test_directories_refused(void **state)
{
#define SERVERS(list, more)                                                                        \
	HEAD "directories:\n"                                                                      \
	     "  - {name: studio, kind: active-directory, servers: [" list "],\n"                   \
	     "     base: 'dc=example'" more ACCOUNT "}\n"
	static const char *const addresses[] = {"dc1.example", "ldaps://", "https://dc1.example",
		"ldaps://dc1.example:0", "ldaps://dc1.example:65536",
		"ldaps://dc1.example:", "ldaps://dc1.example:636x",
		"ldaps://dc1.example/dc=example", "ldaps://[::1", "ldaps://[]", "ldaps://::1",
		"ldaps://me@dc1.example", "ldapi://%2ftmp",
		"ldaps://dc1.example ldaps://dc2.example"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		snprintf(text, sizeof(text), SERVERS("'ldaps://a', '%s'", ""), addresses[i]);
		assert_refused(text, "4:67", "expected ldaps://HOST[:PORT] or ldap://HOST[:PORT]");
	}
	assert_good(SERVERS("'LDAPS://[2001:db8::1]:636', 'ldaps://dc-1_a.example:65535'", ""));
	assert_good(SERVERS("'ldap://a'", ", starttls: yes"));
	assert_good(SERVERS("'ldap://a', 'ldaps://b'", ", plain: yes"));
	assert_refused(SERVERS("'ldap://a'", ""), "4:54", "would go to 'ldap://a' in clear");
	assert_refused(SERVERS("'ldap://a'", ", plain: yes, change-password: yes"), "5:55",
		"cannot be changed over 'ldap://a' in clear; expected ldaps:// or");
	assert_refused(SERVERS("'ldap://a'", ", plain: yes, starttls: yes"), "5:33",
		"contradict each other");
	assert_refused(SERVERS("", ""), "4:53", "at least 1");
	assert_refused(SERVERS("'ldaps://a'", ", ca: missing.pem"), "5:30", "missing.pem");
	assert_refused(SERVERS("'ldaps://a'", ", ca: secret"), "5:30", "expected PEM");
	assert_refused(
		SERVERS("'ldaps://a'", ", verify: warn"), "5:34", "expected one of: full, none");
	assert_refused(SERVERS("'ldaps://a'", ", groups: all"), "5:34",
		"expected one of: in-chain, recursive, direct, none");
	assert_refused(SERVERS("'ldaps://a'", ", groups-base: x"), "5:26", "unknown key");
	assert_refused(HEAD "directories: [{name: a, servers: ['ldaps://a'], base: 'dc=a'}]\n",
		"3:15", "kind");
	assert_refused(HEAD
		"directories: [{name: a, kind: ad, servers: ['ldaps://a'], base: 'dc=a'}]\n",
		"3:31", "expected one of: active-directory, ldap");
	assert_refused(HEAD
		"directories: [{name: pam, kind: ldap, servers: ['ldaps://a'], base: 'dc=a'}]\n",
		"3:22", "'pam' is the name of another source");
	assert_refused(HEAD
		"directories: [{name: users, kind: ldap, servers: ['ldaps://a'], base: 'dc=a'}]\n",
		"3:22", "'users' is the name of another source");
	assert_refused(HEAD "directories:\n"
			    "  - {name: a, kind: ldap, servers: ['ldaps://a'], base: 'dc=a'}\n"
			    "  - {name: a, kind: ldap, servers: ['ldaps://b'], base: 'dc=a'}\n",
		"5:12", "a directory 'a' already");
}

static void test_accounts_refused(void **state)
{
	(void)state;
	assert_refused(HEAD BARE_DIRECTORY_WITH(", bind-dn: 'cn=a'"), "3:117",
		"expected 'bind-password-file' beside it");
	assert_refused(HEAD BARE_DIRECTORY_WITH(", bind-password-file: secret"), "3:128",
		"expected 'bind-dn' beside it");
	/* Without it a name would be tried as it is spelled, and one account as many. */
	assert_refused(HEAD BARE_DIRECTORY_WITH(""), "3:36",
		"expected 'bind-dn' and 'bind-password-file', so that every spelling of a name is");
	assert_refused(HEAD BARE_DIRECTORY_WITH(", change-password: yes"), "3:36", "'bind-dn'");
	/* Others may be searched by anybody. */
	assert_good(HEAD
		"directories: [{name: a, kind: ldap, servers: ['ldaps://a'], base: 'dc=a'}]\n");
}

/* What identity_ldap_new judges stands at the key that is wrong, also where several are. */
static void test_names_refused(void **state)
{
	(void)state;
	assert_refused(HEAD
		"directories: [{name: a, kind: active-directory, servers: ['ldaps://a'], "
		"base: example" ACCOUNT "}]\n",
		"3:79", "'example' is not valid; expected a DN such as");
	assert_refused(HEAD DIRECTORY_WITH(", group-base: ','"), "3:120", "expected a DN");
	assert_refused(HEAD BARE_DIRECTORY_WITH(", bind-dn: me, bind-password-file: secret"),
		"3:117", "'me' is not valid; expected a DN");
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '(uid={user}'"), "3:121",
		"'(uid={user}' is not valid; expected an LDAP filter with {user}");
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '(uid={name})'"), "3:121", "{name}");
	/* One finds the same user whatever the name, the other compares what the user chose. */
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '(uid=bob)'"), "3:121",
		"'(uid=bob)' is not valid; expected an LDAP filter with {user} or {login} as a");
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '(uid=*)'"), "3:121", "{login}");
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '(dc={domain})'"), "3:121", "{login}");
	assert_refused(HEAD DIRECTORY_WITH(", user-filter: '({user}=x)'"), "3:121", "as a value");
	assert_good(HEAD DIRECTORY_WITH(", user-filter: '(&(a=b)(mail={login}))'"));
	assert_refused(HEAD DIRECTORY_WITH(", group-filter: '(cn={user})'"), "3:122",
		"without names in braces");
	assert_refused(HEAD DIRECTORY_WITH(", group-filter: 'objectClass='"), "3:122",
		"expected an LDAP filter such as");
	assert_refused(HEAD DIRECTORY_WITH(", group-filter: '(', group-base: x"), "3:122",
		"expected an LDAP filter such as");
}

static void test_numbers_refused(void **state)
{
	static const struct {
		const char *key;
		unsigned low, high; /* just outside */
	} directory[] = {{"connections", 0, 257}, {"waiting", 0, 65537}, {"connect-ms", 99, 30001},
		{"answer-ms", 99, 60001}, {"slow-ms", 0, 60001}, {"hold-down-seconds", 0, 3601},
		{"group-cache-seconds", 0, 86401}},
	  radius[] = {{"retry-ms", 99, 60001}, {"tries", 0, 11}, {"wait-seconds", 0, 301},
		  {"hold-down-seconds", 0, 3601}},
	  guard[] = {{"user", 0, 1001}, {"known", 0, 1001}, {"address", 0, 10001},
		  {"prefix", 0, 10001}, {"password", 0, 1001}, {"all", 0, 10001},
		  {"window-seconds", 59, 2592001}, {"delay-ms", 0, 60001},
		  {"delay-most-ms", 0, 60001}};
	char text[512];
	char part[64];

	(void)state;
#define CHECK(list, format)                                                                        \
	for (size_t i = 0; i < 2 * sizeof(list) / sizeof((list)[0]); i++) {                        \
		unsigned value = i % 2 == 0 ? (list)[i / 2].low : (list)[i / 2].high;              \
                                                                                                   \
		snprintf(text, sizeof(text), format, (list)[i / 2].key, value);                    \
		snprintf(part, sizeof(part), "'%s' is %u, expected ", (list)[i / 2].key, value);   \
		assert_int_equal(load(text), value == 0 ? 0 : ERROR_INPUT);                        \
		if (value != 0 && strstr(fault.text, part) == NULL)                                \
			fail_msg("expected \"%s\", got \"%s\"", part, fault.text);                 \
	}
	CHECK(directory, HEAD DIRECTORY_WITH(", %s: %u"))
	CHECK(radius, HEAD USERS RADIUS_WITH(", %s: %u"))
	CHECK(guard, HEAD USERS "guard: {%s: %u}\n")
	assert_refused(HEAD DIRECTORY_WITH(", connect-ms: 99"), "3:120",
		"'connect-ms' is 99, expected 100 to 30000; 0 is the default");
	assert_refused(HEAD DIRECTORY_WITH(", slow-ms: 5001"), "3:117",
		"expected 'slow-ms' not above 'answer-ms'");
	assert_good(HEAD DIRECTORY_WITH(", answer-ms: 1000"));
	assert_good(HEAD DIRECTORY_WITH(", answer-ms: 7000, slow-ms: 7000"));
	assert_refused(HEAD USERS "guard: {delay-most-ms: 999}\n", "5:24",
		"expected 'delay-ms' not above 'delay-most-ms'");
	assert_refused(HEAD USERS "guard: {delay-ms: 4001}\n", "5:19", "4001 ms");
	assert_refused(HEAD USERS "guard: {user: -1}\n", "5:15", "out of range");
}

static void test_radius_refused(void **state)
{
#define SERVER(text) HEAD USERS "radius: [{name: t, servers: [{" text "}]}]\n"
	(void)state;
	assert_refused(SERVER("address: r, port: 65536, secret-file: secret"), "5:49",
		"65536 is not a port");
	assert_refused(SERVER("address: 'r:1812', secret-file: secret"), "5:40",
		"and the port under 'port'");
	assert_refused(
		SERVER("address: '[::1]', secret-file: secret"), "5:40", "'[::1]' is neither");
	assert_refused(SERVER("address: 'a b', secret-file: secret"), "5:40", "neither a name nor");
	assert_refused(SERVER("address: r"), "5:30", "secret-file");
	assert_refused(HEAD USERS RADIUS_WITH(", first: text"), "5:90", "expected 'text' beside");
	assert_refused(HEAD USERS RADIUS_WITH(", text: push"), "5:89",
		"would not be sent; expected 'first: text'");
	assert_refused(HEAD USERS RADIUS_WITH(", first: never"), "5:90",
		"expected one of: code, password, text");
	assert_refused(
		HEAD USERS RADIUS_WITH(", method: mschap"), "5:91", "expected one of: pap, chap");
	assert_refused(HEAD USERS RADIUS_WITH(", prompt: \"a\\x01b\""), "5:91", "cannot be shown");
	assert_refused(HEAD USERS "radius:\n"
				  "  - {name: t, servers: [{address: r, secret-file: secret}]}\n"
				  "  - {name: t, servers: [{address: r, secret-file: secret}]}\n",
		"7:12", "a factor 't' already");
}

static void test_secrets_refused(void **state)
{
#define SECRET(name)                                                                               \
	HEAD USERS "radius: [{name: t, servers: [{address: r, secret-file: " name "}]}]\n"
#define AT "5:56"
	static const char nul[] = "a\0b\n";
	char large[1026 + 2];

	(void)state;
	assert_refused(SECRET("missing"), AT, "missing' cannot be read: No such file");
	assert_refused(SECRET("."), AT, "expected a regular one");
	write_file("other", "s3cret\n", 0640);
	assert_refused(SECRET("other"), AT, "is 0640; expected 0600 or 0400");
	write_file("other", "s3cret\n", 0604);
	assert_refused(SECRET("other"), AT, "0604");
	write_file("other", "s3cret\n", 0700);
	assert_refused(SECRET("other"), AT, "0700");
	write_file("other", "s3cret\n", 04600);
	assert_refused(SECRET("other"), AT, "4600");
	write_file("other", "s3cret\n", 0200);
	if (geteuid() == 0) /* nobody else can open it */
		assert_refused(SECRET("other"), AT, "is 0200; expected 0600 or 0400");
	write_file("other", "s3cret\n", 0);
	if (geteuid() == 0)
		assert_refused(SECRET("other"), AT, "is 0000; expected 0600 or 0400");
	write_file("other", "", 0600);
	assert_refused(SECRET("other"), AT, "is empty; expected one line");
	write_file("other", "\r\n", 0600);
	assert_refused(SECRET("other"), AT, "is empty; expected one line");
	write_file("other", "a\nb\n", 0600);
	assert_refused(SECRET("other"), AT, "more than one line");
	write_file("other", "a\n\n", 0600);
	assert_refused(SECRET("other"), AT, "more than one line");
	write_bytes("other", nul, sizeof(nul) - 1, 0600);
	assert_refused(SECRET("other"), AT, "more than one line");
	memset(large, 'x', sizeof(large));
	write_bytes("other", large, 1025, 0600);
	assert_refused(SECRET("other"), AT, "too large; expected at most 1024 bytes");
	memcpy(large + 1024, "\r\nx", 3);
	write_bytes("other", large, 1027, 0600);
	assert_refused(SECRET("other"), AT, "too large");
	write_bytes("other", large, 1026, 0400);
	assert_good(SECRET("other"));
	write_file("other", "s3cret\r\n", 0400);
	assert_good(SECRET("other"));
	assert_refused(HEAD BARE_DIRECTORY_WITH(", bind-dn: 'cn=a', bind-password-file: missing"),
		"3:145", "missing' cannot be read");
}

static void test_pipe_is_no_secret(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/other", folder);
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(SECRET("other"), AT, "expected a regular one");
}

/* Only root can give a file away. */
static void test_owner_of_secret(void **state)
{
	char path[96];

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file("other", "s3cret\n", 0600);
	snprintf(path, sizeof(path), "%s/other", folder);
	assert_int_equal(chown(path, 1, 1), 0);
	assert_refused(SECRET("other"), AT, "belongs to user number 1; expected root or");
	assert_good(SECRET("other") "user: daemon\n");
}

static void test_pam_refused(void **state)
{
	(void)state;
	write_file("other", "auth required pam_deny.so\n", 0644);
	assert_good(HEAD "pam: {service: other, confdir: .}\n");
	assert_false(settings_logon_only_users(&sample->logon));
	assert_good(HEAD "pam: {service: other, confdir: ., change-password: yes, answer-ms: 100, "
			 "at-once: 1}\n");
	assert_true(sample->logon.pam->change_password);
	/* All keys are optional: a mapping without any is there all the same. */
	assert_refused(
		HEAD "pam: {}\n", "3:1", "no PAM service 'fairlead'; expected a file /etc/pam.d");
	assert_refused(HEAD "pam: {service: other, confdir: ./none}\n", "3:16", "none/other");
	assert_refused(HEAD "pam: {service: ../x}\n", "3:16", "'../x' is not a name");
	assert_refused(HEAD "pam: {service: .x}\n", "3:16", "'.x' is not a name");
	assert_refused(HEAD "pam: {helper: secret}\n", "3:15", "not a program that can be run");
	assert_refused(HEAD "pam: {answer-ms: 99}\n", "3:18", "expected 100 to 60000");
	assert_refused(HEAD "pam: {at-once: 257}\n", "3:16", "expected 1 to 256");
}

static void test_disclaimer_refused(void **state)
{
#define TERMS(text) HEAD USERS "disclaimer: {" text "}\n"
	static const char nul[] = "a\0b";
	static char large[16 * 1024 + 1];

	(void)state;
	assert_good(TERMS("text-file: terms"));
	assert_false(sample->logon.disclaimer->required);
	assert_refused(TERMS("title: x"), "5:13", "text-file");
	assert_refused(TERMS("text-file: missing"), "5:25", "missing' cannot be read");
	assert_refused(TERMS("text-file: terms, title: \"a\\nb\""), "5:39", "expected one line");
	write_file("other", "\n \t\r\n", 0644);
	assert_refused(TERMS("text-file: other"), "5:25", "is empty; expected the text");
	write_file("other", "caf\xe9\n", 0644);
	assert_refused(TERMS("text-file: other"), "5:25", "not text in UTF-8");
	write_file("other", "a\x1b[2Jb", 0644);
	assert_refused(TERMS("text-file: other"), "5:25", "without control characters");
	write_file("other", "a\xc2\x9b[2Jb", 0644);
	assert_refused(TERMS("text-file: other"), "5:25", "without control characters");
	write_bytes("other", nul, sizeof(nul) - 1, 0644);
	assert_refused(TERMS("text-file: other"), "5:25", "NUL");
	memset(large, 'x', sizeof(large));
	write_bytes("other", large, sizeof(large), 0644);
	assert_refused(
		TERMS("text-file: other"), "5:25", "too large; expected at most 16384 bytes");
	write_bytes("other", large, sizeof(large) - 1, 0644);
	assert_good(TERMS("text-file: other"));
	write_file("other", "caf\xc3\xa9 \xe8\xa6\x8f\n\tb", 0644);
	assert_good(TERMS("text-file: other"));
}

static void test_reload_of_pam(void **state)
{
	char text[CONFIG_FAULT_SIZE] = "";

	(void)state;
	assert_good(HEAD USERS);
	assert_int_equal(settings_logon_can_reload(&sample->logon, NULL, text), 0);
	write_file("other", "auth required pam_deny.so\n", 0644);
	assert_good(HEAD "pam: {service: other, confdir: .}\n");
	assert_int_equal(settings_logon_can_reload(&sample->logon, NULL, text), ERROR_STATE);
	assert_non_null(strstr(text, "'pam' is new in the configuration"));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_users_only),
		TEST(test_only_directory),
		TEST(test_all_keys),
		TEST(test_plan),
		TEST(test_domains_of_chains),
		TEST(test_domains_of_directories),
		TEST(test_plan_without_secret),
		TEST(test_sources_refused),
		TEST(test_chains_refused),
		TEST(test_directories_refused),
		TEST(test_accounts_refused),
		TEST(test_names_refused),
		TEST(test_numbers_refused),
		TEST(test_radius_refused),
		TEST(test_secrets_refused),
		TEST(test_pipe_is_no_secret),
		TEST(test_owner_of_secret),
		TEST(test_pam_refused),
		TEST(test_disclaimer_refused),
		TEST(test_reload_of_pam),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
