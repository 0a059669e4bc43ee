#include <config.h>

#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/aws/secret.h"
#include "scratch.h"

static void
reads_a_file(const char *dir)
{
	const char *path = scratch_path("%s/f", dir);
	const int descriptors = scratch_descriptors();
	struct secret s;
	struct err e;

	assert_int_equal(secret_read(&s, path, 5, &e), 0);
	assert_null(s.data);
	assert_int_equal(secret_read(&s, scratch_path("%s/f/g", dir), 5, &e),
			 0);
	assert_null(s.data);
	scratch_text(path, "12345");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(secret_read(&s, path, 5, &e), 0);
	assert_int_equal(s.len, 5);
	assert_string_equal(s.data, "12345");
	assert_int_equal(s.mode, 0600);
	assert_int_equal(secret_guarded(&s, path, &e), 0);
	secret_free(&s);
	assert_null(s.data);
	secret_free(&s);
	assert_int_equal(secret_read(&s, path, 4, &e), -1);
	assert_non_null(strstr(e.text, "it has 5 bytes, more than 4"));
	scratch_write(path, "1\0002", 3);
	assert_int_equal(secret_read(&s, path, 5, &e), -1);
	assert_non_null(strstr(e.text, "NUL bytes"));
	assert_null(s.data);
	assert_int_equal(secret_read(&s, dir, 5, &e), -1);
	assert_non_null(strstr(e.text, "a directory, not a file"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_read(&s, path, 5, &e), -1);
	assert_non_null(strstr(e.text, "something else, not a file"));
	assert_int_equal(e.code, EX_CONFIG);
	assert_int_equal(scratch_descriptors(), descriptors);
}

struct mode {
	mode_t mode;
	const char *read;	/* part of the refusal; NULL: none */
	const char *guarded;
};

/* The group of a file made here is our own. */
static const struct mode modes[] = {
	{ 0600, NULL, NULL },
	{ 0400, NULL, NULL },
	{ 0640, NULL, NULL },
	{ 0660, NULL, NULL },
	{ 0644, NULL, "others may read it (mode 0644); run: chmod o-rwx" },
	{ 0604, NULL, "others may read it (mode 0604); run: chmod go-rwx" },
	{ 0602, "others may write to it (mode 0602); run: chmod go-w", NULL },
	{ 0666, "others may write to it (mode 0666); run: chmod go-w", NULL },
};

static void
refuses_what_others_see(const char *dir)
{
	const char *path = scratch_path("%s/f", dir);

	scratch_text(path, "HIDDEN");
	for (size_t i = 0; i < COUNT(modes); i++) {
		const struct mode *m = &modes[i];
		struct secret s;
		struct err e = { .text = "" };

		printf("# %04o\n", (unsigned)m->mode);
		assert_int_equal(chmod(path, m->mode), 0);
		assert_int_equal(secret_read(&s, path, 99, &e),
				 m->read ? -1 : 0);
		if (m->read == NULL)
			assert_int_equal(secret_guarded(&s, path, &e),
					 m->guarded ? -1 : 0);
		if (m->read != NULL || m->guarded != NULL) {
			assert_non_null(strstr(e.text, m->read ? m->read :
					       m->guarded));
			assert_non_null(strstr(e.text, path));
			assert_int_equal(e.kind, ERR_STOP);
			assert_int_equal(e.code, EX_NOPERM);
			assert_null(strstr(e.text, "HIDDEN"));
		}
		secret_free(&s);
	}
	assert_int_equal(chmod(path, 0), 0);
	{
		struct secret s;
		struct err e;

		assert_int_equal(secret_read(&s, path, 99, &e), -1);
		assert_int_equal(e.code, EX_NOPERM);
	}
}

static void
root_refuses_files_of_others(void **state)
{
	char *dir;
	const char *path;
	struct secret s;
	struct err e;

	(void)state;
	scratch_need_root();
	dir = scratch_new();
	path = scratch_path("%s/f", dir);
	scratch_text(path, "x");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(chown(path, 0, SCRATCH_UID), 0);
	assert_int_equal(secret_read(&s, path, 9, &e), 0);
	assert_int_equal(secret_guarded(&s, path, &e), -1);
	assert_non_null(strstr(e.text, "chmod go-rwx"));
	secret_free(&s);
	assert_int_equal(chown(path, SCRATCH_UID, 0), 0);
	assert_int_equal(secret_read(&s, path, 9, &e), -1);
	assert_non_null(strstr(e.text, "belongs to uid 65534; run: chown 0"));
	scratch_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		plain_unit_test(reads_a_file),
		plain_unit_test(refuses_what_others_see),
		cmocka_unit_test(root_refuses_files_of_others),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
