#include <config.h>

#include "cmd.h"
#include "milter-ask.h"
#include "milter/control.h"
#include "milter/settings.h"

/* Nothing of it may steer a terminal. */
static void
clean(struct buf *answer)
{
	for (size_t i = 0; i < answer->len; i++)
		if ((answer->data[i] < ' ' || answer->data[i] > '~') &&
		    answer->data[i] != '\n')
			answer->data[i] = '?';
}

int
milter_ask(const struct milter_question *q, struct buf *answer, int *code_r,
	   struct err *e)
{
	struct filter_settings s = { 0 };
	const char *path = q->socket;
	int ret = 0;

	buf_init(answer, CONTROL_ANSWER_MAX);
	if (path == NULL) {
		ret = filter_settings_control(&s, q->config ? q->config :
					      CMD_CONFIG_FILE,
					      q->config == NULL, e);
		path = s.control_socket;
	}
	if (ret == 0)
		ret = control_ask(path, q->word, q->seconds, answer, code_r,
				  e);
	clean(answer);
	filter_settings_free(&s);
	return ret;
}
