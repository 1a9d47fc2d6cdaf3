/*
 * log_story.h - made-up sessions of one host, one after the other, as its logs tell them.
 *
 * Most sessions go well; some fail at the logon, for want of a licence, at a blocked port, or
 * lose their network. Between the telling lines stands what real logs are full of.
 */
#ifndef FAIRLEAD_BENCH_LOG_STORY_H
#define FAIRLEAD_BENCH_LOG_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/log_file.h"
#include "bench/log_line.h"

struct log_teller;

/* `gap`: every eighth session that stands has a hole of ten minutes. The files are the caller's and
 * outlive the teller. NULL: memory is short. */
struct log_teller *log_teller_new(struct log_files *files, uint64_t seed, bool gap);
void log_teller_free(struct log_teller *teller);

/* The log's first lines, and its last. */
void log_teller_begin(struct log_teller *teller);
void log_teller_end(struct log_teller *teller);

/* One session, with what lies between it and the next, until the files hold about so many bytes
 * (more if its own lines need them). */
void log_teller_session(struct log_teller *teller, uint64_t until);

#endif
