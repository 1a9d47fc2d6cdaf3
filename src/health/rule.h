/*
 * rule.h - diagnostics as data: rules/diagnostics/<id>.yaml.
 *
 * The files' form is described in docs/health-check.md; here is what they become. A rule has
 * patterns (lines it knows), and judges with any of: tracks (small state machines over the
 * patterns), measures (numbers against limits) and one built-in (what only code can say).
 *
 * Pattern numbers are global in a book: "resource-allocation/list" in another rule's step means
 * the very pattern of that rule. Everything belongs to the book and is constant after loading.
 */
#ifndef FAIRLEAD_HEALTH_RULE_H
#define FAIRLEAD_HEALTH_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "health/template.h"

#define RULE_PATTERNS_MAXIMUM 2000 /* of a book */
#define RULE_STEPS_MAXIMUM 8       /* of a track */
#define RULE_FAULT_SIZE 512
#define RULE_HEX_SIZE 20
#define RULE_BY_CODE "rc" /* what `by` calls the return code of a line */

enum verdict {
#define VERDICT(NAME, name, mark, title) VERDICT_##NAME,
#include "health/verdict.def"
#undef VERDICT
	VERDICT_COUNT
};

/* Who can act on a cause. */
enum actor {
#define ACTOR(NAME, name, title) ACTOR_##NAME,
#include "health/actor.def"
#undef ACTOR
	ACTOR_COUNT
};

enum rule_phase { RULE_PRE_SESSION, RULE_SESSION, RULE_HOST };
enum rule_scope { RULE_SCOPE_SESSION, RULE_SCOPE_HOST };

/* Whose lines without an own session id count (see judge.h). */
enum rule_near {
	RULE_NEAR_NO,  /* only lines with the session's id */
	RULE_NEAR_YES, /* all-zero ids too, attributed by state and time */
};

struct rule_pattern {
	uint16_t number; /* in the book */
	const char *id;  /* within its rule */
	const struct rule *rule;
	const char **components; /* any of these; none: any line, without head too */
	size_t component_count;
	enum rule_near near;
	const char *xml_element; /* NULL: a line. Else an element of a logged broker message; the
				    template is matched against its text */
	const char *xml_message; /* NULL: of any message */
	const struct template *template; /* NULL: the element itself, whatever its text (xml_element
					    set, often a message's name) */
	bool measured;                   /* a measure uses it: its numbers go to series */
	bool sighted;                    /* a track or built-in uses it: it goes to the sightings */
	bool asked; /* `requires` or `unless` names it; numbers tell that by their series alone */
	const char **samples;
	size_t sample_count;
};

struct rule_remedy {
	enum actor who;
	const char *text;
	const char *link; /* NULL or an address */
};

struct rule_cause {
	const char *id;
	const char *text;  /* with {capture} */
	const char *name;  /* NULL, or the vendor's name of the value */
	const char *value; /* NULL, or the captured value it stands for: exact text, "PREFIX*", a
			      number in any notation ("0x301" is "769"), "*" for any other */
	const char *by;    /* NULL, or the capture its value belongs to; others never choose it */
	enum verdict
		verdict; /* of an outcome with `by`, or of a built-in; VERDICT_COUNT: its own */
	struct rule_remedy *remedies;
	size_t remedy_count;
};

struct rule_step {
	const char *id;
	const struct rule_pattern **on; /* any of these */
	size_t on_count;
	int64_t within; /* microseconds after the first step; 0: no limit */
	bool optional;  /* recorded when seen, not needed */
	bool alone;     /* seen without a first step, it passes by itself */
};

struct rule_outcome {
	const struct rule_pattern **on;
	size_t on_count;
	enum verdict verdict;
	const struct rule_cause *cause; /* NULL with `by`, or when a pass needs none */
	const char *by;  /* NULL, or the capture whose value chooses the cause by rule_cause.value;
			    RULE_BY_CODE: the return code of the line */
	bool open_only;  /* counts only while an attempt is open */
	bool weak;       /* a more specific outcome of the same attempt replaces its cause */
	bool after_pass; /* counts also when the last attempt passed (default: ignored then) */
	bool progress; /* does not close the attempt: noted in its evidence only, its cause is taken
			  when the attempt fails later */
	const struct rule_pattern *
		*requires; /* each of these was seen in the same host's or client's logs */
	size_t requires_count;
	const struct rule_pattern **unless; /* none of these was seen in the same session */
	size_t unless_count;
};

struct rule_track {
	const char *id; /* "host", "client", "manager", "broker", "license": whose lines */
	struct rule_step *steps;
	size_t step_count;
	struct rule_outcome *outcomes;
	size_t outcome_count;
	const struct rule_outcome
		*late; /* NULL, or the verdict when a step comes after its limit (`on` empty) */
	const struct rule_outcome
		*never;       /* NULL, or when it does not come though the log goes on */
	int64_t merge;        /* microseconds: the same finding again within this counts once */
	const char *merge_by; /* NULL, or the capture that must be equal for that */
};

struct rule_measure {
	const char *id;
	const char *title; /* "round-trip time" */
	const char *unit;  /* "ms" */
	const struct rule_pattern *pattern;
	uint8_t value; /* index of the capture */
	bool below;    /* limits are lower ones */
	bool plot;     /* reports draw it */
	bool has_warning, has_fail;
	double warning, fail; /* beyond: strictly above (below) */
	const struct rule_cause *warning_cause, *fail_cause;
};

struct rule_limit { /* a setting of a built-in */
	const char *name;
	double value;
};

struct rule {
	const char *id;
	const char *title;
	const char *about;
	enum rule_phase phase;
	enum rule_scope scope;
	unsigned stage;   /* 1 to 6, 0: belongs to no stage */
	unsigned order;   /* in reports; smaller first */
	const char *file; /* for lint */
	struct rule_pattern *patterns;
	size_t pattern_count;
	struct rule_track *tracks;
	size_t track_count;
	struct rule_measure *measures;
	size_t measure_count;
	const char *builtin; /* NULL or a name in builtin.def */
	struct rule_limit *limits;
	size_t limit_count;
	struct rule_cause *causes;
	size_t cause_count;
	const char **counter_samples;
	size_t counter_sample_count;
};

struct rule_book {
	const struct rule **rules; /* sorted by order, then id */
	size_t rule_count;
	const struct rule_pattern **patterns; /* by number */
	size_t pattern_count;
};

struct rule_fault {
	char text[RULE_FAULT_SIZE]; /* "file:line:column: ..." */
};

/* The rules that are built in, and then those of `folder` (NULL: none): *.yaml; a rule with the id
 * of a built-in one replaces it. A pattern that does not compile, a name that does not exist, a
 * file that does not fit: ERROR_INPUT with the fault; also ERROR_SYSTEM, ERROR_MEMORY. */
int rule_book_load(const char *folder, struct rule_book **ret_book, struct rule_fault *fault);

/* The same from one text, without the built-in ones; for tests and fuzzing. */
int rule_book_load_bytes(const char *name, const char *bytes, size_t length,
	struct rule_book **ret_book, struct rule_fault *fault);
void rule_book_free(struct rule_book *book);

/* NULL when there is none. */
const struct rule *rule_book_find(const struct rule_book *book, const char *id);
const struct rule_pattern *rule_find_pattern(const struct rule *rule, const char *id);
const struct rule_cause *rule_find_cause(const struct rule *rule, const char *id);
double rule_limit(
	const struct rule *rule, const char *name); /* asserts that it exists: lint proved it */

/* The cause that the value of the capture `by` stands for, among those that belong to it or to
 * none: exact (letters without case) or the same number, then the longest prefix, then "*"; NULL.
 * Prefixes that begin with 0x are groups of numbers, in hexadecimal: "0x3*" those of three digits,
 * a longer one those with one digit more than it has. */
const struct rule_cause *rule_cause_by(
	const struct rule *rule, const char *by, const char *value, size_t length);

/* Writes a number that is decimal or 0x... as 0x and at least three digits. False: it is none. */
bool rule_value_hex(const char *value, size_t length, char text[RULE_HEX_SIZE]);

/* "no-evidence"; "failed"; "network", "the network". */
const char *verdict_name(enum verdict verdict);
const char *verdict_title(enum verdict verdict);
const char *verdict_mark(enum verdict verdict);
const char *actor_name(enum actor actor);
const char *actor_title(enum actor actor);

#endif
