#!/usr/bin/python3
"""s3faults - S3 servers that err, and what fallbackmx makes of it.

	CASES=REGEX	only these	JOBS=4	at the same time	KEEP=1

Each case has a scripted server, a Maildir and a ledger of its own; its name
begins with its number in the project's list, or with "more". Run by root, the
importer is started as nobody.
"""

import concurrent.futures
import os
import re
import sys
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../s3", HERE + "/../integration"]

import cases_account                                        # noqa: E402
import cases_list                                           # noqa: E402
import cases_object                                         # noqa: E402
import cases_remove                                         # noqa: E402
import place                                                # noqa: E402


def cases():
    wanted = re.compile(os.environ.get("CASES", ""))
    found = [act for module in (cases_list, cases_object, cases_remove,
                              cases_account)
             for name, act in vars(module).items()
             if re.match(r"(f\d\d|more)_", name) and act.__module__ ==
             module.__name__ and wanted.search(name)]
    return sorted(found, key=lambda act: act.__name__)


def play(base, act):
    p = place.Place(base, act.__name__)
    try:
        return list(act(p)) + p.problems
    except Exception:           # of the test or of what it met
        return [traceback.format_exc()]
    finally:
        p.close()


def main():
    base, failed = place.Base(), 0
    # Those that wait longest begin first.
    waiting = sorted(cases(), key=lambda act: "f20" not in act.__name__)
    try:
        with concurrent.futures.ThreadPoolExecutor(
                int(os.environ.get("JOBS", 4))) as pool:
            told = {act: pool.submit(play, base, act) for act in waiting}
            for n, act in enumerate(cases(), 1):
                problems = told[act].result()
                failed += bool(problems)
                print("%sok %d - %s, %s: %s" % (
                    "not " if problems else "", n,
                    *act.__name__.split("_", 1), act.__doc__))
                for problem in problems:
                    print("  # " + problem.rstrip().replace("\n", "\n  # "))
                sys.stdout.flush()
    finally:
        if os.environ.get("KEEP"):
            print("kept: " + base.path)
        else:
            base.remove()
    print("%d passed, %d failed, 0 skipped" % (len(told) - failed, failed))
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
