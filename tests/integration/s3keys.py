#!/usr/bin/python3
"""s3keys.py BUCKET DIR [control] - objects under odd keys below in/, and their
bytes in DIR; beside in/ what a client that takes keys for paths would hit.

Prints how many are below in/. With "control", keys with control bytes too.
"""
import os
import sys

sys.path[:0] = [os.environ['FB_TOP'] + '/tests/s3']
import odd
import s3
import ses

DECOYS = [b'x', b'b', b'in', b'lead', b'pctA', b'inx', b'100%']


def main(bucket, where, *words):
    client = s3.of_environment()
    keys = [b'in/' + k for k in odd.KEYS]
    keys.append(b'in/' + b'l' * (odd.LONGEST - 3))
    if words:
        keys += [b'in/' + k for k in odd.CONTROL]
    for n, key in enumerate(keys):
        data = ses.message(ses.ses_id(1000 + n))
        client.put(bucket, key, data)
        ses.write(os.path.join(where, str(n)), data)
    for key in DECOYS:
        client.put(bucket, key, b'not to be touched')
    print(len(keys))


main(*sys.argv[1:])
