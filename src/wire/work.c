#include "wire/work.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"

#define DEFAULT_MAXIMUM 256

struct work_queue {
	unsigned maximum;
	atomic_uint jobs;
};

struct job {
	uv_work_t request;
	struct work_queue *queue;
	void (*run)(void *user);
	void (*done)(void *user);
	void *user;
};

struct work_queue *work_queue_new(unsigned maximum)
{
	struct work_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	queue->maximum = maximum > 0 ? maximum : DEFAULT_MAXIMUM;
	atomic_init(&queue->jobs, 0);
	return queue;
}

void work_queue_free(struct work_queue *queue)
{
	if (queue == NULL)
		return;
	assert(atomic_load(&queue->jobs) == 0);
	free(queue);
}

static void run_job(uv_work_t *request)
{
	struct job *job = request->data;

	job->run(job->user);
}

static void finish_job(uv_work_t *request, int status)
{
	struct job *job = request->data;
	void (*done)(void *user) = job->done;
	void *user = job->user;

	/* Nobody but us has the request, so nobody can have cancelled it. */
	assert(status == 0);
	(void)status;
	/* Before `done`, which may submit the next job in this one's place. */
	atomic_fetch_sub(&job->queue->jobs, 1);
	free(job);
	done(user);
}

int work_submit(struct work_queue *queue, uv_loop_t *loop, void (*run)(void *user),
	void (*done)(void *user), void *user)
{
	struct job *job;

	if (atomic_fetch_add(&queue->jobs, 1) >= queue->maximum) {
		atomic_fetch_sub(&queue->jobs, 1);
		return ERROR_BUSY;
	}
	job = malloc(sizeof(*job));
	if (job == NULL) {
		atomic_fetch_sub(&queue->jobs, 1);
		return ERROR_MEMORY;
	}
	*job = (struct job){.queue = queue, .run = run, .done = done, .user = user};
	job->request.data = job;
	if (uv_queue_work(loop, &job->request, run_job, finish_job) != 0) {
		atomic_fetch_sub(&queue->jobs, 1);
		free(job);
		return ERROR_MEMORY;
	}
	return 0;
}
