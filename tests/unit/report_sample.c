#include "report_sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND INT64_C(1000000)
#define DAY INT64_C(1931904000)                              /* 2031-03-22T00:00:00Z, seconds */
#define AT(seconds) ((DAY + 2 * 86400 + (seconds)) * SECOND) /* after midnight of the 24th */
#define OLD INT64_C(1329039729)                              /* 2012-02-12T09:42:09, local */
#define GOOD 76257                                           /* 21:10:57 */
#define BAD 79451                                            /* 22:04:11 */

#define GOOD_ID "66244680-a4d4-1044-a77f-000000000000"
#define BAD_ID "d5e9ff80-a4db-1044-a77f-5e319a047cd2"

const char *const report_sample_names[] = {"zoë.åkesson", "佐藤健", "mia.lund", "northgate",
	"ws-0142", "ws-01", "render-07", "198.51.100.23", "198.51.100.230", "2001:db8:4172::17",
	"5e-31-9a-04-7c-d2", "5e:31:9a:04:7c:d2", "5e319a047cd2", NULL};

/* Rules, causes and patterns as a loader would make them. */
struct sample {
	struct report report; /* first: what callers hold is the sample */
	struct store store;
	struct rule_book book;
	struct rule rules[14];
	const struct rule *rule_list[14];
	struct rule_pattern patterns[4];
	const struct rule_pattern *pattern_list[4];
	struct template *templates[4];
	struct source sources[4];
	struct skipped skipped[3];
	struct session sessions[4];
	struct sighting sightings[5];
	struct series series[3];
	struct plot_point points[2][60];
	struct rule_measure measures[2];
	struct report_session report_sessions[3];
};

enum rule_place {
	INITIATE,
	AUTHENTICATION,
	ALLOCATION,
	PREPARE,
	RADIUS,
	CHECKOUT,
	PAYLOAD,
	DISCONNECT,
	POWER,
	ACCESSIBILITY,
	LATENCY,
	CRASH,
	CERTIFICATE,
	EXPIRY,
};

static const struct rule rule_values[] = {
	[INITIATE] = {.id = "initiate-session",
		.title = "Initiate session",
		.stage = 1,
		.order = 10},
	[AUTHENTICATION] = {.id = "session-authentication",
		.title = "Session authentication",
		.stage = 2,
		.order = 20},
	[ALLOCATION] = {.id = "resource-allocation",
		.title = "Resource allocation",
		.stage = 3,
		.order = 30},
	[PREPARE] = {.id = "prepare-host", .title = "Prepare host", .stage = 4, .order = 40},
	[RADIUS] = {.id = "radius-response",
		.title = "No response from RADIUS server",
		.stage = 2,
		.order = 50},
	[CHECKOUT] = {.id = "checkout-license",
		.title = "Checkout licence",
		.stage = 6,
		.order = 60,
		.phase = RULE_SESSION},
	[PAYLOAD] = {.id = "accept-payload",
		.title = "Accept payload",
		.stage = 5,
		.order = 70,
		.phase = RULE_SESSION},
	[DISCONNECT] = {.id = "disconnect-session",
		.title = "Disconnect session",
		.order = 80,
		.phase = RULE_SESSION},
	[POWER] = {.id = "monitor-power-saving",
		.title = "Monitor power saving mode",
		.order = 90,
		.phase = RULE_SESSION},
	[ACCESSIBILITY] = {.id = "mac-accessibility",
		.title = "Mac accessibility permission",
		.order = 100,
		.phase = RULE_SESSION},
	[LATENCY] = {.id = "network-latency",
		.title = "Network latency",
		.order = 210,
		.phase = RULE_SESSION},
	[CRASH] = {.id = "crash", .title = "Crash", .order = 220, .phase = RULE_SESSION},
	[CERTIFICATE] = {.id = "license-certificate",
		.title = "Licence service's certificate",
		.order = 300,
		.phase = RULE_HOST,
		.scope = RULE_SCOPE_HOST},
	[EXPIRY] = {.id = "license-expiry",
		.title = "Licence expiry",
		.order = 310,
		.phase = RULE_HOST,
		.scope = RULE_SCOPE_HOST},
};

static const struct rule_cause cause_values[] = {
	[AUTHENTICATION] = {.id = "wrong-password"},
	[PREPARE] = {.id = "slow"},
	[PAYLOAD] = {.id = "udp-blocked"},
	[DISCONNECT] = {.id = "client-closed"},
	[ACCESSIBILITY] = {.id = "not-granted"},
	[LATENCY] = {.id = "slow"},
	[CERTIFICATE] = {.id = "not-trusted"},
	[EXPIRY] = {.id = "soon"},
};

static void make_rules(struct sample *sample)
{
	static const char *const texts[] = {"Authenticating user {user:user} from {client:address}",
		"Client name: {client-host:host}", "Preparing host {host:host}",
		"round trip time (ms) = {rtt:number}"};
	static const enum rule_place owners[] = {AUTHENTICATION, AUTHENTICATION, PREPARE, LATENCY};
	char reason[TEMPLATE_REASON_SIZE];

	for (size_t i = 0; i < COUNT(rule_values); i++) {
		sample->rules[i] = rule_values[i];
		sample->rule_list[i] = &sample->rules[i];
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		int result = template_new(texts[i], false, &sample->templates[i], reason);

		assert(result == 0);
		(void)result;
		sample->patterns[i] = (struct rule_pattern){.number = (uint16_t)i,
			.id = "line",
			.rule = &sample->rules[owners[i]],
			.template = sample->templates[i],
			.sighted = i < 3,
			.measured = i == 3};
		sample->pattern_list[i] = &sample->patterns[i];
	}
	sample->book = (struct rule_book){.rules = sample->rule_list,
		.rule_count = COUNT(rule_values),
		.patterns = sample->pattern_list,
		.pattern_count = COUNT(texts)};
	sample->measures[0] = (struct rule_measure){.id = "rtt",
		.title = "round-trip time",
		.unit = "ms",
		.pattern = &sample->patterns[3],
		.plot = true,
		.has_warning = true,
		.has_fail = true,
		.warning = 100,
		.fail = 250,
		.warning_cause = &cause_values[LATENCY]};
	sample->measures[1] = (struct rule_measure){.id = "loss",
		.title = "packet loss",
		.unit = "%",
		.pattern = &sample->patterns[3],
		.plot = true,
		.has_warning = true,
		.warning = 0.1,
		.warning_cause = &cause_values[LATENCY]};
}

/* ---- the store ---- */

static struct source source_of(char *path, char *group, enum family family, enum encoding encoding,
	uint64_t lines, int64_t first, int64_t last)
{
	return (struct source){.path = path,
		.group = group,
		.folder = "support.zip/logs",
		.family = family,
		.encoding = encoding,
		.kind = family == FAMILY_VIEW   ? STAMP_KIND_LOCAL
			: family == FAMILY_TOOL ? STAMP_KIND_NONE
						: STAMP_KIND_UTC,
		.lines = lines,
		.bytes = lines * 120,
		.first = first,
		.last = last,
		.gap_from = STAMP_NONE,
		.sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"};
}

static void make_sources(struct sample *sample)
{
	sample->sources[0] = source_of("support.zip/logs/pcoip_agent_2031_03_24_0000abcd.txt",
		"support.zip/logs/pcoip_agent_", FAMILY_AGENT, ENCODING_UTF8_BOM, 18234, AT(0),
		AT(86000));
	sample->sources[1] = source_of("support.zip/logs/server.mia.lund.log",
		"support.zip/logs/server.mia.lund.log", FAMILY_AGENT, ENCODING_ASCII, 94100,
		AT(GOOD), AT(86000));
	sample->sources[2] = source_of("client-ws-0142.northgate.example.log", "client-ws-0142",
		FAMILY_CLIENT, ENCODING_UTF8, 2010, AT(GOOD), AT(BAD + 90));
	sample->sources[3] = source_of("support.zip/logs/vdm/pcoip_server_2012_02_12_0001ae.txt",
		"support.zip/logs/vdm/pcoip_server", FAMILY_VIEW, ENCODING_LATIN1, 311,
		OLD * SECOND, (OLD + 1000) * SECOND);
	sample->sources[3].reason = "the archive is damaged here";
	sample->skipped[0] =
		(struct skipped){"support.zip/logs/pcoip_agent.dmp", "not text", 1, false};
	sample->skipped[1] = (struct skipped){
		"support.zip/../../etc/shadow", "its name leads out of the bundle", 1, false};
	sample->skipped[2] = (struct skipped){"support.zip/links", "a link", 12, false};
}

static struct sighting sighting_of(
	uint16_t pattern, uint32_t session, const char *text, const char *a, const char *b)
{
	struct sighting sighting = {.time = AT(BAD + 1),
		.session = session,
		.source = 0,
		.line = 4021,
		.pattern = pattern,
		.text = text,
		.matched = text};
	const char *names[] = {a, b};

	for (size_t i = 0; i < COUNT(names) && names[i] != NULL; i++) {
		const char *at = strstr(text, names[i]);

		assert(at != NULL);
		sighting.captures[i] =
			(struct capture){(uint16_t)(at - text), (uint16_t)strlen(names[i])};
	}
	return sighting;
}

static void make_series(struct sample *sample)
{
	for (size_t i = 0; i < COUNT(sample->points[0]); i++) {
		double wave = (double)(i * 37 % 23);

		sample->points[0][i] = (struct plot_point){.time = AT(GOOD + 60 * (int64_t)i),
			.mean = (float)(18 + wave / 4),
			.highest = (float)(20 + wave),
			.count = 4};
		sample->points[1][i] = (struct plot_point){.time = AT(BAD + 60 + 20 * (int64_t)i),
			.mean = (float)(80 + wave * 3),
			.highest = (float)(90 + wave * 6),
			.count = 1};
	}
	sample->series[0] = (struct series){.measure = &sample->measures[0],
		.session = 1,
		.source = 1,
		.count = 240,
		.sum = 240 * 20.5,
		.lowest = 12,
		.highest = 42,
		.first = AT(GOOD),
		.last = AT(GOOD + 3540),
		.points = sample->points[0],
		.point_count = 60,
		.point_values = 4};
	sample->series[1] = (struct series){.measure = &sample->measures[0],
		.session = 2,
		.source = 1,
		.count = 60,
		.warnings = 41,
		.sum = 60 * 113.0,
		.lowest = 80,
		.highest = 222,
		.first = AT(BAD + 60),
		.last = AT(BAD + 1240),
		.worst_time = AT(BAD + 600),
		.worst_line = 45110,
		.worst_text = "2031-03-24T22:14:11.004Z " BAD_ID
			      " > LVL:1 RC:   0           VGMAC :round trip time (ms) = 222",
		.points = sample->points[1],
		.point_count = 60,
		.point_values = 1};
	sample->series[2] = sample->series[1];
	sample->series[2].measure = &sample->measures[1];
	sample->series[2].points = sample->points[0];
}

static void make_store(struct sample *sample)
{
	static const char user[] =
		"2031-03-24T22:04:12.100Z " BAD_ID
		" > LVL:2 RC:   0           AGENT :Authenticating user NORTHGATE\\zoë.åkesson from "
		"198.51.100.23";
	static const char again[] = "2031-03-24T22:04:30.100Z " BAD_ID
				    " > LVL:2 RC:   0           AGENT :Authenticating user "
				    "佐藤健@northgate.example from "
				    "198.51.100.230";
	static const char client[] = "2031-03-24T22:04:12.000Z " BAD_ID
				     " > LVL:2 RC:   0           AGENT :Client name: ws-01";
	static const char host[] =
		"2031-03-24T22:04:33.000Z " BAD_ID
		" > LVL:2 RC:   0           AGENT :Preparing host render-07.northgate.example";
	static const char desk[] =
		"2031-03-24T21:10:57.601Z " GOOD_ID
		" > LVL:2 RC:   0           AGENT :Preparing host ws-0142.northgate.example";

	make_sources(sample);
	sample->sightings[0] = sighting_of(0, 2, user, "NORTHGATE\\zoë.åkesson", "198.51.100.23");
	sample->sightings[1] =
		sighting_of(0, 2, again, "佐藤健@northgate.example", "198.51.100.230");
	sample->sightings[2] = sighting_of(1, 2, client, "ws-01", NULL);
	sample->sightings[3] = sighting_of(2, 2, host, "render-07.northgate.example", NULL);
	sample->sightings[4] = sighting_of(2, 1, desk, "ws-0142.northgate.example", NULL);
	make_series(sample);
	for (size_t i = 0; i < COUNT(sample->sessions); i++)
		sample->sessions[i] = (struct session){
			.first = STAMP_NONE, .last = STAMP_NONE, .host_first = STAMP_NONE};
	sample->sessions[1].has_id = session_id_read(GOOD_ID, 36, &sample->sessions[1].id);
	sample->sessions[2].has_id = session_id_read(BAD_ID, 36, &sample->sessions[2].id);
	sample->sessions[3].source = 3;
	sample->store = (struct store){.book = &sample->book,
		.sources = sample->sources,
		.source_count = COUNT(sample->sources),
		.sessions = sample->sessions,
		.session_count = COUNT(sample->sessions),
		.sightings = sample->sightings,
		.sighting_count = COUNT(sample->sightings),
		.series = sample->series,
		.series_count = COUNT(sample->series),
		.skipped = sample->skipped,
		.skipped_count = COUNT(sample->skipped)};
}

/* ---- the findings ---- */

static void *copy(struct arena *arena, const void *values, size_t size)
{
	void *made = arena_alloc(arena, size);

	assert(made != NULL);
	memcpy(made, values, size);
	return made;
}

#define LIST(arena, ret_count, type, ...)                                                          \
	(*(ret_count) = sizeof((type[]){__VA_ARGS__}) / sizeof(type),                              \
		(type *)copy((arena), (type[]){__VA_ARGS__}, sizeof((type[]){__VA_ARGS__})))

/* A finding of a step that took `duration` from `start` on; STAMP_NONE when nothing is known. */
static struct finding finding_of(struct sample *sample, enum rule_place rule, enum verdict verdict,
	int64_t start, int64_t duration)
{
	bool timed = start != STAMP_NONE;

	return (struct finding){.rule = &sample->rules[rule],
		.verdict = verdict,
		.attempt = 1,
		.attempts = 1,
		.start = start,
		.end = timed ? start + (duration > 0 ? duration : 0) : STAMP_NONE,
		.kind = timed ? STAMP_KIND_UTC : STAMP_KIND_NONE,
		.duration = duration};
}

static struct finding no_evidence(struct sample *sample, enum rule_place rule, const char *why)
{
	struct finding finding = finding_of(sample, rule, VERDICT_NO_EVIDENCE, STAMP_NONE, -1);

	finding.cause_text = why;
	return finding;
}

static void with_evidence(struct arena *arena, struct finding *finding, uint32_t source,
	uint32_t line, const char *text)
{
	finding->evidence =
		LIST(arena, &finding->evidence_count, struct report_evidence, {source, line, text});
}

static void make_good(struct sample *sample)
{
	struct arena *arena = sample->report.arena;
	struct report_session *session = &sample->report_sessions[0];
	struct finding findings[] = {
		finding_of(sample, INITIATE, VERDICT_PASS, AT(GOOD), 412000),
		finding_of(sample, AUTHENTICATION, VERDICT_PASS, AT(GOOD + 1), 1240000),
		finding_of(sample, ALLOCATION, VERDICT_PASS, AT(GOOD + 3), 90000),
		finding_of(sample, PREPARE, VERDICT_PASS, AT(GOOD + 4), 820000),
		no_evidence(sample, RADIUS, "no logged broker message"),
		finding_of(sample, CHECKOUT, VERDICT_PASS, AT(GOOD + 5), -1),
		finding_of(sample, PAYLOAD, VERDICT_PASS, AT(GOOD + 5), 2740000),
		finding_of(sample, DISCONNECT, VERDICT_NOTE, AT(GOOD + 3600), -1),
		no_evidence(sample, POWER, "the log does not mention it"),
		no_evidence(sample, ACCESSIBILITY, "not a Mac"),
		finding_of(sample, LATENCY, VERDICT_PASS, AT(GOOD + 6), -1),
	};

	findings[1].data = LIST(arena, &findings[1].data_count, struct report_data,
		{"user", "NORTHGATE\\mia.lund", false, true},
		{"client", "198.51.100.23", false, true}, {"duration_s", "1.240", true, false});
	with_evidence(arena, &findings[3], 0, 311,
		"2031-03-24T21:11:01.601Z " GOOD_ID
		" > LVL:2 RC:   0           AGENT :Preparing host ws-0142.northgate.example");
	findings[7].cause = &cause_values[DISCONNECT];
	findings[7].cause_text = "The user of the client ended the session.";
	with_evidence(arena, &findings[7], 1, 9034,
		"2031-03-24T22:10:57.601Z " GOOD_ID
		" > LVL:2 RC:   0          SERVER :disconnect, cause 0x301");
	*session = (struct report_session){.number = 1,
		.id = GOOD_ID,
		.started = AT(GOOD),
		.ended = AT(GOOD + 3600),
		.kind = STAMP_KIND_UTC,
		.path = REPORT_PATH_DIRECT,
		.worst = VERDICT_NOTE,
		.findings = copy(arena, findings, sizeof(findings)),
		.finding_count = COUNT(findings),
		.stages = {{VERDICT_PASS, AT(GOOD), AT(GOOD) + 412000, 5 * SECOND},
			{VERDICT_PASS, AT(GOOD + 1), AT(GOOD + 1) + 1240000, 5 * SECOND},
			{VERDICT_PASS, AT(GOOD + 3), AT(GOOD + 3) + 90000, 5 * SECOND},
			{VERDICT_PASS, AT(GOOD + 4), AT(GOOD + 4) + 820000, 5 * SECOND},
			{VERDICT_PASS, AT(GOOD + 5), AT(GOOD + 5) + 2740000, 5 * SECOND},
			{VERDICT_PASS, AT(GOOD + 5), AT(GOOD + 5) + 700000, 0}}};
	session->plots = LIST(arena, &session->plot_count, struct report_plot,
		{&sample->measures[0], &sample->series[0]});
}

static void make_authentication(struct sample *sample, struct finding *finding)
{
	struct arena *arena = sample->report.arena;

	finding->attempts = 2;
	finding->cause = &cause_values[AUTHENTICATION];
	finding->cause_text = "The directory refused the name or the password of "
			      "NORTHGATE\\zoë.åkesson (logon error 1326).";
	finding->remedies = LIST(arena, &finding->remedy_count, struct report_remedy,
		{ACTOR_USER, "Type the password again; mind the keyboard's layout and Caps Lock.",
			NULL},
		{ACTOR_HELPDESK,
			"Check that the account of zoë.åkesson is neither locked nor expired, and "
			"that it may log on to render-07.",
			"https://help.example/logon-error-1326"});
	finding->data = LIST(arena, &finding->data_count, struct report_data,
		{"user", "NORTHGATE\\zoë.åkesson", false, true},
		{"client", "198.51.100.23", false, true}, {"error", "1326", true, false});
	finding->evidence = LIST(arena, &finding->evidence_count, struct report_evidence,
		{0, 4021, sample->sightings[0].text},
		{0, 4024,
			"2031-03-24T22:04:13.350Z " BAD_ID
			" > LVL:2 RC:   0           AGENT :Authentication failed: \033[2J\r\xc2\x9b"
			"1326 The user name or password is incorrect"});
}

static void make_payload(struct sample *sample, struct finding *finding)
{
	struct arena *arena = sample->report.arena;

	finding->cause = &cause_values[PAYLOAD];
	finding->cause_text =
		"The client (ws-01, 198.51.100.230) reached the host on TCP 4172, but none of its "
		"UDP "
		"packets to port 4172 came through within 5 seconds; the host itself gives up only "
		"after 33 seconds.";
	finding->remedies = LIST(arena, &finding->remedy_count, struct report_remedy,
		{ACTOR_NETWORK,
			"Allow UDP 4172 in both directions between the client's network and the "
			"host; a rule for TCP alone is not enough, and stateful firewalls on the "
			"way "
			"must keep the association for at least 60 seconds.",
			"https://help.example/ports"},
		{ACTOR_HOST,
			"Allow the session's server in the firewall of "
			"render-07.northgate.example.",
			NULL},
		{ACTOR_USER, "Try from another network.", NULL});
	finding->data = LIST(arena, &finding->data_count, struct report_data,
		{"client", "2001:db8:4172::17", false, true}, {"limit_s", "5", true, false});
	finding->evidence = LIST(arena, &finding->evidence_count, struct report_evidence,
		{0, 4110, sample->sightings[3].text},
		{1, 44910,
			"2031-03-24T22:04:35.000Z 00000000-0000-0000-0000-000000000000 > LVL:2 RC: "
			"  "
			"0           SCNET :(scnet_open_accepted_socket): Server accepting "
			"connection from [2001:db8:4172::17]:51022"},
		{1, 45021,
			"2031-03-24T22:05:08.000Z " BAD_ID
			" > LVL:1 RC:-504   MGMT_PCOIP_DATA :Unable to communicate with peer "
			"5e:31:9a:04:7c:d2 (198.51.100.230:4172), cause 0x402"});
	finding->evidence_more = 14;
}

static void make_bad(struct sample *sample)
{
	struct arena *arena = sample->report.arena;
	struct report_session *session = &sample->report_sessions[1];
	struct finding findings[] = {
		finding_of(sample, INITIATE, VERDICT_PASS, AT(BAD), 310000),
		finding_of(sample, AUTHENTICATION, VERDICT_FAIL, AT(BAD + 1), 1250000),
		finding_of(sample, AUTHENTICATION, VERDICT_PASS, AT(BAD + 19), 1900000),
		finding_of(sample, ALLOCATION, VERDICT_PASS, AT(BAD + 21), 120000),
		finding_of(sample, PREPARE, VERDICT_WARNING, AT(BAD + 22), 4100000),
		no_evidence(sample, RADIUS, "no logged broker message"),
		finding_of(sample, CHECKOUT, VERDICT_PASS, AT(BAD + 23), -1),
		finding_of(sample, PAYLOAD, VERDICT_FAIL, AT(BAD + 24), 33000000),
		finding_of(sample, DISCONNECT, VERDICT_NOTE, AT(BAD + 57), -1),
		no_evidence(sample, POWER, "the log does not mention it"),
		no_evidence(sample, ACCESSIBILITY, "not a Mac"),
		finding_of(sample, LATENCY, VERDICT_WARNING, AT(BAD + 60), -1),
		no_evidence(sample, CRASH, "the log ends too early to tell"),
	};

	make_authentication(sample, &findings[1]);
	findings[2].attempt = findings[2].attempts = 2;
	findings[2].data = LIST(arena, &findings[2].data_count, struct report_data,
		{"user", "佐藤健@northgate.example", false, true});
	findings[4].cause = &cause_values[PREPARE];
	findings[4].cause_text = "Preparing the host took 4.1 s of the 5 s allowed.";
	findings[4].remedies = LIST(arena, &findings[4].remedy_count, struct report_remedy,
		{ACTOR_HOST, "Look what the host does at logon.", NULL});
	with_evidence(arena, &findings[4], 0, 4110, sample->sightings[3].text);
	make_payload(sample, &findings[7]);
	findings[8].cause = &cause_values[DISCONNECT];
	findings[8].cause_text = "The media channel was never established (cause 0x402).";
	findings[11].cause = &cause_values[LATENCY];
	findings[11].cause_text = "41 of 60 round-trip times were above 100 ms; the highest was "
				  "222 ms.";
	findings[11].remedies = LIST(arena, &findings[11].remedy_count, struct report_remedy,
		{ACTOR_NETWORK, "Look for a detour or a full line between client and host.", NULL});
	with_evidence(arena, &findings[11], 1, 45110, sample->series[1].worst_text);
	*session = (struct report_session){.number = 2,
		.id = BAD_ID,
		.started = AT(BAD),
		.ended = AT(BAD + 1240),
		.kind = STAMP_KIND_UTC,
		.path = REPORT_PATH_BROKERED,
		.worst = VERDICT_FAIL,
		.findings = copy(arena, findings, sizeof(findings)),
		.finding_count = COUNT(findings),
		.stages = {{VERDICT_PASS, AT(BAD), AT(BAD) + 310000, 5 * SECOND},
			{VERDICT_PASS, AT(BAD + 19), AT(BAD + 19) + 1900000, 5 * SECOND},
			{VERDICT_PASS, AT(BAD + 21), AT(BAD + 21) + 120000, 5 * SECOND},
			{VERDICT_WARNING, AT(BAD + 22), AT(BAD + 22) + 4100000, 5 * SECOND},
			{VERDICT_FAIL, AT(BAD + 24), AT(BAD + 57), 5 * SECOND},
			{VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0}}};
	session->plots = LIST(arena, &session->plot_count, struct report_plot,
		{&sample->measures[0], &sample->series[1]},
		{&sample->measures[1], &sample->series[2]});
}

static void make_nameless(struct sample *sample)
{
	struct arena *arena = sample->report.arena;
	struct report_session *session = &sample->report_sessions[2];
	int64_t start = sample->sources[3].first;
	struct finding findings[] = {
		no_evidence(sample, INITIATE, "no line without session id can be told apart"),
		finding_of(sample, ACCESSIBILITY, VERDICT_FAIL, start + 12 * SECOND, -1),
	};

	findings[1].kind = STAMP_KIND_LOCAL;
	findings[1].cause = &cause_values[ACCESSIBILITY];
	findings[1].cause_text = "The agent's helper may not use mouse and keyboard.";
	findings[1].remedies = LIST(arena, &findings[1].remedy_count, struct report_remedy,
		{ACTOR_HOST, "Grant the permission 'Accessibility' in the privacy settings.",
			NULL});
	with_evidence(arena, &findings[1], 3, 17,
		"02/12/2012, 09:42:21.375> LVL:1 RC:-500          SERVER :start server: Failed to "
		"initialize mouse and keyboard input");
	*session = (struct report_session){.number = 3,
		.source = sample->sources[3].path,
		.started = start,
		.ended = sample->sources[3].last,
		.kind = STAMP_KIND_LOCAL,
		.worst = VERDICT_FAIL,
		.findings = copy(arena, findings, sizeof(findings)),
		.finding_count = COUNT(findings)};
	for (size_t i = 0; i < COUNT(session->stages); i++)
		session->stages[i] =
			(struct report_stage){VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0};
}

static void make_host(struct sample *sample)
{
	struct arena *arena = sample->report.arena;
	struct report_session *host = &sample->report.host;
	struct finding findings[] = {
		finding_of(sample, CERTIFICATE, VERDICT_FAIL, AT(300), -1),
		finding_of(sample, EXPIRY, VERDICT_WARNING, AT(301), -1),
	};

	findings[0].cause = &cause_values[CERTIFICATE];
	findings[0].cause_text = "render-07 does not trust the licence service's certificate.";
	findings[0].remedies = LIST(arena, &findings[0].remedy_count, struct report_remedy,
		{ACTOR_LICENSE, "Install the authority's certificates.", NULL});
	with_evidence(arena, &findings[0], 0, 88,
		"2031-03-24T00:05:00.000Z> <ERROR>: SSL peer certificate or SSH remote key was not "
		"OK "
		"(teradici.compliance.flexnetoperations.com)");
	findings[1].cause = &cause_values[EXPIRY];
	findings[1].cause_text = "The licence ends in 9 days.";
	findings[1].remedies = LIST(arena, &findings[1].remedy_count, struct report_remedy,
		{ACTOR_LICENSE, "Renew the licence.", NULL});
	findings[1].data = LIST(arena, &findings[1].data_count, struct report_data,
		{"remaining", "9", true, false});
	*host = (struct report_session){.number = STORE_HOST,
		.started = AT(300),
		.ended = AT(301),
		.kind = STAMP_KIND_UTC,
		.worst = VERDICT_FAIL,
		.findings = copy(arena, findings, sizeof(findings)),
		.finding_count = COUNT(findings)};
	for (size_t i = 0; i < COUNT(host->stages); i++)
		host->stages[i] =
			(struct report_stage){VERDICT_NO_EVIDENCE, STAMP_NONE, STAMP_NONE, 0};
}

static void count(struct report *report)
{
	memset(report->summary, 0, sizeof(report->summary));
	for (size_t i = 0; i <= report->session_count; i++) {
		const struct report_session *session =
			i < report->session_count ? &report->sessions[i] : &report->host;

		for (size_t j = 0; j < session->finding_count; j++)
			report->summary[session->findings[j].verdict]++;
	}
}

struct report *report_sample_new(void)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct report *report;

	assert(sample != NULL);
	report = &sample->report;
	report->arena = arena_new(64 * 1024 * 1024);
	assert(report->arena != NULL);
	make_rules(sample);
	make_store(sample);
	make_good(sample);
	make_bad(sample);
	make_nameless(sample);
	make_host(sample);
	report->store = &sample->store;
	report->book = &sample->book;
	report->sessions = sample->report_sessions;
	report->session_count = COUNT(sample->report_sessions);
	report->notes = LIST(report->arena, &report->note_count, const char *,
		"1 log has times without a zone; they are compared only within that log.",
		"The client's log of ws-0142 names a session that the host's logs do not.");
	report->incomplete = true;
	count(report);
	return report;
}

void report_sample_free(struct report *report)
{
	struct sample *sample = (struct sample *)report;

	for (size_t i = 0; i < COUNT(sample->templates); i++)
		template_free(sample->templates[i]);
	arena_free(report->arena);
	free(sample);
}

void report_sample_repeat(struct report *report, size_t wanted)
{
	struct report_session *sessions = arena_alloc(report->arena, wanted * sizeof(*sessions));

	assert(sessions != NULL);
	for (size_t i = 0; i < wanted; i++)
		sessions[i] = report->sessions[i % report->session_count];
	report->sessions = sessions;
	report->session_count = wanted;
	count(report);
}
