/*
 * options - what the tracer is asked to do (see tracer.c).
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

enum mode { PLAN, KILL, STOP, HOLD, ERROR, SIGNAL };

struct options {
	enum mode mode;
	const char *role, *call; /* the point; call NULL: of any name */
	unsigned n;
	int number;		/* errno or signal */
	bool all, first;	/* meet them, not the process at the point */
	const char *hook, *log; /* NULL: none, stderr */
	const char *base, *ledger;
	int limit; /* seconds */
};

/* Sets *o; optind is the first word of the command. Ends the program with 2
 * when it does not understand. */
void options_parse(struct options *o, int argc, char **argv);

#endif
