#include <config.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "range.h"

/* "0" to "255", also "007" as AWS's pattern has it; never octal. */
static int
read_octet(const char **s)
{
	int value = 0, digits = 0;

	for (; isdigit((unsigned char)**s) && digits < 3; (*s)++, digits++)
		value = 10 * value + (**s - '0');
	return digits == 0 || value > 255 ? -1 : value;
}

static int
read_v4(const char *s, struct ip *ip)
{
	for (int i = 0; i < 4; i++) {
		const int octet = read_octet(&s);

		if (octet < 0 || (i < 3 && *s++ != '.'))
			return -1;
		ip->bytes[i] = (uint8_t)octet;
	}
	ip->family = AF_INET;
	return *s == '\0' ? 0 : -1;
}

static int
read_v6(const char *s, struct ip *ip)
{
	if (strchr(s, '.') != NULL || inet_pton(AF_INET6, s, ip->bytes) != 1)
		return -1;
	ip->family = AF_INET6;
	return 0;
}

/* Decimal without a leading zero. */
static int
read_bits(const char *s, unsigned max, unsigned *bits_r)
{
	unsigned bits = 0;

	if (*s == '\0' || (*s == '0' && s[1] != '\0') || strlen(s) > 3)
		return -1;
	for (; isdigit((unsigned char)*s); s++)
		bits = 10 * bits + (unsigned)(*s - '0');
	if (*s != '\0' || bits > max)
		return -1;
	*bits_r = bits;
	return 0;
}

int
range_read(const char *text, struct range *r_r)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	const size_t n = slash ? (size_t)(slash - text) : 0;

	*r_r = (struct range){ 0 };
	if (slash == NULL || n >= sizeof(address))
		return -1;
	memcpy(address, text, n);
	address[n] = '\0';
	if (read_v4(address, &r_r->ip) == 0)
		return read_bits(slash + 1, 32, &r_r->bits);
	if (read_v6(address, &r_r->ip) == 0)
		return read_bits(slash + 1, 128, &r_r->bits);
	return -1;
}

bool
range_has(const struct range *r, const struct ip *ip)
{
	const unsigned whole = r->bits / 8, rest = r->bits % 8;
	const unsigned mask = (0xff00u >> rest) & 0xff;

	if (ip->family != r->ip.family ||
	    memcmp(ip->bytes, r->ip.bytes, whole) != 0)
		return false;
	return rest == 0 ||
		((ip->bytes[whole] ^ r->ip.bytes[whole]) & mask) == 0;
}

bool
range_is_v4(const char *text)
{
	struct range r;

	return range_read(text, &r) == 0 && r.ip.family == AF_INET;
}

bool
range_is_v6(const char *text)
{
	struct range r;

	return range_read(text, &r) == 0 && r.ip.family == AF_INET6;
}

bool
range_is_any(const char *text)
{
	struct range r;

	return range_read(text, &r) == 0;
}
