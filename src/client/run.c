#include "client/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "client/report.h"
#include "client/run_private.h"

#define TICK_MS 100
#define HANDLES 3

static void changed(void *user, const struct record *record, enum record_change change,
	enum record_stage_number stage)
{
	struct run *run = user;
	char notice[RECORD_TEXT_SIZE];

	if (run->timeline != NULL)
		timeline_changed(run->timeline, record, change, stage);
	else if (change == RECORD_NOTICE) {
		text_clean(record->notices[record->notice_count - 1], run->style.utf8, notice,
			sizeof(notice));
		fprintf(stderr, "fairlead: warning: %s\n", notice);
	}
}

static void over(void *user)
{
	struct run *run = user;

	run->over = true;
	uv_stop(run->options->connect.loop);
}

static void tick(uv_timer_t *timer)
{
	struct run *run = timer->data;

	if (run->timeline != NULL)
		timeline_tick(run->timeline, connect_record(run->connect));
	log_flush(run->options->connect.log);
}

static void on_signal(uv_signal_t *handle, int signal)
{
	struct run *run = handle->data;

	connect_stop(run->connect, signal);
}

static void closed(uv_handle_t *handle)
{
	struct run *run = handle->data;

	if (--run->open == 0)
		free(run);
}

static void open_handles(struct run *run, uv_loop_t *loop)
{
	uv_timer_init(loop, &run->tick);
	uv_signal_init(loop, &run->interrupt);
	uv_signal_init(loop, &run->terminate);
	run->tick.data = run->interrupt.data = run->terminate.data = run;
	run->open = HANDLES;
	uv_timer_start(&run->tick, tick, TICK_MS, TICK_MS);
	uv_signal_start(&run->interrupt, on_signal, SIGINT);
	uv_signal_start(&run->terminate, on_signal, SIGTERM);
}

static void close_handles(struct run *run)
{
	uv_close((uv_handle_t *)&run->tick, closed);
	uv_close((uv_handle_t *)&run->interrupt, closed);
	uv_close((uv_handle_t *)&run->terminate, closed);
}

/* What is said after the picture. */
static int finish(struct run *run)
{
	const struct record *record = connect_record(run->connect);
	struct timeline_style errors = timeline_style_of(stderr);

	if (run->options->json) {
		if (report_write(stdout, record) != 0)
			return RECORD_EXIT_OWN;
		return record_exit(record);
	}
	if (record->list_only && !record->failed && record->signal == 0)
		timeline_resources(stdout, &run->style, record);
	timeline_failure(stderr, &errors, record);
	if (record->failed && record->failure.stage == RECORD_GET_RESOURCES)
		timeline_resources(stderr, &errors, record);
	if (record->signal != 0)
		fprintf(stderr, "fairlead: interrupted (log id %s)\n", record->log_id);
	return record_exit(record);
}

int run_connection(const struct run_options *options)
{
	struct connect_options connect = options->connect;
	struct run *run = calloc(1, sizeof(*run));
	struct xml_reader *reader = xml_reader_new();
	struct peer *peer = NULL;
	int status = RECORD_EXIT_OWN;
	int error = run != NULL && reader != NULL ? 0 : ERROR_MEMORY;

	if (error == 0)
		error = peer_https_new(connect.loop, reader, &peer);
	if (error != 0)
		goto failed;
	run->options = options;
	run->stream = connect.list_only ? stderr : stdout;
	run->style = timeline_style_of(run->stream);
	if (!options->json &&
		(run->timeline = timeline_new(run->stream, &run->style, connect.clock)) == NULL) {
		error = ERROR_MEMORY;
		goto failed;
	}
	connect.peer = peer;
	connect.events = (struct connect_events){
		changed, run_password, run_accept, run_answer, run_choose, over, run};
	error = connect_start(&connect, &run->connect);
	if (error != 0)
		goto failed;
	open_handles(run, connect.loop);
	while (!run->over)
		uv_run(connect.loop, UV_RUN_DEFAULT);
	status = finish(run);
	peer_free(peer);
	connect_free(run->connect);
	timeline_free(run->timeline);
	xml_reader_free(reader);
	close_handles(run);
	log_flush(connect.log);
	return status;
failed:
	fprintf(stderr, "fairlead: %s\n", error_text(error));
	if (run != NULL)
		timeline_free(run->timeline);
	peer_free(peer);
	xml_reader_free(reader);
	free(run);
	return status;
}

/* ---- the log ---- */

static int default_log(char file[4096])
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int length = state != NULL && *state == '/'
		? snprintf(file, 4096, "%s/fairlead/client.log", state)
		: snprintf(file, 4096, "%s/.local/state/fairlead/client.log",
			  home != NULL ? home : "");

	if (home == NULL && (state == NULL || *state != '/'))
		return ERROR_NOT_FOUND;
	if (length < 0 || length >= 4096)
		return ERROR_LIMIT;
	for (char *slash = strchr(file + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(file, 0700) != 0 && errno != EEXIST)
			length = -1;
		*slash = '/';
		if (length < 0)
			return ERROR_SYSTEM;
	}
	return 0;
}

int run_log_open(
	const char *file, const struct clock *clock, struct log **ret_log, char ret_file[4096])
{
	struct log_options options = {.level = LOG_INFORMATION, .clock = clock, .client = true};
	int descriptor, error = 0;

	*ret_log = NULL;
	ret_file[0] = '\0';
	if (file != NULL && strcmp(file, "none") == 0)
		return 0;
	if (file == NULL)
		error = default_log(ret_file);
	else if (snprintf(ret_file, 4096, "%s", file) >= 4096)
		error = ERROR_LIMIT;
	if (error != 0)
		return error;
	if (strcmp(ret_file, "-") != 0) {
		/* Made here, because it is nobody else's to read. */
		descriptor =
			open(ret_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (descriptor < 0)
			return ERROR_SYSTEM;
		close(descriptor);
	}
	options.file = ret_file;
	return log_open(&options, ret_log);
}
