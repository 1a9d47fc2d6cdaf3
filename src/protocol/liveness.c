#include "protocol/liveness.h"

#include "base/error.h"

#define JITTER_SCALE 16

void liveness_init(struct liveness *liveness, int64_t timeout)
{
	*liveness = (struct liveness){.timeout = timeout};
}

static struct liveness_note *note(struct liveness *liveness, uint64_t number)
{
	return &liveness->notes[number % LIVENESS_WINDOW];
}

uint64_t liveness_sent(struct liveness *liveness, int64_t now)
{
	/* Numbers go on even when some are forgotten, so that none comes twice. */
	uint64_t number = ++liveness->numbered;
	struct liveness_note *slot = note(liveness, number);

	if (slot->number != 0)
		liveness->lost++;
	*slot = (struct liveness_note){number, now};
	liveness->sent++;
	return number;
}

int liveness_answered(struct liveness *liveness, uint64_t number, int64_t now)
{
	struct liveness_note *slot = note(liveness, number);
	int64_t difference;
	int64_t rtt;

	if (number == 0 || slot->number != number || now - slot->sent_at >= liveness->timeout)
		return ERROR_NOT_FOUND;
	rtt = now - slot->sent_at;
	slot->number = 0;
	if (liveness->answered > 0) {
		difference = rtt - liveness->rtt_last;
		if (difference < 0)
			difference = -difference;
		liveness->jitter_scaled +=
			difference - (liveness->jitter_scaled + JITTER_SCALE / 2) / JITTER_SCALE;
	}
	liveness->answered++;
	liveness->rtt_last = rtt;
	liveness->rtt_total += rtt;
	if (rtt > liveness->rtt_maximum)
		liveness->rtt_maximum = rtt;
	return 0;
}

size_t liveness_age(struct liveness *liveness, int64_t now)
{
	size_t lost = 0;

	for (size_t i = 0; i < LIVENESS_WINDOW; i++) {
		struct liveness_note *slot = &liveness->notes[i];

		if (slot->number != 0 && now - slot->sent_at >= liveness->timeout) {
			slot->number = 0;
			lost++;
		}
	}
	liveness->lost += lost;
	return lost;
}

void liveness_forget(struct liveness *liveness)
{
	for (size_t i = 0; i < LIVENESS_WINDOW; i++) {
		if (liveness->notes[i].number != 0) {
			liveness->notes[i].number = 0;
			liveness->sent--;
		}
	}
}

double liveness_loss(const struct liveness *liveness)
{
	uint64_t decided = liveness->answered + liveness->lost;

	return decided > 0 ? (double)liveness->lost / (double)decided : 0;
}

int64_t liveness_rtt_last(const struct liveness *liveness)
{
	return liveness->answered > 0 ? liveness->rtt_last : -1;
}

int64_t liveness_rtt_mean(const struct liveness *liveness)
{
	return liveness->answered > 0 ? liveness->rtt_total / (int64_t)liveness->answered : -1;
}

int64_t liveness_rtt_maximum(const struct liveness *liveness)
{
	return liveness->answered > 0 ? liveness->rtt_maximum : -1;
}

int64_t liveness_jitter(const struct liveness *liveness)
{
	return liveness->answered > 1 ? liveness->jitter_scaled / JITTER_SCALE : -1;
}
