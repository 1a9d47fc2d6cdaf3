/*
 * judge.h - from sightings and series to findings.
 *
 * Sightings are taken in order of time. Each session, rule and track has one small machine; a
 * line moves only the machine of its own session, so one session's hung logon is never completed
 * by another's lines.
 *
 * Lines with the all-zero id (patterns with near: yes) are attributed, always within JUDGE_NEAR:
 * first to a session whose machine for that rule is open and waits for this line (in the same log
 * before the same folder; the last opened); else to the session with the last line before it in
 * the same log or folder, if it is not closed; else, or when the line begins what that session has
 * had already, to the session whose first line follows in the same log; else to none
 * (report.host). Rules with scope host judge all lines of a folder together.
 *
 * When the input ends, an open attempt has failed only if its own log goes on past the limit;
 * else the log ends too early to tell, which is no evidence. Lines without time never judge a
 * limit.
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
