#include "scenario.h"

#include "base/buffer.h"
#include "protocol/codec.h"

#define BODY_SIZE 16384

/* --- the fake peer --- */

static const char *copy(struct arena *arena, const char *text)
{
	return text != NULL ? arena_text(arena, text) : NULL;
}

static int fake_call(struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	struct scenario *scenario =
		(struct scenario *)((char *)peer - offsetof(struct scenario, peer));
	struct scenario_call **place = &scenario->calls;
	struct scenario_call *kept;
	struct buffer encoded;
	struct arena *arena;

	if (scenario->peer_refuses != 0)
		return scenario->peer_refuses;
	arena = arena_new(SCENARIO_ARENA);
	assert_non_null(arena);
	kept = arena_alloc(arena, sizeof(*kept));
	assert_non_null(kept);
	/* It must be what can travel. */
	buffer_init(&encoded, BODY_SIZE * 8);
	assert_int_equal(codec_encode(call->request, CODEC_COMPACT, &encoded), 0);
	buffer_free(&encoded);
	kept->arena = arena;
	kept->address = copy(arena, call->address);
	kept->cookie = copy(arena, call->cookie);
	kept->log_id = copy(arena, call->log_id);
	kept->forwarded_for = copy(arena, call->forwarded_for);
	kept->timeout_ms = call->timeout_ms;
	kept->connect_ms = call->connect_ms;
	if (call->policy != NULL) {
		kept->verify = call->policy->verify;
		kept->policy_name = copy(arena, call->policy->name);
		kept->fingerprint = copy(arena, call->policy->fingerprint);
		kept->ca_file = copy(arena, call->policy->ca_file);
	}
	kept->request =
		message_new(arena, call->request->id, call->request->root, call->request->version);
	assert_non_null(kept->request);
	assert_int_equal(message_copy(kept->request, call->request), 0);
	kept->answer_arena = call->arena;
	kept->done = done;
	kept->user = user;
	while (*place != NULL)
		place = &(*place)->next;
	*place = kept;
	return 0;
}

static void answer_call(struct scenario_call *call, const struct peer_answer *answer)
{
	assert_false(call->answered);
	call->answered = true;
	call->done(call->user, answer);
}

void scenario_fail(struct scenario_call *call, int error)
{
	struct peer_answer answer = {.error = error, .detail = error_text(error)};

	answer_call(call, &answer);
}

static const char *wrap(char *text, enum message_root root, const char *version, const char *inner)
{
	struct message_version newest = message_version_newest(root);
	const char *element = message_root_element(root);
	char number[16];
	int length;

	snprintf(number, sizeof(number), "%u.%u", newest.major, newest.minor);
	length = snprintf(text, BODY_SIZE,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><%s version=\"%s\">%s</%s>", element,
		version != NULL ? version : number, inner, element);
	assert_true(length > 0 && length < BODY_SIZE);
	return text;
}

void scenario_reply(struct scenario *scenario, struct scenario_call *call, const char *inner,
	const char *cookie)
{
	struct peer_answer answer = {.detail = "", .cookie = cookie, .total_us = 1000};
	struct codec_fault fault;
	struct message *message;
	char text[BODY_SIZE];

	wrap(text, call->request->root, NULL, inner);
	answer.error = codec_decode(scenario->loop.reader, call->answer_arena,
		1u << call->request->root, text, strlen(text), &message, &fault);
	if (answer.error == ERROR_INPUT)
		fail_msg("the scenario's own answer is wrong: %s", fault.detail);
	if (answer.error == 0)
		answer.message = message;
	else
		answer.detail = error_text(answer.error);
	answer_call(call, &answer);
}

const char *scenario_call_text(const struct scenario_call *call, enum field_id field)
{
	const char *text = message_text(call->request, field);

	return text != NULL ? text : "";
}

/* --- begin and end --- */

void scenario_begin(struct scenario *scenario)
{
	memset(scenario, 0, sizeof(*scenario));
	clock_fake_init(&scenario->clock, SCENARIO_START);
	entropy_fake_init(&scenario->entropy, 1);
	assert_int_equal(uv_loop_init(&scenario->uv), 0);
	scenario->peer.call = fake_call;
	scenario->loop = (struct loop){
		.uv = &scenario->uv,
		.peer = &scenario->peer,
		.reader = xml_reader_new(),
		.work = work_queue_new(0),
		.clock = &scenario->clock.clock,
		.entropy = &scenario->entropy.entropy,
	};
	assert_non_null(scenario->loop.reader);
	assert_non_null(scenario->loop.work);
}

void scenario_end(struct scenario *scenario)
{
	while (scenario->calls != NULL) {
		struct scenario_call *call = scenario->calls;

		scenario->calls = call->next;
		assert_true(call->answered);
		arena_free(call->arena);
	}
	while (scenario->answers != NULL) {
		struct scenario_answer *answer = scenario->answers;

		scenario->answers = answer->next;
		assert_true(answer->done);
		arena_free(answer->arena);
		free(answer);
	}
	uv_run(&scenario->uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scenario->uv), 0);
	work_queue_free(scenario->loop.work);
	xml_reader_free(scenario->loop.reader);
}

const char *scenario_hash(void)
{
	static char hash[PASSWORD_HASH_SIZE];

	if (hash[0] == '\0')
		assert_int_equal(password_hash(entropy_system(), SCENARIO_PASSWORD, 1, hash), 0);
	return hash;
}

struct config *scenario_config(const struct cyaml_schema_value *schema, const char *yaml)
{
	return scenario_config_named("scenario.yaml", schema, yaml);
}

struct config *scenario_config_named(
	const char *name, const struct cyaml_schema_value *schema, const char *yaml)
{
	struct config_fault fault;
	struct config *config;
	struct buffer text;

	buffer_init(&text, 1 << 20);
	for (const char *at = yaml; *at != '\0'; at++) {
		if (*at == '%') {
			assert_int_equal(buffer_print(&text, "'%s'", scenario_hash()), 0);
		} else {
			assert_int_equal(buffer_append(&text, at, 1), 0);
		}
	}
	if (config_load_bytes(name, text.bytes, text.length, schema, &config, &fault) != 0)
		fail_msg("%s", fault.text);
	buffer_free(&text);
	return config;
}

/* --- asking --- */

static void read_cookie(struct scenario_answer *answer)
{
	static const char before[] = "JSESSIONID=", after[] = "; HttpOnly; Secure";
	const char *value = answer->set_cookie + sizeof(before) - 1;

	assert_memory_equal(answer->set_cookie, before, sizeof(before) - 1);
	assert_int_equal(strspn(value, "0123456789abcdef"), SESSIONS_COOKIE_SIZE - 1);
	assert_string_equal(value + SESSIONS_COOKIE_SIZE - 1, after);
	memcpy(answer->cookie, value, SESSIONS_COOKIE_SIZE - 1);
}

static void on_reply(void *user, const struct http_response *response)
{
	struct scenario_answer *answer = user;
	struct codec_fault fault;
	struct message *message;

	assert_false(answer->done);
	answer->done = true;
	answer->status = response->status;
	answer->body = arena_copy(answer->arena, response->body, response->body_length);
	answer->length = response->body_length;
	answer->content_type = copy(answer->arena, response->content_type);
	answer->chunked = response->chunked;
	for (size_t i = 0; i < response->header_count; i++) {
		const struct http_header *header = &response->headers[i];
		const char *value = copy(answer->arena, header->value);

		if (strcmp(header->name, "Set-Cookie") == 0)
			answer->set_cookie = value;
		else if (strcmp(header->name, "Client-Log-Id") == 0)
			answer->log_id = value;
		else if (strcmp(header->name, "Allow") == 0)
			answer->allow = value;
		else
			fail_msg("unexpected header %s", header->name);
	}
	if (answer->set_cookie != NULL)
		read_cookie(answer);
	if (codec_decode(answer->scenario->loop.reader, answer->arena, MESSAGE_ROOTS_ALL,
		    answer->body, answer->length, &message, &fault) == 0)
		answer->message = message;
	/* Whoever touches the transaction after its answer is caught by the sanitizer. */
	arena_free(answer->request_arena);
	answer->request_arena = NULL;
}

struct scenario_answer *scenario_send(
	struct scenario *scenario, const struct scenario_request *request)
{
	struct scenario_answer *answer = calloc(1, sizeof(*answer));
	size_t maximum = request->arena_maximum != 0 ? request->arena_maximum : SCENARIO_ARENA;
	struct endpoint_request sent = {
		.method = request->method != NULL ? request->method : "POST",
		.path = request->path != NULL ? request->path : message_root_path(request->root),
		.peer = request->peer != NULL ? request->peer : SCENARIO_CLIENT,
		.local = request->local != NULL ? request->local : SCENARIO_LOCAL,
		.reply = on_reply,
		.user = answer,
	};
	char text[BODY_SIZE];

	assert_non_null(answer);
	answer->scenario = scenario;
	answer->next = scenario->answers;
	scenario->answers = answer;
	/* The answer holds a message of its own beside the texts. */
	answer->arena = arena_new(8 * SCENARIO_ARENA);
	answer->request_arena = arena_new(maximum);
	assert_non_null(answer->arena);
	assert_non_null(answer->request_arena);
	sent.body = copy(answer->arena,
		request->inner != NULL ? wrap(text, request->root, request->version, request->inner)
				       : request->body);
	sent.body_length = sent.body != NULL ? strlen(sent.body) : 0;
	sent.log_id = copy(answer->arena, request->log_id);
	sent.forwarded_for = copy(answer->arena, request->forwarded_for);
	if (request->cookie != NULL && *request->cookie != '\0')
		sent.cookie = copy(answer->arena, request->cookie);
	sent.arena = answer->request_arena;
	endpoint_handle(request->endpoint, &scenario->loop, &sent);
	return answer;
}

struct scenario_answer *scenario_start(struct scenario *scenario, struct endpoint *endpoint,
	enum message_root root, const char *cookie, const char *inner)
{
	struct scenario_request request = {
		.endpoint = endpoint,
		.root = root,
		.inner = inner,
		.cookie = cookie,
		.log_id = SCENARIO_LOG_ID,
	};

	return scenario_send(scenario, &request);
}

void scenario_wait(struct scenario_answer *answer)
{
	while (!answer->done) {
		if (uv_run(&answer->scenario->uv, UV_RUN_ONCE) == 0 && !answer->done)
			fail_msg("nothing is left that could bring the answer");
	}
}

struct scenario_answer *scenario_ask(struct scenario *scenario, struct endpoint *endpoint,
	enum message_root root, const char *cookie, const char *inner)
{
	struct scenario_answer *answer = scenario_start(scenario, endpoint, root, cookie, inner);

	scenario_wait(answer);
	return answer;
}

static struct scenario_call *oldest_call(struct scenario *scenario)
{
	struct scenario_call *call = scenario->calls;

	while (call != NULL && call->answered)
		call = call->next;
	return call;
}

struct scenario_call *scenario_pending(struct scenario *scenario)
{
	return oldest_call(scenario);
}

struct scenario_call *scenario_called(struct scenario *scenario, enum message_id message)
{
	struct scenario_call *call;

	while ((call = oldest_call(scenario)) == NULL) {
		if (uv_run(&scenario->uv, UV_RUN_ONCE) == 0 && oldest_call(scenario) == NULL)
			fail_msg("nobody was asked for '%s'", message_info(message)->element);
	}
	assert_string_equal(
		message_info(call->request->id)->element, message_info(message)->element);
	return call;
}

void scenario_not_called(struct scenario *scenario)
{
	struct scenario_call *call = oldest_call(scenario);

	if (call != NULL)
		fail_msg("%s was asked for '%s'", call->address,
			message_info(call->request->id)->element);
}

/* --- what must be --- */

static const char *result_of(const struct message *message)
{
	for (int i = FIELD_NONE + 1; i < FIELD_EXTENSION; i++) {
		const struct field_info *info = field_info((enum field_id)i);

		if (info->message == message->id && info->type == FIELD_RESULT)
			return message_text(message, (enum field_id)i);
	}
	return NULL;
}

void scenario_assert_answer(const struct scenario_answer *answer, enum message_id id,
	const char *result, const char *file, int line)
{
	_assert_true(answer->done, "the answer is there", file, line);
	if (answer->message == NULL) {
		print_error("status %d: %s\n", answer->status, answer->body);
		_fail(file, line);
		return;
	}
	if (answer->message->id != id) {
		print_error("%s\n", answer->body);
		_assert_string_equal(message_info(answer->message->id)->element,
			message_info(id)->element, file, line);
	}
	_assert_int_equal((LargestIntegralType)answer->status, 200, file, line);
	if (result != NULL)
		_assert_string_equal(result_of(answer->message), result, file, line);
}

void scenario_assert_field(const struct message *message, enum field_id field, const char *expected,
	const char *file, int line)
{
	const char *text = message_text(message, field);

	if (expected == NULL) {
		_assert_true(text == NULL, text != NULL ? text : "", file, line);
		return;
	}
	if (text == NULL)
		print_error("'%s' is not there\n", field_info(field)->path);
	_assert_true(text != NULL, "the field is there", file, line);
	_assert_string_equal(text, expected, file, line);
}

void scenario_assert_field_has(const struct message *message, enum field_id field, const char *part,
	const char *file, int line)
{
	const char *text = message_text(message, field);

	if (text == NULL || strstr(text, part) == NULL) {
		print_error("'%s' is not in '%s'\n", part, text != NULL ? text : "(absent)");
		_fail(file, line);
	}
}
