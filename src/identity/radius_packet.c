#include "identity/radius_packet.h"

#include <freeradius/build.h>
/* Its header for regular expressions wants that of a library we have no use for. */
#undef HAVE_PCRE
#undef HAVE_REGEX
#include <freeradius/libradius.h>

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"

/* RFC 2865 5.6, 5.41 */
#define SERVICE_AUTHENTICATE_ONLY 8
#define NAS_PORT_VIRTUAL 5
#define PAIRS_MAXIMUM 10

_Static_assert(RADIUS_PACKET_RANDOM == AUTH_VECTOR_LEN, "as the library has it");

/* The library's dictionary is global and read from files of a server. These are the few attributes
 * that we send. */
enum attribute {
	MESSAGE_AUTHENTICATOR,
	USER_NAME,
	USER_PASSWORD,
	CHAP_PASSWORD,
	CHAP_CHALLENGE,
	NAS_IDENTIFIER,
	SERVICE_TYPE,
	NAS_PORT_TYPE,
	CALLING_STATION_ID,
	STATE
};
static const DICT_ATTR attributes[] = {
	[MESSAGE_AUTHENTICATOR] = {.attr = PW_MESSAGE_AUTHENTICATOR, .type = PW_TYPE_OCTETS},
	[USER_NAME] = {.attr = PW_USER_NAME, .type = PW_TYPE_STRING},
	[USER_PASSWORD] = {.attr = PW_USER_PASSWORD,
		.type = PW_TYPE_STRING,
		.flags = {.encrypt = FLAG_ENCRYPT_USER_PASSWORD}},
	[CHAP_PASSWORD] = {.attr = PW_CHAP_PASSWORD, .type = PW_TYPE_OCTETS},
	[CHAP_CHALLENGE] = {.attr = PW_CHAP_CHALLENGE, .type = PW_TYPE_OCTETS},
	[NAS_IDENTIFIER] = {.attr = PW_NAS_IDENTIFIER, .type = PW_TYPE_STRING},
	[SERVICE_TYPE] = {.attr = PW_SERVICE_TYPE, .type = PW_TYPE_INTEGER},
	[NAS_PORT_TYPE] = {.attr = PW_NAS_PORT_TYPE, .type = PW_TYPE_INTEGER},
	[CALLING_STATION_ID] = {.attr = PW_CALLING_STATION_ID, .type = PW_TYPE_STRING},
	[STATE] = {.attr = PW_STATE, .type = PW_TYPE_OCTETS},
};

/* A chain of the library's pairs, on our stack: their values are the caller's, none is copied. */
struct pairs {
	VALUE_PAIR pair[PAIRS_MAXIMUM];
	size_t count;
};

bool radius_packet_library_fits(void)
{
	return fr_check_lib_magic(RADIUSD_MAGIC_NUMBER) == 0;
}

static VALUE_PAIR *add(struct pairs *pairs, enum attribute attribute)
{
	VALUE_PAIR *pair;

	assert(pairs->count < PAIRS_MAXIMUM);
	pair = &pairs->pair[pairs->count++];
	memset(pair, 0, sizeof(*pair));
	pair->da = &attributes[attribute];
	pair->op = T_OP_EQ;
	pair->tag = TAG_ANY;
	pair->type = VT_DATA;
	if (pairs->count > 1)
		pair[-1].next = pair;
	return pair;
}

static void add_bytes(
	struct pairs *pairs, enum attribute attribute, const void *bytes, size_t length)
{
	VALUE_PAIR *pair = add(pairs, attribute);

	pair->vp_octets = bytes;
	pair->vp_length = length;
}

static void add_text(struct pairs *pairs, enum attribute attribute, const char *text)
{
	add_bytes(pairs, attribute, text, strnlen(text, RADIUS_PACKET_VALUE));
}

static void add_number(struct pairs *pairs, enum attribute attribute, uint32_t number)
{
	VALUE_PAIR *pair = add(pairs, attribute);

	pair->vp_integer = number;
	pair->vp_length = sizeof(number);
}

static bool fits(const char *text, size_t maximum)
{
	size_t length = strnlen(text, maximum + 1);

	return length > 0 && length <= maximum;
}

static bool acceptable(const struct radius_packet_request *request)
{
	return fits(request->user, RADIUS_PACKET_VALUE) &&
		fits(request->password, RADIUS_PASSWORD_MAXIMUM) &&
		fits(request->nas_identifier, RADIUS_PACKET_VALUE) && *request->secret != '\0' &&
		(!request->state ||
			(request->state_length > 0 &&
				request->state_length <= RADIUS_STATE_MAXIMUM));
}

/* CHAP_VALUE_LENGTH bytes after the identifier. */
static void add_chap(struct pairs *pairs, RADIUS_PACKET *packet,
	const struct radius_packet_request *request, uint8_t value[1 + CHAP_VALUE_LENGTH])
{
	VALUE_PAIR password = {.da = &attributes[USER_PASSWORD],
		.vp_strvalue = request->password,
		.vp_length = strlen(request->password)};

	add_bytes(pairs, CHAP_CHALLENGE, request->chap_challenge, RADIUS_PACKET_RANDOM);
	packet->vps = pairs->pair;
	if (rad_chap_encode(packet, value, request->chap_id, &password) != 0)
		assert(false); /* refuses NULL only */
	add_bytes(pairs, CHAP_PASSWORD, value, 1 + CHAP_VALUE_LENGTH);
}

static void add_all(struct pairs *pairs, RADIUS_PACKET *packet,
	const struct radius_packet_request *request, uint8_t chap[1 + CHAP_VALUE_LENGTH])
{
	add_bytes(pairs, MESSAGE_AUTHENTICATOR, packet->vector, RADIUS_PACKET_RANDOM);
	add_text(pairs, USER_NAME, request->user);
	if (request->method == RADIUS_CHAP)
		add_chap(pairs, packet, request, chap);
	else
		add_text(pairs, USER_PASSWORD, request->password);
	add_text(pairs, NAS_IDENTIFIER, request->nas_identifier);
	add_number(pairs, SERVICE_TYPE, SERVICE_AUTHENTICATE_ONLY);
	add_number(pairs, NAS_PORT_TYPE, NAS_PORT_VIRTUAL);
	if (request->client && *request->client != '\0')
		add_text(pairs, CALLING_STATION_ID, request->client);
	if (request->state)
		add_bytes(pairs, STATE, request->state, request->state_length);
	packet->vps = pairs->pair;
}

int radius_packet_write(const struct radius_packet_request *request,
	uint8_t bytes[RADIUS_PACKET_MAXIMUM], size_t *ret_length)
{
	struct pairs pairs = {.count = 0};
	uint8_t chap[1 + CHAP_VALUE_LENGTH];
	RADIUS_PACKET *packet;
	int error = ERROR_MEMORY;

	if (!acceptable(request))
		return ERROR_INPUT;
	/* rad_alloc would stir the library's random numbers, which threads share. */
	packet = talloc_zero(NULL, RADIUS_PACKET);
	if (!packet)
		return ERROR_MEMORY;
	packet->code = PW_CODE_ACCESS_REQUEST;
	packet->id = request->id;
	packet->offset = -1;
	memcpy(packet->vector, request->authenticator, RADIUS_PACKET_RANDOM);
	add_all(&pairs, packet, request, chap);
	if (rad_encode(packet, NULL, request->secret) != 0 ||
		rad_sign(packet, NULL, request->secret) != 0)
		goto out;
	/* All values at their longest are less than half of it. */
	assert(packet->data_len <= RADIUS_PACKET_MAXIMUM);
	memcpy(bytes, packet->data, packet->data_len);
	*ret_length = packet->data_len;
	error = 0;
out:
	packet->vps = NULL;
	talloc_free(packet);
	secret_wipe(chap, sizeof(chap));
	return error;
}

/* Appends a Reply-Message. One attribute ends a line, unless it is full: then a longer text was
 * likely cut in pieces. Returns the length of `joined`. */
static size_t join(char joined[RADIUS_PACKET_MAXIMUM], size_t at, const uint8_t *value,
	size_t length, bool *line_ended)
{
	if (at > 0 && *line_ended && joined[at - 1] != '\n')
		joined[at++] = '\n';
	for (size_t i = 0; i < length; i++) {
		/* A NUL is a character that cannot be shown, not the end. */
		if (value[i] != '\r' || i + 1 == length || value[i + 1] != '\n')
			joined[at++] = value[i] != '\0' ? (char)value[i] : '?';
	}
	*line_ended = length < RADIUS_PACKET_VALUE;
	return at;
}

/* `joined` line by line, which it takes apart. */
static void clean_lines(char *joined, char message[RADIUS_MESSAGE_MAXIMUM + 1])
{
	size_t at = 0;

	while (joined && at < RADIUS_MESSAGE_MAXIMUM) {
		char *line = strsep(&joined, "\n");

		text_clean(line, true, message + at, RADIUS_MESSAGE_MAXIMUM + 1 - at);
		at += strlen(message + at);
		if (joined && at < RADIUS_MESSAGE_MAXIMUM)
			message[at++] = '\n';
	}
	while (at > 0 && (message[at - 1] == '\n' || message[at - 1] == ' '))
		at--;
	message[at] = '\0';
}

/* The attributes of a packet that the library found to be made of whole attributes; the values we
 * want are bytes, so there is nothing left to decode. True when one is a Message-Authenticator. */
static bool collect(const RADIUS_PACKET *packet, struct radius_packet_answer *answer)
{
	char joined[RADIUS_PACKET_MAXIMUM]; /* a line feed is shorter than an attribute's head */
	size_t length = 0;
	bool line_ended = false;
	bool is_signed = false;

	answer->state_length = 0;
	for (size_t at = 20; at < packet->data_len; at += packet->data[at + 1]) {
		const uint8_t *value = packet->data + at + 2;
		size_t size = (size_t)packet->data[at + 1] - 2;

		if (packet->data[at] == PW_MESSAGE_AUTHENTICATOR) {
			is_signed = true;
		} else if (packet->data[at] == PW_STATE && answer->state_length == 0) {
			memcpy(answer->state, value, size);
			answer->state_length = size;
		} else if (packet->data[at] == PW_REPLY_MESSAGE && size > 0) {
			length = join(joined, length, value, size, &line_ended);
		}
	}
	joined[length] = '\0';
	clean_lines(joined, answer->message);
	return is_signed;
}

enum radius_packet_kind radius_packet_read(uint8_t *bytes, size_t length, uint8_t id,
	const uint8_t authenticator[RADIUS_PACKET_RANDOM], const char *secret, bool allow_unsigned,
	struct radius_packet_answer *ret_answer)
{
	RADIUS_PACKET request = {.code = PW_CODE_ACCESS_REQUEST, .id = id};
	RADIUS_PACKET packet = {.data = bytes, .data_len = length};
	struct radius_packet_answer answer;
	decode_fail_t reason = DECODE_FAIL_NONE;
	enum radius_packet_kind kind;

	if (length > RADIUS_PACKET_MAXIMUM)
		return RADIUS_PACKET_FOREIGN;
	packet.src_ipaddr.af = AF_INET; /* the library prints it */
	if (!rad_packet_ok(&packet, 0, &reason) || packet.id != id)
		return reason == DECODE_FAIL_MA_MISSING ? RADIUS_PACKET_UNSIGNED
							: RADIUS_PACKET_FOREIGN;
	if (packet.code == PW_CODE_ACCESS_ACCEPT)
		kind = RADIUS_PACKET_ACCEPT;
	else if (packet.code == PW_CODE_ACCESS_REJECT)
		kind = RADIUS_PACKET_REJECT;
	else if (packet.code == PW_CODE_ACCESS_CHALLENGE)
		kind = RADIUS_PACKET_CHALLENGE;
	else
		return RADIUS_PACKET_FOREIGN;
	memcpy(request.vector, authenticator, RADIUS_PACKET_RANDOM);
	if (rad_verify(&packet, &request, secret) != 0)
		return RADIUS_PACKET_FORGED;
	if (!collect(&packet, &answer) && !allow_unsigned)
		return RADIUS_PACKET_UNSIGNED;
	*ret_answer = answer;
	return kind;
}
