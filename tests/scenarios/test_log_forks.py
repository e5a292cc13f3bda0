#!/usr/bin/python3
"""A log that somebody changed on the disk: each way of it is refused at the start, or found by verify, in one sentence."""
import shutil
import sqlite3

from harness import check, partnership, run, story, until
from logwork import QUICKLY, copy_in, copy_out, grow

MEMBERS = ("police.staffordshire", "probation.staffordshire", "drugs.stoke")


def flip(blob, place):
    """One bit of a stored value."""
    changed = bytearray(blob)
    changed[place] ^= 1
    return bytes(changed)


def change(table, column, where, place):
    """A way to change one byte of one column of a row."""
    def do(db):
        row, value = db.execute(f"SELECT rowid, {column} FROM {table} {where}").fetchone()
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (flip(value, place), row))
    return do


def truncate(db):
    """The newest row goes, and the head says so too: fewer entries than were signed."""
    first, = db.execute("SELECT max(first) FROM log").fetchone()
    db.execute("DELETE FROM log WHERE first = ?", (first,))
    state, = db.execute("SELECT state FROM head WHERE id = 1").fetchone()
    db.execute("UPDATE head SET state = ? WHERE id = 1", (first.to_bytes(8, "big") + state[8:],))


def other_head(db):
    """Another root for the same size."""
    state, = db.execute("SELECT state FROM head WHERE id = 1").fetchone()
    db.execute("UPDATE head SET state = ? WHERE id = 1", (flip(state, 20),))


def breach(scheme):
    """Some entries more."""
    return scheme.publish("probation.staffordshire", "breach.recorded", "--subject", "2003/9391423N", "--attr",
                          "action=court", "--item", "order_type=licence", "--item", "kind=missed")


LAST = "WHERE first = (SELECT max(first) FROM log)"
FIRST = "WHERE first = 0"
# What is changed, where, what the broker says when it starts (None: it starts), what verify says.
WAYS = (
    ("a record of the last row", "broker.db", change("log", "records", LAST, 110), "does not match its record",
     "does not match its account part"),
    ("an entry of the last row", "broker.db", change("log", "records", LAST, 20), "does not match its record",
     "do not give the root"),
    ("an old record", "broker.db", change("log", "records", FIRST, 110), None, "entry 0: does not match its account part"),
    ("an old entry", "broker.db", change("log", "records", FIRST, 20), None, "hash 0 of tile/0/000"),
    ("a tile at the edge", "broker.db", change("tile", "hashes", "WHERE id = (SELECT max(id) FROM tile)", 3),
     "no longer give the root", "tile/"),
    ("the checkpoint's root", "checkpoint.db", change("checkpoint", "root", "", 3), "the stored checkpoint",
     "another size or root than its note"),
    ("the checkpoint's note", "checkpoint.db", change("checkpoint", "note", "", -8), "the stored checkpoint",
     "checkpoint: "),
    ("a cosignature", "checkpoint.db", change("cosigned", "note", "WHERE id = 2", -8), None, "final checkpoint: "),
    ("a truncated log", "broker.db", truncate, "fewer than the", "fewer than the"),
    ("two heads for one size", "broker.db", other_head, "another root than the one that was signed", "head: "),
)


def start_says(scheme, sentence, what):
    """The broker says so and ends, or starts."""
    if sentence is None:
        scheme.start_broker()
        scheme.daemons["broker"].stop()
        return
    said = run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=None, timeout=60)
    check(said.code == 3 and sentence in said.err, f"{what}: the broker does not start: exit {said.code}, {said.err!r}")
    check(len(said.err.strip().splitlines()) == 1, f"{what}: in one line: {said.err!r}")


@story
def a_changed_log_is_found():
    with partnership(members=MEMBERS, witnesses=MEMBERS, settings=QUICKLY) as scheme:
        grow(scheme)
        until(lambda: breach(scheme) and scheme.log_state()["entries"] > 300, "more than a tile of entries", 200)
        scheme.until_final()
        scheme.stop()
        sound = copy_out(scheme, "sound")
        check("log verified" in scheme.verify().out, "the untouched log verifies")
        for what, name, damage, sentence, found in WAYS:
            with sqlite3.connect(scheme.broker_folder / name) as db:
                damage(db)
            said = run("concordat-audit", "verify", "--broker", scheme.broker_folder, expect=1).out
            check(found in said, f"{what}: verify says where: {said}")
            start_says(scheme, sentence, what)
            copy_in(scheme, sound)
        shutil.rmtree(sound)
        scheme.start()
        scheme.until_final()
        check("log verified" in scheme.verify().out, "and goes on when all is as it was")
