/*
 * connect_message.h - the messages a client sends, and what its answers say.
 */
#ifndef FAIRLEAD_CLIENT_CONNECT_MESSAGE_H
#define FAIRLEAD_CLIENT_CONNECT_MESSAGE_H

#include "client/connect.h"
#include "protocol/message.h"

/* All NULL on short memory or a full arena. Root pcoip-client, version 2.1, as real clients. */

/* The QueryBrokerClient probe: no capabilities, no server address, as real clients send it. */
struct message *connect_message_probe(struct arena *arena);
/* The real hello. It goes on when a server asks the user nothing, shows terms, and answers
 * dialogs; docs/identity.md has these. */
struct message *connect_message_hello(
	struct arena *arena, const char *server_address, const char *server_name);
struct message *connect_message_authenticate(
	struct arena *arena, const char *user, const char *password, const char *domain);
/* The terms are accepted. */
struct message *connect_message_accept(struct arena *arena);
/* One answer for each entry of the question. */
struct message *connect_message_answer(struct arena *arena, const struct connect_question *question,
	char answers[][CONNECT_ANSWER_SIZE]);
/* With the filters of real clients. */
struct message *connect_message_list(struct arena *arena);
struct message *connect_message_allocate(
	struct arena *arena, const char *resource, const char *address, const char *mac);
struct message *connect_message_bye(struct arena *arena);

/* Result of an answer, whichever message it is. False: it has none (hello-resp, bye-resp). */
struct connect_message_result {
	enum result_id id;  /* RESULT_NONE: not in results.def */
	const char *name;   /* as on the wire */
	const char *text;   /* the server's; may be "" */
	const char *detail; /* err-detail; may be "" */
};
bool connect_message_result(
	const struct message *message, struct connect_message_result *ret_result);

/* Direct, manager or broker, told by content, as real clients do; the product that says so. */
enum record_path connect_message_path(const struct message *message, const char **ret_product);

/* What the user is asked for, by hello-resp or authenticate-resp. NONE: nothing. Of several that
 * this client knows, a dialog or terms come before the password. *ret_name is the first method as
 * it stands there; "" for NONE. */
enum connect_message_method {
	CONNECT_METHOD_NONE,
	CONNECT_METHOD_PASSWORD,
	CONNECT_METHOD_TERMS,
	CONNECT_METHOD_DIALOG,
	CONNECT_METHOD_OTHER
};
enum connect_message_method connect_message_method(
	const struct message *message, const char **ret_name);
/* For TERMS: paragraphs with an empty line between them, in the arena; NULL: memory. *ret_title "":
 * none. */
const char *connect_message_terms(
	const struct message *message, struct arena *arena, const char **ret_title);
/* For DIALOG; all but `trouble`, which stays "". False: there is nothing to enter, or too much. */
bool connect_message_question(const struct message *message, struct connect_question *ret_question);
/* The first domain offered (NULL: none) and how many there are. */
const char *connect_message_domain(const struct message *message, size_t *ret_count);

/* Fills the record's list. */
void connect_message_resources(const struct message *message, struct record *record);

#endif
