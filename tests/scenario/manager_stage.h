/*
 * manager_stage.h - a connection manager for scenarios; the broker and the agents are played.
 */
#ifndef FAIRLEAD_TESTS_MANAGER_STAGE_H
#define FAIRLEAD_TESTS_MANAGER_STAGE_H

#include "manager/manager.h"
#include "scenario.h"

#define MANAGER_YAML                                                                               \
	"certificates: [{certificate: a.pem, key: a.key}]\n"                                       \
	"listen: [{address: '127.0.0.1:0'}]\n"                                                     \
	"broker: {address: 'broker.example:8443', trust: {ca: /ca.pem}}\n"                         \
	"trust: {ca: /ca.pem}\n"                                                                   \
	"agents:\n"                                                                                \
	"  - {host: old-07.example, port: 60500, trust: {fingerprint: "                            \
	"'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'}}\n"                   \
	"  - {host: 10.1.0.99, trust: {verify: none}}\n"                                           \
	"license-path: 7070@license.example\n"                                                     \
	"timeout-milliseconds: 4000\n"                                                             \
	"authenticate-timeout-ms: 61000\n"

/* What brokers answer. */
#define HELLO_ANSWER                                                                               \
	"<hello-resp><brokers-info><broker-info><product-name>XYZ Broker</product-name>"           \
	"<hostname>broker1</hostname></broker-info></brokers-info><next-authentication>"           \
	"<authentication-methods><method>AUTHENTICATE_VIA_PASSWORD</method>"                       \
	"</authentication-methods><domains><domain>studio</domain></domains>"                      \
	"</next-authentication></hello-resp>"
#define RESULT_ANSWER(element, id, text)                                                           \
	"<" element "><result><result-id>" id "</result-id><result-str>" text                      \
	"</result-str></result></" element ">"
#define AUTHENTICATE_ANSWER(id) RESULT_ANSWER("authenticate-resp", id, "said the broker")
#define ERROR_ANSWER                                                                               \
	"<error-resp><result><result-id>ERR_OF_BROKER</result-id><result-str>its text"             \
	"</result-str></result><detected-by>BROKER</detected-by><err-detail>its detail"            \
	"</err-detail></error-resp>"
#define TARGET_ANSWER(address, hostname)                                                           \
	"<allocate-resource-resp><result><result-id>ALLOC_SUCCESSFUL</result-id>"                  \
	"<result-str>Successfully allocated "                                                      \
	"resource</result-str></result><target><ip-address>" address "</ip-address>" hostname      \
	"</target><resource-id>edit</resource-id>"                                                 \
	"<protocol>PCOIP</protocol></allocate-resource-resp>"
#define TARGET TARGET_ANSWER("10.1.0.11", "<hostname>edit-01.example</hostname>")
/* What agents answer. */
#define LAUNCHED                                                                                   \
	"<launch-session-resp><result-id>SUCCESSFUL</result-id><session-info>"                     \
	"<ip-address>10.1.0.11</ip-address><sni>edit-01.example</sni><port>4172</port>"            \
	"<session-id>2305843009213693961</session-id><session-tag>dGFn</session-tag>"              \
	"</session-info></launch-session-resp>"

struct manager_stage {
	struct scenario scenario;
	struct manager manager;
	char cookie[SESSIONS_COOKIE_SIZE]; /* of the session in play */
};

static inline void manager_stage_load(struct manager_stage *stage, const char *yaml)
{
	struct config *config = scenario_config(&manager_config_schema, yaml);
	struct manager_view *view;

	assert_int_equal(manager_view_new(config, &view), 0);
	view_slot_replace(&stage->manager.slot, &view->view);
	config_free(config);
}

static inline void manager_stage_begin(struct manager_stage *stage)
{
	struct sessions_options sessions = {0};
	struct endpoint_options endpoint = {
		.name = "PCM",
		.roots = MESSAGE_ROOTS_BROKERING,
		.routes = manager_routes,
		.route_count = manager_route_count,
		.page = "a manager\n",
		.user = &stage->manager,
	};

	memset(stage, 0, sizeof(*stage));
	scenario_begin(&stage->scenario);
	view_slot_init(&stage->manager.slot, NULL);
	manager_stage_load(stage, MANAGER_YAML);
	sessions.clock = stage->scenario.loop.clock;
	sessions.entropy = stage->scenario.loop.entropy;
	assert_int_equal(sessions_new(&sessions, &stage->manager.sessions), 0);
	endpoint.sessions = stage->manager.sessions;
	assert_int_equal(endpoint_new(&endpoint, &stage->manager.endpoint), 0);
}

static inline void manager_stage_end(struct manager_stage *stage)
{
	scenario_end(&stage->scenario);
	endpoint_free(stage->manager.endpoint);
	sessions_free(stage->manager.sessions);
	view_slot_close(&stage->manager.slot);
}

/* The client asks; the answer comes later. */
static inline struct scenario_answer *manager_stage_start(
	struct manager_stage *stage, const char *inner)
{
	return scenario_start(
		&stage->scenario, stage->manager.endpoint, ROOT_CLIENT, stage->cookie, inner);
}

/* The client asks, and the broker answers so. */
static inline struct scenario_answer *manager_stage_relay(struct manager_stage *stage,
	enum message_id message, const char *inner, const char *broker, const char *cookie)
{
	struct scenario_answer *answer = manager_stage_start(stage, inner);

	assert_false(answer->done);
	scenario_reply(
		&stage->scenario, scenario_called(&stage->scenario, message), broker, cookie);
	return answer;
}

/* A session in state CREATED; the broker's has the cookie "up1". */
static inline void manager_stage_hello(struct manager_stage *stage)
{
	struct scenario_answer *answer;

	stage->cookie[0] = '\0';
	answer = manager_stage_relay(stage, MESSAGE_HELLO, HELLO, HELLO_ANSWER, "up1");
	assert_answer(answer, MESSAGE_HELLO_RESP, NULL);
	memcpy(stage->cookie, answer->cookie, sizeof(stage->cookie));
}

/* A session of alice in state AUTHENTICATED. */
static inline void manager_stage_logon(struct manager_stage *stage)
{
	manager_stage_hello(stage);
	assert_answer(manager_stage_relay(stage, MESSAGE_AUTHENTICATE,
			      AUTHENTICATE_AS("alice", SCENARIO_PASSWORD),
			      AUTHENTICATE_ANSWER("AUTH_SUCCESSFUL_AND_COMPLETE"), NULL),
		MESSAGE_AUTHENTICATE_RESP, "AUTH_SUCCESSFUL_AND_COMPLETE");
}

/* State of the session, and whether a password is sealed in it. */
static inline enum state manager_stage_state(struct manager_stage *stage, bool *ret_sealed)
{
	struct session *session;
	enum state state;

	*ret_sealed = false;
	if (sessions_take(stage->manager.sessions, stage->cookie, &session) != 0)
		return STATE_ENDED;
	state = session->state;
	*ret_sealed = session->password.bytes != NULL;
	sessions_release(stage->manager.sessions, session);
	return state;
}

#define assert_session(stage, expected_state, expected_sealed)                                     \
	do {                                                                                       \
		bool sealed_there;                                                                 \
		assert_int_equal(manager_stage_state(stage, &sealed_there), expected_state);       \
		assert_int_equal(sealed_there, expected_sealed);                                   \
	} while (0)

#endif
