/*
 * record.h - what is known of one connection attempt: its six stages, what each learned, how it
 * ended. The flow (connect.h) writes it; the timeline and the reports read it.
 *
 * Texts that come from servers stand here as they came: whoever prints them cleans them
 * (text.h).
 */
#ifndef FAIRLEAD_CLIENT_RECORD_H
#define FAIRLEAD_CLIENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "client/advice.h"
#include "service/link.h"
#include "wire/certificate.h"

#define RECORD_TEXT_SIZE 320
#define RECORD_NAME_SIZE 257
#define RECORD_PURPOSE_SIZE 65
#define RECORD_FACTS_MAXIMUM 12 /* of one stage */
#define RECORD_RESOURCES_MAXIMUM 256
#define RECORD_NOTICES_MAXIMUM 8
#define RECORD_QUESTIONS_MAXIMUM 16
#define RECORD_STEP_LIMIT (5 * CLOCK_SECOND)    /* the specification's limit of one step */
#define RECORD_FACTOR_LIMIT (90 * CLOCK_SECOND) /* of somebody to approve a second factor */

/* The six stages; 0 is none. */
enum record_stage_number {
	RECORD_NO_STAGE,
	RECORD_INITIALISE,
	RECORD_AUTHENTICATE,
	RECORD_GET_RESOURCES,
	RECORD_ALLOCATE,
	RECORD_ESTABLISH,
	RECORD_LICENSE,
	RECORD_STAGE_END,
};

/* How the program ends; documented in fairlead-connect(1). */
enum record_exit {
	RECORD_EXIT_DONE = 0,
	RECORD_EXIT_OWN = 1, /* an error of this program or machine */
	RECORD_EXIT_USAGE = 2,
	RECORD_EXIT_STAGE = 10,   /* + the stage that failed: 11 to 16 */
	RECORD_EXIT_LOST = 17,    /* the session was established and ended abnormally */
	RECORD_EXIT_SIGNAL = 128, /* + SIGINT or SIGTERM, before the session was established */
};

enum record_state { RECORD_WAITING, RECORD_OPEN, RECORD_PASSED, RECORD_FAILED };

struct record_fact {
	const char *key; /* as in JSON; static */
	bool is_number;
	double number;
	char text[RECORD_TEXT_SIZE];
};

struct record_stage {
	enum record_state state;
	int64_t started, duration;      /* steady microseconds */
	int64_t limit;                  /* 0: RECORD_STEP_LIMIT */
	bool warned;                    /* passed, but somebody should look */
	char summary[RECORD_TEXT_SIZE]; /* one line for people */
	struct record_fact facts[RECORD_FACTS_MAXIMUM];
	size_t fact_count;
};

struct record_resource {
	char name[RECORD_NAME_SIZE], id[RECORD_NAME_SIZE], state[65], session_type[17];
};

struct record_failure {
	enum record_stage_number stage; /* NO_STAGE: after the session was established */
	int error;                      /* enum error; 0: a server said so */
	char result_id[129];            /* as on the wire; "": none */
	char text[1025];                /* the server's own words; "": none */
	char detail[RECORD_TEXT_SIZE];  /* what happened, in ours; "": none */
	struct advice advice;
};

enum record_path {
	RECORD_PATH_UNKNOWN,
	RECORD_PATH_DIRECT,
	RECORD_PATH_MANAGER,
	RECORD_PATH_BROKER
};

struct record {
	char server[300]; /* as the user wrote it */
	char log_id[UUID_SIZE];
	enum record_path path;
	struct record_stage stages[RECORD_STAGE_END]; /* by number; [0] is not used */
	bool list_only;
	/* What the server asked the user, in order: "terms", or the purpose of a dialog. Never what
	 * was answered. */
	char questions[RECORD_QUESTIONS_MAXIMUM][RECORD_PURPOSE_SIZE];
	size_t question_count;
	struct record_resource *resources; /* RECORD_RESOURCES_MAXIMUM of them */
	size_t resource_count;
	bool has_certificate, has_session_certificate;
	struct certificate_report certificate, session_certificate;
	bool established;       /* all six stages passed */
	int64_t hold;           /* microseconds; < 0: until somebody ends it */
	int64_t established_at; /* steady */
	bool has_quality;
	struct link_quality quality;
	bool has_cause;
	unsigned cause;                                         /* why the session ended */
	char notices[RECORD_NOTICES_MAXIMUM][RECORD_TEXT_SIZE]; /* warnings, oldest first */
	size_t notice_count;
	bool failed;
	struct record_failure failure;
	int signal; /* ended by this signal before it was established; 0: not */
};

/* What has just changed. */
enum record_change {
	RECORD_STAGE_STARTED,
	RECORD_STAGE_LEARNED,
	RECORD_STAGE_FINISHED,
	RECORD_QUALITY,
	RECORD_NOTICE,
	RECORD_ENDED,
};

/* "initialise", ..., "validate the licence". */
const char *record_stage_name(enum record_stage_number stage);
const char *record_path_text(enum record_path path); /* "direct", "brokered", "" */

/* 0 or ERROR_MEMORY. */
int record_init(struct record *record, const char *server);
void record_free(struct record *record);

/* A fact of a stage; the newest text of a key stays. Facts beyond the maximum are left out. */
void record_learn(struct record *record, enum record_stage_number stage, const char *key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void record_learn_number(
	struct record *record, enum record_stage_number stage, const char *key, double number);
void record_summary(struct record *record, enum record_stage_number stage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void record_notice(struct record *record, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The server has asked; beyond the maximum it is left out. */
void record_question(struct record *record, const char *purpose);

/* How long a stage may take before somebody should look. */
int64_t record_limit(const struct record_stage *stage);

/* Exit status of the program for this record. */
int record_exit(const struct record *record);

#endif
