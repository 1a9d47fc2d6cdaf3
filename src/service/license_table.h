/*
 * license_table.h - the leases in their SQLite file; what license_store.c decides, this does.
 *
 * Nobody but the store uses it. Not thread-safe: the store locks. Every function that fails returns
 * ERROR_STORE and leaves a text in `fault`. All but open, close and count are called between
 * begin and end.
 */
#ifndef FAIRLEAD_SERVICE_LICENSE_TABLE_H
#define FAIRLEAD_SERVICE_LICENSE_TABLE_H

#include <sqlite3.h>

#include "service/license_store.h"

enum license_table_statement {
#define STATEMENT(name, text) LICENSE_TABLE_##name,
#include "service/license_table.def"
#undef STATEMENT
	LICENSE_TABLE_STATEMENTS
};

struct license_table {
	sqlite3 *database;
	sqlite3_stmt *statements[LICENSE_TABLE_STATEMENTS];
	char fault[LICENSE_FAULT_SIZE];
};

/* Seats and expiry are not in the table and not filled in. */
struct license_row {
	int64_t number;   /* in the order in which leases were taken */
	int64_t duration; /* microseconds it was given for */
	struct license_lease lease;
};

/* As license_store_open. The table is all zero before; on failure it is to be closed too. */
int license_table_open(struct license_table *table, const char *file);
void license_table_close(struct license_table *table);

int license_table_begin(struct license_table *table);
/* error 0: commits; else rolls back. Returns `error` or what failed. */
int license_table_end(struct license_table *table, int error);

/* 0, ERROR_NOT_FOUND. Leases that have ended are found too. */
int license_table_find_host(struct license_table *table, const char *feature, const char *host,
	struct license_row *row);
int license_table_find_id(
	struct license_table *table, const char *id, const char *host, struct license_row *row);

/* Leases that have not ended: of a feature, taken before that one, all. */
int license_table_count(
	struct license_table *table, const char *feature, int64_t now, int64_t *ret_count);
int license_table_count_older(struct license_table *table, const struct license_row *row,
	int64_t now, int64_t *ret_count);
int license_table_count_all(struct license_table *table, int64_t now, int64_t *ret_count);

int license_table_insert(struct license_table *table, const struct license_row *row);
/* name, session, until and duration of the row of that number. */
int license_table_update(struct license_table *table, const struct license_row *row);
int license_table_remove(struct license_table *table, const struct license_row *row);

/* Cuts leases that were given after `latest` to their length from now: the clock was set back. */
int license_table_rebase(struct license_table *table, int64_t now, int64_t latest);
/* Removes leases that have ended; `ended` is called for each. Returns how many. */
int license_table_expire(struct license_table *table, int64_t now,
	void (*ended)(void *user, const struct license_lease *lease), void *user);

#endif
