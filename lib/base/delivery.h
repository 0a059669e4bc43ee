/*
 * delivery - what engine and deliverer say to each other.
 *
 * One SOCK_SEQPACKET socket per deliverer; one request, one answer, in order;
 * EOF means goodbye. Both ends are the same build, so structs travel as they
 * are in memory. Neither end trusts the other: lengths, names and counts are
 * checked on arrival. docs/internals.md tells the story.
 */
#ifndef FALLBACKMX_DELIVERY_H
#define FALLBACKMX_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DELIVERY_NAME_MAX 256	/* bytes of a file name, NUL included */
#define DELIVERY_ADDED_MAX 2048	/* bytes of added lines */
#define DELIVERY_BATCH_MAX 256	/* names in one COMMIT or DROP */
#define DELIVERY_UUID_LEN 36
#define DELIVERY_ALARM 300	/* seconds a request may take */
#define DELIVERY_STAGE "fallbackmx.stage"

enum delivery_op {
	DELIVERY_HELLO,		/* open the Maildir, lock the stage */
	DELIVERY_MARK,		/* write the ledger's mark into the stage */
	DELIVERY_PUT,		/* write one mail into the stage */
	DELIVERY_SYNC,		/* make all since the last SYNC durable */
	DELIVERY_COMMIT,	/* names: stage -> new */
	DELIVERY_LIST,		/* names in the stage, or in new and cur */
	DELIVERY_OPEN,		/* the bytes of a delivered file */
	DELIVERY_DROP,		/* names: out of the stage */
};

enum delivery_flags {
	DELIVERY_READ_ONLY = 1,	/* HELLO: create nothing, lock nothing */
	DELIVERY_KNOWN = 32,	/* HELLO: it was there before: do not make it */
	DELIVERY_NO_WAIT = 64,	/* HELLO: not even for the stage's lock */
	DELIVERY_VERBATIM = 2,	/* PUT: bytes as they are */
	DELIVERY_STAGED = 4,	/* LIST: the stage, not new and cur */
	DELIVERY_RENAMED = 8,	/* SYNC: after renames, new/ too */
	DELIVERY_CUR = 16,	/* OPEN: in cur/, not in new/ */
};

struct delivery_request {
	uint32_t op, flags;
	uint64_t generation;	/* MARK */
	uint64_t size;		/* PUT: bytes of the object */
	int64_t mtime;		/* PUT: arrival, seconds since 1970 */
	char uuid[DELIVERY_UUID_LEN + 1];	/* MARK */
	char name[DELIVERY_NAME_MAX];		/* PUT, OPEN; HELLO: version */
	uint32_t count;		/* COMMIT, DROP: names that follow */
	uint32_t added;		/* PUT: bytes of lines that follow */
};

enum delivery_status {
	DELIVERY_OK,
	DELIVERY_FAILED,	/* text says why; always "later" */
	DELIVERY_EXISTS,	/* COMMIT: another file has that name in new */
	DELIVERY_MISSING,	/* COMMIT: not in the stage; OPEN: nowhere */
	DELIVERY_BUSY,		/* HELLO, NO_WAIT: somebody has the lock */
};

struct delivery_answer {
	uint32_t op;		/* of the request */
	uint32_t status;	/* enum delivery_status */
	uint64_t generation;	/* HELLO: of the mark found, 0 = none */
	uint64_t size;		/* PUT: bytes of the file */
	char uuid[DELIVERY_UUID_LEN + 1];	/* HELLO: of the mark, or "" */
	char text[1024];	/* why it failed */
	uint32_t count;		/* COMMIT: status bytes that follow */
};

/*
 * LIST and OPEN answer with a sealed memfd, so that the engine reads no file
 * system of a user's. OPEN's is a copy of the file; LIST's holds strings with
 * NULs: "NAME" for the stage, "n/NAME" and "c/NAME" for new and cur (names of
 * ours only).
 *
 * COMMIT and DROP: count names follow the request, each with its NUL; COMMIT's
 * answer is followed by one status byte a name.
 *
 * True for the names that we give: digits, letters, "._=,-" and no leading
 * dot; never a path.
 */
bool delivery_name_valid(const char *name, size_t room);

/*
 * The id in a name of ours (SECONDS.F<32 hex>.fallbackmx...), 32 bytes that no
 * NUL ends, or NULL if the name is none of ours.
 */
const char *delivery_name_id(const char *name);

#define DELIVERY_ID_LEN 32

#endif
