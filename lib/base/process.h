/*
 * process - a program of ours in its first instant: nothing that the caller
 * left behind reaches it or its libraries.
 */
#ifndef FALLBACKMX_PROCESS_H
#define FALLBACKMX_PROCESS_H

/*
 * Afterwards descriptors 0 to 2 are open, the next `keep` stay as they are and
 * all others are closed; the environment has PATH and TZ alone; umask 077; no
 * signal is blocked or ignored but SIGPIPE and SIGXFSZ; no core is written and
 * nobody of the same user may look into the process. Before the first thread.
 */
void process_reset(int keep);

#endif
