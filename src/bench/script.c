#include "bench/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "protocol/codec.h"

#define REQUEST_MAXIMUM (64 * 1024)
#define ARENA_MAXIMUM (1024 * 1024)

struct pair {
	enum field_id field;
	const char *text;
};

struct script {
	const struct options *options;
	struct arena *arena;
	struct xml_reader *reader;
	char password[256];
	struct roll *roll; /* NULL: one user */
	size_t turn;
	/* Requests that are always the same, but for the cookie. */
	struct buffer bodies[SCRIPT_STEPS];
	struct buffer hello; /* whole, with its head */
};

static const enum message_id requests[] = {
	[SCRIPT_HELLO] = MESSAGE_HELLO,
	[SCRIPT_AUTHENTICATE] = MESSAGE_AUTHENTICATE,
	[SCRIPT_LIST] = MESSAGE_GET_RESOURCE_LIST,
	[SCRIPT_ALLOCATE] = MESSAGE_ALLOCATE_RESOURCE,
	[SCRIPT_BYE] = MESSAGE_BYE,
};

/* Where the answer says how it went; the hello's does not. */
static const enum field_id results[] = {
	[SCRIPT_HELLO] = FIELD_NONE,
	[SCRIPT_AUTHENTICATE] = FIELD_AUTHENTICATE_RESP_RESULT_RESULT_ID,
	[SCRIPT_LIST] = FIELD_GET_RESOURCE_LIST_RESP_RESULT_RESULT_ID,
	[SCRIPT_ALLOCATE] = FIELD_ALLOCATE_RESOURCE_RESP_RESULT_RESULT_ID,
	[SCRIPT_BYE] = FIELD_NONE,
};

/* The first example of the specification page. */
static const struct pair hello[] = {
	{FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, "Teradici Windows Soft Client"},
	{FIELD_HELLO_CLIENT_INFO_PRODUCT_VERSION, "3.1.5"},
	{FIELD_HELLO_CLIENT_INFO_PLATFORM, "Windows 7 64-bit"},
	{FIELD_HELLO_CLIENT_INFO_LOCALE, "en_US"},
	{FIELD_HELLO_CLIENT_INFO_HOSTNAME, "my-client.teradici.local"},
	{FIELD_HELLO_CLIENT_INFO_SERIAL_NUMBER, "123456"},
	{FIELD_HELLO_CLIENT_INFO_DEVICE_NAME, "some-name"},
	{FIELD_HELLO_PCM_INFO_PRODUCT_NAME, "Teradici PCoIP Connection Manager"},
	{FIELD_HELLO_PCM_INFO_PRODUCT_VERSION, "1.0.0.12345"},
	{FIELD_HELLO_PCM_INFO_PLATFORM, "Ubuntu 14.4 64-bit"},
	{FIELD_HELLO_PCM_INFO_IP_ADDRESS, "10.0.136.93"},
	{FIELD_HELLO_PCM_INFO_HOSTNAME, "cm1.example.com"},
};
/* A client has no manager's part. */
#define HELLO_OF_CLIENT 7

static bool put(struct message *message, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (message_put(message, pairs[i].field, pairs[i].text) == NULL)
			return false;
	}
	return true;
}

static const char *user_of(const struct script *script, const struct script_client *client)
{
	if (client->user != NULL)
		return client->user;
	return script->options->user != NULL ? script->options->user : "";
}

static int make_body(
	struct script *script, enum script_step step, const struct script_client *client)
{
	const struct options *options = script->options;
	struct buffer *body = &script->bodies[step];
	const struct pair authenticate[] = {
		{FIELD_AUTHENTICATE_METHOD, "password"},
		{FIELD_AUTHENTICATE_USERNAME, user_of(script, client)},
		{FIELD_AUTHENTICATE_PASSWORD,
			client->password != NULL ? client->password : script->password},
		{FIELD_AUTHENTICATE_DOMAIN, options->domain},
	};
	const struct pair allocate[] = {
		{FIELD_ALLOCATE_RESOURCE_RESOURCE_ID, client->resource},
		{FIELD_ALLOCATE_RESOURCE_PROTOCOL, "PCOIP"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_IP_ADDRESS, "127.0.0.1"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, "00:00:00:00:00:00"},
	};
	struct message *message = message_new(script->arena, requests[step], options->root,
		message_version_newest(options->root));
	bool good = message != NULL;

	if (step == SCRIPT_HELLO)
		good = good &&
			put(message, hello,
				options->root == ROOT_CLIENT ? HELLO_OF_CLIENT
							     : sizeof(hello) / sizeof(hello[0]));
	else if (step == SCRIPT_AUTHENTICATE)
		good = good && put(message, authenticate, 4);
	else if (step == SCRIPT_ALLOCATE)
		good = good && put(message, allocate, 4);
	buffer_clear(body);
	good = good && codec_encode(message, CODEC_PAGE, body) == 0;
	arena_reset(script->arena);
	return good ? 0 : ERROR_MEMORY;
}

static int write_request(
	const struct script *script, enum script_step step, const char *cookie, struct buffer *out)
{
	const struct options *options = script->options;
	const struct buffer *body = &script->bodies[step];

	(void)buffer_print(out,
		"POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: application/xml charset=UTF-8\r\n"
		"Content-Length: %zu\r\n",
		options->path, options->host, options->port, body->length);
	if (cookie[0] != '\0')
		(void)buffer_print(out, "Cookie: JSESSIONID=%s\r\n", cookie);
	(void)buffer_text(out, "\r\n");
	return buffer_append(out, body->bytes, body->length);
}

/* Who logs on. */
static int read_users(struct script *script, char why[SCRIPT_WHY_SIZE])
{
	const struct options *options = script->options;
	int error = roll_read_password(
		options->password_file, script->password, sizeof(script->password), why);

	if (error == 0 && options->roll_file != NULL)
		error = roll_read(options->roll_file, &script->roll, why);
	return error;
}

int script_new(const struct options *options, struct script **ret_script, char why[SCRIPT_WHY_SIZE])
{
	static const struct script_client nobody;
	bool logon = options->mode == BENCH_LOGON;
	struct script *script = calloc(1, sizeof(*script));
	int error = ERROR_MEMORY;

	snprintf(why, SCRIPT_WHY_SIZE, "out of memory");
	if (script == NULL)
		return ERROR_MEMORY;
	script->options = options;
	for (int step = 0; step < SCRIPT_STEPS; step++)
		buffer_init(&script->bodies[step], REQUEST_MAXIMUM);
	buffer_init(&script->hello, REQUEST_MAXIMUM);
	script->arena = arena_new(ARENA_MAXIMUM);
	script->reader = xml_reader_new();
	if (script->arena == NULL || script->reader == NULL)
		goto out;
	error = logon ? read_users(script, why) : 0;
	for (int step = 0; error == 0 && step < (logon ? SCRIPT_STEPS : SCRIPT_AUTHENTICATE);
		step++)
		error = make_body(script, (enum script_step)step, &nobody);
	if (error == 0)
		error = write_request(script, SCRIPT_HELLO, "", &script->hello);
	if (error != 0)
		goto out;
	*ret_script = script;
	return 0;
out:
	script_free(script);
	return error;
}

void script_free(struct script *script)
{
	if (script == NULL)
		return;
	for (int step = 0; step < SCRIPT_STEPS; step++)
		buffer_free(&script->bodies[step]);
	buffer_free(&script->hello);
	arena_free(script->arena);
	xml_reader_free(script->reader);
	roll_free(script->roll);
	secret_wipe(script, sizeof(*script));
	free(script);
}

void script_begin(struct script *script, struct script_client *client)
{
	client->cookie[0] = client->resource[0] = '\0';
	if (script->roll == NULL)
		return;
	client->user = roll_name(script->roll, script->turn);
	client->password = roll_password(script->roll, script->turn++);
}

int script_request(struct script *script, enum script_step step, const struct script_client *client,
	struct buffer *out)
{
	buffer_clear(out);
	if (step == SCRIPT_HELLO)
		return buffer_append(out, script->hello.bytes, script->hello.length);
	if ((step == SCRIPT_ALLOCATE || (step == SCRIPT_AUTHENTICATE && script->roll != NULL)) &&
		make_body(script, step, client) != 0)
		return ERROR_MEMORY;
	return write_request(script, step, client->cookie, out);
}

static int refuse(char why[SCRIPT_WHY_SIZE], enum script_step step, const char *what)
{
	snprintf(why, SCRIPT_WHY_SIZE, "%s: %.150s", message_info(requests[step])->element, what);
	return ERROR_INPUT;
}

/* Without a parser: the element is there, so it is not an error-resp. */
static int glance(const struct answer *answer, enum script_step step, char why[SCRIPT_WHY_SIZE])
{
	const char *element = message_info(message_info(requests[step])->response)->element;

	if (memmem(answer->body.bytes, answer->body.length, element, strlen(element)) == NULL)
		return refuse(why, step, "the answer is another message");
	return 0;
}

static int decode(struct script *script, const struct answer *answer, enum script_step step,
	struct script_client *client, char why[SCRIPT_WHY_SIZE])
{
	enum message_root root = script->options->root;
	enum result_id result;
	struct codec_fault fault = {.detail = "out of memory"};
	struct message *message;
	const char *resource;

	if (codec_decode(script->reader, script->arena, 1u << root, answer->body.bytes,
		    answer->body.length, &message, &fault) != 0)
		return refuse(why, step, fault.detail);
	if (message->id == MESSAGE_ERROR_RESP)
		return refuse(why, step, message_text(message, FIELD_ERROR_RESP_RESULT_RESULT_ID));
	if (message->id != message_info(requests[step])->response)
		return refuse(why, step, message_info(message->id)->element);
	if (results[step] != FIELD_NONE) {
		result = message_result(message, results[step]);
		if (result == RESULT_NONE || result_info(result)->outcome != OUTCOME_OK)
			return refuse(why, step, message_text(message, results[step]));
	}
	if (step == SCRIPT_LIST) {
		resource = message_text(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID);
		if (resource == NULL || strlen(resource) >= sizeof(client->resource))
			return refuse(why, step, "there is no resource");
		strcpy(client->resource, resource);
	}
	return 0;
}

int script_check(struct script *script, enum script_step step, const struct answer *answer,
	bool thorough, struct script_client *client, char why[SCRIPT_WHY_SIZE])
{
	char text[32];
	int error;

	if (answer->status != 200) {
		snprintf(text, sizeof(text), "HTTP status %d", answer->status);
		return refuse(why, step, text);
	}
	if (answer->body.length == 0)
		return refuse(why, step, "the answer is empty");
	if (script->options->plain)
		return 0;
	if (answer->cookie[0] != '\0')
		memcpy(client->cookie, answer->cookie, sizeof(client->cookie));
	else if (step == SCRIPT_HELLO)
		return refuse(why, step, "no session cookie");
	if (!thorough)
		return glance(answer, step, why);
	error = decode(script, answer, step, client, why);
	arena_reset(script->arena);
	return error;
}
