#include "service/listing.h"

#include <string.h>

/* All that is public of types and protocols. */
#define TYPE "DESKTOP"
#define PROTOCOL "PCOIP"

static bool filter_admits(
	const struct transaction *transaction, enum field_id field, const char *ours)
{
	const struct message_node *node = message_find(transaction->request, field);

	if (node == NULL)
		return true;
	for (; node != NULL; node = message_next(node)) {
		if (strcmp(node->text, ours) == 0)
			return true;
	}
	return false;
}

bool listing_admits(const struct transaction *transaction)
{
	return filter_admits(transaction, FIELD_GET_RESOURCE_LIST_PROTOCOLS_PROTOCOL, PROTOCOL) &&
		filter_admits(
			transaction, FIELD_GET_RESOURCE_LIST_RESOURCE_TYPES_RESOURCE_TYPE, TYPE);
}

void listing_add(struct message *reply, const char *id, const char *name, const char *session_type)
{
	struct message_node *node =
		message_add(reply, NULL, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE, NULL);
	struct message_node *type, *protocols, *protocol;

	if (node == NULL)
		return;
	message_add(reply, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_NAME, name);
	message_add(reply, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_ID, id);
	type = message_add(reply, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE, TYPE);
	if (type != NULL)
		message_add(reply, type,
			FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_TYPE_SESSION_TYPE,
			session_type);
	message_add(reply, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_RESOURCE_STATE, "UNKNOWN");
	protocols = message_add(reply, node, FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS, NULL);
	if (protocols == NULL)
		return;
	protocol = message_add(reply, protocols,
		FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL, PROTOCOL);
	if (protocol != NULL)
		message_add(reply, protocol,
			FIELD_GET_RESOURCE_LIST_RESP_RESOURCE_PROTOCOLS_PROTOCOL_IS_DEFAULT,
			"true");
}
