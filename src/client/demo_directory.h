/*
 * demo_directory.h - a test directory, or a second factor, for the demo: Samba as an Active
 * Directory domain controller, OpenLDAP, or FreeRADIUS, of Debian's packages, in the demo's folder
 * and on loopback.
 *
 * Its files and what the programs' configurations say of it have comments, so that they serve as a
 * pattern.
 */
#ifndef FAIRLEAD_CLIENT_DEMO_DIRECTORY_H
#define FAIRLEAD_CLIENT_DEMO_DIRECTORY_H

#include "base/buffer.h"
#include "client/demo_ca.h"
#include "client/demo_files.h"

enum demo_with { DEMO_WITH_FILE, DEMO_WITH_AD, DEMO_WITH_LDAP, DEMO_WITH_RADIUS };

struct demo_directory;

struct demo_directory_options {
	uv_loop_t *loop;
	struct demo_files *files;
	struct demo_ca *ca;
	const struct entropy *entropy;
	enum demo_with with; /* not FILE */
	/* Runs the loop until `over` is true, asking it often. 0; ERROR_TIMEOUT; ERROR_CLOSED: a
	 * signal asks for the end. */
	int (*wait)(void *user, bool (*over)(void *subject), void *subject, unsigned limit_ms);
	void *user;
};

/* "ad", "ldap" or "radius"; false: another word. */
bool demo_directory_word(const char *word, enum demo_with *ret_with);

/* Makes its files, fills and starts it; says on standard error why not. 0; ERROR_NOT_FOUND: a
 * program or a right is missing; ERROR_CLOSED as above; others. *ret_directory is set in any case
 * but ERROR_MEMORY. */
int demo_directory_start(
	const struct demo_directory_options *options, struct demo_directory **ret_directory);

/* "samba", "slapd" or "freeradius"; where it listens; its process. */
const char *demo_directory_name(const struct demo_directory *directory);
const char *demo_directory_address(const struct demo_directory *directory);
struct demo_process *demo_directory_process(const struct demo_directory *directory);

/* The code that the second factor asks for; NULL: there is none. */
const char *demo_directory_code(const struct demo_directory *directory);

/* The lines of a broker's or an agent's configuration. */
void demo_directory_config(const struct demo_directory *directory, struct buffer *out);

/* After its process has ended; the loop must run until it is empty. NULL is allowed. */
void demo_directory_free(struct demo_directory *directory);

#endif
