/* The flow against fake peers: a server that answers from a script, and a link that plays one. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "client/connect.h"

#define PASSWORD "s3cret-passw0rd"
#define TAG "t4g-t4g-t4g"
#define COOKIE "0123456789abcdef0123456789abcdef"
#define ASKED_MAXIMUM 64

/* What the server does; all zero is a manager that lets everything pass. */
struct script {
	enum record_path path;                 /* UNKNOWN: a manager */
	int error[MESSAGE_COUNT];              /* of the call, by request */
	enum result_id result[MESSAGE_COUNT];  /* instead of success */
	enum result_id error_resp[MESSAGE_COUNT];
	unsigned troubles;                     /* of the certificate */
	unsigned refusals, pending;            /* so many times first */
	unsigned resources;                    /* 0: one */
	bool empty_list, no_target, no_methods, other_method;
	/* the session */
	int link_start, link_error;
	unsigned link_cause, link_refusal;
	bool link_ends, license_silent, license_denied, license_grace, lost_later;
};

struct run {
	struct script script;
	uv_loop_t loop;
	struct peer peer;
	struct clock_fake clock;
	struct entropy_fake entropy;
	struct connect_options options;
	struct connect *connect;
	uv_timer_t answer, play;
	/* the call under way */
	struct peer_call call;
	enum message_id asking;
	peer_done *done;
	void *user;
	/* what was asked */
	enum message_id asked[ASKED_MAXIMUM];
	size_t asked_count;
	char log_ids[ASKED_MAXIMUM][UUID_SIZE];
	bool cookies[ASKED_MAXIMUM];
	bool probe_has_caps, hello_has_caps;
	char product[64], mac[32], sent_password[64], domain[64], chosen[64];
	/* the link */
	struct link_client_options link;
	char tag[64], sni[64];
	bool linked;
	unsigned closed_with;
	/* what was told */
	unsigned passwords;      /* how many there are to give */
	unsigned started, finished;
	bool over;
	int stop_at;             /* in this stage nobody answers, and a signal comes */
	bool stopping;
	int choice;              /* -1: nobody to ask */
};

static struct run *current; /* the link's functions have no other way to it */

/* ---- the server ---- */

static void put(struct message *message, const char *path, const char *text)
{
	assert_non_null(message_put(message, field_find(message->id, path), text));
}

static void put_result(struct message *message, enum result_id result)
{
	put(message, "result/result-id", result_info(result)->id);
	put(message, "result/result-str", result_info(result)->text);
}

static enum result_id outcome(struct run *run, enum result_id success)
{
	enum result_id result = run->script.result[run->asking];

	if (run->asking == MESSAGE_AUTHENTICATE && run->script.refusals > 0) {
		run->script.refusals--;
		return RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD;
	}
	if (run->asking == MESSAGE_ALLOCATE_RESOURCE && run->script.pending > 0) {
		run->script.pending--;
		return RESULT_ALLOC_PENDING_TRY_AGAIN;
	}
	return result != RESULT_NONE ? result : success;
}

static void fill_hello(struct run *run, struct message *message)
{
	put(message, "brokers-info/broker-info/product-name",
		run->script.path == RECORD_PATH_DIRECT ? "PCoIP Agent Direct-Connect Broker" : "B");
	if (run->script.path == RECORD_PATH_UNKNOWN)
		put(message, "pcm-info/product-name", "M");
	if (!run->script.no_methods) {
		put(message, "next-authentication/authentication-methods/method",
			run->script.other_method ? "AUTHENTICATE_VIA_MAGIC" : "AUTHENTICATE_VIA_PASSWORD");
		put(message, "next-authentication/domains/domain", "CORP");
	}
}

static void fill_list(struct run *run, struct message *message)
{
	unsigned count = run->script.resources != 0 ? run->script.resources : 1;
	char text[32];

	for (unsigned i = 0; i < count && !run->script.empty_list; i++) {
		struct message_node *node
			= message_add(message, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);

		snprintf(text, sizeof(text), "Desk %u", i);
		message_add(
			message, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, text);
		snprintf(text, sizeof(text), "id-%u", i);
		message_add(message, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, text);
	}
}

static void fill_target(struct run *run, struct message *message)
{
	put(message, "target/ip-address", "127.0.0.1");
	put(message, "target/hostname", "desk.example");
	if (run->script.no_target)
		return;
	put(message, "target/sni", "sni.example");
	put(message, "target/port", "4172");
	put(message, "target/session-id", "2305843009213693961");
	put(message, "target/connect-tag", TAG);
}

static struct message *answer_of(struct run *run)
{
	enum message_id id = message_info(run->asking)->response;
	struct message *message;
	enum result_id result;

	if (run->script.error_resp[run->asking] != RESULT_NONE)
		id = MESSAGE_ERROR_RESP;
	message = message_new(
		run->call.arena, id, ROOT_CLIENT, message_version_newest(ROOT_CLIENT));
	assert_non_null(message);
	switch (id) {
	case MESSAGE_ERROR_RESP:
		put_result(message, run->script.error_resp[run->asking]);
		put(message, "err-detail", "the detail");
		break;
	case MESSAGE_HELLO_RESP:
		fill_hello(run, message);
		break;
	case MESSAGE_AUTHENTICATE_RESP:
		put_result(message, outcome(run, RESULT_AUTH_SUCCESSFUL_AND_COMPLETE));
		break;
	case MESSAGE_GET_RESOURCE_LIST_RESP:
		put_result(message, outcome(run, RESULT_LIST_SUCCESSFUL));
		fill_list(run, message);
		break;
	case MESSAGE_ALLOCATE_RESOURCE_RESP:
		result = outcome(run, RESULT_ALLOC_SUCCESSFUL);
		put_result(message, result);
		if (result == RESULT_ALLOC_SUCCESSFUL)
			fill_target(run, message);
		break;
	default:
		break;
	}
	return message;
}

static void on_answer(uv_timer_t *timer)
{
	struct run *run = timer->data;
	struct certificate_report report
		= { .troubles = run->script.troubles, .fingerprint = "ff", .text = "a trouble" };
	struct peer_answer answer = { .error = run->script.error[run->asking], .detail = "the detail",
		.report = &report };

	clock_fake_advance(&run->clock, CLOCK_MILLISECOND);
	if (answer.error == 0) {
		answer.message = answer_of(run);
		answer.cookie = COOKIE;
	}
	run->done(run->user, &answer);
}

static void note_request(struct run *run, const struct message *message)
{
	const struct {
		enum field_id field;
		char *to;
	} texts[] = { { FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, run->product },
		{ FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, run->mac },
		{ FIELD_AUTHENTICATE_PASSWORD, run->sent_password },
		{ FIELD_AUTHENTICATE_DOMAIN, run->domain },
		{ FIELD_ALLOCATE_RESOURCE_RESOURCE_ID, run->chosen } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = message_text(message, texts[i].field);

		if (text != NULL)
			snprintf(texts[i].to, 32, "%s", text);
	}
	if (message->id == MESSAGE_HELLO && run->asked_count == 0) {
		run->probe_has_caps = message_find(message, FIELD_HELLO_CAPS_CAP) != NULL
			|| message_find(message, FIELD_HELLO_SERVER_ADDRESS) != NULL;
		assert_string_equal(run->product, "QueryBrokerClient");
	} else if (message->id == MESSAGE_HELLO) {
		run->hello_has_caps = message_find(message, FIELD_HELLO_CAPS_CAP) != NULL
			&& message_find(message, FIELD_HELLO_SERVER_ADDRESS_IP_ADDRESS) != NULL;
	}
}

static int fake_call(
	struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	struct run *run = current;

	(void)peer;
	assert_true(run->asked_count < ASKED_MAXIMUM);
	note_request(run, call->request);
	run->asking = call->request->id;
	run->asked[run->asked_count] = run->asking;
	snprintf(run->log_ids[run->asked_count], UUID_SIZE, "%s", call->log_id);
	run->cookies[run->asked_count] = call->cookie != NULL;
	run->asked_count++;
	run->call = *call;
	run->done = done;
	run->user = user;
	if (!run->stopping)
		uv_timer_start(&run->answer, on_answer, 0, 0);
	return 0;
}

static void fake_free(struct peer *peer)
{
	(void)peer;
}

/* ---- the session's other end ---- */

static void on_play(uv_timer_t *timer)
{
	struct run *run = timer->data;
	const struct link_client_events *events = &run->link.events;
	const struct script *script = &run->script;
	const struct link_license license = { .granted = !script->license_denied && !script->license_grace,
		.grace = script->license_grace, .remaining_days = 9, .source = "https://l:7070/x",
		.text = "t" };
	const struct link_quality quality = { .sent = 1, .answered = 1, .rtt_mean = 1000 };

	if (script->link_ends) {
		run->linked = false;
		events->on_closed(events->user, script->link_error, script->link_cause,
			script->link_refusal, "the link's detail");
		return;
	}
	events->on_step(events->user, LINK_STEP_TCP_ACCEPTED);
	events->on_step(events->user, LINK_STEP_TCP_CONFIRMED);
	events->on_step(events->user, LINK_STEP_UDP_OPEN);
	events->on_step(events->user, LINK_STEP_CONNECTED);
	if (script->license_silent)
		return;
	events->on_license(events->user, &license);
	if (script->license_denied)
		return;
	events->on_quality(events->user, &quality);
	if (script->lost_later)
		events->on_closed(events->user, script->link_error, script->link_cause, 0, "lost");
}

static void on_closing(uv_timer_t *timer)
{
	struct run *run = timer->data;

	if (run->linked) {
		run->linked = false;
		run->link.events.on_closed(run->link.events.user, 0, run->closed_with, 0, "closed");
	}
}

static int fake_start(const struct link_client_options *options, struct link_client **ret_client)
{
	struct run *run = current;

	run->link = *options;
	snprintf(run->tag, sizeof(run->tag), "%s", options->tag);
	snprintf(run->sni, sizeof(run->sni), "%s", options->sni);
	assert_string_equal(options->policy->name, options->sni);
	if (run->script.link_start != 0)
		return run->script.link_start;
	options->report->troubles = CERTIFICATE_SELF_SIGNED;
	run->linked = true;
	uv_timer_start(&run->play, on_play, 0, 0);
	*ret_client = (struct link_client *)run;
	return 0;
}

static void fake_close(struct link_client *client, unsigned cause)
{
	struct run *run = (struct run *)client;

	run->closed_with = cause;
	uv_timer_start(&run->play, on_closing, 0, 0);
}

static void fake_link_free(struct link_client *client)
{
	uv_timer_stop(&((struct run *)client)->play);
}

static const struct connect_link fake_link = { fake_start, fake_close, fake_link_free };

/* ---- the person ---- */

static void changed(void *user, const struct record *record, enum record_change change,
	enum record_stage_number stage)
{
	struct run *run = user;

	run->started += change == RECORD_STAGE_STARTED;
	run->finished += change == RECORD_STAGE_FINISHED;
	assert_true(change == RECORD_ENDED || record->failed || stage >= RECORD_INITIALISE
		|| stage == RECORD_NO_STAGE);
	if (change == RECORD_STAGE_STARTED && (int)stage == run->stop_at)
		run->stopping = true;
}

static int password(void *user, const char *name, const char *domain, unsigned attempt,
	char text[CONNECT_PASSWORD_SIZE])
{
	struct run *run = user;

	assert_string_equal(name, "ann");
	assert_non_null(domain);
	if (run->passwords < attempt)
		return ERROR_NOT_FOUND;
	snprintf(text, CONNECT_PASSWORD_SIZE, "%s", PASSWORD);
	return 0;
}

static int choose(void *user, const struct record *record, size_t *ret_index)
{
	struct run *run = user;

	if (run->choice < 0)
		return ERROR_NOT_FOUND;
	assert_true((size_t)run->choice < record->resource_count);
	*ret_index = (size_t)run->choice;
	return 0;
}

static void over(void *user)
{
	struct run *run = user;

	assert_false(run->over);
	run->over = true;
}

static int set_up(void **state)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	uv_loop_init(&run->loop);
	uv_timer_init(&run->loop, &run->answer);
	uv_timer_init(&run->loop, &run->play);
	run->answer.data = run->play.data = run;
	clock_fake_init(&run->clock, INT64_C(1700000000000000));
	entropy_fake_init(&run->entropy, 7);
	run->peer = (struct peer) { fake_call, fake_free };
	run->passwords = 1;
	run->choice = -1;
	run->options = (struct connect_options) {
		.loop = &run->loop,
		.peer = &run->peer,
		.link = &fake_link,
		.clock = &run->clock.clock,
		.entropy = &run->entropy.entropy,
		.host = "127.0.0.1",
		.user = "ann",
		.retry_interval = CLOCK_MILLISECOND,
		.license_limit = CLOCK_MILLISECOND,
		.events = { changed, password, choose, over, run },
	};
	current = run;
	*state = run;
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	connect_free(run->connect);
	uv_close((uv_handle_t *)&run->answer, NULL);
	uv_close((uv_handle_t *)&run->play, NULL);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&run->loop), 0);
	free(run);
	return 0;
}

static const struct record *play(struct run *run)
{
	assert_int_equal(connect_start(&run->options, &run->connect), 0);
	while (!run->over) {
		uv_run(&run->loop, run->stopping ? UV_RUN_NOWAIT : UV_RUN_ONCE);
		if (run->stopping)
			connect_stop(run->connect, SIGTERM);
	}
	return connect_record(run->connect);
}

/* ---- tests ---- */

static void six_stages_pass(void **state)
{
	static const enum message_id order[] = { MESSAGE_HELLO, MESSAGE_HELLO, MESSAGE_AUTHENTICATE,
		MESSAGE_GET_RESOURCE_LIST, MESSAGE_ALLOCATE_RESOURCE, MESSAGE_BYE };
	struct run *run = *state;
	const struct record *record = play(run);

	assert_int_equal(record_exit(record), 0);
	for (int i = RECORD_INITIALISE; i < RECORD_STAGE_END; i++)
		assert_int_equal(record->stages[i].state, RECORD_PASSED);
	assert_int_equal(run->started, 6);
	assert_int_equal(run->finished, 6);
	assert_int_equal(run->asked_count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(run->asked[i], order[i]);
		assert_string_equal(run->log_ids[i], i == 0 ? UUID_ZERO : record->log_id);
		assert_int_equal(run->cookies[i], i > 0);
	}
	assert_false(run->probe_has_caps);
	assert_true(run->hello_has_caps);
	assert_string_equal(run->product, "Fairlead Client");
	assert_string_equal(run->domain, "CORP");
	assert_string_equal(run->sent_password, PASSWORD);
	assert_int_equal(strlen(run->mac), 17);
	assert_memory_equal(run->mac, "02:", 3);
	assert_string_equal(run->tag, TAG);
	assert_string_equal(run->sni, "sni.example");
	assert_int_equal(run->link.port, 4172);
	assert_true(run->link.session == UINT64_C(2305843009213693961));
	assert_int_equal(run->closed_with, LINK_CAUSE_MANUAL_USER_DISCONNECT);
	assert_true(record->has_cause);
	assert_int_equal(record->cause, 0x301);
	assert_int_equal(record->path, RECORD_PATH_MANAGER);
	assert_true(record->has_quality);
	/* Nothing secret stays behind. */
	assert_null(memmem(record, sizeof(*record), PASSWORD, strlen(PASSWORD)));
	assert_null(memmem(record, sizeof(*record), TAG, strlen(TAG)));
}

static void direct_and_broker_are_told_apart(void **state)
{
	struct run *run = *state;

	run->script.path = RECORD_PATH_DIRECT;
	assert_int_equal(play(run)->path, RECORD_PATH_DIRECT);
	assert_string_equal(record_path_text(RECORD_PATH_DIRECT), "direct");
}

static void a_broker_without_manager(void **state)
{
	struct run *run = *state;

	run->script.path = RECORD_PATH_BROKER;
	assert_int_equal(play(run)->path, RECORD_PATH_BROKER);
	assert_string_equal(record_path_text(RECORD_PATH_BROKER), "brokered");
}

/* One way to fail: what is done to the script, and what must come of it. */
struct failing {
	void (*arrange)(struct run *run);
	int exit;
	const char *result_id; /* "": none */
	const char *meaning;
	bool bye;
};

#define ARRANGE(name, statement)                                                                   \
	static void name(struct run *run)                                                          \
	{                                                                                          \
		statement;                                                                         \
	}
ARRANGE(unreachable, run->script.error[MESSAGE_HELLO] = ERROR_UNREACHABLE)
ARRANGE(silent, run->script.error[MESSAGE_HELLO] = ERROR_TIMEOUT)
ARRANGE(untrusted, run->script.error[MESSAGE_HELLO] = ERROR_UNTRUSTED;
	run->script.troubles = CERTIFICATE_EXPIRED)
ARRANGE(not_a_broker, run->script.error[MESSAGE_HELLO] = ERROR_INPUT)
ARRANGE(old_version, run->script.error_resp[MESSAGE_HELLO] = RESULT_ERR_UNSUPPORTED_VERSION)
ARRANGE(wrong_password,
	run->script.result[MESSAGE_AUTHENTICATE] = RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD)
ARRANGE(second_factor,
	run->script.result[MESSAGE_AUTHENTICATE] = RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE)
ARRANGE(lost_at_login, run->script.error[MESSAGE_AUTHENTICATE] = ERROR_CLOSED)
ARRANGE(no_password, run->passwords = 0)
ARRANGE(other_method, run->script.other_method = true)
ARRANGE(no_entitlement,
	run->script.result[MESSAGE_GET_RESOURCE_LIST] = RESULT_LIST_FAILED_NO_ENTITLEMENT)
ARRANGE(empty_list, run->script.empty_list = true)
ARRANGE(none_named, run->script.resources = 3)
ARRANGE(wrong_name, run->options.resource = "Desk 9")
ARRANGE(no_port, run->script.result[MESSAGE_ALLOCATE_RESOURCE]
	= RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE)
ARRANGE(no_license, run->script.result[MESSAGE_ALLOCATE_RESOURCE] = RESULT_ALLOC_FAILED_NO_LICENSE)
ARRANGE(forgotten, run->script.error_resp[MESSAGE_ALLOCATE_RESOURCE] = RESULT_ERR_UNKNOWN_SESSION)
ARRANGE(no_target, run->script.no_target = true)
ARRANGE(tcp_blocked, run->script.link_ends = true; run->script.link_error = ERROR_UNREACHABLE)
ARRANGE(udp_blocked, run->script.link_ends = true; run->script.link_error = ERROR_TIMEOUT;
	run->script.link_cause = LINK_CAUSE_PCOIP_OPEN_TIMEOUT)
ARRANGE(tag_expired, run->script.link_ends = true; run->script.link_error = ERROR_REFUSED;
	run->script.link_refusal = LINK_REFUSED_EXPIRED)
ARRANGE(agent_untrusted, run->script.link_ends = true; run->script.link_error = ERROR_UNTRUSTED)
ARRANGE(denied, run->script.license_denied = true)
ARRANGE(license_silent, run->script.license_silent = true)

static struct failing table[32];

static size_t fill_table(void)
{
	const struct failing rows[] = {
		{ unreachable, 11, "", advice_error(ADVICE_BROKERING, ERROR_UNREACHABLE).meaning, false },
		{ silent, 11, "", advice_error(ADVICE_BROKERING, ERROR_TIMEOUT).meaning, false },
		{ untrusted, 11, "",
			advice_certificate(ADVICE_BROKERING, CERTIFICATE_EXPIRED).meaning, false },
		{ not_a_broker, 11, "", advice_error(ADVICE_BROKERING, ERROR_INPUT).meaning, false },
		{ old_version, 11, "ERR_UNSUPPORTED_VERSION",
			advice_result(RESULT_ERR_UNSUPPORTED_VERSION).meaning, false },
		{ wrong_password, 12, "AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD",
			advice_result(RESULT_AUTH_FAILED_UNKNOWN_USERNAME_OR_PASSWORD).meaning, true },
		{ second_factor, 12, "AUTH_SUCCESSFUL_AND_INCOMPLETE",
			advice_result(RESULT_AUTH_SUCCESSFUL_AND_INCOMPLETE).meaning, true },
		{ lost_at_login, 12, "", advice_error(ADVICE_BROKERING, ERROR_CLOSED).meaning, false },
		{ no_password, 12, "", advice_case(ADVICE_CASE_NO_PASSWORD).meaning, true },
		{ other_method, 12, "", advice_case(ADVICE_CASE_OTHER_METHOD).meaning, true },
		{ no_entitlement, 13, "LIST_FAILED_NO_ENTITLEMENT",
			advice_result(RESULT_LIST_FAILED_NO_ENTITLEMENT).meaning, true },
		{ empty_list, 13, "", advice_case(ADVICE_CASE_NO_RESOURCES).meaning, true },
		{ none_named, 13, "", advice_case(ADVICE_CASE_RESOURCE_NOT_NAMED).meaning, true },
		{ wrong_name, 13, "", advice_case(ADVICE_CASE_RESOURCE_NOT_FOUND).meaning, true },
		{ no_port, 14, "ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE",
			advice_result(RESULT_ALLOC_FAILED_TO_ALLOCATE_BROKER_PORT_UNREACHABLE).meaning,
			true },
		{ no_license, 14, "ALLOC_FAILED_NO_LICENSE",
			advice_result(RESULT_ALLOC_FAILED_NO_LICENSE).meaning, true },
		{ forgotten, 14, "ERR_UNKNOWN_SESSION",
			advice_result(RESULT_ERR_UNKNOWN_SESSION).meaning, false },
		{ no_target, 14, "ALLOC_SUCCESSFUL", advice_case(ADVICE_CASE_NO_TARGET).meaning, true },
		{ tcp_blocked, 15, "", advice_error(ADVICE_SESSION, ERROR_UNREACHABLE).meaning, true },
		{ udp_blocked, 15, "", advice_cause(LINK_CAUSE_PCOIP_OPEN_TIMEOUT).meaning, true },
		{ tag_expired, 15, "", advice_refusal(LINK_REFUSED_EXPIRED).meaning, true },
		{ agent_untrusted, 15, "",
			advice_certificate(ADVICE_SESSION, CERTIFICATE_SELF_SIGNED).meaning, true },
		{ denied, 16, "", advice_case(ADVICE_CASE_LICENSE_NOT_GRANTED).meaning, true },
		{ license_silent, 16, "", advice_case(ADVICE_CASE_LICENSE_SILENT).meaning, true },
	};

	assert_true(sizeof(rows) <= sizeof(table));
	memcpy(table, rows, sizeof(rows));
	return sizeof(rows) / sizeof(rows[0]);
}

static void every_failure_names_its_stage(void **state)
{
	size_t count = fill_table();

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct failing *row = &table[i];
		const struct record *record;
		struct run *run;
		void *own;

		set_up(&own);
		run = own;
		row->arrange(run);
		record = play(run);
		if (record_exit(record) != row->exit)
			print_error("row %zu\n", i);
		assert_int_equal(record_exit(record), row->exit);
		assert_true(record->failed);
		assert_int_equal(record->stages[row->exit - 10].state, RECORD_FAILED);
		for (int k = RECORD_INITIALISE; k < RECORD_STAGE_END; k++) {
			if (k < row->exit - 10)
				assert_int_equal(record->stages[k].state, RECORD_PASSED);
			if (k > row->exit - 10)
				assert_int_equal(record->stages[k].state, RECORD_WAITING);
		}
		assert_string_equal(record->failure.result_id, row->result_id);
		assert_string_equal(record->failure.advice.meaning, row->meaning);
		assert_int_equal(run->asked[run->asked_count - 1] == MESSAGE_BYE, row->bye);
		tear_down(&own);
	}
}

static void the_servers_words_are_kept(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.error_resp[MESSAGE_GET_RESOURCE_LIST] = RESULT_ERR_INTERNAL;
	record = play(run);
	assert_string_equal(record->failure.text, result_info(RESULT_ERR_INTERNAL)->text);
	assert_string_equal(record->failure.detail, "the detail");
	assert_int_equal(record_exit(record), 13);
}

static void a_wrong_password_may_be_typed_again(void **state)
{
	struct run *run = *state;

	run->script.refusals = 2;
	run->passwords = 3;
	assert_int_equal(record_exit(play(run)), 0);
}

static void a_host_that_starts_is_waited_for(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.pending = 4;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(run->asked_count, 10);
}

static void nothing_asked_is_nothing_answered(void **state)
{
	struct run *run = *state;

	run->script.no_methods = true;
	assert_int_equal(record_exit(play(run)), 0);
	assert_int_equal(run->asked[2], MESSAGE_GET_RESOURCE_LIST);
	assert_string_equal(run->sent_password, "");
}

static void resources_are_named_in_any_case(void **state)
{
	struct run *run = *state;

	run->script.resources = 3;
	run->options.resource = "DESK 2";
	assert_int_equal(record_exit(play(run)), 0);
	assert_string_equal(run->chosen, "id-2");
}

static void somebody_may_choose(void **state)
{
	struct run *run = *state;

	run->script.resources = 3;
	run->choice = 1;
	assert_int_equal(record_exit(play(run)), 0);
	assert_string_equal(run->chosen, "id-1");
}

static void a_list_is_all(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.resources = 3;
	run->options.list_only = true;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->resource_count, 3);
	assert_string_equal(record->resources[2].name, "Desk 2");
	assert_int_equal(run->asked[run->asked_count - 1], MESSAGE_BYE);
	assert_int_equal(record->stages[RECORD_ALLOCATE].state, RECORD_WAITING);
}

static void given_domains_win(void **state)
{
	struct run *run = *state;

	run->options.domain = "LAB";
	play(run);
	assert_string_equal(run->domain, "LAB");
}

static void a_grace_period_passes_with_a_warning(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.license_grace = true;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_true(record->stages[RECORD_LICENSE].warned);
}

static void warnings_about_certificates_are_seen(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->script.troubles = CERTIFICATE_SELF_SIGNED;
	run->options.verify = CERTIFICATE_VERIFY_WARN;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->notice_count, 2); /* the server's and the agent's */
	assert_int_equal(record->certificate.troubles, CERTIFICATE_SELF_SIGNED);
}

static void a_session_that_is_lost_has_its_own_status(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->options.hold = -1;
	run->script.lost_later = true;
	run->script.link_error = ERROR_TIMEOUT;
	record = play(run);
	assert_int_equal(record_exit(record), RECORD_EXIT_LOST);
	assert_string_equal(record->failure.advice.meaning, advice_cause(LINK_CAUSE_NONE).meaning);
	assert_int_equal(record->stages[RECORD_LICENSE].state, RECORD_PASSED);
}

static void logging_off_is_no_failure(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->options.hold = -1;
	run->script.lost_later = true;
	run->script.link_cause = LINK_CAUSE_MANUAL_USER_LOGOUT;
	record = play(run);
	assert_int_equal(record_exit(record), 0);
	assert_int_equal(record->cause, 0x103);
}

static void a_signal_gives_up(void **state)
{
	struct run *run = *state;
	const struct record *record;

	run->stop_at = RECORD_GET_RESOURCES;
	record = play(run);
	assert_int_equal(record_exit(record), 128 + SIGTERM);
	assert_false(record->failed);
}

static void a_signal_while_the_link_opens(void **state)
{
	struct run *run = *state;

	run->stop_at = RECORD_LICENSE;
	run->script.license_silent = true;
	run->options.license_limit = 3600 * CLOCK_SECOND;
	assert_int_equal(record_exit(play(run)), 128 + SIGTERM);
	assert_int_equal(run->closed_with, LINK_CAUSE_MANUAL_USER_DISCONNECT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(six_stages_pass),
		TEST(direct_and_broker_are_told_apart),
		TEST(a_broker_without_manager),
		cmocka_unit_test(every_failure_names_its_stage),
		TEST(the_servers_words_are_kept),
		TEST(a_wrong_password_may_be_typed_again),
		TEST(a_host_that_starts_is_waited_for),
		TEST(nothing_asked_is_nothing_answered),
		TEST(resources_are_named_in_any_case),
		TEST(somebody_may_choose),
		TEST(a_list_is_all),
		TEST(given_domains_win),
		TEST(a_grace_period_passes_with_a_warning),
		TEST(warnings_about_certificates_are_seen),
		TEST(a_session_that_is_lost_has_its_own_status),
		TEST(logging_off_is_no_failure),
		TEST(a_signal_gives_up),
		TEST(a_signal_while_the_link_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
