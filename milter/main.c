#include <config.h>

#include <sysexits.h>

#include "snapshot.h"

int
main(void)
{
	return EX_SOFTWARE;
}
