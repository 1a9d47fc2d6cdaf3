/*
 * agent_stage.h - a host agent for scenarios. Its session sockets are real ones on a free port of
 * loopback, to which nobody connects; the licence service is played.
 */
#ifndef FAIRLEAD_TESTS_AGENT_STAGE_H
#define FAIRLEAD_TESTS_AGENT_STAGE_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "agent/agent.h"
#include "scenario.h"

#define AGENT_HOST "edit-01.example"
#define AGENT_HEAD                                                                                 \
	"certificates: [{certificate: a.pem, key: a.key}]\n"                                       \
	"listen: [{address: '127.0.0.1:0'}]\n"                                                     \
	"state-directory: .\n"                                                                     \
	"domains: [studio]\n"
#define AGENT_USERS                                                                                \
	"users:\n"                                                                                 \
	"  - {name: alice, password: %}\n"                                                         \
	"  - {name: bob, password: %}\n"
#define AGENT_LICENSE                                                                              \
	"license: {address: 'license.example:7070', grace-days: 2, trust: {ca: /ca.pem}}\n"

/* What managers ask. */
#define LAUNCH_AS(user, password, domain, path)                                                    \
	"<launch-session><session-type>UNSPECIFIED</session-type><ip-address>10.1.0.11"            \
	"</ip-address><hostname>" AGENT_HOST "</hostname><logon method=\"windows-password\">"      \
	"<username>" user "</username><password>" password "</password><domain>" domain            \
	"</domain>"                                                                                \
	"</logon><client-mac>00:00:00:00:00:00</client-mac><client-ip>192.0.2.7</client-ip>"       \
	"<client-name>desk-7</client-name><license-path>" path                                     \
	"</license-path><session-log-id>" SCENARIO_LOG_ID "</session-log-id></launch-session>"
#define LAUNCH_WITH(user, password, path) LAUNCH_AS(user, password, "studio", path)
#define LAUNCH(user) LAUNCH_WITH(user, SCENARIO_PASSWORD, "")
#define STATUS "<session-status></session-status>"
/* What licence services answer. */
#define GRANTED                                                                                    \
	"<checkout-license-resp><result-id>LICENSE_GRANTED</result-id><lease-id>lease-1"           \
	"</lease-id><lease-seconds>300</lease-seconds><seats-total>5</seats-total>"                \
	"<seats-free>4</seats-free><remaining-days>290</remaining-days></checkout-license-resp>"
#define NO_SEATS                                                                                   \
	"<checkout-license-resp><result-id>LICENSE_DENIED_NO_SEATS</result-id>"                    \
	"<result-str>All seats are taken.</result-str></checkout-license-resp>"
#define RETURNED                                                                                   \
	"<return-license-resp><result-id>LICENSE_RETURNED</result-id></return-license-resp>"

struct agent_stage {
	struct scenario scenario;
	struct agent agent;
	char folder[40];
	bool stopped;
};

static inline struct config *agent_stage_config(struct agent_stage *stage, const char *yaml)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/agent.yaml", stage->folder);
	return scenario_config_named(name, &agent_config_schema, yaml);
}

static inline void agent_stage_load(struct agent_stage *stage, const char *yaml)
{
	struct config *config = agent_stage_config(stage, yaml);
	struct agent_view *view;

	assert_int_equal(agent_view_new(config, NULL, stage->scenario.loop.clock, &view), 0);
	view_slot_replace(&stage->agent.slot, &view->view);
	config_free(config);
}

static inline void agent_stage_certificate(struct agent_stage *stage)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	char path[80];
	FILE *file;

	assert_true(key != NULL && certificate != NULL);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	snprintf(path, sizeof(path), "%s/a.pem", stage->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
	snprintf(path, sizeof(path), "%s/a.key", stage->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static inline void agent_stage_endpoints(struct agent_stage *stage)
{
	struct endpoint_options direct = {
		.name = "AGENT",
		.roots = MESSAGE_ROOTS_BROKERING,
		.routes = agent_direct_routes,
		.route_count = agent_direct_route_count,
		.sessions = stage->agent.sessions,
		.page = "an agent\n",
		.user = &stage->agent,
	};
	struct endpoint_options launch = {
		.name = "AGENT",
		.roots = MESSAGE_ROOTS_AGENT,
		.routes = agent_launch_routes,
		.route_count = agent_launch_route_count,
		.page = "an agent\n",
		.user = &stage->agent,
	};

	assert_int_equal(endpoint_new(&direct, &stage->agent.direct), 0);
	assert_int_equal(endpoint_new(&launch, &stage->agent.launch), 0);
}

static inline void agent_stage_begin(struct agent_stage *stage, const char *yaml)
{
	struct sessions_options sessions = {0};
	const struct guard_limits guard = {.off = true};
	struct agent *agent = &stage->agent;
	char fault[CONFIG_FAULT_SIZE];
	struct config *config;

	memset(stage, 0, sizeof(*stage));
	scenario_begin(&stage->scenario);
	snprintf(stage->folder, sizeof(stage->folder), "/tmp/fairlead-agent-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	agent_stage_certificate(stage);
	view_slot_init(&agent->slot, NULL);
	agent_stage_load(stage, yaml);
	sessions.clock = stage->scenario.loop.clock;
	sessions.entropy = stage->scenario.loop.entropy;
	assert_int_equal(sessions_new(&sessions, &agent->sessions), 0);
	assert_int_equal(guard_new(&guard, sessions.clock, sessions.entropy, &agent->guard), 0);
	snprintf(agent->hostname, sizeof(agent->hostname), AGENT_HOST);
	snprintf(agent->resource_name, sizeof(agent->resource_name), "Edit suite 1");
	snprintf(agent->session_address, sizeof(agent->session_address), "127.0.0.1:0");
	agent_stage_endpoints(stage);
	config = agent_stage_config(stage, yaml);
	if (agent_session_begin(agent, config, &stage->scenario.loop, fault) != 0)
		fail_msg("%s", fault);
	config_free(config);
}

static inline void agent_stage_stopped(void *user)
{
	*(bool *)user = true;
}

static inline void agent_stage_stop(struct agent_stage *stage)
{
	agent_session_stop(&stage->agent, agent_stage_stopped, &stage->stopped);
	while (!stage->stopped) {
		struct scenario_call *call = stage->scenario.calls;

		while (call != NULL && call->answered)
			call = call->next;
		if (call != NULL)
			scenario_fail(call, ERROR_UNREACHABLE);
		else
			(void)uv_run(&stage->scenario.uv, UV_RUN_ONCE);
	}
}

static inline void agent_stage_end(struct agent_stage *stage)
{
	static const char *const files[] = {"a.pem", "a.key", "license"};
	char path[80];

	if (!stage->stopped)
		agent_stage_stop(stage);
	license_client_free(stage->agent.license);
	scenario_end(&stage->scenario);
	endpoint_free(stage->agent.direct);
	endpoint_free(stage->agent.launch);
	sessions_free(stage->agent.sessions);
	view_slot_close(&stage->agent.slot);
	guard_free(stage->agent.guard);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", stage->folder, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(stage->folder), 0);
}

/* A manager asks; the answer comes later. */
static inline struct scenario_answer *agent_stage_launch(
	struct agent_stage *stage, const char *inner)
{
	return scenario_start(&stage->scenario, stage->agent.launch, ROOT_AGENT, NULL, inner);
}

/* A client asks directly. */
static inline struct scenario_answer *agent_stage_direct(
	struct agent_stage *stage, const char *cookie, const char *inner)
{
	return scenario_start(&stage->scenario, stage->agent.direct, ROOT_CLIENT, cookie, inner);
}

/* The licence service is asked for this and answers so; NULL: it cannot be reached. */
static inline void agent_stage_license(
	struct agent_stage *stage, enum message_id message, const char *answer)
{
	struct scenario_call *call = scenario_called(&stage->scenario, message);

	if (answer != NULL)
		scenario_reply(&stage->scenario, call, answer, NULL);
	else
		scenario_fail(call, ERROR_UNREACHABLE);
}

/* A launch for this user that gets so far as to ask for a licence. */
static inline struct scenario_answer *agent_stage_launch_licensed(
	struct agent_stage *stage, const char *inner, const char *license)
{
	struct scenario_answer *answer = agent_stage_launch(stage, inner);

	agent_stage_license(stage, MESSAGE_CHECKOUT_LICENSE, license);
	scenario_wait(answer);
	return answer;
}

#endif
