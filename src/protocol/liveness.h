/*
 * liveness.h - what keep-alives tell of a path: round-trip time, jitter, loss.
 *
 * Pure arithmetic; the caller sends the keep-alives and gives the time.
 * Round-trip times come from our own notes of when a number was sent, never
 * from what the peer says. Microseconds.
 */
#ifndef FAIRLEAD_PROTOCOL_LIVENESS_H
#define FAIRLEAD_PROTOCOL_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keep-alives under way at most; an older one counts as lost. */
#define LIVENESS_WINDOW 64

struct liveness_note {
	uint64_t number; /* 0: none */
	int64_t sent_at;
};

struct liveness {
	int64_t timeout;   /* unanswered for this long: lost */
	uint64_t numbered; /* the newest number */
	uint64_t sent, answered, lost;
	int64_t rtt_last, rtt_maximum, rtt_total;
	int64_t jitter_scaled; /* times 16, as in RFC 3550, A.8 */
	struct liveness_note notes[LIVENESS_WINDOW];
};

void liveness_init(struct liveness *liveness, int64_t timeout);

/* A keep-alive leaves now; returns the number it has to carry (from 1). */
uint64_t liveness_sent(struct liveness *liveness, int64_t now);

/* An answer came. 0, or ERROR_NOT_FOUND: the number was never sent, was
 * answered before, or counts as lost by now. */
int liveness_answered(struct liveness *liveness, uint64_t number, int64_t now);

/* Counts what has been unanswered for too long; returns how many are new. */
size_t liveness_age(struct liveness *liveness, int64_t now);

/* Forgets what is under way as if it had not been sent: the keys changed, so
 * answers can no longer come. */
void liveness_forget(struct liveness *liveness);

/* Share of lost among answered and lost, 0 to 1. */
double liveness_loss(const struct liveness *liveness);

/* -1 while not known: before one answer, for the jitter before two. */
int64_t liveness_rtt_last(const struct liveness *liveness);
int64_t liveness_rtt_mean(const struct liveness *liveness);
int64_t liveness_rtt_maximum(const struct liveness *liveness);
int64_t liveness_jitter(const struct liveness *liveness);

#endif
