#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "archive-filter.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/mail/transfer.h"

void
select_time(int64_t us, char out[24])
{
	const time_t t = (time_t)(us / 1000000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(out, "?", 2);
}

/* One of a few buffers, as text_show(). */
static const char *
decode_base64(const char *s)
{
	static struct buf kept[4];
	static unsigned next;
	struct buf *b = &kept[next++ % 4];

	buf_free(b);
	buf_init(b, strlen(s));
	transfer_base64(b, s, strlen(s));
	return b->data ? b->data : "";
}

const char *
select_text(const json_t *value)
{
	const char *s = json_string_value(value);

	if (s != NULL)
		return s;
	s = json_string_value(json_object_get(value, "base64"));
	return s ? decode_base64(s) : "";
}

static const char *const types[] = {
	[FORMAT_MESSAGE] = "message", [FORMAT_AGAIN] = "again",
	[FORMAT_CONTROL] = "control",
};

json_t *
select_json(const struct selected *x)
{
	const struct format_record *r = x->r;
	char sha256[2 * HASH_SIZE + 1], first[FORMAT_ID_SIZE] = "", time[24];
	json_t *o;

	text_hex(sha256, r->payload_hash, HASH_SIZE);
	if (r->first.segment != 0)
		format_id(r->first, first);
	select_time(r->time_us, time);
	o = json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:I,s:s,s:b}", "id", x->id,
		      "type", types[r->type], "time", time, "time_us",
		      (json_int_t)r->time_us, "sha256", sha256, "size",
		      (json_int_t)r->raw_n, "stored", (json_int_t)r->stored_n,
		      "first", first, "erased", r->state == FORMAT_ERASED);
	if (o == NULL)
		abort();
	json_object_set(o, "metadata", x->metadata);
	return o;
}

void
select_print_json(json_t *o)
{
	/* In ASCII nothing steers a terminal. */
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
}

static void
fill(struct selected *x, const struct archives_one *one, struct archive *a,
     const struct format_record *r, const char *metadata)
{
	char id[FORMAT_ID_SIZE];

	format_id(r->place, id);
	*x = (struct selected){ .archive = one->name, .a = a, .r = r };
	snprintf(x->id, sizeof(x->id), "%s%s%s", one->name,
		 *one->name ? "/" : "", id);
	x->metadata = json_loadb(metadata, (size_t)r->metadata_n, 0, NULL);
	if (!json_is_object(x->metadata)) {
		json_decref(x->metadata);
		x->metadata = json_object();
	}
}

static int
visit(const struct archives_one *one, struct archive *a, struct filter *f,
      const struct select_work *work, const struct format_record *r,
      const char *metadata, struct err *e)
{
	struct selected x;
	int ret = 0;

	if (!filter_time(f, r) || !filter_metadata(f, metadata) ||
	    (r->type == FORMAT_CONTROL && !work->controls))
		return 0;
	fill(&x, one, a, r, metadata);
	if (filter_passes(f, &x))
		ret = work->each(work->to, &x, e);
	json_decref(x.metadata);
	return ret;
}

static void
say_damage(const struct archives_one *one, const struct err *e, int *code)
{
	log_problem("damage in the archive %s: %s", text_show(one->path),
		    e->text);
	*code = EX_DATAERR;
}

static int
walk(const struct archives_one *one, struct archive *a, struct filter *f,
     const struct select_work *work, int *code, struct err *e)
{
	struct format_record r;
	const char *metadata;
	int ret;

	for (;;) {
		switch (archive_next(a, &r, &metadata, e)) {
		case ARCHIVE_RECORD:
			ret = visit(one, a, f, work, &r, metadata, e);
			if (ret != 0)
				return ret;
			break;
		case ARCHIVE_DAMAGED:
			say_damage(one, e, code);
			break;
		case ARCHIVE_FAILED:
			e->kind = ERR_STOP;
			e->code = EX_IOERR;
			return err_prefix(e, "cannot read the archive %s",
					  text_show(one->path));
		case ARCHIVE_END:
			return 0;
		}
	}
}

int
select_each(const struct archives *s, const struct select *given,
	    const struct select_work *work, int *code, struct err *e)
{
	static struct archive a;
	struct filter f;
	int ret = filter_make(&f, given, e);

	for (size_t i = 0; i < s->n && ret == 0; i++) {
		ret = archive_open(&a, s->all[i].path, e);
		if (ret < 0)
			break;
		ret = walk(&s->all[i], &a, &f, work, code, e);
		archive_close(&a);
	}
	filter_free(&f);
	return ret < 0 ? -1 : 0;
}

int
select_one(const struct archives *s, const char *id,
	   const struct select_work *work, struct err *e)
{
	static struct archive a;
	const char *inner, *metadata;
	const struct archives_one *one = archives_of(s, id, &inner, e);
	struct format_record r;
	struct selected x;
	int ret;

	if (one == NULL || archive_open(&a, one->path, e) < 0)
		return -1;
	ret = archive_find(&a, inner, &r, &metadata, e);
	if (ret == 0) {
		fill(&x, one, &a, &r, metadata);
		ret = work->each(work->to, &x, e);
		json_decref(x.metadata);
	}
	archive_close(&a);
	return ret < 0 ? -1 : 0;
}
