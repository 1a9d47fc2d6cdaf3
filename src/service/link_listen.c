#include "service/link_listen.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"

#define BACKLOG 128
#define TRIES 32 /* ports free for TCP whose UDP twin may be taken */

static int listen_tcp(union link_address *address)
{
	socklen_t length = sizeof(*address);
	int on = 1;
	int saved;
	int fd;

	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, &address->any, link_address_length(address)) == 0 &&
		listen(fd, BACKLOG) == 0 && getsockname(fd, &address->any, &length) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int link_listen(const char *address, uv_loop_t *loop, struct link_udp *udp,
	link_udp_receive *receive, void *user, int *ret_fd, union link_address *ret_bound)
{
	union link_address wanted;
	union link_address bound;
	int error = link_address_read(address, &wanted);
	int saved;
	int fd;

	if (error != 0)
		return error;
	for (int i = 0; i < TRIES; i++) {
		bound = wanted;
		fd = listen_tcp(&bound);
		if (fd < 0)
			return ERROR_SYSTEM;
		error = link_udp_open(udp, loop, &bound, NULL, receive, user);
		if (error == 0) {
			*ret_fd = fd;
			*ret_bound = bound;
			return 0;
		}
		saved = errno;
		close(fd);
		errno = saved;
		if (errno != EADDRINUSE || link_address_port(&wanted) != 0)
			break;
	}
	return error;
}
