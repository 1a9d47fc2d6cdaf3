#include "service/license_store.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "service/license_table.h"

/* Threads read the clock before they get the lock; that is not a clock set back. */
#define BACKWARDS (60 * CLOCK_SECOND)
#define SEATS_MEMORY (4 * 1024 * 1024)
#define ID_BYTES ((LICENSE_LEASE_SIZE - 1) / 2)

struct license_store {
	pthread_mutex_t lock; /* of everything below */
	struct license_table table;
	const struct entropy *entropy;
	struct arena *memory; /* of the seats */
	const struct license_seats *seats;
	size_t seats_count;
};

int license_store_open(const char *file, const struct entropy *entropy,
	struct license_store **ret_store, char fault[LICENSE_FAULT_SIZE])
{
	struct license_store *store = calloc(1, sizeof(*store));
	int error;

	if (store == NULL) {
		snprintf(fault, LICENSE_FAULT_SIZE, "%s", error_text(ERROR_MEMORY));
		return ERROR_MEMORY;
	}
	pthread_mutex_init(&store->lock, NULL);
	store->entropy = entropy;
	error = license_table_open(&store->table, file);
	if (error != 0) {
		memcpy(fault, store->table.fault, LICENSE_FAULT_SIZE);
		license_store_close(store);
		return error;
	}
	*ret_store = store;
	return 0;
}

void license_store_close(struct license_store *store)
{
	if (store == NULL)
		return;
	license_table_close(&store->table);
	arena_free(store->memory);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

int license_store_configure(
	struct license_store *store, const struct license_seats *seats, size_t count)
{
	struct arena *memory = arena_new(SEATS_MEMORY);
	struct license_seats *copy = NULL;

	if (memory != NULL)
		copy = arena_alloc(memory, (count + 1) * sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i] = seats[i];
		copy[i].feature = arena_text(memory, seats[i].feature);
		if (copy[i].feature == NULL)
			copy = NULL;
	}
	if (copy == NULL) {
		arena_free(memory);
		return ERROR_MEMORY;
	}
	pthread_mutex_lock(&store->lock);
	arena_free(store->memory);
	store->memory = memory;
	store->seats = copy;
	store->seats_count = count;
	pthread_mutex_unlock(&store->lock);
	return 0;
}

/* --- with the store locked --- */

static void begin(struct license_store *store, int *ret_error)
{
	pthread_mutex_lock(&store->lock);
	store->table.fault[0] = '\0';
	*ret_error = license_table_begin(&store->table);
}

/* Not found is an answer, not a failure. */
static int end(struct license_store *store, int error)
{
	return license_table_end(&store->table, error == ERROR_NOT_FOUND ? 0 : error);
}

/* The seats of a feature. RESULT_NONE when there are any to give. */
static enum result_id find_seats(const struct license_store *store, const char *feature,
	int64_t now, const struct license_seats **ret_seats)
{
	for (size_t i = 0; i < store->seats_count; i++) {
		if (strcmp(store->seats[i].feature, feature) != 0)
			continue;
		if (store->seats[i].expires <= now)
			return RESULT_LICENSE_DENIED_EXPIRED;
		*ret_seats = &store->seats[i];
		return RESULT_NONE;
	}
	return RESULT_LICENSE_DENIED_NOT_CONFIGURED;
}

/* seats NULL: none are given any more. */
static int fill_seats(struct license_store *store, const struct license_seats *seats, int64_t now,
	struct license_lease *lease)
{
	int64_t taken;
	int error = license_table_count(&store->table, lease->feature, now, &taken);

	if (error != 0)
		return error;
	lease->expires = seats != NULL ? seats->expires : INT64_MAX;
	lease->seats_total = seats != NULL ? seats->seats : 0;
	lease->seats_free = taken < lease->seats_total ? lease->seats_total - (unsigned)taken : 0;
	return 0;
}

static int64_t end_of_lease(const struct license_seats *seats, int64_t now, int64_t duration)
{
	return seats->expires - now < duration ? seats->expires : now + duration;
}

static void describe(struct license_lease *lease, const struct license_request *request)
{
	snprintf(lease->name, sizeof(lease->name), "%s", request->name);
	snprintf(lease->session, sizeof(lease->session), "%s", request->session);
}

/* Whether the lease is among the oldest `seats` ones; *ret_result says so if not. */
static int check_rank(struct license_store *store, const struct license_seats *seats,
	const struct license_row *row, int64_t now, enum result_id *ret_result)
{
	int64_t older;
	int error = license_table_count_older(&store->table, row, now, &older);

	if (error == 0 && older >= seats->seats)
		*ret_result = RESULT_LICENSE_DENIED_NO_SEATS;
	return error;
}

/* A lease the host has already. */
static int take_again(struct license_store *store, const struct license_seats *seats,
	const struct license_request *request, int64_t now, int64_t lease, struct license_row *row,
	enum result_id *ret_result)
{
	int error = check_rank(store, seats, row, now, ret_result);

	if (error != 0 || *ret_result != RESULT_NONE)
		return error;
	describe(&row->lease, request);
	row->duration = lease;
	row->lease.until = end_of_lease(seats, now, lease);
	*ret_result = RESULT_LICENSE_GRANTED;
	return license_table_update(&store->table, row);
}

static int make_id(struct license_store *store, char id[LICENSE_LEASE_SIZE])
{
	unsigned char bytes[ID_BYTES];

	if (entropy_fill(store->entropy, bytes, sizeof(bytes)) != 0) {
		snprintf(store->table.fault, sizeof(store->table.fault), "no random numbers");
		return ERROR_STORE;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int take_new(struct license_store *store, const struct license_seats *seats,
	const struct license_request *request, int64_t now, int64_t lease, struct license_row *row,
	enum result_id *ret_result)
{
	int64_t taken;
	int error = license_table_count(&store->table, request->feature, now, &taken);

	if (error != 0)
		return error;
	if (taken >= seats->seats) {
		*ret_result = RESULT_LICENSE_DENIED_NO_SEATS;
		return 0;
	}
	memset(row, 0, sizeof(*row));
	error = make_id(store, row->lease.id);
	if (error != 0)
		return error;
	snprintf(row->lease.feature, sizeof(row->lease.feature), "%s", request->feature);
	snprintf(row->lease.host, sizeof(row->lease.host), "%s", request->host);
	describe(&row->lease, request);
	row->duration = lease;
	row->lease.until = end_of_lease(seats, now, lease);
	*ret_result = RESULT_LICENSE_GRANTED;
	return license_table_insert(&store->table, row);
}

static int take(struct license_store *store, const struct license_request *request, int64_t now,
	int64_t lease, struct license_row *row, enum result_id *ret_result)
{
	const struct license_seats *seats = NULL;
	int error;

	*ret_result = find_seats(store, request->feature, now, &seats);
	if (*ret_result != RESULT_NONE)
		return 0;
	error = license_table_find_host(&store->table, request->feature, request->host, row);
	if (error == 0 && row->lease.until > now) {
		error = take_again(store, seats, request, now, lease, row, ret_result);
	} else {
		if (error == 0) /* ended, not yet swept away */
			error = license_table_remove(&store->table, row);
		if (error == 0 || error == ERROR_NOT_FOUND)
			error = take_new(store, seats, request, now, lease, row, ret_result);
	}
	if (error == 0 && *ret_result == RESULT_LICENSE_GRANTED)
		error = fill_seats(store, seats, now, &row->lease);
	return error;
}

static bool request_fits(const struct license_request *request)
{
	return strlen(request->feature) < LICENSE_TEXT_SIZE &&
		strlen(request->host) < LICENSE_TEXT_SIZE &&
		strlen(request->name) < LICENSE_TEXT_SIZE &&
		strlen(request->session) < LICENSE_TEXT_SIZE;
}

enum result_id license_store_checkout(struct license_store *store,
	const struct license_request *request, int64_t now, int64_t lease,
	struct license_lease *ret_lease)
{
	enum result_id result = RESULT_NONE;
	struct license_row row;
	int error;

	assert(lease > 0 && request_fits(request));
	begin(store, &error);
	if (error == 0)
		error = take(store, request, now, lease, &row, &result);
	error = end(store, error);
	if (error != 0)
		result = RESULT_LICENSE_SERVICE_BUSY;
	else if (result == RESULT_LICENSE_GRANTED)
		*ret_lease = row.lease;
	pthread_mutex_unlock(&store->lock);
	return result;
}

/* --- by the id of a lease --- */

/* ERROR_NOT_FOUND also when it has ended. */
static int find_lease(struct license_store *store, const char *id, const char *host, int64_t now,
	struct license_row *row)
{
	int error = license_table_find_id(&store->table, id, host, row);

	return error == 0 && row->lease.until <= now ? ERROR_NOT_FOUND : error;
}

static int renew(struct license_store *store, int64_t now, int64_t lease, struct license_row *row,
	enum result_id *ret_result)
{
	const struct license_seats *seats = NULL;
	int error = 0;

	*ret_result = find_seats(store, row->lease.feature, now, &seats);
	if (*ret_result == RESULT_NONE)
		error = check_rank(store, seats, row, now, ret_result);
	if (error != 0 || *ret_result != RESULT_NONE)
		return error;
	if (lease < row->duration)
		row->duration = lease;
	row->lease.until = end_of_lease(seats, now, row->duration);
	error = license_table_update(&store->table, row);
	if (error == 0)
		error = fill_seats(store, seats, now, &row->lease);
	*ret_result = RESULT_LICENSE_RENEWED;
	return error;
}

enum result_id license_store_renew(struct license_store *store, const char *id, const char *host,
	int64_t now, int64_t lease, struct license_lease *ret_lease)
{
	enum result_id result = RESULT_LICENSE_UNKNOWN_LEASE;
	struct license_row row;
	int error;

	assert(lease > 0);
	begin(store, &error);
	if (error == 0)
		error = find_lease(store, id, host, now, &row);
	if (error == 0)
		error = renew(store, now, lease, &row, &result);
	error = end(store, error);
	if (error != 0)
		result = RESULT_LICENSE_SERVICE_BUSY;
	else if (result == RESULT_LICENSE_RENEWED)
		*ret_lease = row.lease;
	pthread_mutex_unlock(&store->lock);
	return result;
}

enum result_id license_store_return(struct license_store *store, const char *id, const char *host,
	int64_t now, struct license_lease *ret_lease)
{
	enum result_id result = RESULT_LICENSE_UNKNOWN_LEASE;
	const struct license_seats *seats = NULL;
	struct license_row row;
	int error;

	begin(store, &error);
	if (error == 0)
		error = find_lease(store, id, host, now, &row);
	if (error == 0)
		error = license_table_remove(&store->table, &row);
	if (error == 0) {
		result = RESULT_LICENSE_RETURNED;
		(void)find_seats(store, row.lease.feature, now, &seats);
		error = fill_seats(store, seats, now, &row.lease);
	}
	error = end(store, error);
	if (error != 0)
		result = RESULT_LICENSE_SERVICE_BUSY;
	else if (result == RESULT_LICENSE_RETURNED)
		*ret_lease = row.lease;
	pthread_mutex_unlock(&store->lock);
	return result;
}

/* --- the rest --- */

int license_store_expire(struct license_store *store, int64_t now,
	void (*ended)(void *user, const struct license_lease *lease), void *user)
{
	int error, count = 0;

	begin(store, &error);
	if (error == 0)
		error = license_table_rebase(&store->table, now, now + BACKWARDS);
	if (error == 0) {
		count = license_table_expire(&store->table, now, ended, user);
		error = count < 0 ? count : 0;
	}
	error = end(store, error);
	pthread_mutex_unlock(&store->lock);
	return error != 0 ? error : count;
}

int license_store_count(struct license_store *store, int64_t now)
{
	int64_t count;
	int error;

	pthread_mutex_lock(&store->lock);
	store->table.fault[0] = '\0';
	error = license_table_count_all(&store->table, now, &count);
	pthread_mutex_unlock(&store->lock);
	return error != 0 ? error : (int)count;
}

void license_store_fault(struct license_store *store, char fault[LICENSE_FAULT_SIZE])
{
	pthread_mutex_lock(&store->lock);
	memcpy(fault, store->table.fault, LICENSE_FAULT_SIZE);
	pthread_mutex_unlock(&store->lock);
}
