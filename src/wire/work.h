/*
 * work.h - calls that block, off the loops, through a bounded queue.
 *
 * Password hashes, databases and directories run on libuv's pool; the
 * result comes back to the loop that asked. A full queue says so at once.
 */
#ifndef FAIRLEAD_WIRE_WORK_H
#define FAIRLEAD_WIRE_WORK_H

#include <uv.h>

struct work_queue; /* shared by all loops; thread-safe */

struct work_queue *work_queue_new(unsigned maximum); /* jobs waiting or running; 0: 256 */
/* With threads of its own in place of libuv's pool, for calls that may take long: who waits for one
 * such queue is in nobody else's way. NULL: memory, or the threads could not be started. */
struct work_queue *work_queue_new_own(unsigned maximum, unsigned threads);
/* No job may be waiting or running. Own threads are ended and joined. */
void work_queue_free(struct work_queue *queue);

/* Runs `run` on the pool, then `done` on `loop`. 0, ERROR_BUSY (full; neither
 * is called), ERROR_MEMORY. */
int work_submit(struct work_queue *queue, uv_loop_t *loop, void (*run)(void *user),
	void (*done)(void *user), void *user);

#endif
