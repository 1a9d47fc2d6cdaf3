/*
 * judge.h - from sightings and series to findings.
 *
 * Sightings are taken in order of time. Each session, rule and track has one small machine; a
 * line moves only the machine of its own session, so one session's hung logon is never completed
 * by another's lines.
 *
 * Lines with the all-zero id (patterns with near: yes) are attributed, in this order:
 *   - to the session that says the same (a pattern of the same step or outcome, or both a refusal)
 *     with its id within 250 ms in the same log;
 *   - to a session whose machine for that rule is open, at most JUDGE_NEAR old, and waits for this
 *     line, in the same log before the same folder: to the one that got furthest, then the last
 *     opened. A refusal goes to the one that asks again soon or does not go on, then the oldest;
 *   - where the rule does not say, to the session that the line's own rule gives it to;
 *   - to the session with the last line before it in the same log or folder, within JUDGE_NEAR;
 *   - when that is none, or the line begins what that session has had already, to the session whose
 *     first line follows in the same log: within JUDGE_NEAR when the line begins an attempt, else
 *     within 5 seconds;
 *   - to none (report.host).
 * Never to a session that was closed more than 2 seconds before and has not begun again. Rules with
 * scope host judge all lines of a folder together. A log without ids stands for one session; each
 * beginning of a server in it separates its attempts.
 *
 * All lines are attributed and judged before a filter leaves sessions out; so it changes no
 * verdict. With a filter for one session the host has findings of rules with scope host only.
 *
 * When the input ends, an open attempt has failed only if its own log goes on past the limit;
 * else the log ends too early to tell, which is no evidence. Lines without time never judge a
 * limit, and neither do those before a clock that was set back.
 *
 * Client and host tell the same attempt from two sides (tracks): attempts with the same number
 * are joined into one finding, the worse verdict, the cause of the track that the rule lists first
 * among those with that verdict, and both evidences.
 */
#ifndef FAIRLEAD_HEALTH_JUDGE_H
#define FAIRLEAD_HEALTH_JUDGE_H

#include "health/report.h"

#define JUDGE_NEAR 60000000 /* microseconds */

/* Judges a sorted store. Free with judge_free. 0 or ERROR_MEMORY. */
int judge(const struct store *store, struct report **ret_report);
void judge_free(struct report *report);

#endif
