/*
 * judge_private.h - what the parts of the judge share.
 *
 *     judge.c         the pass over the sightings, and the report
 *     judge_book.c    which rule and track uses which pattern
 *     judge_place.c   which machine a source comes from, and what is judged by itself
 *     judge_near.c    which session a line with the all-zero id belongs to
 *     judge_track.c   the state machines
 *     judge_join.c    attempts of several tracks become findings
 *     judge_finding.c texts, data and evidence of a finding
 *     judge_measure.c numbers against their limits
 *     judge_report.c  stages, plots, notes, summary
 *
 * A "unit" is what is judged by itself: a session, or the lines of one machine that belong to no
 * session. A line is named by its number in the sorted store, so the order of numbers is the
 * order of time.
 *
 * Memory: tables live in `scratch`, units with their machines and attempts in `moving`, findings on
 * their way in `bench`, the report in its own arena. When one is full, functions return NULL or do
 * nothing; judge() asks at the end, and the report says so.
 */
#ifndef FAIRLEAD_HEALTH_JUDGE_PRIVATE_H
#define FAIRLEAD_HEALTH_JUDGE_PRIVATE_H

#include "base/arena.h"
#include "health/judge.h"

#define JUDGE_SCRATCH_MAXIMUM ((size_t)48 * 1024 * 1024)
#define JUDGE_MOVING_MAXIMUM ((size_t)64 * 1024 * 1024)
#define JUDGE_BENCH_MAXIMUM ((size_t)16 * 1024 * 1024)
#define JUDGE_REPORT_MAXIMUM ((size_t)144 * 1024 * 1024)
/* When the report has so much, or everything together: further sessions are listed without the
 * rules that have no evidence; only those with a failure or a warning are listed; none is, and what
 * was found is only counted. */
#define JUDGE_REPORT_HALF ((size_t)64 * 1024 * 1024)
#define JUDGE_TOGETHER_HALF ((size_t)160 * 1024 * 1024)
#define JUDGE_REPORT_ENOUGH ((size_t)128 * 1024 * 1024)
#define JUDGE_TOGETHER ((size_t)224 * 1024 * 1024)
#define JUDGE_REPORT_FULL ((size_t)136 * 1024 * 1024)
#define JUDGE_TOGETHER_FULL ((size_t)232 * 1024 * 1024)
#define JUDGE_ATTEMPTS 64         /* of one track in one unit: the first half and the last */
#define JUDGE_NEAR_LINES 5        /* without time, lines of one source this close belong together */
#define JUDGE_SAME_OPENING 100000 /* microseconds: the same opening line again */
#define JUDGE_NEAR_CANDIDATES 256 /* open attempts that are looked at for one line */
#define JUDGE_DATA 48             /* of a finding */
#define FINDING_LINES ((size_t)4 * REPORT_EVIDENCE_MAXIMUM)

#define JUDGE_NOBODY UINT32_MAX
/* What uses a pattern when it is no track. */
#define JUDGE_BUILTIN UINT32_MAX
#define JUDGE_ASKED (UINT32_MAX - 1)

struct machine;
struct crash_logs;

struct attempt {
	struct attempt *next, *previous; /* of the same machine, in order */
	struct attempt *newer, *older;   /* the open ones of a track, in all units */
	struct machine *machine;
	uint32_t first, last; /* lines: where it starts, and what ended it */
	uint32_t evidence[REPORT_EVIDENCE_MAXIMUM];
	unsigned evidence_count, evidence_more;
	unsigned next_step;
	bool open;
	bool opened; /* by its first step, not made by an outcome or a step alone */
	bool weak;   /* a specific outcome may replace its cause */
	bool late;
	bool timed;    /* start and end compare */
	bool unjudged; /* all steps are there, but limits could not be judged */
	enum verdict verdict;
	const struct rule_cause *cause;
	const struct rule_cause *progress; /* the cause if it fails */
	const char *by;                    /* the capture that chose the cause */
	uint32_t said;                     /* the last line that gave it; or JUDGE_NOBODY */
	const char *reason;                /* for no evidence */
};

struct machine {              /* one track in one unit */
	struct machine *next; /* of the unit */
	uint32_t track;
	struct unit *unit;
	struct attempt *first, *last;
	struct attempt *half; /* with this one the last half begins */
	unsigned count, more;
	struct attempt *open;    /* NULL or the last */
	struct attempt *pending; /* progress seen while none was open */
	struct attempt *stray;   /* steps whose beginning the log does not have */
};

struct unit {
	uint32_t session; /* STORE_HOST: a machine's lines without session */
	struct machine *machines;
	struct unit_side *sides;
	uint32_t line;      /* its first line; JUDGE_NOBODY: none */
	uint32_t host_line; /* its first line from session.host_line on */
	uint32_t connected; /* the last line that says so; JUDGE_NOBODY: none */
	uint32_t anew;   /* of a log without ids: where its last server begins; or JUDGE_NOBODY */
	uint64_t **seen; /* patterns that outcomes ask for; of this unit, in both passes */
	struct judge_kept *kept, *kept_last; /* for built-ins, in order */
	struct judge_series *series, *series_last;
};

struct judge_crash { /* of a server that had a session */
	struct judge_crash *next;
	const struct rule *rule;
	uint32_t session;
	uint32_t begins, again; /* lines; JUDGE_NOBODY: it did not begin again */
};

struct judge_kept { /* a line for a built-in */
	struct judge_kept *next;
	uint32_t rule, line;
};

struct judge_series {
	struct judge_series *next;
	const struct series *series;
};

struct unit_side { /* a session's lines of one machine */
	struct unit_side *next;
	uint32_t side;
	int64_t last;
	int64_t closed; /* STAMP_NONE, or when the session was closed there */
};

struct judge_use {      /* a pattern is used */
	uint32_t track; /* or JUDGE_BUILTIN, or JUDGE_ASKED: an outcome wants to know whether it was
			   seen */
	uint32_t rule;
};

struct judge_track {
	const struct rule *rule;
	const struct rule_track *track;
	bool limits; /* a step has one */
	struct attempt *newest_open;
};

struct place { /* where the last line with a session was */
	uint32_t session;
	int64_t time;
};

struct judge {
	const struct store *store;
	const struct rule_book *book;
	struct arena *scratch, *moving, *bench;
	struct arena *arena; /* the report's */
	struct report *report;

	/* Of sources, by number. */
	uint32_t *group, *folder, *side;
	size_t group_count, folder_count;
	/* Of groups, folders. */
	int64_t *group_last;
	struct place *group_place, *folder_place;
	uint32_t *group_unit, *folder_unit; /* JUDGE_NOBODY: none yet */
	uint32_t *next_session; /* of lines: which begins next in the same log, within JUDGE_NEAR */
	bool *set_back;         /* of lines: a later one of the same log has an earlier time */
	uint64_t **folder_seen, **machine_seen; /* by folder: all lines; those without session */
	uint64_t **group_seen;
	uint64_t **session_seen;

	struct judge_track *tracks;
	size_t track_count;
	uint32_t *first_track;  /* of rules, by number */
	struct judge_use *uses; /* of a pattern: use_count[] from first_use[] on */
	uint32_t *first_use, *use_count;
	int32_t *seen_bit; /* of patterns; -1: nobody asks for it */
	size_t seen_words;
	bool *closes, *opens; /* patterns that close a session, and that begin anything in it */
	bool *connects;       /* patterns that say that it is connected */
	bool *begins;         /* patterns with which a server's log begins */

	struct judge_crash *crashes;
	struct crash_logs *crash_logs; /* see builtin_crash.c; made when first asked for */
	struct unit **units;           /* sessions by number, then machines */
	size_t unit_count, unit_capacity;
	uint64_t lost;      /* findings for which there was no room */
	uint64_t more;      /* attempts beyond JUDGE_ATTEMPTS */
	uint64_t left_out;  /* sessions */
	uint64_t shortened; /* sessions without the rules that have no evidence */
};

struct finding_evidence {
	int64_t time;
	uint32_t number; /* of the line among the sightings; JUDGE_NOBODY: a line that is none */
	struct report_evidence quote;
};

/* One finding on its way: data and evidence before they are cut. */
struct finding_work {
	struct judge *judge;
	struct unit *unit;
	struct finding finding;
	struct report_data data[JUDGE_DATA];
	size_t data_count;
	struct finding_evidence lines[FINDING_LINES];
	size_t line_count;
	unsigned more;
};

struct finding_list { /* of one unit; on the bench until copied */
	struct finding_node *first, *last;
	size_t count;
};

struct finding_node {
	struct finding_node *next;
	uint32_t rule; /* number in the book */
	uint32_t line; /* for the order */
	const struct unit *unit;
	struct finding finding;
};

/* judge_place.c */
int judge_places(struct judge *judge);
/* Before a pass: nothing was seen yet. */
void judge_begin(struct judge *judge);
struct unit *judge_session_unit(struct judge *judge, uint32_t session);
/* For the lines of a machine that belong to no session. Without time, only lines of one log have an
 * order. */
struct unit *judge_machine_unit(struct judge *judge, uint32_t source, int64_t time);
const struct sighting *judge_line(const struct judge *judge, uint32_t line);
/* Times of the two lines compare. */
bool judge_comparable(const struct judge *judge, uint32_t a, uint32_t b);
/* Within `window` microseconds, or without time within JUDGE_NEAR_LINES of one source. */
bool judge_close(const struct judge *judge, uint32_t a, uint32_t b, int64_t window);
/* The unit that a line counts for; NULL: memory is short. */
struct unit *judge_unit(
	struct judge *judge, const struct judge_use *use, uint32_t line, uint32_t owner);
void judge_place_line(struct judge *judge, struct unit *unit, uint32_t line);
/* The last time in this log, of the lines that were judged. */
int64_t judge_source_last(const struct judge *judge, uint32_t source);
/* The last time that logs of this side say in this unit. */
int64_t judge_side_last(const struct judge *judge, const struct unit *unit, uint32_t line);

/* judge_near.c */
/* The session that the line's own rule gives it to, before any machine moves by it; STORE_HOST: it
 * does not say. */
uint32_t judge_owner(const struct judge *judge, uint32_t line);
/* The session of a line with the all-zero id; STORE_HOST: nobody's. */
uint32_t judge_near_session(
	const struct judge *judge, const struct judge_use *use, uint32_t line, uint32_t owner);

/* judge_track.c */
/* Both patterns are in one step or one outcome of the track, or both are outcomes that fail. */
bool judge_same_step(const struct judge *judge, uint32_t track, uint16_t a, uint16_t b);
/* The attempt would take its next step by this pattern. */
bool judge_next_step(const struct judge *judge, const struct attempt *attempt,
	const struct rule_pattern *pattern);
/* The pattern begins an attempt of the track. */
bool judge_opens(const struct judge *judge, uint32_t track, const struct rule_pattern *pattern);
/* The pattern is an outcome of the track that fails, or is about to. */
bool judge_refuses(const struct judge *judge, uint32_t track, const struct rule_pattern *pattern);
void judge_take(struct judge *judge, struct unit *unit, uint32_t track, uint32_t line);
/* The attempt would move by this pattern. */
bool judge_awaits(const struct judge *judge, const struct attempt *attempt,
	const struct rule_pattern *pattern);
/* In a log without ids the server begins anew: what was before it is another session. */
void judge_anew(struct judge *judge, struct unit *unit, uint32_t line);
/* The end of the input, for all of a unit's machines. */
void judge_finish(struct judge *judge, struct unit *unit);
/* A line of this pattern begins an attempt of the track, and the unit has had one. */
bool judge_begins_again(const struct judge *judge, const struct unit *unit, uint32_t track,
	const struct rule_pattern *pattern);
bool judge_has_pattern(
	const struct rule_pattern *const *on, size_t count, const struct rule_pattern *pattern);

/* judge_outcome.c */
void judge_outcome(struct judge *judge, struct machine *machine, const struct judge_track *track,
	uint32_t line);
void attempt_note(struct attempt *attempt, uint32_t line);
struct attempt *attempt_new(struct judge *judge, struct machine *machine, uint32_t line);
void attempt_end(struct judge *judge, struct attempt *attempt, uint32_t line);
void attempt_judge(struct attempt *attempt, enum verdict verdict, const struct rule_cause *cause);
bool attempt_merges(const struct judge *judge, const struct attempt *attempt, uint32_t line);

/* judge_join.c */
void judge_join(struct judge *judge, struct unit *unit, uint32_t rule, struct finding_list *list);
/* The finding of a rule that has no other. */
void judge_nothing(
	struct judge *judge, struct unit *unit, uint32_t rule, struct finding_list *list);

/* judge_finding.c */
void finding_begin(
	struct finding_work *work, struct judge *judge, struct unit *unit, const struct rule *rule);
void finding_line(struct finding_work *work, uint32_t line);
/* The captures of a line become data. */
void finding_captures(struct finding_work *work, uint32_t line);
void finding_data(struct finding_work *work, const char *name, const char *value, size_t length,
	bool number, bool mask);
void finding_number(struct finding_work *work, const char *name, double value);
void finding_cause(struct finding_work *work, enum verdict verdict, const struct rule_cause *cause);
/* Evidence that is no sighting (the worst line of a series). */
void finding_quote(
	struct finding_work *work, int64_t time, uint32_t source, uint32_t line, const char *text);
/* Fills texts, cuts evidence, adds to the list. */
void finding_end(struct finding_work *work, struct finding_list *list);
/* What a measure or built-in says in general is no pass where the rule has found a trouble. */
bool finding_is_outdone(const struct finding_work *work, const struct finding_list *list);
/* No evidence, and why; a constant text. */
void finding_none(struct judge *judge, const struct unit *unit, const struct rule *rule,
	const char *reason, struct finding_list *list);
bool judge_number(const char *bytes, size_t length);

/* judge_measure.c */
void judge_measures(
	struct judge *judge, struct unit *unit, uint32_t rule, struct finding_list *list);

/* judge_book.c: who uses which pattern. 0 or ERROR_MEMORY. */
int judge_book(struct judge *judge, bool *ret_asks);

/* judge_report.c */
/* The list becomes the session's findings, in order and numbered, and what is drawn from them. */
void judge_session(struct judge *judge, struct unit *unit, struct finding_list *list,
	struct report_session *session);
void judge_findings(
	struct judge *judge, const struct finding_list *list, struct report_session *session);
void judge_notes(struct judge *judge);

#endif
