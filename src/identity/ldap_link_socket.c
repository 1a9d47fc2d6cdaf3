#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "identity/ldap_link_private.h"

#define UNACKNOWLEDGED_MS 2000 /* a server that has vanished is noticed before users give up */
#define KEEPALIVE_SECONDS 60
#define PATIENCE_LEVEL 15 /* between the socket and TLS */

static int milliseconds(int64_t microseconds)
{
	if (microseconds <= 0)
		return 0;
	return microseconds > INT64_C(1000000000) ? 1000000
						  : (int)((microseconds + 999) / CLOCK_MILLISECOND);
}

/* errno of a connection attempt; 0: connected. */
static int await_connected(int fd, int64_t microseconds)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int error = 0, count;
	socklen_t length = sizeof(error);

	do
		count = poll(&ready, 1, milliseconds(microseconds));
	while (count < 0 && errno == EINTR);
	if (count == 0)
		return ETIMEDOUT;
	if (count < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		return errno;
	return error;
}

static void set_socket(int fd)
{
	static const int on = 1, unacknowledged = UNACKNOWLEDGED_MS, idle = KEEPALIVE_SECONDS;

	/* Without these it works as well, later. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(
		fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof(unacknowledged));
}

/* A connected socket that does not block, or -1 and errno. */
static int connect_one(
	const struct sockaddr_storage *address, socklen_t length, int64_t microseconds)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)address, length) != 0)
		error = errno == EINPROGRESS ? await_connected(fd, microseconds) : errno;
	if (error == 0) {
		set_socket(fd);
		return fd;
	}
	close(fd);
	errno = error;
	return -1;
}

/* Each address has its share of the time, so that a silent one leaves some to the next. */
int ldap_link_connect(const struct ldap_link_options *options, struct ldap_outcome *outcome)
{
	struct resolve_addresses addresses;
	int error = resolve_get(options->place.address, options->clock, options->until, &addresses);
	int fd = -1;

	if (error != 0) {
		ldap_link_fail(outcome, LDAP_TROUBLE_UNREACHABLE,
			error == ERROR_TIMEOUT ? "its name was not resolved in time"
					       : "its name cannot be resolved");
		return -1;
	}
	for (size_t i = 0; fd < 0 && i < addresses.count; i++) {
		int64_t time = options->until - clock_steady(options->clock);

		if (i > 0 && time <= 0)
			break;
		fd = connect_one(&addresses.list[i], addresses.lengths[i],
			time / (int64_t)(addresses.count - i));
	}
	if (fd < 0) {
		char text[128];

		ldap_link_fail(
			outcome, LDAP_TROUBLE_UNREACHABLE, strerror_r(errno, text, sizeof(text)));
	}
	return fd;
}

/* --- patience: a layer below TLS that waits for the server during a handshake, but not for ever
 * --- */

static bool wait_patiently(struct ldap_link *link, short events)
{
	struct pollfd ready = {.fd = link->fd, .events = events};
	int64_t time = link->patient_until - clock_steady(link->clock);

	if (time > 0 && poll(&ready, 1, milliseconds(time)) != 0)
		return true;
	if (clock_steady(link->clock) < link->patient_until)
		return true;
	link->out_of_patience = true;
	errno = ETIMEDOUT;
	return false;
}

static bool may_wait(const struct ldap_link *link, ber_slen_t count)
{
	return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && link->patient_until != 0;
}

static int patience_setup(Sockbuf_IO_Desc *layer, void *link)
{
	layer->sbiod_pvt = link;
	return 0;
}

static int patience_remove(Sockbuf_IO_Desc *layer)
{
	layer->sbiod_pvt = NULL;
	return 0;
}

static int patience_ctrl(Sockbuf_IO_Desc *layer, int option, void *argument)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static ber_slen_t patience_read(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t length)
{
	struct ldap_link *link = layer->sbiod_pvt;
	ber_slen_t count;

	do
		count = LBER_SBIOD_READ_NEXT(layer, bytes, length);
	while (may_wait(link, count) && wait_patiently(link, POLLIN));
	return count;
}

static ber_slen_t patience_write(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t length)
{
	struct ldap_link *link = layer->sbiod_pvt;
	ber_slen_t count;

	do
		count = LBER_SBIOD_WRITE_NEXT(layer, bytes, length);
	while (may_wait(link, count) && wait_patiently(link, POLLOUT));
	return count;
}

static int patience_close(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

bool ldap_link_make_patient(struct ldap_link *link)
{
	static Sockbuf_IO patience = {.sbi_setup = patience_setup,
		.sbi_remove = patience_remove,
		.sbi_ctrl = patience_ctrl,
		.sbi_read = patience_read,
		.sbi_write = patience_write,
		.sbi_close = patience_close};
	Sockbuf *sockbuf = NULL;

	return ldap_get_option(link->ld, LDAP_OPT_SOCKBUF, &sockbuf) == LDAP_OPT_SUCCESS &&
		ber_sockbuf_add_io(sockbuf, &patience, PATIENCE_LEVEL, link) == 0;
}
