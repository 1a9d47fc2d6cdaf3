#include "service/trace.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "protocol/codec.h"
#include "wire/http_server.h"

/* What the name rule needs between two calls of show_name. */
struct names {
	const struct log *log;
	char shown[LOG_NAME_SIZE];
};

static const char *show_name(void *user, const char *name)
{
	struct names *names = user;

	return log_name(names->log, name, names->shown);
}

static int redact(const struct log *log, const struct message *message, struct buffer *text)
{
	struct names names = {.log = log};

	buffer_init(text, 2 * HTTP_BODY_MAXIMUM);
	return codec_encode_redacted(message, show_name, &names, text);
}

void trace_log(struct log *log, const char *id, enum log_level level, const char *what,
	const struct message *message)
{
	struct buffer text;
	char *line, *rest;

	if (!log_wants(log, level))
		return;
	if (redact(log, message, &text) == 0) {
		log_line(log, id, level, 0, "BROKER", "%s XML: ------------------------", what);
		rest = text.bytes;
		while ((line = strsep(&rest, "\n")) != NULL) {
			if (*line != '\0')
				log_line(log, id, level, 0, "BROKER", "XML: %s", line);
		}
	}
	buffer_free(&text);
}

void trace_capture(
	const char *folder, const char *name, struct log *log, const struct message *message)
{
	static atomic_uint number;
	struct buffer text;
	char path[4096];
	FILE *file;
	int length;

	if (folder == NULL)
		return;
	length = snprintf(path, sizeof(path), "%s/%s-%ld-%06u-%s.xml", folder, name, (long)getpid(),
		atomic_fetch_add(&number, 1), message_info(message->id)->element);
	if (length < 0 || (size_t)length >= sizeof(path))
		return;
	if (redact(log, message, &text) == 0 && (file = fopen(path, "we")) != NULL) {
		(void)fwrite(text.bytes, 1, text.length, file);
		(void)fclose(file);
	}
	buffer_free(&text);
}
