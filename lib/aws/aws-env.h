/*
 * aws-env - what the environment says about AWS (the variables of the AWS SDKs
 * reference guide that count here, and systemd's CREDENTIALS_DIRECTORY).
 *
 * They are taken out of the environment, and their bytes there are wiped, so
 * that neither children nor /proc/PID/environ have them. Part of the snapshot
 * of the configuration: one per process, not for threads.
 */
#ifndef FALLBACKMX_AWS_ENV_H
#define FALLBACKMX_AWS_ENV_H

/* Once at the start; what is set later is taken when it is called again. */
void aws_env_take(void);

/* NULL when it was not set, or empty. Only names that are known. */
const char *aws_env(const char *name);

/* Forgets all of it, wiped. */
void aws_env_wipe(void);

#endif
