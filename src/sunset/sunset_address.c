/* SPDX-License-Identifier: ISC */
/* Addresses of listeners, as text and back. No name is ever looked up. */
#include <arpa/inet.h>
#include <string.h>

#include "crlpress/quantity.h"

#include "sunset_key.h"

#define PORT_MOST 65535

enum status
sunset_address_parse(
    const char *text, struct sunset_address *address, const char **why)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	bool is_six = text[0] == '[';
	uint64_t port = 0;
	size_t len;

	*why = "not an address and port like 192.0.2.1:80 or [2001:db8::1]:80";
	if (colon == NULL || colon == text)
		return STATUS_MALFORMED;
	len = (size_t)(colon - text);
	if (is_six && (len < 3 || text[len - 1] != ']'))
		return STATUS_MALFORMED;
	len -= is_six ? 2 : 0;
	if (len >= sizeof(host))
		return STATUS_MALFORMED;
	memcpy(host, text + (is_six ? 1 : 0), len);
	host[len] = '\0';
	if (inet_pton(is_six ? AF_INET6 : AF_INET, host,
		is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1)
		return STATUS_MALFORMED;
	if (quantity_count(colon + 1, 0, PORT_MOST, &port, why) != STATUS_OK)
		return STATUS_MALFORMED;
	six.sin6_port = htons((uint16_t)port);
	four.sin_port = htons((uint16_t)port);
	memset(address, 0, sizeof(*address));
	address->len = is_six ? sizeof(six) : sizeof(four);
	memcpy(&address->storage, is_six ? (void *)&six : (void *)&four,
	    address->len);
	return STATUS_OK;
}

char *
sunset_address_text(
    const struct sunset_address *address, char out[SUNSET_ADDRESS_BYTES])
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->storage.ss_family == AF_INET6) {
		memcpy(&six, &address->storage, sizeof(six));
		(void)inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
		(void)snprintf(out, SUNSET_ADDRESS_BYTES, "[%s]:%u", host,
		    ntohs(six.sin6_port));
		return out;
	}
	memcpy(&four, &address->storage, sizeof(four));
	(void)inet_ntop(AF_INET, &four.sin_addr, host, sizeof(host));
	(void)snprintf(
	    out, SUNSET_ADDRESS_BYTES, "%s:%u", host, ntohs(four.sin_port));
	return out;
}
