/*
 * check - whether Postfix asks the milter about the right mail, in the right
 * place, and can reach it. Changes nothing.
 */
#ifndef FALLBACKMX_POSTFIX_CHECK_H
#define FALLBACKMX_POSTFIX_CHECK_H

enum postfix_level { POSTFIX_OK, POSTFIX_WARNING, POSTFIX_FAILED };

/* Texts are for showing as they are, and valid during the call. */
struct postfix_result {
	enum postfix_level level;
	const char *name;	/* "listener" */
	const char *what;
	const char *remedy;	/* a line to paste, or words; NULL with
				 * POSTFIX_OK */
	int code;		/* EX_CONFIG, EX_NOPERM, EX_TEMPFAIL; 0 unless
				 * POSTFIX_FAILED */
};

struct postfix_options {
	const char *dir;	/* of main.cf; NULL: Postfix's own */
	const char *socket;	/* of the milter: unix:PATH, inet:HOST:PORT; fd
				 * is that of the socket unit */
	void (*result)(const struct postfix_result *r);
};

/* Returns the worst code of all results, or 0. */
int postfix_check(const struct postfix_options *o);

#endif
