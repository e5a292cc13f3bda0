#!/usr/bin/python3
"""What is erased is nowhere: not in the broker's files, an export, a later backup, a restored one, or where proofs are held."""
import json
import pathlib
import shutil
import sqlite3
import struct
import uuid

import harness
from harness import check, equal, partnership, story, until

POLICE, PRISON, PROBATION = "police.staffordshire", "prison.dovegate", "probation.staffordshire"
PNC = "1998/0214378K"
OFFICER = "officer-who-will-be-forgotten"
DPO = "dpo.hargreaves"


def listing(scheme):
    event = scheme.publish(POLICE, "ppo.added", "--subject", PNC, "--attr", "strand=resettle_rehabilitate", "--attr",
                           "area=stoke", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
                           "review_due=2026-12-15", "--attr", "home_force=21", "--item", "name=Brian Example", "--item",
                           "dob=1971-09-16")
    scheme.settled(POLICE, event)


def as_officer(scheme, name):
    scheme.daemons[PRISON].stop()
    path = scheme.agent_folder(PRISON) / "agent.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["officers"] = {"0": name}
    path.write_text(json.dumps(settings), encoding="utf-8")
    scheme.start_agent(PRISON)
    until(lambda: scheme.status(PRISON)["connected"], "the prison is connected")


def broker_status(scheme):
    return harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["pipeline"]


def personal_parts(path, event):
    """(salt, part) of every block in the log that names the event."""
    found = set()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT personal FROM log").fetchall()
    database.close()
    for (personal,) in rows:
        at = 0
        while at < len(personal):
            size = struct.unpack(">I", personal[at + 32:at + 36])[0]
            length = size & 0x7fffffff
            part = personal[at + 36:at + 36 + length]
            if uuid.UUID(event).bytes in part and not size & 0x80000000:
                found.add((bytes(personal[at:at + 32]), bytes(part)))
            at += 36 + length
    return found


def holding(folder, traces):
    """Which files below a folder hold which of the traces; keys and bundles of others have none of them anyway."""
    return {(str(path.relative_to(folder)), name) for path in pathlib.Path(folder).rglob("*") if path.is_file()
            for name, trace in traces.items() if trace in path.read_bytes()}


def told_about(scheme):
    """An event by the officer, received, opened and proved; what of it must be gone later."""
    as_officer(scheme, OFFICER)
    told = scheme.publish(PRISON, "release.planned", "--subject", PNC, "--attr", "release_date=2027-01-07", "--attr",
                          "home_force=21", "--item", "date_type=CRD", "--item", "home_district=Hanley")
    scheme.settled(PRISON, told)
    until(lambda: any(e["event"] == told for e in scheme.inbox(POLICE)), "police have it")
    scheme.show(POLICE, told)
    as_officer(scheme, "records-clerk")
    parts = personal_parts(scheme.broker_folder / "broker.db", told)
    shared = [(salt, part) for salt, part in parts if OFFICER.encode() in part]
    equal(len(shared), 1, "one block is shared by the entries that the event made")
    salt, part = shared[0]
    return told, {"officer": OFFICER.encode(), "salt": salt, "personal part": part}


def export(scheme, name):
    target = scheme.root / name
    harness.run("concordat-audit", "export", "--broker", scheme.broker_folder, "--out", target)
    return target


def backup(scheme, name):
    target = scheme.root / name
    harness.run("concordat-broker", "backup", "--dir", scheme.broker_folder, "--to", target)
    return target


def unpacked(scheme, source):
    """A backup's database in a copy of the broker's folder, as a restore puts it there."""
    copy = scheme.root / "unpacked"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(scheme.broker_folder, copy, ignore=shutil.ignore_patterns("*.db*", "*.sock", "lock"))
    ran = harness.run("concordat-broker", "restore", "--dir", copy, "--from", source, "--key", scheme.root / "recovery.key",
                      "--new-log")
    check("begins over what is there" in ran.out, ran.out)
    return copy


def erase(scheme, told):
    erasure = scheme.command(PRISON, "erase", told, "--reason", "request").out.strip()
    until(lambda: all(r["confirmed"] for r in scheme.show(PRISON, erasure)["recipients"]), "all who hold it have confirmed")
    harness.run("concordat-broker", "confirm-erasure", "--dir", scheme.broker_folder, "--officer", DPO, told)
    until(lambda: broker_status(scheme)["erasing"] == 0 and broker_status(scheme)["erasures"] == 0, "it is done")


def restored_copies_forget_too(scheme, before, traces):
    """The backup from before is restored: what was erased since goes again, before anything is served."""
    scheme.stop()
    for name in ("broker.db", "index.db"):
        for end in ("", "-wal", "-shm"):
            (scheme.broker_folder / (name + end)).unlink(missing_ok=True)
    harness.run("concordat-broker", "restore", "--dir", scheme.broker_folder, "--from", before, "--key",
                scheme.root / "recovery.key", "--new-log")
    check(holding(scheme.broker_folder, traces), "the restored database holds it")
    harness.run("concordat-authority", "enrol", "--dir", scheme.authority, "--csr", scheme.broker_folder / "broker.sample.csr",
                "--out", scheme.root / "renewed.pem", "--renew", *scheme._clock())
    scheme.new_bundle()
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle, *scheme._clock())
    for member in scheme.members:
        scheme.join(member)
    scheme.start_broker()
    until(lambda: not holding(scheme.broker_folder, traces), "nothing of it is left in any file")
    check("log verified" in scheme.verify().out, "and the log verifies")
    check(any("again after a restore" in (e["reason"] or "") for e in scheme.search("--outcome", "erased")),
          "which says what was overwritten again")


@story
def forgotten():
    with partnership(members=(POLICE, PRISON, PROBATION)) as scheme:
        harness.run("concordat-broker", "backup-key", "--dir", scheme.broker_folder, "--out", scheme.root / "recovery.key")
        listing(scheme)
        told, traces = told_about(scheme)
        before = backup(scheme, "before.backup")
        found = {name for _, name in holding(scheme.broker_folder, traces)}
        equal(found, set(traces), "the scan finds each of them while they are there")
        equal({name for _, name in holding(unpacked(scheme, before), traces)}, set(traces), "also in a backup")
        shutil.rmtree(scheme.root / "unpacked")
        erase(scheme, told)
        until(lambda: not holding(scheme.broker_folder, traces), "nothing is left in the broker's folder")
        equal(holding(export(scheme, "export"), traces), set(), "nor in an export")
        equal(holding(unpacked(scheme, backup(scheme, "after.backup")), traces), set(), "nor in a later backup")
        equal(holding(scheme.root / "agents", traces), set(), "nor with any agent")
        for member in scheme.members:
            shown = scheme.show(member, told) if any(e["event"] == told for e in scheme.inbox(member)) else {"items": {}}
            equal(shown["items"], {}, f"{member} has no contents of it")
        check("log verified" in scheme.verify().out, "everything verifies")
        shutil.rmtree(scheme.root / "unpacked")
        restored_copies_forget_too(scheme, before, traces)
