#include "pam/question.h"

#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "identity/pam_packet.h"
#include "pam/talk.h"
#include "pam/verdict.h"

#define ARENA_MAXIMUM (4u << 20)
#define GROUPS_FIRST 64
#define TTY "fairlead" /* modules that know terminals only refuse to work without a name */

/* What is known of a question while it is answered. */
struct state {
	const struct question_service *service;
	const struct pam_wire_question *question;
	struct arena *arena;
	struct pam_wire_secret secret;
	struct talk talk;
	pam_handle_t *pam;
	struct pam_wire_answer answer;
};

/* Who failed at once is held up by the program, not by a process that waits here: modules ask for
 * two seconds and more. */
static void no_delay(int status, unsigned microseconds, void *data)
{
	(void)status;
	(void)microseconds;
	(void)data;
}

static bool is_done(struct state *state, enum verdict_step step, int code)
{
	static const char *const steps[] = {
		"pam_start", "pam_authenticate", "pam_acct_mgmt", "pam_chauthtok"};
	const char *said = state->talk.said;
	char *detail;

	state->answer.reason = verdict_of(step, code);
	state->answer.detail = "";
	if (code == PAM_SUCCESS)
		return true;
	detail = arena_print(state->arena, "%s: %s (%d)%s%s", steps[step],
		pam_strerror(state->pam, code), code, said[0] != '\0' ? ": " : "", said);
	state->answer.detail = detail != NULL ? detail : "";
	return false;
}

static int start(struct state *state, const struct pam_conv *conversation)
{
	const struct question_service *service = state->service;
	const char *client = state->question->client;
	union {
		void (*function)(int status, unsigned microseconds, void *data);
		const void *item;
	} delay = {.function = no_delay};
	int code = service->confdir != NULL
		? pam_start_confdir(service->name, state->question->user, conversation,
			  service->confdir, &state->pam)
		: pam_start(service->name, state->question->user, conversation, &state->pam);

	if (code == PAM_SUCCESS)
		code = pam_set_item(state->pam, PAM_FAIL_DELAY, delay.item);
	if (code == PAM_SUCCESS)
		code = pam_set_item(state->pam, PAM_TTY, TTY);
	if (code == PAM_SUCCESS && client[0] != '\0')
		code = pam_set_item(state->pam, PAM_RHOST, client);
	return code;
}

/* Only what PAM itself wants changed, and after the password was proven: as root, pam_chauthtok
 * asks for no old password and knows no minimum age. */
static bool change(struct state *state, int account)
{
	if (account == PAM_SUCCESS) {
		state->answer.reason = REASON_PASSWORD_NOT_CHANGED;
		state->answer.detail = "the password has not expired";
	}
	if (account != PAM_NEW_AUTHTOK_REQD)
		return false;
	state->talk.changing = true;
	if (!is_done(state, VERDICT_CHANGE, pam_chauthtok(state->pam, PAM_CHANGE_EXPIRED_AUTHTOK)))
		return false;
	state->talk.changing = false;
	return is_done(state, VERDICT_ACCOUNT, pam_acct_mgmt(state->pam, 0));
}

static bool check(struct state *state)
{
	int account;
	bool good;

	if (!is_done(state, VERDICT_AUTHENTICATE,
		    pam_authenticate(state->pam, PAM_DISALLOW_NULL_AUTHTOK)))
		return false;
	account = pam_acct_mgmt(state->pam, 0);
	good = is_done(state, VERDICT_ACCOUNT, account);
	return state->secret.new_password != NULL ? change(state, account) : good;
}

static void add_group(
	struct pam_wire_answer *answer, const char **groups, gid_t id, struct arena *arena)
{
	const struct group *group = getgrgid(id);
	const char *name = group != NULL ? arena_text(arena, group->gr_name) : NULL;

	if (name != NULL)
		groups[answer->group_count++] = name;
	else if (group != NULL)
		answer->groups_cut = true;
}

/* Users who are known to PAM and not to the machine have none. */
static void find_groups(struct state *state, const char *user)
{
	const struct passwd *entry = getpwnam(user);
	int count = GROUPS_FIRST, room = 0;
	gid_t *ids = NULL;
	const char **groups;

	if (entry == NULL)
		return;
	do {
		room = count;
		free(ids);
		ids = calloc((size_t)room, sizeof(*ids));
	} while (ids != NULL && getgrouplist(entry->pw_name, entry->pw_gid, ids, &count) < 0 &&
		count > room);
	groups = ids != NULL ? arena_alloc(state->arena, (size_t)room * sizeof(*groups)) : NULL;
	state->answer.groups_cut = groups == NULL;
	for (int i = 0; groups != NULL && i < count && i < room; i++)
		add_group(&state->answer, groups, ids[i], state->arena);
	state->answer.groups = groups;
	free(ids);
}

/* Modules may have put another name in the place of what was typed. */
static void take_user(struct state *state)
{
	const void *item = NULL;
	const char *name = NULL;

	if (pam_get_item(state->pam, PAM_USER, &item) == PAM_SUCCESS && item != NULL)
		name = arena_text(state->arena, item);
	if (name == NULL || !pam_wire_may_be_user(name)) {
		state->answer.reason = REASON_PAM_FAILED;
		state->answer.detail = "PAM gave the user no name";
		return;
	}
	find_groups(state, name);
	state->answer.name = name;
}

static void ask_pam(struct state *state)
{
	struct pam_conv conversation = {.conv = talk_answer, .appdata_ptr = &state->talk};
	int code = start(state, &conversation);

	if (is_done(state, VERDICT_START, code) && check(state))
		take_user(state);
	if (state->secret.new_password != NULL && state->answer.reason == REASON_PASSWORD_EXPIRED)
		state->answer.reason = REASON_PASSWORD_NOT_CHANGED;
	if (state->pam != NULL)
		pam_end(state->pam, code);
}

static bool send_account(struct state *state, int channel, struct buffer *packet)
{
	const struct passwd *entry = getpwnam(state->question->user);
	struct pam_wire_account account = {
		.name = entry != NULL ? entry->pw_name : state->question->user};

	return pam_wire_write_account(packet, &account) == 0 &&
		pam_packet_send(channel, packet, -1, NULL, 0) == 0;
}

static bool send_answer(struct state *state, int channel, struct buffer *packet)
{
	int error;

	buffer_clear(packet);
	if (pam_wire_write_answer(packet, &state->answer) != 0)
		return false;
	error = pam_packet_send(channel, packet, -1, NULL, 0);
	return error == 0 || error == ERROR_CLOSED;
}

static bool converse(struct state *state, int channel, struct buffer *packet)
{
	int error;

	if (!send_account(state, channel, packet))
		return false;
	error = pam_packet_receive(channel, packet, NULL, NULL, INT64_MAX);
	if (error != 0)
		return error == ERROR_CLOSED;
	if (pam_wire_read_secret(packet->bytes, packet->length, state->arena, &state->secret) != 0)
		return false;
	state->talk.password = state->secret.password;
	state->talk.new_password = state->secret.new_password;
	ask_pam(state);
	return send_answer(state, channel, packet);
}

bool question_answer(const struct question_service *service,
	const struct pam_wire_question *question, int channel)
{
	struct state state = {.service = service,
		.question = question,
		.arena = arena_new(ARENA_MAXIMUM),
		.answer = {.reason = REASON_PAM_FAILED, .name = "", .detail = ""}};
	struct buffer packet;
	bool answered;

	if (state.arena == NULL)
		return false;
	buffer_init(&packet, PAM_WIRE_MAXIMUM);
	answered = converse(&state, channel, &packet);
	buffer_free(&packet);
	arena_free(state.arena);
	return answered;
}
