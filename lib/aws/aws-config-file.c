#include <config.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "aws-config-private.h"
#include "aws-env.h"
#include "lib/base/text.h"
#include "secret.h"

static const char credential[] = "credential:";

/* Keys that make a file one of secrets. */
static const char *const secret_keys[] = {
	"aws_secret_access_key", "aws_session_token", "aws_security_token",
	"secret_access_key", "session_token", NULL
};

static bool
has_secrets(const struct ini *i)
{
	for (size_t k = 0; k < i->n; k++)
		for (const char *const *s = secret_keys; *s != NULL; s++)
			if (strcmp(i->entries[k].key, *s) == 0)
				return true;
	return false;
}

/* *found_r tells whether there is such a file. */
static int
read_ini(struct ini *i, enum ini_kind kind, const char *path, bool *found_r,
	 struct err *e)
{
	struct secret text;
	int ret = 0;

	/* Who names this device says that there is none. */
	*found_r = false;
	if (strcmp(path, "/dev/null") == 0)
		return 0;
	if (secret_read(&text, path, INI_MAX, e) < 0)
		return -1;
	if (text.data != NULL) {
		*found_r = true;
		ret = ini_parse(i, kind, path, text.data, text.len, e);
		if (ret == 0 && has_secrets(i))
			ret = secret_guarded(&text, path, e);
	}
	secret_free(&text);
	return ret;
}

/* The file that a variable names, or the one in the home directory. */
static int
read_shared(struct aws_config *c, struct ini *i, int value,
	    const char *variable, const char *name, struct err *e)
{
	const char *path = aws_env(variable), *source = variable;
	bool found;

	if (path != NULL && strncmp(path, "~/", 2) == 0 && c->home != NULL)
		path = arena_printf(&c->arena, "%s%s", c->home, path + 1);
	if (path == NULL && c->home == NULL)
		return 0;
	if (path == NULL) {
		path = arena_printf(&c->arena, "%s/.aws/%s", c->home, name);
		source = "default";
	}
	if (read_ini(i, INI_SHARED, path, &found, e) < 0)
		return -1;
	if (found)
		c->values[value] = (struct value){
			arena_strdup(&c->arena, path), source,
		};
	return 0;
}

/* A credential of systemd's (systemd.exec(5), LoadCredential=). */
static const char *
credential_path(struct aws_config *c, const char *name, struct err *e)
{
	const char *dir = aws_env("CREDENTIALS_DIRECTORY");

	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL) {
		err_stop(e, EX_CONFIG, "cannot use the key_file credential:%s: "
			 "expected the name of a credential", text_show(name));
		return NULL;
	}
	if (dir == NULL || *dir != '/') {
		err_stop(e, EX_CONFIG, "cannot use the key_file credential:%s: "
			 "there is no CREDENTIALS_DIRECTORY; systemd sets it "
			 "for a unit with LoadCredential=%s:FILE",
			 text_show(name), text_show(name));
		return NULL;
	}
	return arena_printf(&c->arena, "%s/%s", dir, name);
}

static int
read_key_file(struct aws_config *c, struct err *e)
{
	const char *path = c->settings.key_file;
	bool found;

	if (path == NULL)
		return 0;
	if (strncmp(path, credential, strlen(credential)) == 0)
		path = credential_path(c, path + strlen(credential), e);
	if (path == NULL || read_ini(&c->key_file, INI_BARE, path, &found,
				     e) < 0)
		return -1;
	if (!found)
		return err_stop(e, EX_CONFIG, "cannot read the key_file %s: "
				"there is none", text_show(path));
	c->values[VALUE_KEY_FILE] = (struct value){
		arena_strdup(&c->arena, path), "settings",
	};
	return 0;
}

int
aws_config_read_files(struct aws_config *c, struct err *e)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw != NULL && *pw->pw_dir == '/')
		c->home = arena_strdup(&c->arena, pw->pw_dir);
	if (read_key_file(c, e) < 0 ||
	    read_shared(c, &c->config, VALUE_CONFIG_FILE, "AWS_CONFIG_FILE",
			"config", e) < 0)
		return -1;
	/* Somebody else's trouble, when our own keys are there. */
	if (c->key_file.n > 0 && !c->profile_asked)
		return 0;
	return read_shared(c, &c->credentials, VALUE_CREDENTIALS_FILE,
			   "AWS_SHARED_CREDENTIALS_FILE", "credentials", e);
}

static const char *
get_from(struct aws_config *c, const struct ini *i, int file,
	 const char *section, const char *profile, const char *block,
	 const char *key, const char **source_r)
{
	const char *v = ini_get(i, section, block, key);

	if (v == NULL || *v == '\0')
		return NULL;
	if (source_r != NULL)
		*source_r = arena_printf(&c->arena, "profile %s of %s",
					 text_show(profile),
					 text_show(c->values[file].text));
	return v;
}

const char *
aws_config_section(struct aws_config *c, const char *profile)
{
	const char *section = arena_printf(&c->arena, "profile %s", profile);

	if (strcmp(profile, "default") == 0 && !ini_has(&c->config, section))
		return profile;
	return section;
}

const char *
aws_config_get(struct aws_config *c, const char *profile, const char *block,
	       const char *key, const char **source_r)
{
	const char *v;

	v = get_from(c, &c->credentials, VALUE_CREDENTIALS_FILE, profile,
		     profile, block, key, source_r);
	if (v != NULL)
		return v;
	return get_from(c, &c->config, VALUE_CONFIG_FILE,
			aws_config_section(c, profile), profile, block, key,
			source_r);
}

bool
aws_config_has_profile(const struct aws_config *c, const char *profile)
{
	char section[512];

	snprintf(section, sizeof(section), "profile %s", profile);
	return ini_has(&c->credentials, profile) ||
	       ini_has(&c->config, section) ||
	       (strcmp(profile, "default") == 0 &&
		ini_has(&c->config, profile));
}
