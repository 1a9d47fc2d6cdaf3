#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/config_check.h"
#include "base/config_document.h"
#include "base/error.h"
#include "base/secret.h"

#define READ_STEP (64 * 1024)
#define PATHS_MAXIMUM (16 * 1024 * 1024)

struct config {
	const struct cyaml_schema_value *schema;
	void *data;
	char *name;
	struct buffer source;
	struct arena *paths;
};

/* The first thing cyaml says; the rest is its way there. */
struct complaint {
	char text[256];
};

static void keep_complaint(cyaml_log_t level, void *user, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

static void keep_complaint(cyaml_log_t level, void *user, const char *format, va_list arguments)
{
	struct complaint *complaint = user;

	(void)level;
	if (complaint->text[0] != '\0')
		return;
	if (vsnprintf(complaint->text, sizeof(complaint->text), format, arguments) < 0)
		complaint->text[0] = '\0';
	complaint->text[strcspn(complaint->text, "\r\n")] = '\0';
}

static cyaml_config_t cyaml_settings(struct complaint *complaint)
{
	return (cyaml_config_t){
		.log_fn = complaint ? keep_complaint : NULL,
		.log_ctx = complaint,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

static int plain_fault(struct config_fault *fault, int error, const char *name, const char *what)
{
	(void)snprintf(fault->text, sizeof(fault->text), "%s: %s", name, what);
	return error;
}

/* cyaml reads what the check has accepted. */
static int read_data(struct config *config, struct config_fault *fault)
{
	struct complaint complaint = {.text = ""};
	cyaml_config_t settings = cyaml_settings(&complaint);
	cyaml_err_t failure;
	yaml_mark_t start = {0};

	failure = cyaml_load_data((const uint8_t *)config->source.bytes, config->source.length,
		&settings, config->schema, &config->data, NULL);
	if (failure == CYAML_OK)
		return 0;
	if (failure == CYAML_ERR_OOM)
		return plain_fault(fault, ERROR_MEMORY, config->name, error_text(ERROR_MEMORY));
	return config_document_fault(fault, config->name, start, "cannot be used: %s (%s)",
		cyaml_strerror(failure), complaint.text);
}

int config_load_bytes(const char *name, const char *bytes, size_t length,
	const struct cyaml_schema_value *schema, struct config **ret_config,
	struct config_fault *fault)
{
	yaml_document_t document;
	struct config *config;
	int result;

	assert(schema->type == CYAML_MAPPING && (schema->flags & CYAML_FLAG_POINTER));
	if (length > CONFIG_FILE_MAXIMUM)
		return plain_fault(fault, ERROR_LIMIT, name, "too large; expected at most 4 MiB");
	config = calloc(1, sizeof(*config));
	if (!config)
		return plain_fault(fault, ERROR_MEMORY, name, error_text(ERROR_MEMORY));
	config->schema = schema;
	buffer_init(&config->source, CONFIG_FILE_MAXIMUM);
	config->name = strdup(name);
	config->paths = arena_new(PATHS_MAXIMUM);
	if (!config->name || !config->paths || !buffer_reserve(&config->source, length) ||
		buffer_append(&config->source, bytes, length) != 0) {
		result = plain_fault(fault, ERROR_MEMORY, name, error_text(ERROR_MEMORY));
		goto out;
	}
	result = config_document_read(
		name, config->source.bytes, config->source.length, &document, fault);
	if (result != 0)
		goto out;
	result = config_check(name, &document, schema, fault);
	yaml_document_delete(&document);
	if (result == 0)
		result = read_data(config, fault);
	if (result != 0)
		goto out;
	*ret_config = config;
	config = NULL;
out:
	config_free(config);
	return result;
}

static int read_file(const char *file, struct buffer *buffer, struct config_fault *fault)
{
	int descriptor;
	int result = 0;
	ssize_t got = 1;

	do {
		descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	} while (descriptor < 0 && errno == EINTR);
	if (descriptor < 0)
		return plain_fault(fault, ERROR_SYSTEM, file, strerror(errno));
	while (result == 0 && got != 0) {
		size_t room = buffer->maximum - buffer->length;
		char *to;

		if (room == 0) {
			result = plain_fault(
				fault, ERROR_LIMIT, file, "too large; expected at most 4 MiB");
			break;
		}
		room = room < READ_STEP ? room : READ_STEP;
		to = buffer_reserve(buffer, room);
		if (!to) {
			result = plain_fault(fault, ERROR_MEMORY, file, error_text(ERROR_MEMORY));
			break;
		}
		got = read(descriptor, to, room);
		if (got > 0)
			buffer_added(buffer, (size_t)got);
		else if (got < 0 && errno != EINTR)
			result = plain_fault(fault, ERROR_SYSTEM, file, strerror(errno));
	}
	close(descriptor);
	return result;
}

int config_load(const char *file, const struct cyaml_schema_value *schema,
	struct config **ret_config, struct config_fault *fault)
{
	struct buffer buffer;
	int result;

	/* One byte more than allowed shows that a file is too large. */
	buffer_init(&buffer, CONFIG_FILE_MAXIMUM + 1);
	result = read_file(file, &buffer, fault);
	if (result == 0)
		result = config_load_bytes(
			file, buffer.bytes, buffer.length, schema, ret_config, fault);
	buffer_free(&buffer);
	return result;
}

void *config_data(const struct config *config)
{
	return config->data;
}

void config_free(struct config *config)
{
	cyaml_config_t settings = cyaml_settings(NULL);

	if (!config)
		return;
	(void)cyaml_free(&settings, config->schema, config->data, 0);
	buffer_free(&config->source);
	arena_free(config->paths);
	free(config->name);
	free(config);
}

int config_fault_at(const struct config *config, struct config_fault *fault, const char *path,
	const char *format, ...)
{
	struct config_fault unused;
	yaml_document_t document;
	yaml_mark_t mark = {0};
	va_list arguments;

	/* The text was read once, so only memory can be short here; then the
	 * fault is still right and only its place is not. */
	if (config_document_read(config->name, config->source.bytes, config->source.length,
		    &document, &unused) == 0) {
		mark = config_document_find(&document, path);
		yaml_document_delete(&document);
	}
	va_start(arguments, format);
	(void)config_document_fault_list(fault, config->name, mark, format, arguments);
	va_end(arguments);
	return ERROR_INPUT;
}

const char *config_path(struct config *config, const char *name)
{
	const char *slash = strrchr(config->name, '/');

	if (!name || *name == '/')
		return name;
	if (!slash)
		return arena_text(config->paths, name);
	return arena_print(
		config->paths, "%.*s%s", (int)(slash + 1 - config->name), config->name, name);
}
