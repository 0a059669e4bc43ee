/*
 * nullmilter SOCKET - what any milter costs that reads whole messages: it is
 * told headers and body, keeps nothing and adds one header at the end. The
 * measure of make bench-milter.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx, (void)host, (void)address;
	return SMFIS_CONTINUE;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	(void)ctx, (void)name;
	return SMFIS_CONTINUE;
}

static sfsistat
on_envelope(SMFICTX *ctx, char **words)
{
	(void)ctx, (void)words;
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx, (void)name, (void)value;
	return SMFIS_CONTINUE;
}

static sfsistat
on_step(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	(void)ctx, (void)chunk, (void)n;
	return SMFIS_CONTINUE;
}

static sfsistat
on_end(SMFICTX *ctx)
{
	static char name[] = "X-Null", value[] = "yes";

	return smfi_insheader(ctx, 0, name, value) == MI_SUCCESS ?
	       SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

int
main(int argc, char **argv)
{
	static char name[] = "nullmilter";
	const struct smfiDesc milter = {
		.xxfi_name = name, .xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS, .xxfi_connect = on_connect,
		.xxfi_helo = on_helo, .xxfi_envfrom = on_envelope,
		.xxfi_envrcpt = on_envelope, .xxfi_header = on_header,
		.xxfi_eoh = on_step, .xxfi_body = on_body, .xxfi_eom = on_end,
		.xxfi_abort = on_step, .xxfi_close = on_step,
	};

	if (argc != 2) {
		fprintf(stderr, "usage: nullmilter SOCKET\n");
		return 64;
	}
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(milter) != MI_SUCCESS)
		return 1;
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
