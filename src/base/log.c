#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"
#include "base/uuid.h"

#define FLUSH_AT (32 * 1024)
/* What cannot be written waits in the upper half, so that a short stall of a
 * pipe loses nothing. */
#define PENDING_MAXIMUM (64 * 1024)
#define MASK "*****"
#define COMPONENT_WIDTH 15

struct log {
	pthread_mutex_t lock;
	atomic_int level;
	atomic_int names;
	const struct clock *clock;
	char *file;      /* NULL: standard error */
	int descriptor;  /* never -1 */
	bool client;     /* lines of a client: no " >" */
	bool breakable;  /* a pipe or socket: writing may raise SIGPIPE */
	int64_t stamped; /* the millisecond that `stamp` says */
	char stamp[CLOCK_STAMP_SIZE];
	size_t lost;     /* lines dropped since the last one that was kept */
	int lost_reason; /* errno of the write that failed */
	size_t pending;
	char bytes[PENDING_MAXIMUM];
};

/* C0, DEL, C1 (terminals obey U+009B), the two Unicode line ends, and what turns the order of a
 * line around. */
static bool is_control(uint32_t value)
{
	return value < 0x20 || (value >= 0x7f && value < 0xa0) || value == 0x61c ||
		value == 0x200e || value == 0x200f || (value >= 0x2028 && value <= 0x202e) ||
		(value >= 0x2066 && value <= 0x2069);
}

/* How many printable ASCII characters `text` begins with. */
static size_t ascii_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] <= '~')
		length++;
	return length;
}

/* Appends `text` to line[*at] as one printable line of at most `limit` bytes
 * in all, and "..." in place of what does not fit. */
static size_t add_message(char *line, size_t at, size_t limit, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t cut = at;

	while (*text != '\0') {
		size_t length = ascii_length(text);
		uint32_t value;
		size_t need;
		bool plain;

		/* Nearly all there ever is, where "..." would still fit behind it. */
		if (length > 0 && length + 3 <= limit - at) {
			memcpy(line + at, text, length);
			at += length;
			text += length;
			continue;
		}
		length = utf8_character(text, &value);
		plain = length > 0 && !is_control(value);
		if (length == 0 || !plain)
			length = 1;
		need = plain ? length : 4;
		if (at + 3 <= limit)
			cut = at;
		if (need > limit - at) {
			memcpy(line + cut, "...", 3);
			return cut + 3;
		}
		if (plain) {
			memcpy(line + at, text, length);
		} else {
			unsigned char byte = (unsigned char)*text;

			line[at] = '\\';
			line[at + 1] = 'x';
			line[at + 2] = digits[byte >> 4];
			line[at + 3] = digits[byte & 15];
		}
		at += need;
		text += length;
	}
	return at;
}

/* Writing to a pipe that nobody reads must not end the program, whatever it
 * does with SIGPIPE; so the signal is blocked and, if it came, taken away. */
static ssize_t write_guarded(int descriptor, const char *bytes, size_t length)
{
	static const struct timespec at_once = {0};
	sigset_t pipe_signal;
	sigset_t old;
	sigset_t waiting;
	bool was_pending;
	ssize_t written;
	int reason;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigemptyset(&waiting);
	sigpending(&waiting);
	was_pending = sigismember(&waiting, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
	written = write(descriptor, bytes, length);
	reason = errno;
	if (written < 0 && reason == EPIPE && !was_pending) {
		while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = reason;
	return written;
}

/* Writes what it can; what it cannot stays and is tried again. */
static void write_pending(struct log *log)
{
	size_t done = 0;

	while (done < log->pending) {
		const char *from = log->bytes + done;
		size_t length = log->pending - done;
		ssize_t written = log->breakable ? write_guarded(log->descriptor, from, length)
						 : write(log->descriptor, from, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			log->lost_reason = written < 0 ? errno : EIO;
			break;
		}
		done += (size_t)written;
	}
	log->pending -= done;
	memmove(log->bytes, log->bytes + done, log->pending);
}

static size_t put(char *line, size_t at, const char *text)
{
	size_t length = strlen(text);

	memcpy(line + at, text, length);
	return at + length;
}

/* Everything up to the message; by hand, because it is a third of what a short answer's line
 * costs. */
static size_t add_head(
	struct log *log, char *line, const char *id, int level, int rc, const char *component)
{
	int64_t millisecond = clock_wall(log->clock) / CLOCK_MILLISECOND;
	size_t width = strnlen(component, LOG_LINE_MAXIMUM / 4);
	char number[16];
	size_t at;

	/* Many lines share a millisecond when it matters. */
	if (millisecond != log->stamped || log->stamp[0] == '\0') {
		clock_stamp(millisecond * CLOCK_MILLISECOND, log->stamp);
		log->stamped = millisecond;
	}
	at = put(line, 0, log->stamp);
	line[at++] = ' ';
	at = put(line, at, id);
	at = put(line, at, log->client ? " LVL:" : " > LVL:");
	line[at++] = (char)('0' + level);
	if (rc == 0) {
		at = put(line, at, " RC:   0 ");
	} else {
		(void)snprintf(number, sizeof(number), " RC:%4d ", rc);
		at = put(line, at, number);
	}
	for (size_t i = width; i < COMPONENT_WIDTH; i++)
		line[at++] = ' ';
	memcpy(line + at, component, width);
	return put(line, at + width, " :");
}

/* Appends one line to the pending bytes; the caller has seen to the room. */
static void add_line(struct log *log, const char *id, int level, int rc, const char *component,
	const char *message)
{
	char *line = log->bytes + log->pending;
	size_t at = add_head(log, line, id, level, rc, component);

	at = add_message(line, at, LOG_LINE_MAXIMUM - 1, message);
	line[at] = '\n';
	log->pending += at + 1;
}

static bool has_room(const struct log *log, size_t lines)
{
	return PENDING_MAXIMUM - log->pending >= lines * LOG_LINE_MAXIMUM;
}

/* Opens anew what `file` names; nothing of it is kept on failure. */
static int open_file(const char *file, int *ret_descriptor, bool *ret_breakable)
{
	int descriptor = STDERR_FILENO;
	struct stat status;

	if (file) {
		do {
			descriptor = open(
				file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
		} while (descriptor < 0 && errno == EINTR);
		if (descriptor < 0)
			return ERROR_SYSTEM;
	}
	*ret_breakable = fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode);
	*ret_descriptor = descriptor;
	return 0;
}

int log_open(const struct log_options *options, struct log **ret_log)
{
	struct log *log;
	int result;

	assert(options->clock);
	log = calloc(1, sizeof(*log));
	if (!log)
		return ERROR_MEMORY;
	if (options->file && strcmp(options->file, "-") != 0) {
		log->file = strdup(options->file);
		if (!log->file) {
			result = ERROR_MEMORY;
			goto failed;
		}
	}
	result = open_file(log->file, &log->descriptor, &log->breakable);
	if (result != 0)
		goto failed;
	if (pthread_mutex_init(&log->lock, NULL) != 0) {
		if (log->file)
			close(log->descriptor);
		result = ERROR_MEMORY;
		goto failed;
	}
	log->clock = options->clock;
	log->client = options->client;
	atomic_init(&log->level, (int)options->level);
	atomic_init(&log->names, (int)options->names);
	*ret_log = log;
	return 0;
failed:
	free(log->file);
	free(log);
	return result;
}

int log_reopen(struct log *log, enum log_level level, enum log_names names)
{
	bool breakable;
	int descriptor;
	int result;

	if (!log)
		return 0;
	result = open_file(log->file, &descriptor, &breakable);
	if (result != 0)
		return result;
	pthread_mutex_lock(&log->lock);
	write_pending(log);
	if (log->file)
		close(log->descriptor);
	log->descriptor = descriptor;
	log->breakable = breakable;
	atomic_store(&log->level, (int)level);
	atomic_store(&log->names, (int)names);
	pthread_mutex_unlock(&log->lock);
	return 0;
}

void log_close(struct log *log)
{
	if (!log)
		return;
	log_flush(log);
	if (log->file)
		close(log->descriptor);
	pthread_mutex_destroy(&log->lock);
	free(log->file);
	free(log);
}

void log_line(struct log *log, const char *id, enum log_level level, int rc, const char *component,
	const char *format, ...)
{
	char message[LOG_LINE_MAXIMUM];
	va_list arguments;
	int before = errno;

	if (!log_wants(log, level))
		return;
	va_start(arguments, format);
	if (vsnprintf(message, sizeof(message), format, arguments) < 0)
		message[0] = '\0';
	va_end(arguments);
	if (!id || !uuid_valid(id))
		id = UUID_ZERO;

	pthread_mutex_lock(&log->lock);
	if (!has_room(log, 2))
		write_pending(log);
	if (has_room(log, 2)) {
		if (log->lost > 0) {
			char text[96];

			(void)snprintf(text, sizeof(text),
				"%zu log lines were lost because the log could not be written",
				log->lost);
			add_line(log, UUID_ZERO, LOG_ERROR, log->lost_reason, "COMMON", text);
			log->lost = 0;
		}
		add_line(log, id, (int)level, rc, component, message);
	} else {
		log->lost++;
	}
	if (level <= LOG_ERROR || log->pending >= FLUSH_AT)
		write_pending(log);
	pthread_mutex_unlock(&log->lock);
	errno = before;
}

bool log_wants(const struct log *log, enum log_level level)
{
	return log && (int)level <= atomic_load(&log->level);
}

void log_flush(struct log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	write_pending(log);
	pthread_mutex_unlock(&log->lock);
}

/* Length of the character at `text`; a byte that is none counts as one. */
static size_t step_length(const char *text)
{
	uint32_t value;
	size_t length = utf8_character(text, &value);

	return length > 0 ? length : 1;
}

const char *log_name(const struct log *log, const char *name, char shown[LOG_NAME_SIZE])
{
	bool clear = log && atomic_load(&log->names) == LOG_NAMES_CLEAR;
	const char *last = name;
	size_t characters = 0;
	size_t length = 0;

	if (!name || *name == '\0') {
		shown[0] = '\0';
		return shown;
	}
	if (clear) {
		while (name[length] != '\0' && length + step_length(name + length) < LOG_NAME_SIZE)
			length += step_length(name + length);
		memcpy(shown, name, length);
		shown[length] = '\0';
		return shown;
	}
	for (const char *at = name; *at != '\0'; at += step_length(at)) {
		last = at;
		characters++;
	}
	if (characters <= 2) {
		memcpy(shown, MASK, sizeof(MASK));
		return shown;
	}
	length = step_length(name);
	memcpy(shown, name, length);
	memcpy(shown + length, MASK, sizeof(MASK) - 1);
	strcpy(shown + length + sizeof(MASK) - 1, last);
	return shown;
}
