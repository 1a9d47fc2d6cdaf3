#include "identity/pam_wire.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

#define HEAD_SIZE 4
#define DELETE 0x7f
#define LAST_OF_C1 0x9f

/* What PAM can have to say. Sent as a number of its own: the enum follows a table that grows. */
static const enum reason sayable[] = {
	REASON_RIGHT,
	REASON_UNKNOWN_USER,
	REASON_WRONG_PASSWORD,
	REASON_PASSWORD_EXPIRED,
	REASON_ACCOUNT_DISABLED,
	REASON_ACCOUNT_LOCKED,
	REASON_ACCOUNT_EXPIRED,
	REASON_LOGON_DENIED,
	REASON_NEW_PASSWORD_REFUSED,
	REASON_PASSWORD_NOT_CHANGED,
	REASON_PAM_FAILED,
	REASON_PAM_SILENT,
};
#define SAYABLE_COUNT (sizeof(sayable) / sizeof(sayable[0]))

/* What is left of a message that is read. */
struct rest {
	const unsigned char *bytes;
	size_t length;
	struct arena *arena;
	int error;
};

static bool is_control(uint32_t value)
{
	return value < ' ' || (value >= DELETE && value <= LAST_OF_C1);
}

static bool is_text(const char *text)
{
	while (*text != '\0') {
		uint32_t value = 0;
		size_t length = utf8_character(text, &value);

		if (length == 0 || is_control(value))
			return false;
		text += length;
	}
	return true;
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= PAM_WIRE_NAME_MAXIMUM && is_text(text);
}

static bool is_password(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= PAM_WIRE_PASSWORD_MAXIMUM;
}

bool pam_wire_may_be_user(const char *name)
{
	return is_name(name) && name[0] != '-' && strpbrk(name, "/:") == NULL;
}

static void put_number(struct buffer *buffer, uint32_t value, unsigned size)
{
	while (size-- > 0)
		(void)buffer_byte(buffer, (char)(value >> (8 * size) & 0xff));
}

static void put_head(struct buffer *buffer, enum pam_wire_type type)
{
	assert(buffer->length == 0);
	(void)buffer_append(buffer, "FP", 2);
	put_number(buffer, PAM_WIRE_VERSION, 1);
	put_number(buffer, (uint32_t)type, 1);
}

static void put_text(struct buffer *buffer, const char *text, size_t length)
{
	assert(length <= UINT16_MAX);
	put_number(buffer, (uint32_t)length, 2);
	(void)buffer_append(buffer, text, length);
}

static int written(const struct buffer *buffer)
{
	return buffer->failed ? ERROR_LIMIT : 0;
}

int pam_wire_write_ready(struct buffer *buffer)
{
	put_head(buffer, PAM_WIRE_READY);
	return written(buffer);
}

int pam_wire_write_question(struct buffer *buffer, const struct pam_wire_question *question)
{
	if (question->limit == 0 || question->limit > PAM_WIRE_LIMIT_MAXIMUM ||
		!pam_wire_may_be_user(question->user) ||
		(question->client[0] != '\0' && !is_name(question->client)))
		return ERROR_INPUT;
	put_head(buffer, PAM_WIRE_QUESTION);
	put_number(buffer, question->limit, 4);
	put_text(buffer, question->user, strlen(question->user));
	put_text(buffer, question->client, strlen(question->client));
	return written(buffer);
}

int pam_wire_write_account(struct buffer *buffer, const struct pam_wire_account *account)
{
	if (!is_name(account->name))
		return ERROR_INPUT;
	put_head(buffer, PAM_WIRE_ACCOUNT);
	put_text(buffer, account->name, strlen(account->name));
	return written(buffer);
}

int pam_wire_write_secret(struct buffer *buffer, const struct pam_wire_secret *secret)
{
	const char *new_password = secret->new_password;

	if (!is_password(secret->password) || (new_password != NULL && !is_password(new_password)))
		return ERROR_INPUT;
	put_head(buffer, PAM_WIRE_SECRET);
	put_text(buffer, secret->password, strlen(secret->password));
	put_text(buffer, new_password != NULL ? new_password : "",
		new_password != NULL ? strlen(new_password) : 0);
	return written(buffer);
}

/* Modules write what they like into their messages. */
static void put_detail(struct buffer *buffer, const char *text)
{
	char line[PAM_WIRE_DETAIL_MAXIMUM];
	size_t length = 0;

	while (*text != '\0') {
		uint32_t value = 0;
		size_t size = utf8_character(text, &value);
		bool shown = size > 0 && !is_control(value);
		size_t room = shown ? size : 1;

		if (length + room > sizeof(line))
			break;
		if (shown)
			memcpy(line + length, text, size);
		else
			line[length] = value == '\n' || value == '\t' ? ' ' : '?';
		length += room;
		text += size > 0 ? size : 1;
	}
	put_text(buffer, line, length);
}

/* How many groups fit into what is left of the message; sets what is then true. */
static size_t fitting(
	const struct pam_wire_answer *answer, size_t room, const char **fit, bool *ret_cut)
{
	size_t count = 0;

	*ret_cut = answer->groups_cut;
	for (size_t i = 0; i < answer->group_count; i++) {
		size_t size = strlen(answer->groups[i]) + 2;

		if (count == PAM_WIRE_GROUPS_MAXIMUM || size > room ||
			!is_name(answer->groups[i])) {
			*ret_cut = true;
			continue;
		}
		fit[count++] = answer->groups[i];
		room -= size;
	}
	return count;
}

static void put_groups(struct buffer *buffer, const struct pam_wire_answer *answer)
{
	const char *fit[PAM_WIRE_GROUPS_MAXIMUM];
	size_t room = PAM_WIRE_MAXIMUM - buffer->length - 3;
	bool cut = false;
	size_t count = fitting(answer, room, fit, &cut);

	put_number(buffer, cut, 1);
	put_number(buffer, (uint32_t)count, 2);
	for (size_t i = 0; i < count; i++)
		put_text(buffer, fit[i], strlen(fit[i]));
}

int pam_wire_write_answer(struct buffer *buffer, const struct pam_wire_answer *answer)
{
	uint32_t word = 0;

	while (word < SAYABLE_COUNT && sayable[word] != answer->reason)
		word++;
	if (word == SAYABLE_COUNT || (answer->name[0] != '\0' && !is_name(answer->name)) ||
		(answer->name[0] == '\0') == (answer->reason == REASON_RIGHT))
		return ERROR_INPUT;
	put_head(buffer, PAM_WIRE_ANSWER);
	put_number(buffer, word, 1);
	put_text(buffer, answer->name, strlen(answer->name));
	put_detail(buffer, answer->detail);
	put_groups(buffer, answer);
	return written(buffer);
}

int pam_wire_type(const void *bytes, size_t length)
{
	const unsigned char *head = bytes;

	if (length < HEAD_SIZE || length > PAM_WIRE_MAXIMUM || memcmp(head, "FP", 2) != 0 ||
		head[2] != PAM_WIRE_VERSION || head[3] < PAM_WIRE_READY ||
		head[3] > PAM_WIRE_ANSWER)
		return ERROR_INPUT;
	return head[3];
}

static void fail(struct rest *rest, int error)
{
	if (rest->error == 0)
		rest->error = error;
}

static struct rest begin(
	const void *bytes, size_t length, struct arena *arena, enum pam_wire_type type)
{
	struct rest rest = {.arena = arena};

	if (pam_wire_type(bytes, length) != (int)type) {
		fail(&rest, ERROR_INPUT);
	} else {
		rest.bytes = (const unsigned char *)bytes + HEAD_SIZE;
		rest.length = length - HEAD_SIZE;
	}
	return rest;
}

static uint32_t take_number(struct rest *rest, unsigned size)
{
	uint32_t value = 0;

	if (rest->error != 0 || rest->length < size) {
		fail(rest, ERROR_INPUT);
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		value = value << 8 | rest->bytes[i];
	rest->bytes += size;
	rest->length -= size;
	return value;
}

/* "" after a failure. */
static const char *take_bytes(struct rest *rest, size_t maximum)
{
	size_t length = take_number(rest, 2);
	const char *text = NULL;

	if (rest->error == 0 &&
		(length > rest->length || length > maximum ||
			memchr(rest->bytes, '\0', length) != NULL))
		fail(rest, ERROR_INPUT);
	if (rest->error == 0) {
		text = arena_copy(rest->arena, rest->bytes, length);
		rest->bytes += length;
		rest->length -= length;
		if (text == NULL)
			fail(rest, ERROR_MEMORY);
	}
	return text != NULL ? text : "";
}

static const char *take_text(struct rest *rest, size_t maximum)
{
	const char *text = take_bytes(rest, maximum);

	if (!is_text(text))
		fail(rest, ERROR_INPUT);
	return text;
}

static int end(struct rest *rest, bool good)
{
	if (rest->length != 0 || !good)
		fail(rest, ERROR_INPUT);
	return rest->error;
}

int pam_wire_read_question(const void *bytes, size_t length, struct arena *arena,
	struct pam_wire_question *ret_question)
{
	struct rest rest = begin(bytes, length, arena, PAM_WIRE_QUESTION);
	struct pam_wire_question question;
	int error;

	question.limit = take_number(&rest, 4);
	question.user = take_text(&rest, PAM_WIRE_NAME_MAXIMUM);
	question.client = take_text(&rest, PAM_WIRE_NAME_MAXIMUM);
	error = end(&rest,
		question.limit > 0 && question.limit <= PAM_WIRE_LIMIT_MAXIMUM &&
			pam_wire_may_be_user(question.user));
	if (error == 0)
		*ret_question = question;
	return error;
}

int pam_wire_read_account(
	const void *bytes, size_t length, struct arena *arena, struct pam_wire_account *ret_account)
{
	struct rest rest = begin(bytes, length, arena, PAM_WIRE_ACCOUNT);
	const char *name = take_text(&rest, PAM_WIRE_NAME_MAXIMUM);
	int error = end(&rest, name[0] != '\0');

	if (error == 0)
		ret_account->name = name;
	return error;
}

int pam_wire_read_secret(
	const void *bytes, size_t length, struct arena *arena, struct pam_wire_secret *ret_secret)
{
	struct rest rest = begin(bytes, length, arena, PAM_WIRE_SECRET);
	const char *password = take_bytes(&rest, PAM_WIRE_PASSWORD_MAXIMUM);
	const char *new_password = take_bytes(&rest, PAM_WIRE_PASSWORD_MAXIMUM);
	int error = end(&rest, password[0] != '\0');

	if (error == 0)
		*ret_secret = (struct pam_wire_secret){.password = password,
			.new_password = new_password[0] != '\0' ? new_password : NULL};
	return error;
}

static void take_groups(struct rest *rest, struct pam_wire_answer *answer)
{
	uint32_t cut = take_number(rest, 1);
	size_t count = take_number(rest, 2);
	const char **groups = NULL;

	if (cut > 1 || count > PAM_WIRE_GROUPS_MAXIMUM)
		fail(rest, ERROR_INPUT);
	if (rest->error == 0) {
		groups = arena_alloc(rest->arena, (count + 1) * sizeof(*groups));
		if (groups == NULL)
			fail(rest, ERROR_MEMORY);
	}
	for (size_t i = 0; rest->error == 0 && i < count; i++) {
		groups[i] = take_text(rest, PAM_WIRE_NAME_MAXIMUM);
		if (groups[i][0] == '\0')
			fail(rest, ERROR_INPUT);
	}
	answer->groups_cut = cut != 0;
	answer->groups = groups;
	answer->group_count = count;
}

int pam_wire_read_answer(
	const void *bytes, size_t length, struct arena *arena, struct pam_wire_answer *ret_answer)
{
	struct rest rest = begin(bytes, length, arena, PAM_WIRE_ANSWER);
	uint32_t word = take_number(&rest, 1);
	struct pam_wire_answer answer;
	int error;

	answer.reason = word < SAYABLE_COUNT ? sayable[word] : REASON_COUNT;
	answer.name = take_text(&rest, PAM_WIRE_NAME_MAXIMUM);
	answer.detail = take_text(&rest, PAM_WIRE_DETAIL_MAXIMUM);
	take_groups(&rest, &answer);
	error = end(&rest,
		answer.reason != REASON_COUNT &&
			(answer.name[0] != '\0') == (answer.reason == REASON_RIGHT));
	if (error == 0)
		*ret_answer = answer;
	return error;
}
