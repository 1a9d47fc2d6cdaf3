/*
 * config_document.h - YAML text into a tree of nodes with their places; part
 * of config.h, which is what everybody else uses.
 *
 * libyaml bounds neither nesting nor aliases and takes duplicate keys; this
 * does not (the limits are in config.h).
 */
#ifndef FAIRLEAD_BASE_CONFIG_DOCUMENT_H
#define FAIRLEAD_BASE_CONFIG_DOCUMENT_H

#include <stdarg.h>
#include <stddef.h>
#include <yaml.h>

#include "base/config.h"

/* Reads one document, which has a root. 0, ERROR_INPUT or ERROR_MEMORY, with
 * a fault. Free with yaml_document_delete. */
int config_document_read(const char *name, const char *bytes, size_t length,
	yaml_document_t *ret_document, struct config_fault *fault);

/* Where the value at `path` ("a[2].b") begins; a list or mapping begins at
 * its key. Of a path that does not exist, the nearest part that does. */
yaml_mark_t config_document_find(yaml_document_t *document, const char *path);

/* The key or value as text, NULL if it is a list or a mapping. Ends with a
 * NUL and has none inside. */
const char *config_document_text(const yaml_node_t *node);

/* Writes "name:line:column: ..."; too long a text ends in "...". Always
 * ERROR_INPUT. */
int config_document_fault(struct config_fault *fault, const char *name, yaml_mark_t mark,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
int config_document_fault_list(struct config_fault *fault, const char *name, yaml_mark_t mark,
	const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

/* A text as it may stand in a fault: cut, control characters as '?'. */
#define CONFIG_SHOWN_SIZE 72
const char *config_document_shown(const char *text, char shown[CONFIG_SHOWN_SIZE]);

#endif
