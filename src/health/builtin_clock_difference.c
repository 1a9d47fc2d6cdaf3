#include "health/judge_builtin.h"

#define HOUR 3600e6
#define NO_LINE SIZE_MAX

struct hellos { /* lines */
	size_t host, client;
};

static struct hellos find_hellos(const struct builtin *builtin)
{
	struct hellos hellos = {NO_LINE, NO_LINE};

	for (size_t i = builtin->line_count; i-- > 0;) {
		if (builtin_line(builtin, i)->time == STAMP_NONE)
			continue;
		if (builtin_is(builtin, i, "hello"))
			hellos.host = i;
		else if (builtin_is(builtin, i, "client-hello"))
			hellos.client = i;
	}
	return hellos;
}

/* The clocks themselves: the client's hello and what the host wrote of it. */
static bool is_direct(const struct builtin *builtin, const struct hellos *hellos)
{
	return hellos->host != NO_LINE && hellos->client != NO_LINE &&
		judge_comparable(builtin->judge, builtin->lines[hellos->host],
			builtin->lines[hellos->client]);
}

/* The host has the session from its beginning. */
static bool has_beginning(const struct builtin *builtin, const struct hellos *hellos)
{
	const struct session *session = &builtin->judge->store->sessions[builtin->unit->session];

	return hellos->host != NO_LINE &&
		builtin_line(builtin, hellos->host)->time <= session->host_first;
}

static void end(struct builtin *builtin, struct finding_work *work, double difference,
	const struct hellos *hellos)
{
	bool direct = is_direct(builtin, hellos), begins = has_beginning(builtin, hellos);
	const struct rule *rule = builtin->rule;

	finding_number(work, "difference_s", difference / 1e6);
	finding_number(work, "behind_s", difference < 0 ? -difference / 1e6 : 0);
	finding_number(work, "ahead_s", direct && difference > 0 ? difference / 1e6 : 0);
	finding_number(work, "age_h", !direct && difference > HOUR ? difference / HOUR : 0);
	if (-difference > rule_limit(rule, "fail") * 1e6)
		builtin_end(builtin, work, VERDICT_FAIL, "far-behind");
	else if (-difference > rule_limit(rule, "warning") * 1e6)
		builtin_end(builtin, work, VERDICT_WARNING, "behind");
	else if (direct && difference > rule_limit(rule, "ahead") * 1e6)
		builtin_end(builtin, work, VERDICT_WARNING, "ahead");
	else if (!direct && difference > HOUR)
		builtin_end(builtin, work, VERDICT_NOTE, begins ? "old-id" : "resumed");
	else
		builtin_end(builtin, work, VERDICT_PASS, NULL);
}

/* The id carries the client's time in whole seconds: a host that is earlier has a slow clock, one
 * that is hours later takes up an old session. Where the client's log is at hand, both clocks are
 * compared at the hello. */
void builtin_clock_difference(struct builtin *builtin)
{
	const struct store *store = builtin->judge->store;
	const struct session *session = &store->sessions[builtin->unit->session];
	struct hellos hellos = find_hellos(builtin);
	struct finding_work work;
	double difference;
	int64_t made;

	if (builtin->unit->session == STORE_HOST || !session->has_id ||
		session->host_first == STAMP_NONE || !session_id_time(&session->id, &made))
		return;
	builtin_begin(builtin, &work);
	work.finding.start = made;
	work.finding.end = session->host_first;
	work.finding.kind = STAMP_KIND_UTC;
	if (is_direct(builtin, &hellos)) {
		made = builtin_line(builtin, hellos.client)->time;
		work.finding.start = made;
		work.finding.end = builtin_line(builtin, hellos.host)->time;
		finding_line(&work, builtin->lines[hellos.client]);
		finding_line(&work, builtin->lines[hellos.host]);
	} else if (builtin->unit->host_line != JUDGE_NOBODY) {
		finding_line(&work, builtin->unit->host_line);
	}
	difference = (double)(work.finding.end - made);
	end(builtin, &work, difference, &hellos);
}
