#!/usr/bin/python3
"""Folders of an earlier state of the code: today's programs bring them up and lose nothing; older programs are told to stop."""
import json
import shutil
import sqlite3
import tarfile
import tempfile

import harness
from harness import DATA, check, equal, story, until

POLICE, PRISON, PROBATION = "police.staffordshire", "prison.dovegate", "probation.staffordshire"
WAITING = 30  # arrests that probation had not fetched when the folder was put aside
REMOVED_BY_TEST = 99


def old_partnership(root):
    """The folder of layout 1 (tests/data/README.md), on a port of this machine."""
    with tarfile.open(DATA / "old-folder/layout-1.tar.xz") as archive:
        archive.extractall(root)
    scheme = harness.Partnership(root, members=(POLICE, PRISON, PROBATION), now="2026-12-01T09:00:00Z")
    scheme.bundle = scheme.root / "partnership.bundle"
    for name in ("logs", "pids"):
        (scheme.root / name).mkdir()
    settings = [(scheme.broker_folder / "broker.json", "listen")]
    settings += [(scheme.agent_folder(m) / "agent.json", "broker") for m in scheme.members]
    for path, key in settings:
        said = json.loads(path.read_text(encoding="utf-8"))
        said[key] = scheme.endpoint
        path.write_text(json.dumps(said), encoding="utf-8")
    return scheme


def layout(path, becomes=None):
    with sqlite3.connect(path) as database:
        if becomes is not None:
            database.execute(f"PRAGMA user_version = {becomes}")
        number = database.execute("PRAGMA user_version").fetchone()[0]
    database.close()
    return number


def entries(scheme):
    return harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["pipeline"]["entries"]


def everything_is_there(scheme):
    scheme.start()
    arrests = until(lambda: len([e for e in scheme.inbox(PROBATION) if e["type"] == "arrest.made"]) == WAITING,
                    "what waited at the broker for probation is delivered")
    check(arrests, "all of it")
    scheme.quiet(POLICE)
    notices = [e for e in scheme.inbox(POLICE) if e["type"] == "release.planned"]
    equal(scheme.show(POLICE, notices[0]["event"])["items"]["release_date"], "2026-12-20", "what police received then")
    told = scheme.publish(PRISON, "release.planned", "--subject", "2003/9391423N", "--attr", "release_date=2026-12-28",
                          "--attr", "home_force=21", "--item", "date_type=CRD", "--item", "home_district=Hanley")
    scheme.settled(PRISON, told)
    check("log verified" in scheme.verify().out, "the log verifies, old entries and new ones")
    scheme.stop()


def a_damaged_log_is_found(scheme):
    """One bit of an entry that no start looks at: the replay after the change of layout finds it."""
    path = scheme.broker_folder / "broker.db"
    with sqlite3.connect(path) as database:
        records = bytearray(database.execute("SELECT records FROM log WHERE first = 0").fetchone()[0])
        records[90] ^= 1
        database.execute("UPDATE log SET records = ? WHERE first = 0", (bytes(records),))
    database.close()
    said = harness.run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=3)
    check("entry 0 of the log does not match its record" in said.err, said.err)
    said = harness.run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=3)
    check("entry 0 of the log" in said.err, f"and again, until it was read through once: {said.err}")


def killed_between(scheme, point):
    daemon = harness.Daemon("broker", ["concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now],
                            scheme.root / "logs/killed.log", {"CONCORDAT_CRASH": f"{point}:1"}).start()
    equal(daemon.process.wait(timeout=30), -9, f"killed at {point}")


def newer_folders_are_refused(scheme):
    agent = scheme.agent_folder(PRISON)
    now = layout(agent / "agent.db")
    layout(agent / "agent.db", REMOVED_BY_TEST)
    said = harness.run("concordat-agent", "run", "--dir", agent, "--now", scheme.now, expect=3).err
    check("written by a newer version of Concordat" in said and "agent.db" in said, said)
    layout(agent / "agent.db", now)
    for name in ("broker.db", "checkpoint.db"):
        path = scheme.broker_folder / name
        now = layout(path)
        layout(path, REMOVED_BY_TEST)
        said = harness.run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=3).err
        check("written by a newer version of Concordat" in said and name in said, said)
        layout(path, now)


@story
def migration():
    root = tempfile.mkdtemp(prefix="concordat-")
    try:
        scheme = old_partnership(root + "/damaged")
        a_damaged_log_is_found(scheme)
        scheme = old_partnership(root + "/old")
        equal(layout(scheme.broker_folder / "broker.db"), 1, "the folder is old")
        check("log verified" in scheme.verify().out, "an old folder can be verified as it is")
        equal(layout(scheme.broker_folder / "broker.db"), 1, "which changes nothing")
        killed_between(scheme, "db.layout.step")
        equal(layout(scheme.broker_folder / "broker.db"), 1, "nothing of the step that was cut short")
        killed_between(scheme, "db.layout.stepped")
        check(layout(scheme.broker_folder / "broker.db") > 1, "the step that was committed stays")
        try:
            everything_is_there(scheme)
        finally:
            for daemon in scheme.daemons.values():
                daemon.kill()
        newer_folders_are_refused(scheme)
    finally:
        shutil.rmtree(root, ignore_errors=True)
