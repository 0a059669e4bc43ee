/*
 * replay - gives a fuzz target its corpus without libFuzzer, as a plain test:
 * each file, each beginning of it, and each byte of it changed. Speaks TAP.
 *
 * The corpus of fuzz-NAME is FALLBACKMX_SRC/tests/fuzz/corpus/NAME, or the
 * files given as arguments.
 */
#include <config.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX 65536
#define VARIED_MAX 2048 /* longer inputs are only given as they are */

/* In memory of exactly that size, so that a byte read too far is seen. */
static void
give(const char *data, size_t n)
{
	uint8_t *copy = malloc(n);

	PROMISE(copy != NULL || n == 0);
	if (n > 0)
		memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void
give_variants(char *data, size_t n)
{
	static const char others[] = "\0\r\n \"<@/.{\xff";

	for (size_t i = 0; i < n; i++) {
		const char was = data[i];

		give(data, i);
		for (size_t k = 0; k < sizeof(others) - 1; k++) {
			data[i] = others[k];
			give(data, n);
		}
		data[i] = was;
	}
}

static int
replay(const char *path, int number)
{
	static char data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL) {
		printf("not ok %d - cannot read %s\n", number, path);
		return -1;
	}
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* Said before: after a crash it is the last line. */
	printf("# %s\n", path);
	fflush(stdout);
	give(data, n);
	if (n <= VARIED_MAX)
		give_variants(data, n);
	printf("ok %d - %s\n", number, strrchr(path, '/') + 1);
	return 0;
}

static int
replay_folder(const char *folder)
{
	struct dirent **list;
	const int n = scandir(folder, &list, NULL, alphasort);
	int number = 0, failed = 0;

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (list[i]->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder,
			     list[i]->d_name) < (int)sizeof(path))
			failed += replay(path, ++number) < 0;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	printf("1..%d\n", number);
	return failed > 0 || number == 0;
}

int
main(int argc, char **argv)
{
	const char *src = getenv("FALLBACKMX_SRC");
	const char *name = strstr(argv[0], "fuzz-");
	char folder[PATH_MAX];

	for (int i = 1; i < argc; i++)
		replay(argv[i], i);
	if (argc > 1)
		return 0;
	if (name == NULL)
		return 1;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s",
		 src != NULL ? src : ".", name + strlen("fuzz-"));
	return replay_folder(folder);
}
