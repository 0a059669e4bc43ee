#!/usr/bin/python3
"""ledger.py FILE forget|undo|objects - damages a ledger for --audit.

  forget   the deliveries are gone, the objects are known
  undo     every delivery is as before its rename (INTENT)
  objects  objects and deliveries are gone, as if never seen
"""
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
for statement in {
        'forget': ['DELETE FROM delivery'],
        'undo': ['UPDATE delivery SET state = 1'],
        'objects': ['DELETE FROM delivery', 'DELETE FROM object'],
        }[sys.argv[2]]:
    changed = db.execute(statement).rowcount
    assert changed > 0, statement
db.commit()
db.close()
