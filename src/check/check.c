#include "check/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/terminal.h"
#include "check/progress.h"
#include "health/judge.h"
#include "health/mask.h"
#include "health/read.h"
#include "health/render.h"
#include "health/rule_lint.h"

#define MAIL_COLUMNS 78 /* of the plain part; RFC 5322 2.1.1 */

static enum check_exit own_error(const char *what, int error)
{
	fprintf(stderr, "fairlead check: %s: %s\n", what,
		error == ERROR_SYSTEM ? strerror(errno) : error_text(error));
	return CHECK_EXIT_OWN;
}

static int load_rules(const char *folder, struct rule_book **ret_book)
{
	struct rule_fault fault = {{0}};
	int error = rule_book_load(folder, ret_book, &fault);

	if (error != 0)
		fprintf(stderr, "fairlead check: %s\n",
			fault.text[0] != '\0' ? fault.text : error_text(error));
	return error;
}

/* ---- output ---- */

static struct render_text text_style(FILE *stream)
{
	struct terminal terminal = terminal_of(stream);

	return (struct render_text){.columns = terminal.columns != 0 ? terminal.columns : 100,
		.colour = terminal.colour,
		.utf8 = terminal.utf8};
}

static int render(const struct check_options *options, const struct report *report,
	const struct mask *mask, FILE *stream)
{
	struct render_text style;
	int error;

	switch (options->format) {
	case CHECK_JSON:
		error = render_json(report, mask, stream);
		break;
	case CHECK_HTML:
		error = render_html(report, mask, stream);
		break;
	case CHECK_TEXT:
	default:
		style = text_style(stream);
		error = render_text(report, mask, &style, stream);
		break;
	}
	return error != 0 ? error : fflush(stream) != 0 ? ERROR_SYSTEM : 0;
}

/* Beside the file, then renamed: whoever waits for the file never sees half a report. */
static int render_file(
	const struct check_options *options, const struct report *report, const struct mask *mask)
{
	size_t size = strlen(options->output) + sizeof(".XXXXXX");
	char *path = malloc(size);
	FILE *stream = NULL;
	int error = ERROR_MEMORY, descriptor;
	mode_t rights;

	if (path == NULL)
		return ERROR_MEMORY;
	snprintf(path, size, "%s.XXXXXX", options->output);
	descriptor = mkstemp(path);
	if (descriptor < 0) {
		free(path);
		return ERROR_SYSTEM;
	}
	rights = umask(0);
	(void)umask(rights);
	stream = fdopen(descriptor, "w");
	if (stream == NULL || fchmod(descriptor, 0666 & ~rights) != 0)
		error = ERROR_SYSTEM;
	else
		error = render(options, report, mask, stream);
	if (stream != NULL ? fclose(stream) != 0 : close(descriptor) != 0)
		error = error != 0 ? error : ERROR_SYSTEM;
	if (error == 0 && rename(path, options->output) != 0)
		error = ERROR_SYSTEM;
	if (error != 0)
		(void)unlink(path);
	free(path);
	return error;
}

static int print(
	const struct check_options *options, const struct report *report, const struct mask *mask)
{
	/* A pipe or a device is written to, not replaced. */
	struct stat there;
	FILE *stream;
	int error;

	if (options->output == NULL)
		return render(options, report, mask, stdout);
	if (stat(options->output, &there) != 0 || S_ISREG(there.st_mode))
		return render_file(options, report, mask);
	stream = fopen(options->output, "we");
	if (stream == NULL)
		return ERROR_SYSTEM;
	error = render(options, report, mask, stream);
	return fclose(stream) != 0 && error == 0 ? ERROR_SYSTEM : error;
}

/* ---- mail ---- */

static void subject_of(const struct report *report, char *subject, size_t size)
{
	static const char *const words[VERDICT_COUNT] = {
		[VERDICT_FAIL] = "failed",
		[VERDICT_WARNING] = "warnings",
		[VERDICT_NOTE] = "passed",
		[VERDICT_PASS] = "passed",
		[VERDICT_NO_EVIDENCE] = "no evidence",
	};

	snprintf(subject, size,
		"Session health check: %s (%llu failed, %llu warnings, %llu passed; sessions: %zu)",
		words[report_worst(report)], (unsigned long long)report->summary[VERDICT_FAIL],
		(unsigned long long)report->summary[VERDICT_WARNING],
		(unsigned long long)report->summary[VERDICT_PASS], report->session_count);
}

static enum check_exit mail_report(
	const struct mail_options *options, const struct report *report, const struct mask *mask)
{
	struct render_text style = {.columns = MAIL_COLUMNS, .utf8 = true};
	char *text = NULL, *html = NULL;
	size_t text_size = 0, html_size = 0;
	FILE *stream = open_memstream(&text, &text_size);
	char subject[200], reason[MAIL_REASON_SIZE] = "";
	int error = stream == NULL ? ERROR_MEMORY : render_text(report, mask, &style, stream);

	if (stream != NULL && fclose(stream) != 0)
		error = ERROR_MEMORY;
	stream = error == 0 ? open_memstream(&html, &html_size) : NULL;
	if (error == 0)
		error = stream == NULL ? ERROR_MEMORY : render_html(report, mask, stream);
	if (stream != NULL && fclose(stream) != 0)
		error = ERROR_MEMORY;
	if (error == 0) {
		subject_of(report, subject, sizeof(subject));
		error = mail_send(options, subject, text, html, reason);
	}
	free(text);
	free(html);
	if (error == 0)
		return CHECK_EXIT_PASSED;
	fprintf(stderr, "fairlead check: the report was not sent: %s\n",
		reason[0] != '\0' ? reason : error_text(error));
	return CHECK_EXIT_OWN;
}

/* ---- the whole ---- */

static enum check_exit verdict_exit(
	const struct check_options *options, const struct report *report)
{
	if (options->filter.session != NULL && report->session_count == 0) {
		fprintf(stderr,
			"fairlead check: the input has no session whose id begins with %s\n",
			options->filter.session);
		return CHECK_EXIT_INPUT;
	}
	switch (report_worst(report)) {
	case VERDICT_FAIL:
		return CHECK_EXIT_FAILED;
	case VERDICT_WARNING:
		return CHECK_EXIT_WARNED;
	case VERDICT_NOTE:
	case VERDICT_PASS:
		/* What was left out may have failed. */
		return report->cut ? CHECK_EXIT_WARNED : CHECK_EXIT_PASSED;
	case VERDICT_NO_EVIDENCE:
	case VERDICT_COUNT:
	default:
		fprintf(stderr,
			"fairlead check: nothing in the input tells anything about a session\n");
		return CHECK_EXIT_INPUT;
	}
}

static enum check_exit tell(const struct check_options *options, const struct report *report)
{
	enum check_exit status, mailed;
	struct mask *mask = NULL;
	int error = 0;

	if (options->mask) {
		mask = mask_new(report);
		error = mask == NULL ? ERROR_MEMORY : 0;
	}
	if (error == 0)
		error = print(options, report, mask);
	if (error != 0) {
		status = own_error(options->output != NULL ? options->output : "the report", error);
	} else {
		status = verdict_exit(options, report);
		mailed = options->mail.to_count == 0 ? CHECK_EXIT_PASSED
						     : mail_report(&options->mail, report, mask);
		if (mailed != CHECK_EXIT_PASSED)
			status = mailed;
	}
	mask_free(mask);
	return status;
}

static int read_logs(
	const struct check_options *options, const struct rule_book *book, struct store **ret_store)
{
	struct progress progress;
	struct read_options read = {
		.digests = options->format != CHECK_TEXT || options->mail.to_count != 0,
		.filter = options->filter,
		.progress = progress_step,
		.context = &progress,
	};
	int error;

	bundle_limits_default(&read.limits);
	progress_begin(&progress, stderr, clock_system());
	if (options->quiet)
		progress.stream = NULL;
	error = read_bundle(book, options->paths, options->path_count, &read, ret_store);
	progress_end(&progress);
	return error;
}

/* A log that is read and replaced by its own report would be lost. */
static bool is_input(const struct check_options *options)
{
	struct stat out, in;

	if (options->output == NULL || stat(options->output, &out) != 0 || !S_ISREG(out.st_mode))
		return false;
	for (size_t i = 0; i < options->path_count; i++)
		if (stat(options->paths[i], &in) == 0 && in.st_dev == out.st_dev &&
			in.st_ino == out.st_ino)
			return true;
	return false;
}

enum check_exit check_run(const struct check_options *options)
{
	struct rule_book *book = NULL;
	struct store *store = NULL;
	struct report *report = NULL;
	enum check_exit status;
	int error;

	if (is_input(options)) {
		fprintf(stderr, "fairlead check: %s is read; the report would take its place\n",
			options->output);
		return CHECK_EXIT_INPUT;
	}
	error = load_rules(options->rules, &book);
	if (error != 0)
		return error == ERROR_INPUT ? CHECK_EXIT_INPUT : CHECK_EXIT_OWN;
	error = read_logs(options, book, &store);
	if (error == 0)
		error = judge(store, &report);
	status = error != 0 ? own_error("the logs could not be judged", error)
			    : tell(options, report);
	judge_free(report);
	store_free(store);
	rule_book_free(book);
	return status;
}

static void print_fault(void *context, const char *text)
{
	(void)context;
	fprintf(stderr, "%s\n", text);
}

enum check_exit check_lint(const char *rules)
{
	struct rule_book *book = NULL;
	int faults = load_rules(rules, &book);

	if (faults != 0)
		return faults == ERROR_INPUT ? CHECK_EXIT_INPUT : CHECK_EXIT_OWN;
	faults = rule_lint(book, print_fault, NULL);
	if (faults == 0)
		printf("%zu diagnostics with %zu patterns: no fault\n", book->rule_count,
			book->pattern_count);
	rule_book_free(book);
	if (faults < 0)
		return own_error("the rules could not be proved", faults);
	return faults == 0 ? CHECK_EXIT_PASSED : CHECK_EXIT_INPUT;
}
