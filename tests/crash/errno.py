#!/usr/bin/python3
"""errno - lets each call of the importer fail once (F30-F35, figure 5).

	ERRNO_SAMPLE=N	about N failures of each kind, evenly spread; 0: all
	KINDS="root plain direct s3root s3 s3many"	SOURCE=s3: the last three
	JOBS=N	SHOW=N	KEEP=1

Per failure: a fresh world, a traced run in which exactly one call fails or
moves half of its bytes. It must end by itself with an exit code that a cron
job understands. Then two clean runs, and each mail must be in its Maildir once
with the right bytes. Only when a sync failed after the first rename may
objects stay (suspect): nobody knows what the disk has, so nothing is deleted.
Calls on a connection fail as networks do. A bucket's server looks at each
DELETE whether the mail was safe by then.
"""

import sys

sys.dont_write_bytecode = True

import errno                                                # noqa: E402
from scene import Scene                                     # noqa: E402
from suite import Suite, begin, kinds, setting, spread      # noqa: E402
from world import make, verify                              # noqa: E402

CODES = (0, 74, 75, 77, 78)
TRIES = 5       # beside other load a run may take another way
FLUSHES = ("fsync", "fdatasync", "syncfs")
SYNCS = FLUSHES + ("close",)
SHORT = "short"
LEDGER_WAIT = 60     # seconds that a run waits for another one in the ledger

# What each call may fail with; calls that cannot fail are not here.
GROWS = "ENOSPC EDQUOT EIO EROFS"
FAULTS = {
    "open openat openat2": "EMFILE ENOMEM EIO EINTR " + GROWS,
    "mkdir mkdirat": "ENOMEM " + GROWS,
    "rename renameat renameat2": "ENOMEM EXDEV " + GROWS,
    "unlink unlinkat rmdir": "ENOMEM EIO EROFS",
    "link linkat symlinkat": GROWS,
    "write pwrite64 writev pwritev": "EINTR short " + GROWS,
    "read pread64": "EIO EINTR ENOMEM short",
    "sendfile copy_file_range splice": "EINTR ENOMEM short " + GROWS,
    "fsync fdatasync syncfs": "EIO ENOSPC EDQUOT EROFS EINTR",
    "close": "EIO ENOSPC EDQUOT EINTR",
    "ftruncate fallocate truncate": "EINTR " + GROWS,
    "utimensat fchmod fchmodat fchown fchownat": "ENOMEM EIO EROFS",
    "fstat stat lstat newfstatat statx fstatfs statfs": "EIO ENOMEM",
    "access faccessat faccessat2 readlink readlinkat": "EIO ENOMEM",
    "getdents64": "EIO ENOMEM",
    "lseek": "EIO",
    "flock": "EINTR ENOMEM",
    "fcntl": "EINTR ENOMEM",
    "dup dup2 dup3": "EMFILE",
    "pipe2 socketpair memfd_create epoll_create1 signalfd4 eventfd2"
    " timerfd_create socket": "EMFILE ENOMEM",
    "sendmsg sendto": "ENOMEM EINTR",
    "recvmsg recvfrom": "ENOMEM EINTR",
    "poll ppoll epoll_wait epoll_pwait": "EINTR ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "clone clone3 fork vfork": "ENOMEM EAGAIN",
    "execve execveat": "ENOMEM EIO EMFILE",
    "wait4 waitid": "EINTR",
    "mmap mremap": "ENOMEM",
    "brk": "ENOMEM",
    "setresuid setresgid setgroups setuid setgid": "ENOMEM",
}
FCNTL_CANNOT = (1, 2, 3)        # F_GETFD, F_SETFD, F_GETFL

# The same of calls on a connection to a server.
BREAKS = "ECONNRESET ETIMEDOUT EHOSTUNREACH ENOBUFS ENOMEM EINTR "
NETWORK = {
    "connect": "ECONNREFUSED ENETUNREACH EADDRNOTAVAIL " + BREAKS,
    "sendto sendmsg write writev": "EPIPE EAGAIN short " + BREAKS,
    "recvfrom recvmsg read readv": "ECONNREFUSED EAGAIN short " + BREAKS,
    "setsockopt getsockopt ioctl": "ENOBUFS ENOMEM",
    "getsockname getpeername": "ENOTCONN ENOBUFS",
    "shutdown": "ENOTCONN",
    "fcntl close": "EINTR ENOMEM EIO",
}


def faults_of(point, connected=False):
    if point.name == "fcntl" and point.arg[1] in FCNTL_CANNOT:
        return []
    for names, words in (NETWORK if connected else FAULTS).items():
        if point.name in names.split():
            return list(dict.fromkeys(words.split()))
    return []


def on_connections(points):
    """The ids of the points at descriptors that become connections to a
    server, until they are closed."""
    lives, found = {}, set()
    for point in points:
        life = lives.setdefault((point.role, point.arg[0]), [])
        life.append(point)
        if any(p.name == "connect" for p in life):
            found.update(map(id, life))
        if point.name == "close":
            del lives[point.role, point.arg[0]]
    return found


def may_hold(points):
    """The ids of the points at which a failure may hold mails back: syncs of
    a deliverer that has renamed."""
    renamed, hold = set(), set()
    for point in points:
        if not point.role.startswith("deliver:"):
            continue
        if point.name.startswith("rename"):
            renamed.add(point.role)
        elif point.name in SYNCS and point.role in renamed:
            hold.add(id(point))
    return hold


def of_the_loader(points):
    """The ids of the memory calls that ld.so makes before a deliverer's own
    first call; that it crashes without memory is not the importer's doing."""
    own, loader = set(), set()
    for point in points:
        if not point.role.startswith("deliver:") or point.role in own:
            continue
        if point.name == "getuid":
            own.add(point.role)
        elif point.name in ("mmap", "brk"):
            loader.add(id(point))
    return loader


def fail_test(point, word, hold):
    number = 0 if word == SHORT else getattr(errno, word)

    def test(place):
        for _ in range(TRIES):
            scene = Scene(place).fill()
            traced = place.trace("error", *point.args(), "-e", str(number),
                                 limit=LEDGER_WAIT + 150)
            if traced.acted or traced.timeout or traced.unsuited:
                break
        else:
            return None
        if traced.unsuited:
            return []
        complaints = []
        # An interrupted sync is asked for again, a failed one is not.
        if hold and point.name in FLUSHES and word != "EINTR" and \
                not holds(place, point):
            complaints.append("early: all was removed, a sync had failed")
        return complaints + judge(place, scene, traced, hold)
    return test


def holds(place, point):
    """True if the source still has mail for the mailbox of this deliverer."""
    box = point.role[len("deliver:"):].split("/")[0]
    return any(key.startswith(box + "/") or place.kind == "direct"
               for key in place.left_in_source())


def judge(place, scene, traced, hold):
    complaints = []
    if traced.timeout:
        complaints.append("hang: the run did not end by itself")
    elif traced.how != "status":
        complaints.append("crash: signal %d: %s"
                          % (traced.status, traced.err.strip()))
    elif traced.status not in CODES:
        complaints.append("exit: %d: %s" % (traced.status,
                                            traced.err.strip()))
    # SIGKILL is no crash: the importer ends a child that it cannot trust so.
    complaints += ["crash: " + line for line in traced.log
                   if line.startswith("exit ") and " signal " in line and
                   not line.endswith(" signal 9")]
    for _ in range(2):
        ran = place.run()
    kept = hold and ran.code == 74 and ran.counts().get("suspect", 0) > 0
    if not kept and ran.code != 0:
        complaints.append("exit: the clean run ended with %s: %s"
                          % (ran.code, ran.err.strip()))
    complaints += verify(place, scene.expected(), kept=kept)
    audit = place.run("--audit")
    if audit.code != 0 and not kept:
        complaints.append("audit: exit %s: %s"
                          % (audit.code, audit.err.strip()))
    return complaints


def jobs_for(points, n):
    hold, loader = may_hold(points), of_the_loader(points)
    connected = on_connections(points)
    jobs = [("%s of %s" % (word, point),
             fail_test(point, word, id(point) in hold))
            for point in points if id(point) not in loader
            for word in faults_of(point, id(point) in connected)]
    return spread(jobs, n)


def main():
    begin()
    suite = Suite("errno")
    for kind in kinds():
        place = make("%s/%s-plan" % (suite.base, kind), kind)
        Scene(place).fill()
        points = place.plan()
        jobs = jobs_for(points, setting("ERRNO_SAMPLE", 150))
        suite.note(kind + "-failures", len(jobs))
        suite.work(kind, jobs)
    suite.finish()


if __name__ == "__main__":
    main()
