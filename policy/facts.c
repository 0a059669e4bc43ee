#include <config.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "facts.h"

int
facts_ip(const char *text, struct ip *ip_r)
{
	static const uint8_t mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
	};

	*ip_r = (struct ip){ 0 };
	if (strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	else if (inet_pton(AF_INET, text, ip_r->bytes) == 1) {
		ip_r->family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, text, ip_r->bytes) != 1) {
		*ip_r = (struct ip){ 0 };
		return -1;
	}
	ip_r->family = AF_INET6;
	if (memcmp(ip_r->bytes, mapped, sizeof(mapped)) == 0) {
		memmove(ip_r->bytes, ip_r->bytes + 12, 4);
		memset(ip_r->bytes + 4, 0, 12);
		ip_r->family = AF_INET;
	}
	return 0;
}

uint64_t
facts_size(const char *text, size_t n)
{
	const char *at = text, *const end = text + n;
	uint64_t size = n;

	while (at < end &&
	       (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		size += at == text || at[-1] != '\r';
		at++;
	}
	return size;
}
