/*
 * pam_packet.h - packets between a program and its fairlead-pam, up to a deadline; see pam_wire.h.
 */
#ifndef FAIRLEAD_IDENTITY_PAM_PACKET_H
#define FAIRLEAD_IDENTITY_PAM_PACKET_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"

/* A socket pair that no program started later inherits; 0 or ERROR_SYSTEM. Neither descriptor is
 * one of the standard ones, whether those are open or not. */
int pam_packet_pair(int ret_pair[2]);

/* `descriptor` goes with it unless it is -1; it stays open here. `deadline` by the clock, steady;
 * 0: does not wait. 0, ERROR_TIMEOUT, ERROR_CLOSED, ERROR_SYSTEM. */
int pam_packet_send(int socket, const struct buffer *packet, int descriptor,
	const struct clock *clock, int64_t deadline);

/* The packet replaces what is in the buffer, whose maximum is that of packets. A descriptor that
 * came with it is the caller's to close, -1 if there was none; several, or one that is not wanted
 * (NULL), are closed. INT64_MAX: waits for ever. 0, ERROR_TIMEOUT, ERROR_CLOSED, ERROR_INPUT
 * (longer than the maximum, or empty), ERROR_SYSTEM, ERROR_MEMORY. */
int pam_packet_receive(int socket, struct buffer *packet, int *ret_descriptor,
	const struct clock *clock, int64_t deadline);

#endif
