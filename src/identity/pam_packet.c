#include "identity/pam_packet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

#define DESCRIPTORS_MAXIMUM 4 /* taken from a packet, to be closed when there is more than one */

/* Room for the descriptors, aligned for the header. */
union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(DESCRIPTORS_MAXIMUM * sizeof(int))];
};

static int above_standard(int *descriptor)
{
	int moved;

	if (*descriptor > STDERR_FILENO)
		return 0;
	moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved < 0)
		return ERROR_SYSTEM;
	close(*descriptor);
	*descriptor = moved;
	return 0;
}

int pam_packet_pair(int ret_pair[2])
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return ERROR_SYSTEM;
	if (above_standard(&pair[0]) != 0 || above_standard(&pair[1]) != 0) {
		close(pair[0]);
		close(pair[1]);
		return ERROR_SYSTEM;
	}
	ret_pair[0] = pair[0];
	ret_pair[1] = pair[1];
	return 0;
}

static int wait_for(int socket, short events, const struct clock *clock, int64_t deadline)
{
	for (;;) {
		struct pollfd ready = {.fd = socket, .events = events};
		int64_t left = -1;
		int count;

		if (deadline != INT64_MAX) {
			left = deadline - clock_steady(clock);
			if (left <= 0)
				return ERROR_TIMEOUT;
			left = (left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
		}
		count = poll(&ready, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (count > 0)
			return 0;
		if (count == 0)
			return ERROR_TIMEOUT;
		if (errno != EINTR)
			return ERROR_SYSTEM;
	}
}

static int error_of(int number)
{
	return number == EPIPE || number == ECONNRESET || number == ENOTCONN ||
			number == ECONNREFUSED
		? ERROR_CLOSED
		: ERROR_SYSTEM;
}

static void attach(struct msghdr *message, union ancillary *ancillary, int descriptor)
{
	struct cmsghdr *header;

	memset(ancillary, 0, sizeof(*ancillary));
	message->msg_control = ancillary->bytes;
	message->msg_controllen = CMSG_SPACE(sizeof(int));
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
}

int pam_packet_send(int socket, const struct buffer *packet, int descriptor,
	const struct clock *clock, int64_t deadline)
{
	struct iovec part = {.iov_base = packet->bytes, .iov_len = packet->length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union ancillary ancillary;

	if (descriptor >= 0)
		attach(&message, &ancillary, descriptor);
	for (;;) {
		int error;

		if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return error_of(errno);
		error = deadline != 0 ? wait_for(socket, POLLOUT, clock, deadline) : ERROR_TIMEOUT;
		if (error != 0)
			return error;
	}
}

/* Closes all but an only one that is wanted. */
static void take_descriptors(struct msghdr *message, int *ret_descriptor)
{
	int taken = -1;
	size_t count = 0;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
		header = CMSG_NXTHDR(message, header)) {
		const unsigned char *at = CMSG_DATA(header);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t left = header->cmsg_len - CMSG_LEN(0); left >= sizeof(int);
			left -= sizeof(int), at += sizeof(int)) {
			if (taken >= 0)
				close(taken);
			memcpy(&taken, at, sizeof(int));
			count++;
		}
	}
	if (taken >= 0 && (count > 1 || ret_descriptor == NULL)) {
		close(taken);
		taken = -1;
	}
	if (ret_descriptor != NULL)
		*ret_descriptor = taken;
}

int pam_packet_receive(int socket, struct buffer *packet, int *ret_descriptor,
	const struct clock *clock, int64_t deadline)
{
	struct iovec part = {.iov_len = packet->maximum};
	union ancillary ancillary;
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof(ancillary.bytes)};
	ssize_t length;
	int error;

	buffer_clear(packet);
	part.iov_base = buffer_reserve(packet, packet->maximum);
	if (part.iov_base == NULL)
		return ERROR_MEMORY;
	do {
		error = wait_for(socket, POLLIN, clock, deadline);
		if (error != 0)
			return error;
		length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (length < 0 && (errno == EINTR || errno == EAGAIN));
	if (length < 0)
		return error_of(errno);
	take_descriptors(&message, ret_descriptor);
	if (length == 0)
		return ERROR_CLOSED;
	buffer_added(packet, (size_t)length);
	if ((message.msg_flags & MSG_TRUNC) != 0) {
		if (ret_descriptor != NULL && *ret_descriptor >= 0)
			close(*ret_descriptor);
		buffer_clear(packet);
		return ERROR_INPUT;
	}
	return 0;
}
