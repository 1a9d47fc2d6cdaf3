#include "service/link_udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define RECEIVE_AT_ONCE 64 /* datagrams per wake-up */
#define RECEIVE_SIZE 2048  /* more than the longest of ours, so that a longer one shows */

/* Room for either kind of address note beside a datagram, aligned for its head. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void read_local(struct link_udp *udp, struct msghdr *message, struct link_udp_path *path)
{
	path->local = udp->bound;
	path->interface = 0;
	for (struct cmsghdr *note = CMSG_FIRSTHDR(message); note;
		note = CMSG_NXTHDR(message, note)) {
		if (note->cmsg_level == IPPROTO_IP && note->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(note), sizeof(info));
			path->local.v4.sin_addr = info.ipi_spec_dst;
		} else if (note->cmsg_level == IPPROTO_IPV6 && note->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(note), sizeof(info));
			path->local.v6.sin6_addr = info.ipi6_addr;
			path->interface = info.ipi6_ifindex;
		}
	}
}

/* False: nothing more to read for now. */
static bool receive_one(struct link_udp *udp)
{
	uint8_t bytes[RECEIVE_SIZE];
	union control control;
	struct link_udp_path path;
	struct iovec vector = {bytes, sizeof(bytes)};
	struct msghdr message = {
		.msg_name = &path.peer,
		.msg_namelen = sizeof(path.peer),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length;

	memset(&path, 0, sizeof(path));
	length = recvmsg(udp->fd, &message, MSG_DONTWAIT);
	/* On a connected socket an error is an ICMP message's and means little:
	 * what counts is whether anything comes. */
	if (length < 0)
		return errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH ||
			errno == ENETUNREACH;
	read_local(udp, &message, &path);
	udp->receive(udp->user, bytes, (size_t)length, &path);
	return true;
}

static void polled(uv_poll_t *poll, int status, int events)
{
	struct link_udp *udp = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < RECEIVE_AT_ONCE && !uv_is_closing((uv_handle_t *)poll); i++) {
		if (!receive_one(udp))
			break;
	}
}

static int prepare(int fd, const union link_address *local, const union link_address *remote)
{
	int on = 1;

	if (remote)
		return connect(fd, &remote->any, link_address_length(remote));
	if (local->any.sa_family == AF_INET6) {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) != 0)
			return -1;
	} else if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0) {
		return -1;
	}
	return bind(fd, &local->any, link_address_length(local));
}

int link_udp_open(struct link_udp *udp, uv_loop_t *loop, const union link_address *local,
	const union link_address *remote, link_udp_receive *receive, void *user)
{
	const union link_address *given = local ? local : remote;
	socklen_t length = sizeof(udp->bound);
	int saved;
	int fd;

	fd = socket(given->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERROR_SYSTEM;
	*udp = (struct link_udp){
		.fd = fd, .connected = remote != NULL, .receive = receive, .user = user};
	if (prepare(fd, local, remote) != 0 || getsockname(fd, &udp->bound.any, &length) != 0 ||
		uv_poll_init(loop, &udp->poll, fd) != 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return ERROR_SYSTEM;
	}
	udp->poll.data = udp;
	uv_poll_start(&udp->poll, UV_READABLE, polled);
	return 0;
}

/* Says from which of our addresses to send. */
static void write_local(
	const struct link_udp_path *path, struct msghdr *message, union control *control)
{
	struct cmsghdr *note;

	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	if (path->local.any.sa_family == AF_INET6) {
		struct in6_pktinfo info = {
			.ipi6_addr = path->local.v6.sin6_addr,
			/* An interface only where the address alone does not say it. */
			.ipi6_ifindex =
				IN6_IS_ADDR_LINKLOCAL(&path->local.v6.sin6_addr) ? path->interface : 0,
		};

		message->msg_controllen = CMSG_SPACE(sizeof(info));
		note = CMSG_FIRSTHDR(message);
		note->cmsg_level = IPPROTO_IPV6;
		note->cmsg_type = IPV6_PKTINFO;
		note->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(note), &info, sizeof(info));
	} else {
		struct in_pktinfo info = {.ipi_spec_dst = path->local.v4.sin_addr};

		message->msg_controllen = CMSG_SPACE(sizeof(info));
		note = CMSG_FIRSTHDR(message);
		note->cmsg_level = IPPROTO_IP;
		note->cmsg_type = IP_PKTINFO;
		note->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(note), &info, sizeof(info));
	}
}

void link_udp_send(
	struct link_udp *udp, const struct link_udp_path *path, const void *bytes, size_t length)
{
	union link_address peer;
	union control control;
	struct iovec vector = {(void *)(uintptr_t)bytes, length};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	ssize_t sent;

	assert(udp->connected == (path == NULL));
	if (path) {
		peer = path->peer;
		message.msg_name = &peer;
		message.msg_namelen = link_address_length(&peer);
		write_local(path, &message, &control);
	}
	sent = sendmsg(udp->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* The first send after an ICMP error reports that error instead of sending. */
	if (sent < 0 && errno == ECONNREFUSED)
		sent = sendmsg(udp->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)sent;
}

static void poll_closed(uv_handle_t *handle)
{
	struct link_udp *udp = handle->data;

	close(udp->fd);
	udp->closed(udp->user);
}

void link_udp_close(struct link_udp *udp, void (*closed)(void *user))
{
	udp->closed = closed;
	uv_close((uv_handle_t *)&udp->poll, poll_closed);
}
