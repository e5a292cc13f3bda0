#!/usr/bin/python3
"""The log's witnesses: agents cosign what the broker signs, and a log that went back or was forked is found."""
import shutil
import sqlite3

from harness import MEMBERS, check, equal, partnership, run, story, until
from logwork import QUICKLY, copy_in, copy_out, grow

POLICE, PRISON, STAFFORD, PROBATION, DRUGS = MEMBERS
QUORUM = 4  # of five, one of them dishonest


def ended(daemon, code):
    until(lambda: not daemon.alive(), f"{daemon.name} ends")
    equal(daemon.process.returncode, code, f"{daemon.name} ends with {code}\n{daemon.tail()}")
    return daemon.tail()


def witness_of(scheme, member):
    return scheme.status(member)["witness"]


def cosigned_to_the_end(scheme):
    grow(scheme)
    size = scheme.until_final()
    until(lambda: sum(witness_of(scheme, m)["cosigned"] >= size for m in MEMBERS) >= QUORUM, "four cosigned all of it")
    said = run("concordat-broker", "status", "--dir", scheme.broker_folder).out
    check(f"log: {size} of {size} entries are final; 4 of 5 witnesses must cosign, 1 may be dishonest" in said, said)
    verified = scheme.verify().out
    check(f"the first {size} entries were cosigned by " in verified and
          "final, as 4 of 5 witnesses must cosign and 1 may be dishonest" in verified, verified)
    check(f"we cosigned the log's first {size} entries" in scheme.command(PRISON, "status").out, "and an agent says so")
    return size


def one_is_away(scheme):
    """Four of five are enough, and status says who is missing since when."""
    scheme.daemons[DRUGS].stop()
    before = witness_size(scheme, DRUGS)
    grow(scheme)
    size = scheme.until_final()
    said = run("concordat-broker", "status", "--dir", scheme.broker_folder).out
    check(f"{DRUGS} has not cosigned since {before} entries, at 2026-12-01" in said, said)
    scheme.daemons[PROBATION].stop()
    grow(scheme)
    until(lambda: scheme.log_state()["signed"] == scheme.log_state()["entries"], "it goes on being signed")
    equal(scheme.log_state()["final"], size, "with two away nothing new is final")
    scheme.start_agent(DRUGS)
    scheme.start_agent(PROBATION)
    check(scheme.until_final() > size, "and is when they are back")


def exported(scheme):
    """An export has the cosignatures: in its checkpoint, or in an earlier one beside it."""
    key = (scheme.root / "whole")
    run("concordat-audit", "export", "--broker", scheme.broker_folder, "--out", key)
    note = (key / "checkpoint").read_text(encoding="utf-8")
    check(sum(f"\u2014 {member} " in note for member in MEMBERS) >= QUORUM, note)
    vkey = (key / "log.vkey").read_text(encoding="ascii").strip()
    check("log verified" in run("concordat-audit", "verify", "--export", key, "--key", vkey).out, "it verifies")
    for member in (PROBATION, DRUGS):
        scheme.daemons[member].stop()
    grow(scheme)
    until(lambda: scheme.log_state()["signed"] == scheme.log_state()["entries"], "more is signed, and not final")
    later = scheme.root / "later"
    run("concordat-audit", "export", "--broker", scheme.broker_folder, "--out", later)
    final = later / "checkpoint.final"
    check(sum(f"\u2014 {member} " in final.read_text(encoding="utf-8") for member in MEMBERS) >= QUORUM,
          "the newest final one stands beside it")
    check("log verified" in run("concordat-audit", "verify", "--export", later, "--key", vkey).out, "and verifies")
    lines = final.read_text(encoding="utf-8").split("\n")
    lines[2] = lines[2][:-5] + ("A" if lines[2][-5] != "A" else "B") + lines[2][-4:]
    final.write_text("\n".join(lines), encoding="utf-8")
    said = run("concordat-audit", "verify", "--export", later, "--key", vkey, expect=1).out
    check("checkpoint.final: " in said, said)
    for member in (PROBATION, DRUGS):
        scheme.start_agent(member)
    scheme.until_final()


def witness_size(scheme, member):
    return next(w["cosigned"] for w in scheme.log_state()["witnesses"] if w["member"] == member)


def nothing_is_signed_until_three_are_there(scheme):
    """n - k + f = 2: more than two witnesses must have said hello after a start."""
    scheme.stop()
    scheme.start_broker()
    for member in (POLICE, PRISON):
        scheme.start_agent(member)
    until(lambda: scheme.log_state()["witnesses_heard"] == 2, "two are there")
    signed = scheme.log_state()["signed"]
    grow(scheme)
    equal(scheme.log_state()["signed"], signed, "accepting goes on, and nothing is signed")
    check("NOT SIGNED until more witnesses have said hello: 2 have" in
          run("concordat-broker", "status", "--dir", scheme.broker_folder).out, "status says why")
    scheme.start_agent(STAFFORD)
    until(lambda: scheme.log_state()["signed"] == scheme.log_state()["entries"], "with three it is signed")
    scheme.start_agent(PROBATION)
    scheme.start_agent(DRUGS)
    scheme.until_final()


def a_backup_brought_back_is_found(scheme):
    scheme.stop()
    backup = copy_out(scheme, "backup")
    scheme.start()
    grow(scheme)
    size = scheme.until_final()
    scheme.stop()
    newest = copy_out(scheme, "newest")
    copy_in(scheme, backup)
    broker = scheme.start_broker()
    scheme.start_agent(PRISON)
    said = ended(broker, 3)
    check(f"{PRISON} holds a checkpoint of {size} entries that this log's key signed" in said and
          "it is an older copy, and going on would fork the log" in said, said)
    again = run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=None)
    check(again.code in (1, 3) and "it is an older copy" in again.err, f"and does not start again: {again.err}")
    with sqlite3.connect(scheme.broker_folder / "checkpoint.db") as db:
        shown, ours = db.execute("SELECT shown, ours FROM fork").fetchone()
    check(shown != ours and shown.split(b"\n")[1] == b"%d" % size, "the evidence is kept")
    check("log verified" in scheme.verify().out, "the copy verifies by itself: only a witness can tell")
    rows = run("concordat-audit", "verify", "--broker", scheme.broker_folder).out
    check("log verified" in rows, rows)
    copy_in(scheme, newest)
    scheme.daemons[PRISON].stop()
    scheme.start()
    scheme.until_final()


def two_copies_that_both_ran_are_found(scheme):
    """Each signed a log of its own from one beginning; whoever meets an agent of the other ends."""
    scheme.stop()
    begin = copy_out(scheme, "begin")
    scheme.start()
    grow(scheme)
    scheme.until_final()
    scheme.stop()
    copy_in(scheme, begin)
    # The other copy runs among witnesses that have lost what they cosigned.
    for member in MEMBERS:
        if member != DRUGS:
            shutil.rmtree(scheme.agent_folder(member) / "witness")
            with sqlite3.connect(scheme.agent_folder(member) / "agent.db") as db:
                db.execute("DELETE FROM witnessed")
    scheme.start_broker()
    for member in MEMBERS:
        if member != DRUGS:
            scheme.start_agent(member)
    for _ in range(4):
        grow(scheme)
    until(lambda: scheme.log_state()["signed"] == scheme.log_state()["entries"], "it signs")
    broker = scheme.daemons["broker"]
    scheme.start_agent(DRUGS)
    said = ended(broker, 3)
    check("the log was forked" in said and DRUGS in said, said)
    until(lambda: scheme.command(DRUGS, "status", expect=None).code == 0, "the agent goes on")
    for name in list(scheme.daemons):
        if name != "broker":
            scheme.daemons[name].stop()


@story
def witnesses_hold_the_log():
    with partnership(witnesses=MEMBERS, dishonest=1, settings=QUICKLY) as scheme:
        cosigned_to_the_end(scheme)
        exported(scheme)
        one_is_away(scheme)
        nothing_is_signed_until_three_are_there(scheme)
        a_backup_brought_back_is_found(scheme)
        two_copies_that_both_ran_are_found(scheme)
