#include "identity/identity_pam.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "identity/pam_helper.h"
#include "identity/pam_wire.h"

#define WAITING_MAXIMUM 4096 /* questions that wait for a thread */
#define ANSWER_LIMIT_MS 10000
#define SOURCE "pam"

struct identity_pam {
	struct identity identity; /* first: what callers hold */
	struct arena *arena;
	struct pam_helper *helper;
	struct work_queue *threads; /* as many as the helper answers questions at the same time */
	const char **domains;
	size_t domain_count; /* 0: any */
	int64_t limit;       /* microseconds */
	const struct clock *clock;
};

/* In the request's arena. */
struct job {
	struct identity_pam *pam;
	const struct identity_request *request;
	identity_done *done;
	void *context;
	const char *user;         /* as PAM is to know him */
	const char *named_domain; /* "": none */
	int64_t asked;            /* steady */
	struct pam_helper_answer told;
};

static void finish(struct job *job, enum reason reason, const char *detail)
{
	struct identity_answer answer = {
		.reason = reason,
		.source = SOURCE,
		.server = "",
		.detail = detail,
		.took = clock_steady(job->pam->clock) - job->asked,
		.tried = reason == REASON_PAM_SILENT,
	};

	if (reason == REASON_RIGHT) {
		answer.groups_cut = job->told.groups_cut;
		answer.user = (struct identity_user){
			.name = job->told.name,
			.domain = "",
			.groups = job->told.groups,
			.group_count = job->told.group_count,
			.named_domain = job->named_domain,
			.account = job->told.account,
		};
	}
	job->done(job->context, &answer);
}

static bool is_listed(const struct identity_pam *pam, const char *domain)
{
	for (size_t i = 0; i < pam->domain_count; i++) {
		if (strcasecmp(pam->domains[i], domain) == 0)
			return true;
	}
	return false;
}

/* Who is meant; REASON_RIGHT when PAM can be asked. */
static enum reason find_user(struct job *job)
{
	const struct identity_request *request = job->request;
	const char *domain = request->domain != NULL ? request->domain : "";
	struct identity_name name;

	job->user = request->user;
	job->named_domain = domain;
	if (identity_split_name(request->user, domain, &name) && is_listed(job->pam, name.domain)) {
		job->user = arena_text(request->arena, name.user);
		job->named_domain = arena_text(request->arena, name.domain);
		if (job->user == NULL || job->named_domain == NULL)
			return REASON_SERVICE_BUSY;
	} else if (*domain != '\0' && job->pam->domain_count > 0 && !is_listed(job->pam, domain)) {
		return REASON_UNKNOWN_DOMAIN;
	}
	return pam_wire_may_be_user(job->user) ? REASON_RIGHT : REASON_UNKNOWN_USER;
}

static enum reason check_passwords(const struct job *job)
{
	const struct identity_request *request = job->request;
	const char *new_password = request->new_password;

	if (request->password == NULL || request->password[0] == '\0')
		return REASON_EMPTY_PASSWORD;
	if (strlen(request->password) > PAM_WIRE_PASSWORD_MAXIMUM)
		return REASON_WRONG_PASSWORD;
	if (new_password == NULL)
		return REASON_RIGHT;
	if (!job->pam->identity.can_change_password)
		return REASON_PASSWORD_NOT_CHANGED;
	if (new_password[0] == '\0' || strlen(new_password) > PAM_WIRE_PASSWORD_MAXIMUM)
		return REASON_NEW_PASSWORD_REFUSED;
	return REASON_RIGHT;
}

static int64_t deadline_of(const struct job *job)
{
	int64_t own = job->asked + job->pam->limit, given = job->request->deadline;

	return given != 0 && given < own ? given : own;
}

static void run(void *user)
{
	struct job *job = user;
	const struct identity_request *request = job->request;
	struct pam_helper_question question = {
		.user = job->user,
		.client = request->client,
		.password = request->password,
		.new_password = request->new_password,
		.arena = request->arena,
		.clock = job->pam->clock,
		.deadline = deadline_of(job),
		.admit = request->admit,
		.admit_context = request->admit_context,
	};

	pam_helper_ask(job->pam->helper, &question, &job->told);
}

static void done(void *user)
{
	struct job *job = user;

	finish(job, job->told.reason, job->told.detail);
}

static void pam_ask(struct identity *identity, const struct identity_request *request,
	identity_done *answer_to, void *context)
{
	struct job small = {
		.pam = (struct identity_pam *)identity,
		.request = request,
		.done = answer_to,
		.context = context,
		.asked = clock_steady(((struct identity_pam *)identity)->clock),
	};
	struct job *job = arena_alloc(request->arena, sizeof(*job));
	enum reason reason = find_user(&small);

	if (reason == REASON_RIGHT)
		reason = check_passwords(&small);
	if (reason != REASON_RIGHT) {
		finish(&small, reason, "PAM was not asked");
		return;
	}
	if (job == NULL) {
		finish(&small, REASON_SERVICE_BUSY, error_text(ERROR_MEMORY));
		return;
	}
	*job = small;
	if (work_submit(small.pam->threads, request->loop, run, done, job) != 0)
		finish(job, REASON_SERVICE_BUSY, "too many logons wait for PAM");
}

static void pam_free(struct identity *identity)
{
	struct identity_pam *pam = (struct identity_pam *)identity;

	work_queue_free(pam->threads);
	arena_free(pam->arena);
	free(pam);
}

static int copy_domains(struct identity_pam *pam, const struct identity_pam_options *options)
{
	pam->domains = arena_alloc(pam->arena, (options->domain_count + 1) * sizeof(*pam->domains));
	for (size_t i = 0; pam->domains != NULL && i < options->domain_count; i++)
		pam->domains[i] = arena_text(pam->arena, options->domains[i]);
	pam->domain_count = options->domain_count;
	return arena_lacking(pam->arena) ? ERROR_MEMORY : 0;
}

int identity_pam_new(const struct identity_pam_options *options, const struct clock *clock,
	struct identity **ret_identity)
{
	struct identity_pam *pam = calloc(1, sizeof(*pam));
	int error = ERROR_MEMORY;

	assert(options->helper != NULL);
	if (pam == NULL)
		return ERROR_MEMORY;
	pam->identity = (struct identity){
		.ask = pam_ask, .free = pam_free, .can_change_password = options->change_password};
	pam->helper = options->helper;
	pam->clock = clock;
	pam->limit = CLOCK_MILLISECOND *
		(int64_t)(options->answer_ms > 0 ? options->answer_ms : ANSWER_LIMIT_MS);
	pam->arena = arena_new(SIZE_MAX / 2);
	if (pam->arena != NULL)
		error = copy_domains(pam, options);
	if (error == 0) {
		pam->threads = work_queue_new_own(WAITING_MAXIMUM, pam_helper_at_once(pam->helper));
		if (pam->threads == NULL)
			error = ERROR_SYSTEM;
	}
	if (error != 0) {
		arena_free(pam->arena);
		free(pam);
		return error;
	}
	*ret_identity = &pam->identity;
	return 0;
}
