/*
 * bind.h - the bare rate at which a directory binds users: what no logon
 * that has a password proved by a bind can exceed.
 *
 * As many threads as connections; on each, a simple bind as the next user follows the answer to the
 * last one. libldap with the certificate verified, TLS 1.2 at least and nothing else around it.
 */
#ifndef FAIRLEAD_BENCH_BIND_H
#define FAIRLEAD_BENCH_BIND_H

#include "bench/load.h"
#include "bench/options.h"

/* 0, or an error with `why`: the run could not begin, or nothing at all succeeded. `waited` is the
 * time that this process did not use a processor. */
int bind_run(
	const struct options *options, struct load_result *ret_result, char why[LOAD_TEXT_SIZE]);

#endif
