/*
 * config_check.h - does a YAML tree fit a cyaml schema? Part of config.h,
 * which says where this is stricter than cyaml.
 */
#ifndef FAIRLEAD_BASE_CONFIG_CHECK_H
#define FAIRLEAD_BASE_CONFIG_CHECK_H

#include <yaml.h>

#include "base/config.h"

/* 0, or ERROR_INPUT with a fault that names the first misfit, its place and
 * what was expected. Values of strings are never quoted in it: they may be
 * secrets. */
int config_check(const char *name, yaml_document_t *document,
	const struct cyaml_schema_value *schema, struct config_fault *fault);

#endif
