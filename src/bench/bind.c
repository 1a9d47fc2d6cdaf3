#include "bench/bind.h"

#include <lber.h>
#include <ldap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "bench/process.h"
#include "bench/roll.h"

#define PASSWORD_SIZE 256
#define HOPELESS 20        /* failures of one connection without a success */
#define PAUSE_SECONDS 0.05 /* after a failure */

enum phase { PHASE_WARM_UP, PHASE_MEASURED, PHASE_OVER };

struct binding {
	const struct options *options;
	struct roll *roll;
	char password[PASSWORD_SIZE];
	atomic_int phase;
	atomic_size_t turn;
};

/* A thread and its connection. */
struct binder {
	struct binding *binding;
	pthread_t thread;
	bool started;
	LDAP *ld;
	bool succeeded; /* ever */
	uint64_t operations, errors;
	char first_error[LOAD_TEXT_SIZE];
	struct tally latency;
};

static double fraction(double seconds)
{
	return seconds - (double)(time_t)seconds;
}

static void let_pass(double seconds)
{
	const struct timespec time = {
		.tv_sec = (time_t)seconds, .tv_nsec = (long)(fraction(seconds) * 1e9)};

	nanosleep(&time, NULL);
}

static int set_tls(LDAP *ld, const char *ca)
{
	static const int client = 0, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	static const int verify = LDAP_OPT_X_TLS_DEMAND;

	if (ca != NULL && ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca) != LDAP_OPT_SUCCESS)
		return LDAP_LOCAL_ERROR;
	if (ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &verify) != LDAP_OPT_SUCCESS ||
		ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) != LDAP_OPT_SUCCESS ||
		ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
		return LDAP_LOCAL_ERROR;
	return LDAP_SUCCESS;
}

static int open_connection(struct binder *binder)
{
	const struct options *options = binder->binding->options;
	const struct timeval patience = {.tv_sec = (time_t)options->patience,
		.tv_usec = (suseconds_t)(fraction(options->patience) * 1e6)};
	const int version = LDAP_VERSION3;
	int code = ldap_initialize(&binder->ld, options->url);

	if (code != LDAP_SUCCESS)
		return code;
	ldap_set_option(binder->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(binder->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	ldap_set_option(binder->ld, LDAP_OPT_TIMEOUT, &patience);
	ldap_set_option(binder->ld, LDAP_OPT_NETWORK_TIMEOUT, &patience);
	return set_tls(binder->ld, options->ca);
}

static void close_connection(struct binder *binder)
{
	if (binder->ld != NULL)
		ldap_unbind_ext_s(binder->ld, NULL, NULL);
	binder->ld = NULL;
}

static int bind_as(struct binder *binder, size_t turn)
{
	const struct roll *roll = binder->binding->roll;
	const char *own = roll_password(roll, turn);
	char *password = own != NULL ? (char *)(uintptr_t)own : binder->binding->password;
	struct berval secret = {.bv_val = password, .bv_len = strlen(password)};
	int code = binder->ld == NULL ? open_connection(binder) : LDAP_SUCCESS;

	if (code == LDAP_SUCCESS)
		code = ldap_sasl_bind_s(binder->ld, roll_name(roll, turn), LDAP_SASL_SIMPLE,
			&secret, NULL, NULL, NULL);
	if (code != LDAP_SUCCESS || binder->binding->options->fresh)
		close_connection(binder);
	return code;
}

static void note_failure(struct binder *binder, const char *name, int code, bool measured)
{
	binder->errors += measured;
	if (binder->first_error[0] == '\0')
		snprintf(binder->first_error, sizeof(binder->first_error), "%.150s: %s", name,
			ldap_err2string(code));
}

/* One bind; it counts when it ends in the measured time. */
static bool take_turn(struct binder *binder, size_t turn)
{
	const char *name = roll_name(binder->binding->roll, turn);
	int64_t begun = clock_steady(clock_system());
	int code = bind_as(binder, turn);
	bool measured = atomic_load(&binder->binding->phase) == PHASE_MEASURED;

	if (code != LDAP_SUCCESS) {
		note_failure(binder, name, code, measured);
		return false;
	}
	binder->succeeded = true;
	if (measured) {
		binder->operations++;
		tally_add(&binder->latency, clock_steady(clock_system()) - begun);
	}
	return true;
}

static void *run_binder(void *user)
{
	struct binder *binder = user;
	struct binding *binding = binder->binding;
	unsigned limit = binding->options->count, failures = 0;

	while (atomic_load(&binding->phase) != PHASE_OVER &&
		(binder->succeeded || failures < HOPELESS)) {
		size_t turn = atomic_fetch_add(&binding->turn, 1);

		if (limit > 0 && turn >= limit)
			break;
		if (take_turn(binder, turn))
			continue;
		failures++;
		let_pass(PAUSE_SECONDS);
	}
	close_connection(binder);
	return NULL;
}

static int start(struct binder *binders, unsigned count, char why[LOAD_TEXT_SIZE])
{
	for (unsigned i = 0; i < count; i++) {
		struct binder *binder = &binders[i];

		if (pthread_create(&binder->thread, NULL, run_binder, binder) != 0) {
			snprintf(why, LOAD_TEXT_SIZE, "a thread cannot be started");
			return ERROR_SYSTEM;
		}
		binder->started = true;
	}
	return 0;
}

static void join(struct binder *binders, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (binders[i].started)
			pthread_join(binders[i].thread, NULL);
		binders[i].started = false;
	}
}

static void add_up(const struct binder *binders, unsigned count, struct load_result *result)
{
	for (unsigned i = 0; i < count; i++) {
		const struct binder *binder = &binders[i];

		result->operations += binder->operations;
		result->errors += binder->errors;
		tally_join(&result->latency, &binder->latency);
		if (result->first_error[0] == '\0')
			memcpy(result->first_error, binder->first_error, LOAD_TEXT_SIZE);
	}
	result->messages = result->checked = result->operations;
}

static double own_processor(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int look(const struct options *options, double *ret_cpu, struct load_result *result,
	char why[LOAD_TEXT_SIZE])
{
	if (process_use_all(options->pids, options->pid_count, ret_cpu, &result->server_resident) ==
		0)
		return 0;
	snprintf(why, LOAD_TEXT_SIZE, "a process named with --pid is not there");
	return ERROR_NOT_FOUND;
}

/* With a number of binds, from the first connection to the last answer; else for a time, with all
 * connections open. */
static int measure(struct binding *binding, struct binder *binders, struct load_result *result,
	char why[LOAD_TEXT_SIZE])
{
	const struct options *options = binding->options;
	bool counted = options->count > 0;
	double cpu, cpu_before, own;
	int64_t begun;
	int error = 0;

	if (!counted) {
		error = start(binders, options->connections, why);
		let_pass(error == 0 ? options->warm_up : 0);
	}
	own = own_processor();
	begun = clock_steady(clock_system());
	if (error == 0)
		error = look(options, &cpu_before, result, why);
	atomic_store(&binding->phase, PHASE_MEASURED);
	if (error == 0 && counted)
		error = start(binders, options->connections, why);
	if (error == 0 && counted)
		join(binders, options->connections);
	else if (error == 0)
		let_pass(options->seconds);
	result->seconds = (double)(clock_steady(clock_system()) - begun) / (double)CLOCK_SECOND;
	result->waited = result->seconds - (own_processor() - own);
	if (error == 0)
		error = look(options, &cpu, result, why);
	if (error == 0)
		result->server_cpu = cpu - cpu_before;
	atomic_store(&binding->phase, PHASE_OVER);
	join(binders, options->connections);
	return error;
}

static int judge(const struct load_result *result, char why[LOAD_TEXT_SIZE])
{
	if (result->operations > 0)
		return 0;
	snprintf(why, LOAD_TEXT_SIZE, "nothing succeeded: %.200s",
		result->first_error[0] != '\0' ? result->first_error : "too slow");
	return ERROR_INPUT;
}

static int run(struct binding *binding, struct load_result *result, char why[LOAD_TEXT_SIZE])
{
	unsigned count = binding->options->connections;
	struct binder *binders = calloc(count, sizeof(*binders));
	int error;

	if (binders == NULL) {
		snprintf(why, LOAD_TEXT_SIZE, "out of memory");
		return ERROR_MEMORY;
	}
	for (unsigned i = 0; i < count; i++)
		binders[i].binding = binding;
	error = measure(binding, binders, result, why);
	add_up(binders, count, result);
	free(binders);
	return error != 0 ? error : judge(result, why);
}

int bind_run(
	const struct options *options, struct load_result *ret_result, char why[LOAD_TEXT_SIZE])
{
	struct binding binding = {.options = options};
	char text[ROLL_WHY_SIZE];
	int error;

	memset(ret_result, 0, sizeof(*ret_result));
	error = roll_read(options->roll_file, &binding.roll, text);
	if (error == 0)
		error = roll_read_password(
			options->password_file, binding.password, sizeof(binding.password), text);
	if (error == 0) {
		/* The library sets itself up when it is first used, which must not happen on two
		 * threads at once; from no configuration of this machine's. */
		setenv("LDAPNOINIT", "1", 1);
		ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &(int){0});
		error = run(&binding, ret_result, why);
	} else {
		snprintf(why, LOAD_TEXT_SIZE, "%s", text);
	}
	roll_free(binding.roll);
	secret_wipe(binding.password, sizeof(binding.password));
	return error;
}
