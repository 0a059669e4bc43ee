#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static enum mode
parse_mode(const char *text)
{
	static const char *const names[] = { "plan", "kill",  "stop",
					     "hold", "error", "signal" };

	for (size_t i = 0; text != NULL && i < 6; i++)
		if (strcmp(text, names[i]) == 0)
			return (enum mode)i;
	fputs("usage: tracer plan|kill|stop|hold|error|signal [-gf] "
	      "[-r ROLE [-c CALL] -n N]\n\t[-e ERRNO] [-s SIGNAL] [-x HOOK] "
	      "[-o LOG] [-t SECONDS]\n\t[-b DIR] [-l LEDGER] -- COMMAND...\n",
	      stderr);
	exit(2);
}

void
options_parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){
		.ledger = "ledger.db",
		.base = "",
		.limit = 60,
	};
	o->mode = parse_mode(argc < 2 ? NULL : argv[1]);
	optind = 2;
	while ((c = getopt(argc, argv, "+b:c:e:fgl:n:o:r:s:t:x:")) != -1) {
		switch (c) {
		case 'b':
			o->base = optarg;
			break;
		case 'c':
			o->call = optarg;
			break;
		case 'e':
			o->number = atoi(optarg);
			break;
		case 'f':
			o->first = true;
			break;
		case 'g':
			o->all = true;
			break;
		case 'l':
			o->ledger = optarg;
			break;
		case 'n':
			o->n = (unsigned)atoi(optarg);
			break;
		case 'o':
			o->log = optarg;
			break;
		case 'r':
			o->role = optarg;
			break;
		case 's':
			o->number = atoi(optarg);
			break;
		case 't':
			o->limit = atoi(optarg);
			break;
		case 'x':
			o->hook = optarg;
			break;
		default:
			parse_mode(NULL);
		}
	}
	if (optind == argc || (o->mode != PLAN && o->role == NULL) ||
	    ((o->mode == STOP || o->mode == HOLD) && o->hook == NULL))
		parse_mode(NULL);
}
