#include <config.h>

#include <sys/stat.h>
#include <unistd.h>

#include "cred-help.h"
#include "lib/aws/aws-env.h"

const char *
cred_put(const char *dir, const char *name, const char *text)
{
	const char *path = scratch_path("%s/%s", dir, name);

	scratch_text(path, text);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

void
cred_no_secret(const char *text)
{
	if (text != NULL)
		assert_null(strstr(text, "HIDDEN"));
}

struct cred *
cred_scene(const char *dir, const struct cred_scene *s, struct err *e)
{
	struct aws_config *config;
	bool instance = false;

	aws_env_take();
	aws_env_wipe();
	unlink(scratch_path("%s/config", dir));
	unlink(scratch_path("%s/keys", dir));
	if (s->config != NULL)
		cred_put(dir, "config", s->config);
	if (s->keys != NULL)
		cred_put(dir, "keys", s->keys);
	setenv("AWS_CONFIG_FILE", scratch_path("%s/config", dir), 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", scratch_path("%s/keys", dir), 1);
	for (const char *const *pair = s->env; *pair != NULL; pair++) {
		char name[64];
		const size_t n = strcspn(*pair, "=");

		assert_true(n < sizeof(name));
		memcpy(name, *pair, n);
		name[n] = '\0';
		setenv(name, *pair + n + 1, 1);
		instance = instance || strncmp(name, "AWS_EC2", 7) == 0;
	}
	if (!instance)
		setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	config = aws_config_new(&s->own, e);
	return config ? cred_new(config) : NULL;
}

void
cred_scene_end(struct cred *c)
{
	struct aws_config *config = c ? c->config : NULL;

	cred_free(c);
	aws_config_free(config);
}
