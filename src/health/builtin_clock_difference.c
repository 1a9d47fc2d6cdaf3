#include "health/judge_builtin.h"

#define HOUR 3600e6

/* The id carries the client's time in whole seconds: a host that is earlier has a slow clock, one
 * that is hours later takes up an old session. */
void builtin_clock_difference(struct builtin *builtin)
{
	const struct store *store = builtin->judge->store;
	const struct session *session = &store->sessions[builtin->unit->session];
	struct finding_work work;
	double difference;
	int64_t made;

	if (builtin->unit->session == STORE_HOST || !session->has_id ||
		session->host_first == STAMP_NONE || !session_id_time(&session->id, &made))
		return;
	difference = (double)(session->host_first - made);
	builtin_begin(builtin, &work);
	if (builtin->unit->host_line != JUDGE_NOBODY)
		finding_line(&work, builtin->unit->host_line);
	work.finding.start = made;
	work.finding.end = session->host_first;
	work.finding.kind = STAMP_KIND_UTC;
	finding_number(&work, "difference_s", difference / 1e6);
	finding_number(&work, "behind_s", difference < 0 ? -difference / 1e6 : 0);
	finding_number(&work, "age_h", difference > HOUR ? difference / HOUR : 0);
	if (-difference > rule_limit(builtin->rule, "fail") * 1e6)
		builtin_end(builtin, &work, VERDICT_FAIL, "far-behind");
	else if (-difference > rule_limit(builtin->rule, "warning") * 1e6)
		builtin_end(builtin, &work, VERDICT_WARNING, "behind");
	else if (difference > HOUR)
		builtin_end(builtin, &work, VERDICT_NOTE, "resumed");
	else
		builtin_end(builtin, &work, VERDICT_PASS, NULL);
}
