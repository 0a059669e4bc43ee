#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/fsio.h"
#include "lib/base/text.h"
#include "maintain-private.h"

#define AT_ONCE 1000	/* segments in one control record */
#define SECOND_US 1000000

/* One segment, as far as pruning cares. */
struct stretch {
	uint32_t number;
	uint64_t records, mails, bytes, end;
	int64_t first_us, last_us;
	int64_t until_us;	/* the latest record that needs it */
	bool damaged;
	char chain[2 * HASH_SIZE + 1], first[24], last[24];
};

/* A segment that was pruned, and the word of that time. */
struct pruned {
	uint32_t number;
	const char *retention;
};

struct work {
	const struct maintain *m;
	struct prune *p;
	struct archive a;
	struct stretch *all;	/* one for each segment */
	struct arena arena;
	const char *promised;	/* the last retention recorded; NULL */
	struct pruned *pruned;	/* by earlier runs */
	size_t pruned_n;
	bool damaged;		/* somewhere: records may be missing */
	const char *word;	/* how long mail is kept */
	int64_t keep_us;
};

static struct stretch *
stretch_of(struct work *w, uint32_t number)
{
	size_t from = 0, to = w->a.n;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (w->all[middle].number < number)
			from = middle + 1;
		else
			to = middle;
	}
	return from < w->a.n && w->all[from].number == number ? &w->all[from]
	       : NULL;
}

static void
keep_pruned(struct work *w, const struct control *c)
{
	if (c->n == 0)
		return;
	w->pruned = mem_grow(w->pruned, w->pruned_n + c->n,
			     sizeof(*w->pruned));
	for (size_t i = 0; i < c->n; i++)
		w->pruned[w->pruned_n++] = (struct pruned){
			(uint32_t)c->segments[i].number, c->retention };
}

static void
look_at(struct work *w, const struct format_record *r, const char *metadata)
{
	struct stretch *s = stretch_of(w, r->place.segment), *first;
	struct control c;
	struct err e;

	if (s == NULL)
		return;
	s->mails += r->type != FORMAT_CONTROL;
	if (s->records++ == 0 || r->time_us < s->first_us)
		s->first_us = r->time_us;
	if (s->records == 1 || r->time_us > s->last_us)
		s->last_us = r->time_us;
	if (s->last_us > s->until_us)
		s->until_us = s->last_us;
	/* The bytes that it came with again are the first one's. */
	first = r->type == FORMAT_AGAIN ? stretch_of(w, r->first.segment)
		: NULL;
	if (first != NULL && r->time_us > first->until_us)
		first->until_us = r->time_us;
	if (r->type != FORMAT_CONTROL ||
	    control_read(metadata, (size_t)r->metadata_n, &c, &w->arena, &e)
	    < 0 || c.retention == NULL)
		return;
	w->promised = c.retention;
	keep_pruned(w, &c);
}

static void
say_time(int64_t us, char out[24])
{
	const time_t t = (time_t)(us / SECOND_US);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

/* Where it ends and with which hash is what the next one says. */
static void
look_behind(struct work *w, size_t i)
{
	struct stretch *s = &w->all[i];
	struct segment *next = &w->a.other;
	struct stat st;
	char name[FORMAT_NAME_SIZE];
	struct err e;

	format_name(s->number, name);
	if (fstatat(w->a.dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		s->bytes = (uint64_t)st.st_size;
	segment_close(next);
	if (i + 1 == w->a.n ||
	    segment_open(next, w->a.dir, s->number + 1, &e) < 0) {
		s->damaged |= i + 1 < w->a.n;
		return;
	}
	s->end = next->header.previous_end;
	text_hex(s->chain, next->header.previous_chain, HASH_SIZE);
	if (s->records == 0)
		s->first_us = s->last_us = next->header.created_us;
	if (s->last_us > s->until_us)
		s->until_us = s->last_us;
	say_time(s->first_us, s->first);
	say_time(s->last_us, s->last);
}

static int
look(struct work *w, struct err *e)
{
	struct format_record r;
	const char *metadata;

	w->all = mem_alloc(w->a.n * sizeof(*w->all));
	for (size_t i = 0; i < w->a.n; i++)
		w->all[i].number = w->a.numbers[i];
	for (;;) {
		switch (archive_next(&w->a, &r, &metadata, e)) {
		case ARCHIVE_RECORD:
			look_at(w, &r, metadata);
			continue;
		case ARCHIVE_DAMAGED:
			w->damaged = true;
			w->all[w->a.next - 1].damaged = true;
			continue;
		case ARCHIVE_FAILED:
			e->kind = ERR_STOP;
			e->code = EX_IOERR;
			return -1;
		case ARCHIVE_END:
			break;
		}
		break;
	}
	for (size_t i = 0; i < w->a.n; i++)
		look_behind(w, i);
	return 0;
}

static bool
has_expired(const struct work *w, size_t i)
{
	return w->keep_us != INT64_MAX && !w->all[i].damaged &&
	       w->all[i].until_us < w->m->now_us - w->keep_us;
}

/* How many from the beginning may go. A hold would end it, too. */
static size_t
count_expired(const struct work *w)
{
	size_t n = 0;

	while (n + 1 < w->a.n && has_expired(w, n))
		n++;
	return n;
}

/* The last one, too, for the mail in it: nobody wrote for so long. */
static bool
last_expired(const struct work *w)
{
	const size_t last = w->a.n - 1;

	return count_expired(w) == last && w->all[last].mails > 0 &&
	       has_expired(w, last);
}

static int
check_promise(struct work *w, struct err *e)
{
	const int64_t was = w->promised ? w->p->keep_of(w->promised) : 0;
	struct control c = { .word = CONTROL_RETENTION, .uid = w->m->uid };

	w->word = w->p->word ? w->p->word
		  : w->promised ? w->promised : PRUNE_DEFAULT;
	w->keep_us = w->p->keep_of(w->word);
	c.retention = w->word;
	if (w->damaged && w->p->word == NULL)
		return err_stop(e, EX_DATAERR, "it is damaged, so that it may "
				"have forgotten how long its mail is to be "
				"kept: give --document; fallbackmx archive "
				"verify tells where");
	if (w->p->no_default && w->p->word == NULL && w->promised == NULL)
		return err_stop(e, EX_CONFIG, "no document is for it, by "
				"ArchiveName, and it remembers no time");
	if (w->promised != NULL && was < 0)
		return err_stop(e, EX_CONFIG, "it was promised %s, which this "
				"version does not know",
				text_show(w->promised));
	if (was > w->keep_us && !w->p->shorten)
		return err_stop(e, EX_CONFIG, "its mail was to be kept %s, and "
				"not %s: give --shorten to change that",
				w->promised, w->word);
	if (w->m->dry || (w->promised != NULL && !last_expired(w) &&
			  strcmp(w->promised, w->word) == 0))
		return 0;
	/* Also where it is known: nobody adds to the segments before it. */
	return maintain_record(w->m, &c, e);
}

/* That they go, before they do. */
static int
record(struct work *w, size_t from, size_t to, struct err *e)
{
	struct control_segment *list = mem_alloc((to - from) * sizeof(*list));
	const struct control c = {
		.word = CONTROL_PRUNE, .uid = w->m->uid,
		.retention = w->word, .segments = list, .n = to - from,
	};
	int ret;

	for (size_t i = from; i < to; i++)
		list[i - from] = (struct control_segment){
			.number = (int)w->all[i].number,
			.records = (int)w->all[i].records,
			.end = (int)w->all[i].end, .chain = w->all[i].chain,
			.first = w->all[i].first, .last = w->all[i].last,
		};
	ret = maintain_record(w->m, &c, e);
	free(list);
	return ret;
}

static int
rename_all(struct work *w, size_t n, struct err *e)
{
	const int64_t now = w->m->now_us / SECOND_US;
	const int dir = w->a.dir;
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		char from[FORMAT_NAME_SIZE], to[64];

		format_name(w->all[i].number, from);
		snprintf(to, sizeof(to), "%010" PRIu32 ".pruned-%" PRId64,
			 w->all[i].number, now);
		ret = fsio_rename(dir, from, dir, to);	/* STEP prune */
		if (ret < 0)
			err_errno(e, "cannot rename %s to %s", from, to);
	}
	if (ret == 0) {
		ret = fsio_sync(w->a.dir);	/* STEP prune-sync */
		if (ret < 0)
			err_errno(e, "cannot flush the directory");
	}
	if (ret < 0) {
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
	}
	return ret;
}

static int
prune(struct work *w, struct err *e)
{
	struct prune *p = w->p;
	const size_t n = count_expired(w) + (w->m->dry && last_expired(w));

	for (size_t i = 0; i < n; i++) {
		const struct stretch *s = &w->all[i];

		p->tell(p->to, s->number, s->records, s->bytes, s->first_us,
			s->last_us);
		p->segments++;
		p->records += s->records;
		p->bytes += s->bytes;
	}
	if (w->m->dry || n == 0)
		return 0;
	for (size_t i = 0; i < n; i += AT_ONCE)
		if (record(w, i, n - i < AT_ONCE ? n : i + AT_ONCE, e) < 0)
			return -1;
	return rename_all(w, n, e);
}

/* A file of the first step; its time, -1: another file. */
static int64_t
pruned_at(const char *name, uint32_t *number_r)
{
	int64_t at;
	char again[64];

	if (sscanf(name, "%10" SCNu32 ".pruned-%" SCNd64, number_r, &at) != 2)
		return -1;
	snprintf(again, sizeof(again), "%010" PRIu32 ".pruned-%" PRId64,
		 *number_r, at);
	return strcmp(name, again) == 0 ? at : -1;
}

/* NULL: nothing speaks against removing it. */
static const char *
why_held(const struct work *w, uint32_t number, int64_t at)
{
	const int64_t now = w->m->now_us / SECOND_US;

	if (at > now + 86400)
		return "the clock was wrong when it was pruned, or is now";
	for (size_t i = w->pruned_n; i > 0; i--)
		if (w->pruned[i - 1].number == number)
			return w->p->keep_of(w->pruned[i - 1].retention) <
				w->keep_us ? "mail is to be kept longer now "
				"than when it was pruned" : NULL;
	return NULL;
}

static int
remove_one(struct work *w, const char *name, struct err *e)
{
	struct prune *p = w->p;
	uint32_t number;
	const int64_t at = pruned_at(name, &number);
	const char *held = at < 0 ? NULL : why_held(w, number, at);
	struct stat st;
	int ret = 0;

	if (held != NULL) {
		p->tell_held(p->to, number, held);
		return 0;
	}
	if (at < 0 || at * SECOND_US > w->m->now_us - p->grace_us ||
	    fstatat(w->a.dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!w->m->dry)
		ret = fsio_unlink(w->a.dir, name);	/* STEP prune-remove */
	if (ret < 0) {
		err_errno(e, "cannot remove %s", name);
		e->kind = ERR_STOP;
		e->code = EX_IOERR;
		return -1;
	}
	p->tell_removed(p->to, number, (uint64_t)st.st_size);
	p->removed++;
	p->removed_bytes += (uint64_t)st.st_size;
	return 0;
}

static int
remove_old(struct work *w, struct err *e)
{
	int fd = fsio_openat(w->a.dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *f;
	int ret = 0;

	if (d == NULL) {
		fsio_close(&fd);
		return err_stop(e, EX_IOERR, "cannot list it");
	}
	while (ret == 0 && (f = readdir(d)) != NULL)
		ret = remove_one(w, f->d_name, e);
	closedir(d);
	return ret;
}

/* Nobody ever said how long. In one that is damaged somebody may have. */
static bool
is_left_alone(const struct work *w)
{
	return w->p->remembered && w->p->word == NULL && w->promised == NULL &&
	       !w->damaged;
}

/* A segment has followed the last one since; who wrote to it before that may
 * have done so after we looked. */
static int
look_again(struct work *w, struct err *e)
{
	archive_close(&w->a);
	free(w->all);
	free(w->pruned);
	w->all = NULL;
	w->pruned = NULL;
	w->pruned_n = 0;
	w->damaged = false;
	return archive_open(&w->a, w->m->dir, e) < 0 ? -1 : look(w, e);
}

static int
act(struct work *w, struct err *e)
{
	if (check_promise(w, e) < 0 || remove_old(w, e) < 0)
		return -1;
	if (!w->m->dry && last_expired(w) && look_again(w, e) < 0)
		return -1;
	return prune(w, e);
}

int
maintain_prune(const struct maintain *m, struct prune *p, struct err *e)
{
	struct work *w = mem_alloc(sizeof(*w));
	char shown[320];
	int lock, ret;

	w->m = m;
	w->p = p;
	if (maintain_begin(m, &w->a, &lock, e) < 0) {
		free(w);
		return -1;
	}
	ret = look(w, e);
	if (ret == 0 && !is_left_alone(w))
		ret = act(w, e);
	archive_close(&w->a);
	fsio_close(&lock);
	arena_free(&w->arena);
	free(w->pruned);
	free(w->all);
	free(w);
	text_quote(shown, sizeof(shown), m->dir, strlen(m->dir));
	return ret < 0 ? err_prefix(e, "cannot prune %s", shown) : 0;
}
