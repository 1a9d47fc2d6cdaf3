/*
 * rule_lint_private.h - what the parts of the lint share.
 *
 *     rule_lint.c          the names a rule uses, and the order of the proofs
 *     rule_lint_script.c   logs made of samples: with one session's id, and times of our choice
 *     rule_lint_sample.c   samples and counter-samples
 *     rule_lint_put.c      other values in samples
 *     rule_lint_track.c    steps, late and never, through the judge
 *     rule_lint_outcome.c  outcomes, through the judge
 *     rule_lint_measure.c  values around the limits, through the judge
 */
#ifndef FAIRLEAD_HEALTH_RULE_LINT_PRIVATE_H
#define FAIRLEAD_HEALTH_RULE_LINT_PRIVATE_H

#include "base/buffer.h"
#include "health/report.h"
#include "health/rule_lint.h"

#define LINT_SECOND INT64_C(1000000)

struct lint {
	const struct rule_book *book;
	const struct rule *rule; /* the one that is being proved */
	void (*fault)(void *context, const char *text);
	void *context;
	int count;
	int error; /* memory was short: nothing more is proved */
	/* The log in the making. */
	struct buffer log;
	int64_t time; /* of the lines that are added */
	/* Of the last run. */
	struct store *store;
	struct report *report;
};

/* "file: rule/part: ..." */
void lint_fault(struct lint *lint, const char *part, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Begins a new log. */
void lint_begin(struct lint *lint);
/* Adds a sample's lines, all with lint->time and the same session. */
void lint_add(struct lint *lint, const char *sample);
/* A line of the session that no rule knows. */
void lint_add_other(struct lint *lint);
/* Reads the log and judges it; what was read and found is there until the next lint_begin. False:
 * short memory. */
bool lint_judge(struct lint *lint);
/* Reads bytes as they are. */
bool lint_read_bytes(struct lint *lint, const char *bytes);
void lint_end(struct lint *lint);

/* The last run has this finding of the rule. */
bool lint_found(const struct lint *lint, enum verdict verdict, const struct rule_cause *cause);
/* A fault unless it has, and all captures of its texts have something. `what` was done: "its steps
 * in order". */
void lint_expect(struct lint *lint, const char *part, const char *what, enum verdict verdict,
	const struct rule_cause *cause);

/* The sample with another text in place of what a pattern captures, in `line`. False: the sample
 * does not show where that is, or memory is short. */
bool lint_put(struct lint *lint, const struct rule_pattern *pattern, const char *sample,
	const char *capture, const char *text, struct buffer *line);
#define LINT_SAMPLE_MAXIMUM ((size_t)64 * 1024)

/* "prepare-host/starting" */
#define LINT_PART 160
void lint_part(char part[LINT_PART], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What every proof of a track needs. */
struct proof {
	struct lint *lint;
	const struct rule_track *track;
	int64_t pace; /* between the lines of an attempt, so that all limits are kept */
};

/* A line of the attempt, and then time goes on. */
void proof_add(const struct proof *proof, const char *sample);
/* The first steps, by their first patterns. */
void proof_add_steps(const struct proof *proof, size_t count);
/* The first step opens and does not pass at once. */
bool proof_opens(const struct rule_track *track);
/* The longest limit of the steps from `index` on; 0: none has one. */
int64_t proof_limit(const struct rule_track *track, size_t index);
/* "" when it has none. */
const char *proof_sample(const struct rule_pattern *pattern);
void lint_outcome(const struct proof *proof, size_t index);

void lint_samples(struct lint *lint);
void lint_tracks(struct lint *lint);
void lint_measures(struct lint *lint);

#endif
