/*
 * demo_directory_private.h - shared by the files demo_directory*.c only.
 */
#ifndef FAIRLEAD_CLIENT_DEMO_DIRECTORY_PRIVATE_H
#define FAIRLEAD_CLIENT_DEMO_DIRECTORY_PRIVATE_H

#include "client/demo_directory.h"

#define DEMO_DIRECTORY_ARGUMENTS 16 /* with NULL at the end */
#define DEMO_DIRECTORY_TEXT_MAXIMUM 16384

/* A program (by name) or file (by path, with wildcards), and what brings it. */
struct demo_directory_need {
	const char *name, *package;
};

struct demo_directory_kind {
	const char *name;                        /* of the program that serves */
	const struct demo_directory_need *needs; /* name NULL at the end */
	int socket;                              /* SOCK_STREAM or SOCK_DGRAM */
	bool fixed_ports, asks_code;
	const char *ready; /* in its log, once it listens; NULL: it takes connections */
	/* Writes its files. 0 or an error. */
	int (*write)(struct demo_directory *directory);
	/* What fills it, to be run once before it starts (NULL: nothing), and what serves: a
	 * program and its arguments. */
	void (*fill)(struct demo_directory *directory, const char **arguments);
	void (*serve)(struct demo_directory *directory, const char **arguments);
	void (*config)(const struct demo_directory *directory, struct buffer *out);
};

struct demo_directory {
	struct demo_directory_options options;
	const struct demo_directory_kind *kind;
	struct demo_process *process;
	char host[32], address[48];
	uint16_t port;
	char secret[33];         /* of the programs' own account, or shared with them */
	char code[8];            /* of the second factor */
	char arguments[3][4200]; /* room for those that are made up */
};

extern const struct demo_directory_kind demo_directory_ad, demo_directory_ldap,
	demo_directory_radius;

/* FOLDER/name; false: too long. */
bool demo_directory_path(const struct demo_directory *directory, const char *name, char path[4096]);
/* Writes FOLDER/name for the owner only. 0, ERROR_SYSTEM, ERROR_LIMIT. */
int demo_directory_write(
	const struct demo_directory *directory, const char *name, const struct buffer *text);
/* Makes FOLDER/name. As above. */
int demo_directory_folder(const struct demo_directory *directory, const char *name);

#endif
