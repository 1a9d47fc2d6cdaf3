/*
 * How an exchange ends: by an answer that holds, or without one.
 *
 * Ending closes all handles; `done` is called by the last one to close.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "identity/radius_exchange.h"

const char *radius_outcome_text(const struct exchange *exchange, const char *given)
{
	const char *copy = arena_text(exchange->request->arena, given);

	return copy ? copy : "";
}

static void complete(struct exchange *exchange)
{
	struct radius_answer answer = exchange->answer;
	radius_done *done = exchange->done;
	void *context = exchange->context;

	secret_wipe(exchange, sizeof(*exchange));
	free(exchange);
	done(context, &answer);
}

static void closed(struct exchange *exchange)
{
	assert(exchange->handles > 0);
	if (--exchange->handles == 0)
		complete(exchange);
}

static void on_timer_closed(uv_handle_t *handle)
{
	closed(handle->data);
}

static void on_line_closed(uv_handle_t *handle)
{
	struct line *line = handle->data;
	struct exchange *exchange = line->exchange;

	free(line);
	closed(exchange);
}

void radius_outcome_drop_line(struct exchange *exchange)
{
	struct line *line = exchange->line;

	if (!line)
		return;
	exchange->line = NULL;
	uv_close((uv_handle_t *)&line->poll, on_line_closed);
	close(line->fd);
}

static void end(struct exchange *exchange, enum radius_verdict verdict, enum reason reason)
{
	const struct radius_request *request = exchange->request;
	struct radius_answer *answer = &exchange->answer;

	assert(!exchange->ended);
	exchange->ended = true;
	answer->verdict = verdict;
	answer->reason = reason;
	answer->server = radius_outcome_text(exchange, peer_of(exchange)->label);
	answer->took = clock_steady(request->clock) - exchange->began;
	radius_outcome_drop_line(exchange);
	uv_close((uv_handle_t *)&exchange->whole, on_timer_closed);
	uv_close((uv_handle_t *)&exchange->next, on_timer_closed);
}

void radius_outcome_fail(struct exchange *exchange)
{
	const struct counts *all = &exchange->all;
	enum reason reason = REASON_RADIUS_SILENT;
	const char *detail = NULL;
	const char *hint = "";

	if (all->without > 0)
		reason = REASON_RADIUS_UNSIGNED;
	else if (all->forged > 0)
		reason = REASON_RADIUS_WRONG_SECRET;
	else if (all->sent == 0)
		reason = REASON_RADIUS_FAILED;
	/* They must not answer what does not fit their secret (RFC 3579 3.2). */
	if (reason == REASON_RADIUS_SILENT)
		hint = "; servers are silent, too, to a client or a shared secret they do not know";
	detail = arena_print(exchange->request->arena,
		"requests %u, answers ignored: %u with a wrong authenticator, %u without "
		"Message-Authenticator, %u to something else%s%s%s",
		all->sent, all->forged, all->without, all->foreign,
		*exchange->trouble != '\0' ? "; " : "", exchange->trouble, hint);
	exchange->answer.detail = detail ? detail : "";
	end(exchange, RADIUS_FAILED, reason);
}

static const char *on_one_line(
	const struct exchange *exchange, const char *head, const char *message)
{
	char *line = arena_print(
		exchange->request->arena, "%s%s%s", head, *message != '\0' ? ": " : "", message);

	if (!line)
		return head;
	for (char *at = line; (at = strchr(at, '\n'));)
		*at = ' ';
	return line;
}

static void answered(struct exchange *exchange, enum radius_packet_kind kind,
	const struct radius_packet_answer *packet)
{
	struct radius_answer *answer = &exchange->answer;
	const char *head = kind == RADIUS_PACKET_ACCEPT ? "Access-Accept"
		: kind == RADIUS_PACKET_REJECT          ? "Access-Reject"
							: "Access-Challenge";

	radius_release(exchange->radius, exchange->order[exchange->at]);
	answer->message = radius_outcome_text(exchange, packet->message);
	answer->detail = on_one_line(exchange, head, packet->message);
	if (kind == RADIUS_PACKET_ACCEPT) {
		end(exchange, RADIUS_ACCEPTED, REASON_RIGHT);
	} else if (kind == RADIUS_PACKET_REJECT) {
		end(exchange, RADIUS_FAILED, REASON_RADIUS_REJECTED);
	} else {
		if (packet->state_length > 0) {
			answer->state = arena_copy(
				exchange->request->arena, packet->state, packet->state_length);
			answer->state_length = packet->state_length;
			if (!answer->state) {
				answer->state_length = 0;
				answer->detail = error_text(ERROR_MEMORY);
				end(exchange, RADIUS_FAILED, REASON_RADIUS_FAILED);
				return;
			}
		}
		end(exchange, RADIUS_CHALLENGED, REASON_RIGHT);
	}
}

void radius_outcome_received(struct exchange *exchange, uint8_t *bytes, size_t length)
{
	struct radius_packet_answer packet;
	enum radius_packet_kind kind =
		radius_packet_read(bytes, length, exchange->id, exchange->authenticator,
			peer_of(exchange)->secret, exchange->radius->allow_unsigned, &packet);

	switch (kind) {
	case RADIUS_PACKET_ACCEPT:
	case RADIUS_PACKET_REJECT:
	case RADIUS_PACKET_CHALLENGE:
		answered(exchange, kind, &packet);
		secret_wipe(&packet, sizeof(packet));
		break;
	case RADIUS_PACKET_FORGED:
		exchange->here.forged++;
		exchange->all.forged++;
		break;
	case RADIUS_PACKET_UNSIGNED:
		exchange->here.without++;
		exchange->all.without++;
		break;
	case RADIUS_PACKET_FOREIGN:
		exchange->all.foreign++;
		break;
	}
}
