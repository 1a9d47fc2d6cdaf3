/*
 * loop.h - what every request handler may use on the loop it runs on.
 *
 * A program has one of these per thread. Nothing in it may be used from another thread.
 */
#ifndef FAIRLEAD_SERVICE_LOOP_H
#define FAIRLEAD_SERVICE_LOOP_H

#include <uv.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/log.h"
#include "wire/work.h"
#include "wire/xml.h"

struct peer;

struct loop {
	uv_loop_t *uv;     /* NULL in scenarios that need none */
	unsigned index;    /* from 0 */
	struct peer *peer; /* calls to other programs */
	struct xml_reader *reader;
	struct work_queue *work; /* shared by the loops */
	const struct clock *clock;
	const struct entropy *entropy;
	struct log *log; /* shared by the loops; may be NULL */
};

#endif
