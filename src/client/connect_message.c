#include "client/connect_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROBE_PRODUCT "QueryBrokerClient"
#define DIRECT_MARK "Direct-Connect Broker"

static struct message *new_message(struct arena *arena, enum message_id id)
{
	return message_new(arena, id, ROOT_CLIENT, message_version_newest(ROOT_CLIENT));
}

/* Puts pairs of field and text; NULL when one does not fit. */
struct pair {
	enum field_id field;
	const char *text;
};

static struct message *put(struct message *message, const struct pair *pairs, size_t count)
{
	for (size_t i = 0; message != NULL && i < count; i++) {
		if (message_put(message, pairs[i].field, pairs[i].text) == NULL)
			return NULL;
	}
	return message;
}
#define PUT(message, pairs) put(message, pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void machine_name(char name[256])
{
	if (gethostname(name, 256) != 0)
		name[0] = '\0';
	name[255] = '\0';
	if (name[0] == '\0')
		strcpy(name, "localhost");
}

/* "en_US" of "en_US.UTF-8". */
static void locale_name(char name[64])
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const char *value = NULL;

	for (size_t i = 0; i < 3 && (value == NULL || *value == '\0'); i++)
		value = getenv(variables[i]);
	if (value == NULL || *value == '\0' || strcmp(value, "C") == 0 ||
		strncmp(value, "C.", 2) == 0 || strcmp(value, "POSIX") == 0)
		value = "en_US";
	snprintf(name, 64, "%.*s", (int)strcspn(value, ".@"), value);
}

struct message *connect_message_probe(struct arena *arena)
{
	char host[256], locale[64];
	const struct pair pairs[] = {
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, PROBE_PRODUCT},
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_VERSION, "1.0"},
		{FIELD_HELLO_CLIENT_INFO_PLATFORM, "PCoIP"},
		{FIELD_HELLO_CLIENT_INFO_LOCALE, locale},
		{FIELD_HELLO_CLIENT_INFO_HOSTNAME, host},
	};

	machine_name(host);
	locale_name(locale);
	return PUT(new_message(arena, MESSAGE_HELLO), pairs);
}

struct message *connect_message_hello(
	struct arena *arena, const char *server_address, const char *server_name)
{
	char host[256], locale[64], platform[256] = "Linux";
	struct utsname system;
	const struct pair pairs[] = {
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME, "Fairlead Client"},
		{FIELD_HELLO_CLIENT_INFO_PRODUCT_VERSION, FAIRLEAD_VERSION},
		{FIELD_HELLO_CLIENT_INFO_PLATFORM, platform},
		{FIELD_HELLO_CLIENT_INFO_LOCALE, locale},
		{FIELD_HELLO_CLIENT_INFO_HOSTNAME, host},
		{FIELD_HELLO_CLIENT_INFO_DEVICE_NAME, host},
		{FIELD_HELLO_CAPS_CAP, "CAP_NO_AUTHENTICATION"},
		{FIELD_HELLO_CAPS_CAP, "CAP_DIALOG_AUTHENTICATION"},
		{FIELD_HELLO_CAPS_CAP, "CAP_DISCLAIMER_AUTHENTICATION"},
		{FIELD_HELLO_SERVER_ADDRESS_IP_ADDRESS, server_address},
		{FIELD_HELLO_SERVER_ADDRESS_HOSTNAME, server_name},
	};

	machine_name(host);
	locale_name(locale);
	if (uname(&system) == 0)
		snprintf(platform, sizeof(platform), "%s %s", system.sysname, system.machine);
	return PUT(new_message(arena, MESSAGE_HELLO), pairs);
}

struct message *connect_message_authenticate(
	struct arena *arena, const char *user, const char *password, const char *domain)
{
	const struct pair pairs[] = {
		{FIELD_AUTHENTICATE_METHOD, "password"},
		{FIELD_AUTHENTICATE_USERNAME, user},
		{FIELD_AUTHENTICATE_PASSWORD, password},
		{FIELD_AUTHENTICATE_DOMAIN, domain},
	};

	return PUT(new_message(arena, MESSAGE_AUTHENTICATE), pairs);
}

struct message *connect_message_accept(struct arena *arena)
{
	const struct pair pairs[] = {
		{FIELD_AUTHENTICATE_METHOD, "disclaimer"},
		{FIELD_AUTHENTICATE_DISCLAIMER_ACCEPTED, "true"},
	};

	return PUT(new_message(arena, MESSAGE_AUTHENTICATE), pairs);
}

struct message *connect_message_answer(struct arena *arena, const struct connect_question *question,
	char answers[][CONNECT_ANSWER_SIZE])
{
	const struct pair pairs[] = {
		{FIELD_AUTHENTICATE_METHOD, "dialog"},
		{FIELD_AUTHENTICATE_DIALOG_ID, question->id},
	};
	struct message *message = PUT(new_message(arena, MESSAGE_AUTHENTICATE), pairs);

	for (size_t i = 0; message != NULL && i < question->entry_count; i++) {
		struct message_node *answer =
			message_add(message, NULL, FIELD_AUTHENTICATE_ANSWER, answers[i]);

		if (answer == NULL ||
			message_add(message, answer, FIELD_AUTHENTICATE_ANSWER_NAME,
				question->entries[i].name) == NULL)
			return NULL;
	}
	return message;
}

struct message *connect_message_list(struct arena *arena)
{
	const struct pair pairs[] = {
		{FIELD_GET_RESOURCE_LIST_PROTOCOLS_PROTOCOL, "PCOIP"},
		{FIELD_GET_RESOURCE_LIST_RESOURCE_TYPES_RESOURCE_TYPE, "DESKTOP"},
	};

	return PUT(new_message(arena, MESSAGE_GET_RESOURCE_LIST), pairs);
}

struct message *connect_message_allocate(
	struct arena *arena, const char *resource, const char *address, const char *mac)
{
	const struct pair pairs[] = {
		{FIELD_ALLOCATE_RESOURCE_RESOURCE_ID, resource},
		{FIELD_ALLOCATE_RESOURCE_PROTOCOL, "PCOIP"},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_IP_ADDRESS, address},
		{FIELD_ALLOCATE_RESOURCE_CLIENT_INFO_MAC_ADDRESS, mac},
	};

	return PUT(new_message(arena, MESSAGE_ALLOCATE_RESOURCE), pairs);
}

struct message *connect_message_bye(struct arena *arena)
{
	return new_message(arena, MESSAGE_BYE);
}

static const char *text_of(const struct message *message, enum field_id field)
{
	const char *text = field != FIELD_NONE ? message_text(message, field) : NULL;

	return text != NULL ? text : "";
}

bool connect_message_result(
	const struct message *message, struct connect_message_result *ret_result)
{
	enum field_id id = field_find(message->id, "result/result-id");

	if (id == FIELD_NONE || message_text(message, id) == NULL)
		return false;
	*ret_result = (struct connect_message_result){
		.id = message_result(message, id),
		.name = text_of(message, id),
		.text = text_of(message, field_find(message->id, "result/result-str")),
		.detail = text_of(message, field_find(message->id, "err-detail")),
	};
	return true;
}

enum record_path connect_message_path(const struct message *message, const char **ret_product)
{
	const char *broker =
		text_of(message, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME);

	*ret_product = broker;
	if (strstr(broker, DIRECT_MARK) != NULL)
		return RECORD_PATH_DIRECT;
	if (message_find(message, FIELD_HELLO_RESP_PCM_INFO) == NULL)
		return RECORD_PATH_BROKER;
	*ret_product = text_of(message, FIELD_HELLO_RESP_PCM_INFO_PRODUCT_NAME);
	return RECORD_PATH_MANAGER;
}

static const struct message_node *find(const struct message *message, const char *path)
{
	enum field_id field = field_find(message->id, path);

	return field != FIELD_NONE ? message_find(message, field) : NULL;
}

enum connect_message_method connect_message_method(
	const struct message *message, const char **ret_name)
{
	const struct message_node *method =
		find(message, "next-authentication/authentication-methods/method");
	enum connect_message_method found = CONNECT_METHOD_OTHER;

	*ret_name = method != NULL ? method->text : "";
	if (method == NULL)
		return CONNECT_METHOD_NONE;
	for (; method != NULL; method = message_next(method)) {
		if (strcmp(method->text, "AUTHENTICATE_VIA_DIALOG") == 0 &&
			find(message, "next-authentication/dialog") != NULL)
			return CONNECT_METHOD_DIALOG;
		if (strcmp(method->text, "AUTHENTICATE_VIA_DISCLAIMER") == 0 &&
			find(message, "next-authentication/disclaimer") != NULL)
			found = CONNECT_METHOD_TERMS;
		else if (strcmp(method->text, "AUTHENTICATE_VIA_PASSWORD") == 0 &&
			found == CONNECT_METHOD_OTHER)
			found = CONNECT_METHOD_PASSWORD;
	}
	return found;
}

const char *connect_message_terms(
	const struct message *message, struct arena *arena, const char **ret_title)
{
	const struct message_node *paragraph =
		find(message, "next-authentication/disclaimer/paragraph");
	const char *text = "";

	*ret_title =
		text_of(message, field_find(message->id, "next-authentication/disclaimer/title"));
	for (; text != NULL && paragraph != NULL; paragraph = message_next(paragraph))
		text = arena_print(
			arena, "%s%s%s", text, *text != '\0' ? "\n\n" : "", paragraph->text);
	return text;
}

static void copy_child(
	const struct message_node *parent, enum field_id field, char *out, size_t size)
{
	const struct message_node *child = parent != NULL ? message_child(parent, field) : NULL;

	snprintf(out, size, "%s", child != NULL ? child->text : "");
}

#define DIALOG(name) FIELD_AUTHENTICATE_RESP_NEXT_AUTHENTICATION_DIALOG_##name

bool connect_message_question(const struct message *message, struct connect_question *ret_question)
{
	const struct message_node *prompt = message_find(message, DIALOG(PROMPT));
	struct connect_question question = {.trouble = ""};
	const char *purpose = text_of(message, DIALOG(PURPOSE));

	snprintf(question.purpose, sizeof(question.purpose), "%s",
		*purpose != '\0' ? purpose : "other");
	snprintf(question.id, sizeof(question.id), "%s", text_of(message, DIALOG(ID)));
	snprintf(question.title, sizeof(question.title), "%s", text_of(message, DIALOG(TITLE)));
	snprintf(question.text, sizeof(question.text), "%s", text_of(message, DIALOG(TEXT)));
	for (; prompt != NULL; prompt = message_next(prompt)) {
		const struct message_node *hidden = message_child(prompt, DIALOG(PROMPT_HIDDEN));
		struct connect_entry *entry;

		if (question.entry_count == CONNECT_ENTRIES_MAXIMUM)
			return false;
		entry = &question.entries[question.entry_count++];
		copy_child(prompt, DIALOG(PROMPT_NAME), entry->name, sizeof(entry->name));
		snprintf(entry->label, sizeof(entry->label), "%s", prompt->text);
		entry->hidden = hidden != NULL &&
			(strcmp(hidden->text, "true") == 0 || strcmp(hidden->text, "1") == 0);
	}
	if (question.entry_count == 0)
		return false;
	*ret_question = question;
	return true;
}

const char *connect_message_domain(const struct message *message, size_t *ret_count)
{
	const struct message_node *domain = find(message, "next-authentication/domains/domain");
	const char *first = domain != NULL ? domain->text : NULL;

	*ret_count = 0;
	for (; domain != NULL; domain = message_next(domain))
		(*ret_count)++;
	return first;
}

void connect_message_resources(const struct message *message, struct record *record)
{
	const struct message_node *node =
		message_find(message, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE);

	record->resource_count = 0;
	for (; node != NULL && record->resource_count < RECORD_RESOURCES_MAXIMUM;
		node = message_next(node)) {
		struct record_resource *to = &record->resources[record->resource_count++];

		copy_child(node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, to->name,
			sizeof(to->name));
		copy_child(node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, to->id,
			sizeof(to->id));
		copy_child(node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_STATE, to->state,
			sizeof(to->state));
		copy_child(message_child(node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE),
			FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE_SESSION_TYPE,
			to->session_type, sizeof(to->session_type));
	}
}
