#include "service/link_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"

int link_address_make(const char *host, uint16_t port, union link_address *ret_address)
{
	union link_address address;

	memset(&address, 0, sizeof(address));
	if (uv_ip4_addr(host, port, &address.v4) != 0 && uv_ip6_addr(host, port, &address.v6) != 0)
		return ERROR_INPUT;
	*ret_address = address;
	return 0;
}

int link_address_read(const char *text, union link_address *ret_address)
{
	const char *colon = strrchr(text, ':');
	char host[LINK_ADDRESS_SIZE];
	unsigned long port;
	size_t length;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return ERROR_INPUT;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > UINT16_MAX)
		return ERROR_INPUT;
	length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return ERROR_INPUT;
	}
	if (length >= sizeof(host))
		return ERROR_INPUT;
	memcpy(host, text, length);
	host[length] = '\0';
	return link_address_make(host, (uint16_t)port, ret_address);
}

void link_address_text(const union link_address *address, char text[LINK_ADDRESS_SIZE])
{
	char host[46] = "?";

	if (address->any.sa_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
			uv_inet_ntop(
				AF_INET, &address->v6.sin6_addr.s6_addr[12], host, sizeof(host));
		} else {
			uv_ip6_name(&address->v6, host, sizeof(host));
			snprintf(text, LINK_ADDRESS_SIZE, "[%s]:%u", host,
				(unsigned)link_address_port(address));
			return;
		}
	} else if (address->any.sa_family == AF_INET) {
		uv_ip4_name(&address->v4, host, sizeof(host));
	}
	snprintf(text, LINK_ADDRESS_SIZE, "%s:%u", host, (unsigned)link_address_port(address));
}

uint16_t link_address_port(const union link_address *address)
{
	return ntohs(
		address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

socklen_t link_address_length(const union link_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

bool link_address_same_host(const union link_address *a, const union link_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) || IN6_IS_ADDR_V4MAPPED(&b->v6.sin6_addr))
		return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 8) == 0;
}
