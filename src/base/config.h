/*
 * config.h - YAML files into C structures, with errors people can act on.
 *
 * Wraps libcyaml: the caller gives a cyaml schema; a file that does not fit
 * it gives one fault of the form "file:line:column: what is wrong, what was
 * expected". Checks that no schema can make (a port out of range, a group
 * that nobody is in) use config_fault_at, which finds the line of a path.
 */
#ifndef FAIRLEAD_BASE_CONFIG_H
#define FAIRLEAD_BASE_CONFIG_H

#include <cyaml/cyaml.h>
#include <stddef.h>

#define CONFIG_FILE_MAXIMUM (4 * 1024 * 1024) /* bytes of one file */
#define CONFIG_DEPTH_MAXIMUM 32
#define CONFIG_VALUES_MAXIMUM 500000 /* keys, values, lists and mappings of one file */
#define CONFIG_FAULT_SIZE 512

struct config_fault {
	char text[CONFIG_FAULT_SIZE]; /* "file:line:column: ..." */
};

struct config; /* a loaded file: the structure and its source text */

/* Loads a file. 0; ERROR_SYSTEM (cannot read), ERROR_LIMIT (too large),
 * ERROR_MEMORY, ERROR_INPUT: the fault says what. Free with config_free.
 * The schema is a mapping with CYAML_FLAG_POINTER (CYAML_VALUE_MAPPING) and
 * outlives the config.
 *
 * Stricter than cyaml alone, which takes every unknown word for true, "10x"
 * for 10 and "010" for 8: a boolean is true, false, yes, no, on or off; a
 * whole number is decimal or 0x and hexadecimal, and nothing follows it; an
 * enumeration takes its words only. Keys given twice, unknown keys, anchors,
 * aliases, tags, a second document, NUL in a text and nesting deeper than
 * CONFIG_DEPTH_MAXIMUM are faults. */
int config_load(const char *file, const struct cyaml_schema_value *schema,
	struct config **ret_config, struct config_fault *fault);

/* The same for bytes in memory; `name` stands for the file in faults and in
 * config_path. The bytes are copied. */
int config_load_bytes(const char *name, const char *bytes, size_t length,
	const struct cyaml_schema_value *schema, struct config **ret_config,
	struct config_fault *fault);

/* The structure described by the schema; owned by the config. */
void *config_data(const struct config *config);

/* Wipes the source text and frees everything. NULL is allowed. */
void config_free(struct config *config);

/* Writes a fault for the value at `path`, for example "users[2].password"
 * or "listen[0].address"; the line of the nearest part that exists. Always
 * returns ERROR_INPUT, so that a check can end with `return config_fault_at(...)`. */
int config_fault_at(const struct config *config, struct config_fault *fault, const char *path,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The configured relative file name, seen from the folder of the
 * configuration file; absolute names and NULL come back as they are. The
 * result is owned by the config. NULL when memory is short. */
const char *config_path(struct config *config, const char *name);

#endif
