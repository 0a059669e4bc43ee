#include <config.h>

#include "counter.h"
