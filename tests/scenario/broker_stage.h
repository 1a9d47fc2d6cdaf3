/*
 * broker_stage.h - a connection broker for scenarios.
 */
#ifndef FAIRLEAD_TESTS_BROKER_STAGE_H
#define FAIRLEAD_TESTS_BROKER_STAGE_H

#include "broker/broker.h"
#include "scenario.h"

#define BROKER_HOLD_MINUTES 60

#define BROKER_HEAD                                                                                \
	"certificates: [{certificate: a.pem, key: a.key}]\n"                                       \
	"listen: [{address: '127.0.0.1:0'}]\n"                                                     \
	"domains: [studio, lab]\n"
#define BROKER_USERS                                                                               \
	"users:\n"                                                                                 \
	"  - {name: alice, password: %, groups: [editors]}\n"                                      \
	"  - {name: bob, password: %, groups: [editors, graders]}\n"                               \
	"  - {name: carol, password: %}\n"
#define BROKER_HOSTS                                                                               \
	"hosts:\n"                                                                                 \
	"  - {name: edit-01, address: 10.1.0.11, hostname: edit-01.example, trust: {fingerprint: " \
	"'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'}}\n"                   \
	"  - {name: farm-01, address: 10.1.0.50, agent-port: 60500}\n"                             \
	"resources:\n"                                                                             \
	"  - {id: edit, name: Edit suite 1, host: edit-01, groups: [editors]}\n"                   \
	"  - {id: farm, name: Render farm, host: farm-01, session-type: RDS, users: [alice, "      \
	"bob]}\n"                                                                                  \
	"  - {id: grade, name: Grading, host: edit-01, groups: [graders]}\n"
#define BROKER_YAML                                                                                \
	BROKER_HEAD BROKER_USERS BROKER_HOSTS "contact: the help desk\n"                           \
					      "license-path: 7070@license.example\n"               \
					      "hold-minutes: 60\n"

/* What an agent answers. */
#define LAUNCHED                                                                                   \
	"<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"                     \
	"<ip-address>10.1.0.11</ip-address><sni>edit-01.example</sni><port>4172</port>"            \
	"<session-id>2305843009213693961</session-id><session-tag>dGFn</session-tag>"              \
	"</session-info></launch-session-resp>"
#define LAUNCH_FAILED(result, reason)                                                              \
	"<launch-session-resp><result-id>" result "</result-id><fail-reason>" reason               \
	"</fail-reason></launch-session-resp>"
#define STATUS(state)                                                                              \
	"<session-status-resp><result-id>SUCCESSFUL</result-id><session-state>" state              \
	"</session-state></session-status-resp>"

struct broker_stage {
	struct scenario scenario;
	struct broker broker;
};

static bool broker_stage_trusts(void *user, const char *address)
{
	(void)user;
	return strncmp(address, "10.", 3) == 0;
}

/* As the program does on SIGHUP. */
static inline void broker_stage_load(struct broker_stage *stage, const char *yaml)
{
	struct config *config = scenario_config(&broker_config_schema, yaml);
	struct broker_view *view;

	assert_int_equal(broker_view_new(config, NULL, stage->scenario.loop.clock, &view), 0);
	view_slot_replace(&stage->broker.slot, &view->view);
	config_free(config);
}

static inline void broker_stage_begin(
	struct broker_stage *stage, const char *yaml, size_t sessions_maximum)
{
	struct sessions_options sessions = {.maximum = sessions_maximum};
	const struct guard_limits guard = {.off = true};
	struct endpoint_options endpoint = {
		.name = "BROKER",
		.roots = MESSAGE_ROOTS_BROKERING,
		.routes = broker_routes,
		.route_count = broker_route_count,
		.trusted_proxy = broker_stage_trusts,
		.page = "a broker\n",
		.user = &stage->broker,
	};

	scenario_begin(&stage->scenario);
	memset(&stage->broker, 0, sizeof(stage->broker));
	view_slot_init(&stage->broker.slot, NULL);
	broker_stage_load(stage, yaml);
	sessions.clock = stage->scenario.loop.clock;
	sessions.entropy = stage->scenario.loop.entropy;
	assert_int_equal(sessions_new(&sessions, &stage->broker.sessions), 0);
	assert_int_equal(occupancy_new(stage->scenario.loop.clock, &stage->broker.occupancy), 0);
	assert_int_equal(guard_new(&guard, stage->scenario.loop.clock, stage->scenario.loop.entropy,
				 &stage->broker.guard),
		0);
	endpoint.sessions = stage->broker.sessions;
	assert_int_equal(endpoint_new(&endpoint, &stage->broker.endpoint), 0);
}

static inline void broker_stage_end(struct broker_stage *stage)
{
	scenario_end(&stage->scenario);
	endpoint_free(stage->broker.endpoint);
	sessions_free(stage->broker.sessions);
	occupancy_free(stage->broker.occupancy);
	view_slot_close(&stage->broker.slot);
	guard_free(stage->broker.guard);
}

static inline struct scenario_answer *broker_stage_ask(
	struct broker_stage *stage, enum message_root root, const char *cookie, const char *inner)
{
	return scenario_ask(&stage->scenario, stage->broker.endpoint, root, cookie, inner);
}

static inline struct scenario_answer *broker_stage_start(
	struct broker_stage *stage, enum message_root root, const char *cookie, const char *inner)
{
	return scenario_start(&stage->scenario, stage->broker.endpoint, root, cookie, inner);
}

/* A new session in state CREATED. */
static inline void broker_stage_hello(
	struct broker_stage *stage, enum message_root root, char cookie[SESSIONS_COOKIE_SIZE])
{
	struct scenario_answer *answer = broker_stage_ask(stage, root, NULL, HELLO);

	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(cookie, answer->cookie, SESSIONS_COOKIE_SIZE);
}

/* A new session of this user in state AUTHENTICATED. */
static inline void broker_stage_logon(struct broker_stage *stage, enum message_root root,
	const char *user, char cookie[SESSIONS_COOKIE_SIZE])
{
	char inner[512];

	broker_stage_hello(stage, root, cookie);
	snprintf(inner, sizeof(inner), AUTHENTICATE_AS("%s", "%s"), user, SCENARIO_PASSWORD);
	assert_answer(broker_stage_ask(stage, root, cookie, inner), MESSAGE_AUTHENTICATE_RESP,
		"AUTH_SUCCESSFUL_AND_COMPLETE");
}

/* What the session is in; ENDED for one that is not known. */
static inline enum state broker_stage_state(struct broker_stage *stage, const char *cookie)
{
	struct session *session;
	enum state state;

	if (sessions_take(stage->broker.sessions, cookie, &session) != 0)
		return STATE_ENDED;
	state = session->state;
	sessions_release(stage->broker.sessions, session);
	return state;
}

#endif
