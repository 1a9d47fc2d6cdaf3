/*
 * demo_files.h - the demo's folder: configurations of the four programs, and demo.json.
 */
#ifndef FAIRLEAD_CLIENT_DEMO_FILES_H
#define FAIRLEAD_CLIENT_DEMO_FILES_H

#include <stddef.h>

#include "base/entropy.h"
#include "client/demo_process.h"

#define DEMO_FILES_USER "demo"
#define DEMO_FILES_DOMAIN "DEMO"
#define DEMO_FILES_RESOURCE "Demo workstation"
#define DEMO_FILES_PASSWORD_SIZE 27

/* In the order in which they start: each needs the addresses of those before. */
enum demo_program { DEMO_LICENSE, DEMO_AGENT, DEMO_BROKER, DEMO_MANAGER, DEMO_PROGRAMS };

struct demo_directory;

struct demo_files {
	char folder[4096]; /* absolute */
	char password[DEMO_FILES_PASSWORD_SIZE];
	char hash[384];                         /* of it; cheap, because it guards nothing */
	const char *capture;                    /* folder for copies of messages; NULL: none */
	const struct demo_directory *directory; /* where users are; NULL: in the configurations */
};

/* "fairlead-license" ... */
const char *demo_files_program(enum demo_program program);

/* Makes the password. 0, ERROR_SYSTEM, ERROR_CRYPTO. */
int demo_files_password(struct demo_files *files, const struct entropy *entropy);

/* FOLDER/<name>; false: too long. */
bool demo_files_path(
	const struct demo_files *files, const char *name, const char *suffix, char path[4096]);

/* Writes a file for the owner only; the whole of it or none. 0 or ERROR_SYSTEM (errno says why). */
int demo_files_write(const char *path, const char *bytes, size_t length);

/* Writes FOLDER/<program>.yaml (mode 0600) with the addresses of the programs before it. 0,
 * ERROR_SYSTEM (errno says why), ERROR_LIMIT. */
int demo_files_config(const struct demo_files *files, enum demo_program program,
	struct demo_process *const processes[DEMO_PROGRAMS]);

/* Writes FOLDER/demo.json (mode 0600) at once: it is whole whenever it is there. As above. */
int demo_files_json(
	const struct demo_files *files, struct demo_process *const processes[DEMO_PROGRAMS]);

/* Removes a folder and what is in it; keeps nothing, follows no link. */
void demo_files_remove(const char *folder);

#endif
