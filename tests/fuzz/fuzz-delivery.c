#include <config.h>

#include <string.h>

#include "fuzz.h"
#include "lib/base/delivery.h"

/* The input is a name's field as it stands in a request, NUL or not. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = (const char *)data;
	const char *id;

	if (size == 0 || !delivery_name_valid(name, size))
		return 0;
	PROMISE(memchr(name, '\0', size) != NULL);
	PROMISE(*name != '\0' && *name != '.' && strchr(name, '/') == NULL);
	id = delivery_name_id(name);
	PROMISE(id == NULL || (id > name && strnlen(id, DELIVERY_ID_LEN) ==
						    DELIVERY_ID_LEN));
	return 0;
}
