#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "service/event.h"

#define STATISTICS_PERIOD (60 * CLOCK_SECOND) /* as the vendor's server writes them */

static struct log *log_of(const struct agent *agent)
{
	return agent->loop->log;
}

static void answer(struct agent *agent, const struct agent_offer *offer)
{
	struct transaction *transaction = agent->waiting;
	agent_prepared *prepared = agent->prepared;

	agent->waiting = NULL;
	agent->prepared = NULL;
	prepared(transaction, offer);
}

static void become_free(struct agent *agent)
{
	agent->phase = AGENT_FREE;
	agent->session = 0;
	agent->user[0] = agent->domain[0] = '\0';
}

/* --- the licence --- */

static void describe_license(const struct license_status *status, struct link_license *license)
{
	*license = (struct link_license){
		.granted = status->state == LICENSE_ACQUIRED || status->state == LICENSE_GRACE,
		.grace = status->state == LICENSE_GRACE,
		.remaining_days = status->remaining_days,
	};
	snprintf(license->source, sizeof(license->source), "%.*s", (int)sizeof(license->source) - 1,
		status->source);
	if (status->state == LICENSE_ACQUIRED)
		snprintf(license->text, sizeof(license->text), "%u of %u seats are free",
			status->seats_free, status->seats_total);
	else
		snprintf(license->text, sizeof(license->text), "%.*s",
			(int)sizeof(license->text) - 1, status->detail);
}

static void license_changed(void *user, const struct license_status *status)
{
	struct agent *agent = user;
	struct link_license license;

	if (agent->session == 0)
		return;
	describe_license(status, &license);
	(void)link_server_license(agent->link, agent->session, &license);
	if (!license.granted)
		(void)link_server_close(
			agent->link, agent->session, LINK_CAUSE_MANUAL_ADMIN_DISCONNECT);
}

/* The words for users; the log has the particulars. */
static const char *denial(const struct license_status *status)
{
	switch (status->state) {
	case LICENSE_DENIED_NOT_CONFIGURED:
		return text_template(text_english(), TEXT_LICENSE_NOT_CONFIGURED);
	case LICENSE_DENIED_UNREACHABLE:
		return text_template(text_english(), TEXT_LICENSE_UNREACHABLE);
	default: /* as the licence service said it */
		return status->detail;
	}
}

static void license_denied(struct agent *agent, const struct license_status *status)
{
	struct agent_offer offer = {
		.result = RESULT_FAILED_NO_LICENSE,
		.reason = denial(status),
	};

	become_free(agent);
	answer(agent, &offer);
}

static void licensed(void *user, const struct license_status *status)
{
	struct agent *agent = user;
	char tag[LINK_TAG_SIZE];
	struct link_license license;
	struct agent_offer offer = {.result = RESULT_FAILED_INTERNAL};

	describe_license(status, &license);
	if (!license.granted) {
		license_denied(agent, status);
		return;
	}
	if (link_server_expect(agent->link, agent->hostname, &agent->session, tag) != 0) {
		license_client_return(agent->license, NULL, NULL);
		become_free(agent);
		answer(agent, &offer);
		return;
	}
	agent->phase = AGENT_PREPARED;
	agent->since = clock_wall(agent->loop->clock);
	(void)link_server_license(agent->link, agent->session, &license);
	agent_log_prepared(agent);
	offer = (struct agent_offer){
		.result = RESULT_SUCCESSFUL,
		.sni = agent->hostname,
		.port = link_server_port(agent->link),
		.session = agent->session,
		.tag = tag,
	};
	answer(agent, &offer);
	secret_wipe(tag, sizeof(tag));
}

/* --- preparing --- */

static bool same_user(const struct agent *agent, const char *user, const char *domain)
{
	return strcasecmp(agent->user, user) == 0 && strcasecmp(agent->domain, domain) == 0;
}

/* His old connection, if there is one, makes room for the new. */
static void take_over(struct agent *agent)
{
	uint64_t old = agent->session;

	event_agent_taken_over(log_of(agent), agent->log_id, agent->user);
	agent_log_closed(agent, LINK_CAUSE_RECONNECT);
	agent_awake_end(agent);
	/* on_closed for it is then nobody's any more. */
	agent->session = 0;
	(void)link_server_close(agent->link, old, LINK_CAUSE_RECONNECT);
}

void agent_prepare(struct agent *agent, struct transaction *transaction, const char *user,
	const char *domain, const char *license_path, agent_prepared *done)
{
	struct agent_offer offer = {.result = RESULT_FAILED_SERVICE_BUSY};

	if (agent->phase != AGENT_FREE && !same_user(agent, user, domain)) {
		event_agent_busy(log_of(agent), transaction->log_id, agent->user, user);
		offer.result = RESULT_FAILED_ANOTHER_SESSION_STARTED;
		offer.reason = result_info(offer.result)->text;
		done(transaction, &offer);
		return;
	}
	if (agent->phase == AGENT_LICENSING) {
		done(transaction, &offer);
		return;
	}
	if (agent->phase != AGENT_FREE)
		take_over(agent);
	agent->phase = AGENT_LICENSING;
	agent->waiting = transaction;
	agent->prepared = done;
	snprintf(agent->user, sizeof(agent->user), "%s", user);
	snprintf(agent->domain, sizeof(agent->domain), "%s", domain);
	memcpy(agent->log_id, transaction->log_id, sizeof(agent->log_id));
	if (license_client_checkout(agent->license, agent->log_id, license_path, licensed, agent) !=
		0) {
		become_free(agent);
		offer.result = RESULT_FAILED_INTERNAL;
		answer(agent, &offer);
	}
}

/* --- what the link tells --- */

static void on_step(
	void *user, uint64_t session, enum link_step step, const char *peer, const char *local)
{
	struct agent *agent = user;
	struct log *log = log_of(agent);

	if (session != agent->session)
		return;
	switch (step) {
	case LINK_STEP_TCP_ACCEPTED:
		break;
	case LINK_STEP_TCP_CONFIRMED:
		event_agent_accepting(log, NULL, peer);
		event_agent_connecting_on(log, NULL, local);
		break;
	case LINK_STEP_UDP_OPEN:
		event_agent_udp_open(log, agent->log_id, peer);
		break;
	case LINK_STEP_CONNECTED:
		agent->phase = AGENT_CONNECTED;
		agent->connected = clock_steady(agent->loop->clock);
		agent->statistics = agent->connected + STATISTICS_PERIOD;
		agent->bytes_in = agent->bytes_out = 0;
		agent_log_connected(agent);
		agent_awake_begin(agent);
		break;
	case LINK_STEP_INTERRUPTED:
		event_agent_interrupted(
			log, agent->log_id, (int)(LINK_SILENCE_LIMIT / CLOCK_SECOND));
		break;
	case LINK_STEP_RESUMED:
		event_agent_resumed(log, agent->log_id, peer);
		break;
	}
}

static void on_refused(void *user, uint64_t session, enum link_refusal refusal, const char *peer)
{
	struct agent *agent = user;

	(void)session;
	event_agent_connection_refused(log_of(agent), NULL, peer, link_refusal_text(refusal));
}

static void on_closed(
	void *user, uint64_t session, unsigned cause, const struct link_quality *quality)
{
	struct agent *agent = user;

	if (session != agent->session)
		return;
	if (agent->phase == AGENT_CONNECTED)
		agent_log_statistics(
			agent, quality, clock_steady(agent->loop->clock) - agent->connected);
	agent_log_closed(agent, cause);
	agent_awake_end(agent);
	license_client_return(agent->license, NULL, NULL);
	become_free(agent);
}

void agent_session_tick(struct agent *agent)
{
	int64_t now = clock_steady(agent->loop->clock);
	struct link_quality quality;

	if (agent->license != NULL)
		license_client_tick(agent->license);
	if (agent->phase == AGENT_CONNECTED && now >= agent->statistics &&
		link_server_quality(agent->link, agent->session, &quality) == 0) {
		agent_log_statistics(agent, &quality, STATISTICS_PERIOD);
		agent->statistics = now + STATISTICS_PERIOD;
	}
}

/* --- begin and stop --- */

static int begin_license(struct agent *agent, struct config *config)
{
	const struct agent_config_license *data =
		&((const struct agent_config *)config_data(config))->license;
	const struct agent_config *all = config_data(config);
	char host[SETTINGS_NAME_MAXIMUM + 1] = "";
	char state_file[SETTINGS_TEXT_MAXIMUM + 16];
	struct license_client_options options = {
		.loop = agent->loop,
		.address = data->address,
		.feature = data->feature != NULL ? data->feature : "standard",
		.restrict_path = data->restrict_path,
		.host_id = agent->hostname,
		.state_file = state_file,
		.grace_days = data->grace_days,
		.changed = license_changed,
		.user = agent,
	};
	const char *name = data->hostname;
	uint16_t port;
	int error;

	if (name == NULL && data->address != NULL &&
		http_split_address(data->address, host, sizeof(host), &port) == 0)
		name = host;
	snprintf(state_file, sizeof(state_file), "%s/license",
		config_path(config, all->state_directory));
	error = settings_policy(config, &data->trust, name, &options.policy);
	return error != 0 ? error : license_client_new(&options, &agent->license);
}

int agent_session_begin(struct agent *agent, struct config *config, struct loop *loop,
	char fault[CONFIG_FAULT_SIZE])
{
	const struct agent_config *data = config_data(config);
	struct link_server_options options = {
		.loop = loop->uv,
		.address = agent->session_address,
		.clock = loop->clock,
		.entropy = loop->entropy,
		.events =
			{
				.on_step = on_step,
				.on_refused = on_refused,
				.on_closed = on_closed,
				.user = agent,
			},
	};
	SSL_CTX *context = NULL;
	int error;

	agent->loop = loop;
	error = settings_tls(config, &data->common, false, true, &context, fault);
	if (error != 0)
		return error;
	options.context = context;
	error = link_server_start(&options, &agent->link);
	SSL_CTX_free(context);
	if (error != 0) {
		snprintf(fault, CONFIG_FAULT_SIZE, "cannot listen on %s (TCP and UDP): %s",
			agent->session_address, error_text(error));
		return error;
	}
	error = begin_license(agent, config);
	if (error != 0)
		snprintf(fault, CONFIG_FAULT_SIZE, "licence client: %s", error_text(error));
	return error;
}

static void last_step_closed(uv_handle_t *handle)
{
	struct agent *agent = handle->data;

	event_agent_ends(log_of(agent), NULL);
	agent->stopped(agent->stopped_user);
}

static void last_step(uv_timer_t *timer)
{
	struct agent *agent = timer->data;

	license_client_free(agent->license);
	agent->license = NULL;
	uv_close((uv_handle_t *)timer, last_step_closed);
}

static void license_returned(void *user)
{
	struct agent *agent = user;

	/* The licence client cannot be freed from inside its own callback. */
	agent->last_step.data = agent;
	uv_timer_init(agent->loop->uv, &agent->last_step);
	uv_timer_start(&agent->last_step, last_step, 0, 0);
}

static void link_stopped(void *user)
{
	struct agent *agent = user;

	agent->link = NULL;
	license_client_return(agent->license, license_returned, agent);
}

void agent_session_stop(struct agent *agent, void (*stopped)(void *user), void *user)
{
	agent->stopped = stopped;
	agent->stopped_user = user;
	link_server_stop(agent->link, LINK_CAUSE_MANUAL_ADMIN_DISCONNECT, link_stopped, agent);
}
