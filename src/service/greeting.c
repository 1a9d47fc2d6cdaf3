#include "service/greeting.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "service/logon.h"

#define PROBE_PRODUCT "QueryBrokerClient" /* seen in client traffic */

static char platform[256];

static void read_platform(void)
{
	struct utsname names;

	if (uname(&names) == 0)
		snprintf(platform, sizeof(platform), "%.60s %.100s %.60s", names.sysname,
			names.release, names.machine);
	else
		snprintf(platform, sizeof(platform), "Linux");
}

const char *greeting_platform(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_platform);
	return platform;
}

bool greeting_is_probe(const struct transaction *transaction)
{
	return strcmp(transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME),
		       PROBE_PRODUCT) == 0;
}

void greeting_note_client(struct transaction *transaction)
{
	struct session *session = transaction->session;
	const struct message_node *cap = message_find(transaction->request, FIELD_HELLO_CAPS_CAP);

	/* Short of memory it remembers less. */
	(void)sessions_set_text(&session->client_name,
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_HOSTNAME));
	(void)sessions_set_text(&session->client_product,
		transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_PRODUCT_NAME));
	session->language =
		text_language(transaction_text(transaction, FIELD_HELLO_CLIENT_INFO_LOCALE));
	session->capabilities = 0;
	for (; cap != NULL; cap = message_next(cap)) {
		int bit = field_value_index(FIELD_HELLO_CAPS_CAP, cap->text);

		if (bit >= 0)
			session->capabilities |= 1u << bit;
	}
}

void greeting_reply(struct transaction *transaction, const struct greeting *greeting)
{
	struct message *reply = transaction->reply;
	struct message_node *domains;

	message_put(
		reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_NAME, greeting->product);
	message_put(
		reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PRODUCT_VERSION, FAIRLEAD_VERSION);
	message_put(reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_PLATFORM, greeting_platform());
	message_put(reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_LOCALE,
		text_language_locale(transaction_language(transaction)));
	message_put(reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_IP_ADDRESS,
		*transaction->local != '\0' ? transaction->local : "N/A");
	message_put(reply, FIELD_HELLO_RESP_BROKERS_INFO_BROKER_INFO_HOSTNAME, greeting->hostname);
	logon_invite(transaction, greeting->plan);
	domains = message_put(reply, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS, NULL);
	for (size_t i = 0; domains != NULL && i < greeting->plan->domain_count; i++)
		message_add(reply, domains, FIELD_HELLO_RESP_NEXT_AUTHENTICATION_DOMAINS_DOMAIN,
			greeting->plan->domains[i]);
}

/* --- kept --- */

struct greeting_text {
	struct message_version version;
	char local[64]; /* the address the client reached is part of the answer */
	size_t length;
	char body[];
};

/* Where the answer to this request is kept; after greeting_note_client. */
static _Atomic(struct greeting_text *) *place_of(
	struct greeting_cache *cache, const struct transaction *transaction)
{
	const struct text_language *language = transaction_language(transaction);

	return &cache->texts[transaction->request->root][text_language_index(language)];
}

static void keep(_Atomic(struct greeting_text *) *place, const struct transaction *transaction)
{
	const struct message *reply = transaction->reply;
	struct greeting_text *none = NULL, *text = NULL;
	struct buffer body;

	buffer_init(&body, HTTP_BODY_MAXIMUM);
	if (strlen(transaction->local) < sizeof(text->local) &&
		!arena_lacking(transaction->arena) &&
		codec_encode(reply, CODEC_COMPACT, &body) == 0)
		text = malloc(sizeof(*text) + body.length);
	if (text != NULL) {
		text->version = reply->version;
		memcpy(text->local, transaction->local, strlen(transaction->local) + 1);
		text->length = body.length;
		memcpy(text->body, body.bytes, body.length);
		if (!atomic_compare_exchange_strong(place, &none, text))
			free(text); /* another loop was faster */
	}
	buffer_free(&body);
}

void greeting_finish(struct transaction *transaction, const struct greeting *greeting,
	struct greeting_cache *cache)
{
	const struct message *request = transaction->request;
	_Atomic(struct greeting_text *) *place;
	const struct greeting_text *text;

	greeting_note_client(transaction);
	place = place_of(cache, transaction);
	text = atomic_load(place);
	if (logon_invites_specially(transaction, greeting->plan)) {
		greeting_reply(transaction, greeting);
		transaction_finish(transaction);
		return;
	}
	if (text != NULL && text->version.major == request->version.major &&
		text->version.minor == request->version.minor &&
		strcmp(text->local, transaction->local) == 0 &&
		!transaction_is_shown(transaction)) {
		transaction_finish_encoded(transaction, text->body, text->length);
		return;
	}
	greeting_reply(transaction, greeting);
	if (text == NULL)
		keep(place, transaction);
	transaction_finish(transaction);
}

void greeting_cache_clear(struct greeting_cache *cache)
{
	for (size_t root = 0; root < ROOT_COUNT; root++) {
		for (size_t i = 0; i < TEXT_LANGUAGES_MAXIMUM; i++)
			free(atomic_exchange(&cache->texts[root][i], NULL));
	}
}
