/*
 * fuzz_pam_wire.c - what a program and fairlead-pam say to each other, both ways.
 *
 * Every reader gets the packet; at most one takes it. What was read is written again and must be
 * the same bytes: there is one way to say a thing.
 */
#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "identity/pam_wire.h"

#define ARENA_MAXIMUM (1u << 20)

struct packet {
	const uint8_t *bytes;
	size_t size;
	struct arena *arena;
	struct buffer again;
	unsigned taken;
};

static void check_again(struct packet *packet, int error)
{
	assert(error == 0);
	assert(packet->again.length == packet->size);
	assert(memcmp(packet->again.bytes, packet->bytes, packet->size) == 0);
	buffer_clear(&packet->again);
	packet->taken++;
}

/* True: read. Nothing else goes wrong but the input. */
static bool is_read(int error)
{
	assert(error == 0 || error == ERROR_INPUT);
	return error == 0;
}

static void read_for_helper(struct packet *packet)
{
	struct pam_wire_question question;
	struct pam_wire_secret secret;

	if (is_read(pam_wire_read_question(
		    packet->bytes, packet->size, packet->arena, &question))) {
		assert(pam_wire_may_be_user(question.user));
		assert(question.limit > 0 && question.limit <= PAM_WIRE_LIMIT_MAXIMUM);
		check_again(packet, pam_wire_write_question(&packet->again, &question));
	}
	if (is_read(pam_wire_read_secret(packet->bytes, packet->size, packet->arena, &secret))) {
		assert(secret.password[0] != '\0');
		check_again(packet, pam_wire_write_secret(&packet->again, &secret));
	}
}

static void read_for_program(struct packet *packet)
{
	struct pam_wire_account account;
	struct pam_wire_answer answer;

	if (is_read(pam_wire_read_account(packet->bytes, packet->size, packet->arena, &account)))
		check_again(packet, pam_wire_write_account(&packet->again, &account));
	if (is_read(pam_wire_read_answer(packet->bytes, packet->size, packet->arena, &answer))) {
		assert((answer.reason == REASON_RIGHT) == (answer.name[0] != '\0'));
		assert(answer.group_count <= PAM_WIRE_GROUPS_MAXIMUM);
		check_again(packet, pam_wire_write_answer(&packet->again, &answer));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct packet packet = {.bytes = bytes, .size = size, .arena = arena_new(ARENA_MAXIMUM)};
	int type = pam_wire_type(bytes, size);

	assert(packet.arena != NULL);
	buffer_init(&packet.again, PAM_WIRE_MAXIMUM);
	read_for_helper(&packet);
	read_for_program(&packet);
	assert(packet.taken == 0 || (packet.taken == 1 && type > 0));
	buffer_free(&packet.again);
	arena_free(packet.arena);
	return 0;
}
