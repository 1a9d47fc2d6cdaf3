#include "service/license_table.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define BUSY_TIMEOUT_MS 2000
/* By these the file is known: "FLLS" to us and to file(1). */
#define APPLICATION_ID 1179405395
#define SCHEMA_VERSION 1
#define TEXT_OF(number) #number
#define TEXT_OF_VALUE(number) TEXT_OF(number)

static const char schema[] =
	"CREATE TABLE lease ("
	"  number INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id TEXT NOT NULL UNIQUE,"
	"  feature TEXT NOT NULL,"
	"  host TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  session TEXT NOT NULL,"
	"  until INTEGER NOT NULL,"
	"  duration INTEGER NOT NULL,"
	"  UNIQUE (feature, host));"
	"CREATE INDEX lease_until ON lease (until);"
	"PRAGMA application_id = " TEXT_OF_VALUE(
		APPLICATION_ID) ";"
				"PRAGMA user_version = " TEXT_OF_VALUE(SCHEMA_VERSION) ";";

static const char *const statements[] = {
#define STATEMENT(name, text) text,
#include "service/license_table.def"
#undef STATEMENT
};

/* --- opening --- */

static int fault_database(struct license_table *table, const char *file, const char *what)
{
	snprintf(table->fault, sizeof(table->fault), "%s: the licence store cannot be %s: %s", file,
		what, sqlite3_errmsg(table->database));
	return ERROR_STORE;
}

/* The first column of a statement's only row as a number. SQLITE_OK or SQLite's error. */
static int query_number(sqlite3 *database, const char *text, int64_t *ret_number)
{
	sqlite3_stmt *statement;
	int error = sqlite3_prepare_v2(database, text, -1, &statement, NULL);

	if (error != SQLITE_OK)
		return error;
	error = sqlite3_step(statement);
	if (error == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return error == SQLITE_ROW ? SQLITE_OK : error;
}

static int check_integrity(struct license_table *table, const char *file)
{
	sqlite3_stmt *statement;
	const char *text;
	int error = 0;

	if (sqlite3_prepare_v2(table->database, "PRAGMA integrity_check(1)", -1, &statement,
		    NULL) != SQLITE_OK)
		return fault_database(table, file, "checked");
	if (sqlite3_step(statement) != SQLITE_ROW) {
		error = fault_database(table, file, "checked");
	} else {
		text = (const char *)sqlite3_column_text(statement, 0);
		if (text == NULL || strcmp(text, "ok") != 0) {
			snprintf(table->fault, sizeof(table->fault),
				"%s: the licence store is damaged: %s; move it away and a new one "
				"is made",
				file, text != NULL ? text : "");
			error = ERROR_STORE;
		}
	}
	sqlite3_finalize(statement);
	return error;
}

/* Within a transaction: makes the tables of a new file, refuses what is not ours. */
static int check_schema(struct license_table *table, const char *file)
{
	int64_t application = 0, version = 0, tables = 0;

	if (query_number(table->database, "PRAGMA application_id", &application) != SQLITE_OK ||
		query_number(table->database, "PRAGMA user_version", &version) != SQLITE_OK ||
		query_number(table->database, "SELECT count(*) FROM sqlite_master", &tables) !=
			SQLITE_OK)
		return fault_database(table, file, "read");
	if (application == 0 && version == 0 && tables == 0) {
		if (sqlite3_exec(table->database, schema, NULL, NULL, NULL) != SQLITE_OK)
			return fault_database(table, file, "made");
		return 0;
	}
	if (application != APPLICATION_ID) {
		snprintf(table->fault, sizeof(table->fault),
			"%s: is another program's database, not a licence store", file);
		return ERROR_STORE;
	}
	if (version != SCHEMA_VERSION) {
		snprintf(table->fault, sizeof(table->fault),
			"%s: the licence store has version %lld, this program knows version %d",
			file, (long long)version, SCHEMA_VERSION);
		return ERROR_STORE;
	}
	return 0;
}

/* SQLite gives its other files the rights of this one. */
static int make_file(struct license_table *table, const char *file)
{
	int descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (descriptor < 0) {
		snprintf(table->fault, sizeof(table->fault),
			"%s: the licence store cannot be opened: %s", file, strerror(errno));
		return ERROR_STORE;
	}
	close(descriptor);
	return 0;
}

int license_table_open(struct license_table *table, const char *file)
{
	static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
	int error = make_file(table, file);

	if (error != 0)
		return error;
	if (sqlite3_open_v2(file, &table->database,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		    NULL) != SQLITE_OK)
		return fault_database(table, file, "opened");
	sqlite3_busy_timeout(table->database, BUSY_TIMEOUT_MS);
	if (sqlite3_exec(table->database, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return fault_database(table, file, "read");
	error = check_schema(table, file);
	if (error == 0)
		error = check_integrity(table, file);
	if (error != 0)
		return error;
	if (sqlite3_exec(table->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return fault_database(table, file, "written");
	/* Only now that the file is known to be ours: the mode of the journal is kept in it. */
	if (sqlite3_exec(table->database, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return fault_database(table, file, "written");
	for (size_t i = 0; i < LICENSE_TABLE_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(table->database, statements[i], -1,
			    SQLITE_PREPARE_PERSISTENT, &table->statements[i], NULL) != SQLITE_OK)
			return fault_database(table, file, "used");
	}
	return 0;
}

void license_table_close(struct license_table *table)
{
	int error;

	for (size_t i = 0; i < LICENSE_TABLE_STATEMENTS; i++)
		sqlite3_finalize(table->statements[i]);
	error = sqlite3_close(table->database);
	assert(error == SQLITE_OK);
}

/* --- statements --- */

static int fail(struct license_table *table, sqlite3_stmt *statement)
{
	snprintf(table->fault, sizeof(table->fault), "%s (%s)", sqlite3_errmsg(table->database),
		sqlite3_sql(statement));
	sqlite3_reset(statement);
	return ERROR_STORE;
}

/* A statement ready for its values. */
static sqlite3_stmt *prepared(struct license_table *table, enum license_table_statement index)
{
	sqlite3_stmt *statement = table->statements[index];

	sqlite3_clear_bindings(statement);
	return statement;
}

/* No memory for a value leaves it NULL, which no column takes and no comparison meets. */
static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	(void)sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

static int run(struct license_table *table, sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		return fail(table, statement);
	sqlite3_reset(statement);
	return 0;
}

static int run_count(struct license_table *table, sqlite3_stmt *statement, int64_t *ret_count)
{
	if (sqlite3_step(statement) != SQLITE_ROW)
		return fail(table, statement);
	*ret_count = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static void read_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
	const char *value = (const char *)sqlite3_column_text(statement, column);

	snprintf(text, size, "%s", value != NULL ? value : "");
}

static void read_row(sqlite3_stmt *statement, struct license_row *row)
{
	struct license_lease *lease = &row->lease;

	memset(row, 0, sizeof(*row));
	row->number = sqlite3_column_int64(statement, 0);
	read_text(statement, 1, lease->id, sizeof(lease->id));
	read_text(statement, 2, lease->feature, sizeof(lease->feature));
	read_text(statement, 3, lease->host, sizeof(lease->host));
	read_text(statement, 4, lease->name, sizeof(lease->name));
	read_text(statement, 5, lease->session, sizeof(lease->session));
	lease->until = sqlite3_column_int64(statement, 6);
	row->duration = sqlite3_column_int64(statement, 7);
}

static int run_find(struct license_table *table, sqlite3_stmt *statement, struct license_row *row)
{
	int error = sqlite3_step(statement);

	if (error != SQLITE_ROW && error != SQLITE_DONE)
		return fail(table, statement);
	if (error == SQLITE_ROW)
		read_row(statement, row);
	sqlite3_reset(statement);
	return error == SQLITE_ROW ? 0 : ERROR_NOT_FOUND;
}

int license_table_begin(struct license_table *table)
{
	return run(table, prepared(table, LICENSE_TABLE_BEGIN));
}

int license_table_end(struct license_table *table, int error)
{
	sqlite3_stmt *rollback;

	if (error == 0)
		error = run(table, prepared(table, LICENSE_TABLE_COMMIT));
	/* Some failures have rolled back already. */
	if (error != 0 && sqlite3_get_autocommit(table->database) == 0) {
		rollback = prepared(table, LICENSE_TABLE_ROLLBACK);
		(void)sqlite3_step(rollback);
		sqlite3_reset(rollback);
	}
	return error;
}

int license_table_find_host(
	struct license_table *table, const char *feature, const char *host, struct license_row *row)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_FIND_HOST);

	bind_text(statement, 1, feature);
	bind_text(statement, 2, host);
	return run_find(table, statement, row);
}

int license_table_find_id(
	struct license_table *table, const char *id, const char *host, struct license_row *row)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_FIND_ID);

	bind_text(statement, 1, id);
	bind_text(statement, 2, host);
	return run_find(table, statement, row);
}

int license_table_count(
	struct license_table *table, const char *feature, int64_t now, int64_t *ret_count)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_COUNT);

	bind_text(statement, 1, feature);
	sqlite3_bind_int64(statement, 2, now);
	return run_count(table, statement, ret_count);
}

int license_table_count_older(
	struct license_table *table, const struct license_row *row, int64_t now, int64_t *ret_count)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_COUNT_OLDER);

	bind_text(statement, 1, row->lease.feature);
	sqlite3_bind_int64(statement, 2, now);
	sqlite3_bind_int64(statement, 3, row->number);
	return run_count(table, statement, ret_count);
}

int license_table_count_all(struct license_table *table, int64_t now, int64_t *ret_count)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_COUNT_ALL);

	sqlite3_bind_int64(statement, 1, now);
	return run_count(table, statement, ret_count);
}

int license_table_insert(struct license_table *table, const struct license_row *row)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_INSERT);

	bind_text(statement, 1, row->lease.id);
	bind_text(statement, 2, row->lease.feature);
	bind_text(statement, 3, row->lease.host);
	bind_text(statement, 4, row->lease.name);
	bind_text(statement, 5, row->lease.session);
	sqlite3_bind_int64(statement, 6, row->lease.until);
	sqlite3_bind_int64(statement, 7, row->duration);
	return run(table, statement);
}

int license_table_update(struct license_table *table, const struct license_row *row)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_UPDATE);

	sqlite3_bind_int64(statement, 1, row->number);
	bind_text(statement, 2, row->lease.name);
	bind_text(statement, 3, row->lease.session);
	sqlite3_bind_int64(statement, 4, row->lease.until);
	sqlite3_bind_int64(statement, 5, row->duration);
	return run(table, statement);
}

int license_table_remove(struct license_table *table, const struct license_row *row)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_REMOVE);

	sqlite3_bind_int64(statement, 1, row->number);
	return run(table, statement);
}

int license_table_rebase(struct license_table *table, int64_t now, int64_t latest)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_REBASE);

	sqlite3_bind_int64(statement, 1, now);
	sqlite3_bind_int64(statement, 2, latest);
	return run(table, statement);
}

int license_table_expire(struct license_table *table, int64_t now,
	void (*ended)(void *user, const struct license_lease *lease), void *user)
{
	sqlite3_stmt *statement = prepared(table, LICENSE_TABLE_LIST_ENDED);
	struct license_row row;
	int error, count = 0;

	sqlite3_bind_int64(statement, 1, now);
	while ((error = sqlite3_step(statement)) == SQLITE_ROW) {
		read_row(statement, &row);
		ended(user, &row.lease);
		count++;
	}
	if (error != SQLITE_DONE)
		return fail(table, statement);
	sqlite3_reset(statement);
	if (count == 0)
		return 0;
	statement = prepared(table, LICENSE_TABLE_REMOVE_ENDED);
	sqlite3_bind_int64(statement, 1, now);
	error = run(table, statement);
	return error == 0 ? count : error;
}
