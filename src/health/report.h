/*
 * report.h - what the judge found; every output is drawn from it.
 *
 * Texts are UTF-8. A report and everything in it belongs to its arena; evidence points into the
 * store, which outlives it.
 */
#ifndef FAIRLEAD_HEALTH_REPORT_H
#define FAIRLEAD_HEALTH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/rule.h"
#include "health/store.h"

#define REPORT_EVIDENCE_MAXIMUM 8 /* lines of a finding; more are counted */

struct report_data {
	const char *name;  /* a capture's name, "duration_s", "collected" ... */
	const char *value; /* as text */
	bool number;       /* the text is a JSON number */
	bool mask;         /* names a user, host or address */
};

struct report_evidence {
	uint32_t source; /* in the store */
	uint32_t line;
	const char *text;
};

struct report_remedy {
	enum actor who;
	const char *text; /* captures filled in */
	const char *link; /* or NULL */
};

struct finding {
	const struct rule *rule;
	enum verdict verdict;
	unsigned attempt, attempts;     /* 1 of 2; 1 of 1 when there is only one */
	int64_t start, end;             /* STAMP_NONE */
	enum stamp_kind kind;           /* of these times */
	int64_t duration;               /* microseconds; -1: not judged */
	const struct rule_cause *cause; /* or NULL */
	const char *cause_text; /* captures filled in; why there is no evidence, for no-evidence; or
				   NULL */
	struct report_remedy *remedies;
	size_t remedy_count;
	struct report_data *data; /* each name once */
	size_t data_count;
	struct report_evidence *evidence; /* in order of time */
	size_t evidence_count;
	unsigned evidence_more;
};

enum report_path { REPORT_PATH_UNKNOWN, REPORT_PATH_DIRECT, REPORT_PATH_BROKERED };

struct report_plot {
	const struct rule_measure *measure;
	const struct series *series;
};

struct report_stage {         /* of the six; for the timeline */
	enum verdict verdict; /* VERDICT_NO_EVIDENCE: nothing known */
	int64_t start, end;   /* STAMP_NONE */
	int64_t limit;        /* microseconds; 0: none */
};

struct report_session {
	uint32_t number;              /* in the store; STORE_HOST for report.host */
	char id[SESSION_ID_TEXT + 1]; /* "" when its logs carry none */
	const char *source;           /* path, when it has no id; NULL */
	int64_t started, ended;       /* STAMP_NONE */
	enum stamp_kind kind;
	enum report_path path;
	enum verdict worst;       /* VERDICT_NO_EVIDENCE when nothing was found */
	struct finding *findings; /* by rule order, then attempt; rules without evidence included,
				     once, while there is room */
	size_t finding_count;
	struct report_stage stages[6];
	struct report_plot *plots;
	size_t plot_count;
};

struct report {
	const struct store *store;
	const struct rule_book *book;
	struct report_session *sessions; /* by time of start */
	size_t session_count;
	struct report_session host;      /* what belongs to no session */
	uint64_t summary[VERDICT_COUNT]; /* findings of all sessions and the host; no-evidence ones
					    too */
	const char **notes; /* limits reached, sessions not told apart ...: whole sentences */
	size_t note_count;
	bool incomplete; /* something was not read */
	bool cut; /* limits dropped files, lines, sessions or attempts, or damage or a limit left a
		     file or line unread, all or in part; not for what was passed over on purpose */
	struct arena *arena;
};

/* The worst verdict of all that is not no-evidence; VERDICT_NO_EVIDENCE when there is nothing. */
enum verdict report_worst(const struct report *report);

#endif
