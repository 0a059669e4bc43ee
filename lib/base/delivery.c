#include <config.h>

#include <string.h>

#include "delivery.h"

static const char name_chars[] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._=,-";

bool
delivery_name_valid(const char *name, size_t room)
{
	size_t n = strnlen(name, room);

	return n > 0 && n < room && name[0] != '.' &&
	       strspn(name, name_chars) == n;
}

const char *
delivery_name_id(const char *name)
{
	size_t digits = strspn(name, "0123456789");
	const char *id = name + digits + 2;

	if (digits == 0 || name[digits] != '.' || name[digits + 1] != 'F')
		return NULL;
	if (strspn(id, "0123456789abcdef") != DELIVERY_ID_LEN ||
	    strncmp(id + DELIVERY_ID_LEN, ".fallbackmx", 11) != 0)
		return NULL;
	return id;
}
