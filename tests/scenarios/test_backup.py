#!/usr/bin/python3
"""Backups of a running broker, and what becomes of them: whole or refused, never a fork, and what was erased stays erased."""
import pathlib
import re
import shutil
import sqlite3

import harness
from harness import check, equal, partnership, story, until

PNC = "2003/9391423N"
POLICE, PRISON, PROBATION = "police.staffordshire", "prison.dovegate", "probation.staffordshire"
CHUNK = (1 << 20) + 16
HEAD = 75


def listing(scheme):
    event = scheme.publish(POLICE, "ppo.added", "--subject", PNC, "--attr", "strand=resettle_rehabilitate", "--attr",
                           "area=stoke", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
                           "review_due=2026-12-15", "--attr", "home_force=21", "--item", "name=Liam Hughes-Parry",
                           "--item", "dob=1971-09-16")
    scheme.settled(POLICE, event)


def arrest(scheme):
    event = scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
    scheme.settled(POLICE, event)
    return event


def entries(scheme):
    return harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["pipeline"]["entries"]


def backup(scheme, name, expect=0):
    target = scheme.root / name
    said = harness.run("concordat-broker", "backup", "--dir", scheme.broker_folder, "--to", target, expect=expect)
    return target if expect == 0 else said.err


def restore(scheme, source, *options, key="recovery.key", expect=0):
    return harness.run("concordat-broker", "restore", "--dir", scheme.broker_folder, "--from", source, "--key",
                       scheme.root / key, *options, expect=expect)


def lose_database(scheme, *more):
    """What a broken disk takes; the rest of the folder is there."""
    for name in ("broker.db", "index.db", *more):
        for end in ("", "-wal", "-shm"):
            (scheme.broker_folder / (name + end)).unlink(missing_ok=True)


def files(folder):
    return sorted(p.name for p in pathlib.Path(folder).iterdir() if p.name not in ("lock", "checkpoint.db-wal", "checkpoint.db-shm"))


def a_key_first(scheme):
    check("backup-key" in backup(scheme, "none", expect=1), "without a key there is no backup")
    make = ("concordat-broker", "backup-key", "--dir", scheme.broker_folder, "--out")
    harness.run(*make, scheme.root / "recovery.key")
    check("is there already" in harness.run(*make, scheme.root / "other.key", expect=1).err, "one key")
    shutil.move(scheme.broker_folder / "backup.pub", scheme.root / "backup.pub")
    harness.run(*make, scheme.root / "other.key")
    shutil.move(scheme.root / "backup.pub", scheme.broker_folder / "backup.pub")


def under_traffic(scheme):
    """What is committed while the backup is made is in it or not; the backup is whole either way."""
    for _ in range(40):
        scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
    made = backup(scheme, "traffic.backup")
    scheme.quiet(POLICE)
    check("exists already" in backup(scheme, "traffic.backup", expect=1), "nothing is overwritten")
    content = made.read_bytes()
    for clear in (b"SQLite format", b"arrest.made", POLICE.encode(), b"manifest"):
        check(clear not in content, f"{clear} is not in clear in it")
    equal(oct(made.stat().st_mode & 0o777), "0o600", "it is for its owner alone")
    check(any(e["outcome"] == "backup" for e in scheme.search("--outcome", "backup")), "the log says that a copy was taken")
    return made


def a_killed_backup_leaves_nothing_whole(scheme):
    """Killed after a part: no file of that name, the broker goes on, and the next one works at once or soon."""
    target = scheme.root / "killed.backup"
    daemon = harness.Daemon("backup", ["concordat-broker", "backup", "--dir", scheme.broker_folder, "--to", target],
                            scheme.root / "logs/backup.log", {"CONCORDAT_CRASH": "backup.database:1"}).start()
    equal(daemon.process.wait(timeout=30), -9, "killed in the middle")
    check(not target.exists(), "nothing stands under its name")
    arrest(scheme)
    check("another backup" in backup(scheme, "killed.backup", expect=1), "its lease is not over yet")


def damaged_ones_change_nothing(scheme, made):
    before = files(scheme.broker_folder)
    whole = made.read_bytes()
    bad = scheme.root / "bad.backup"
    cases = {
        "another recovery key": (whole, "other.key"),
        "no backup": (b"something else", "recovery.key"),
        "newer version": (whole.replace(b"backup/1\n", b"backup/2\n", 1), "recovery.key"),
        "ends too early": (whole[:-1000], "recovery.key"),
        "ends too early, or its end is damaged": (whole[:HEAD] , "recovery.key"),
        "damaged": (whole[:HEAD + 5000] + bytes([whole[HEAD + 5000] ^ 1]) + whole[HEAD + 5001:], "recovery.key"),
    }
    for sentence, (content, key) in cases.items():
        bad.write_bytes(content)
        ran = restore(scheme, bad, key=key, expect=None)
        check(ran.code in (1, 3) and sentence in ran.err, f"{sentence}: {ran.code} {ran.err}")
        equal(files(scheme.broker_folder), before, f"{sentence}: the folder is as it was")


def the_same_log_goes_on(scheme):
    """The database is lost while nothing was signed since the backup."""
    scheme.stop()
    made = backup(scheme, "stopped.backup")
    check("move it away" in restore(scheme, made, expect=1).err, "never over a database")
    lose_database(scheme)
    damaged_ones_change_nothing(scheme, made)
    check("the same log can go on" in restore(scheme, made, "--new-log", expect=1).err, "no new log without need")
    check("the whole log was read" in restore(scheme, made).out, "restored")
    scheme.start()
    arrest(scheme)
    check("log verified" in scheme.verify().out, "it verifies")
    check([e for e in scheme.search("--outcome", "restored")], "the log says that it was restored")


def a_fork_is_refused(scheme, made):
    lost = arrest(scheme)
    scheme.stop()
    lose_database(scheme)
    before = files(scheme.broker_folder)
    said = restore(scheme, made, expect=1).err
    check("would fork the log" in said and "--new-log" in said, said)
    equal(files(scheme.broker_folder), before, "the folder is as it was")
    return lost


def next_bundle(scheme, csr_name="broker.sample"):
    harness.run("concordat-authority", "enrol", "--dir", scheme.authority, "--csr",
                scheme.broker_folder / f"{csr_name}.csr", "--out", scheme.root / "renewed.pem", "--renew", *scheme._clock())
    scheme.new_bundle(*scheme.name_witnesses())
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle, *scheme._clock())


def start_with_agents_behind(scheme):
    """Agents have the bundle before: the broker serves once more under the keys that it names."""
    scheme.daemons["broker"] = harness.Daemon(
        "broker", ["concordat-broker", "run", "--dir", scheme.broker_folder, "--old-keys", *scheme._clock()],
        scheme.root / "logs/broker.log").start()
    until(scheme.broker_up, "the broker is up")
    for member in scheme.members:
        scheme.start_agent(member)

    serial = harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["bundle"]["serial"]

    def all_have():
        return all(scheme.status(member)["bundle"]["serial"] == serial for member in scheme.members)
    until(all_have, "all agents have the bundle that names the new log", 60)
    scheme.stop()
    scheme.start()


def publish_again(scheme, lost):
    """What the broker lost it has again, and nobody's state changed; proofs are fetched anew, and nothing is odd."""
    def known():
        return {e["event"] for e in scheme.search("--outcome", "accepted")} | \
            {e["event"] for e in scheme.search("--type", "arrest.made")}
    until(lambda: lost in known(), "the lost event is in the new log")
    until(lambda: all(scheme.status(m)["outbox"]["sealed"] == 0 for m in scheme.members), "every answer is there")
    equal(scheme.show(POLICE, lost)["state"], "delivered", "delivered as before")
    equal(len([e for e in scheme.inbox(PROBATION) if e["event"] == lost]), 1, "and there once")
    for member in scheme.members:
        told = [i["text"] for i in scheme.status(member)["incidents"]]
        check(any("another begins" in t for t in told), f"{member} knows: {told}")
        check(not any("lost it" in t or "number" in t or "omitted" in t or "repeated" in t for t in told), f"{member}: {told}")


def a_new_log(scheme, made, lost):
    scheme.now = "2026-12-01T10:00:00Z"  # a new log begins after what was lost was made
    said = restore(scheme, made, "--new-log").out
    check("broker.sample/log ends, broker.sample/log-2 begins" in said, said)
    signed = int(re.search(r"checkpoint of (\d+) entries", said)[1])
    refused = harness.run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=1).err
    check("names another log" in refused, f"not before a bundle names it: {refused}")
    next_bundle(scheme)
    start_with_agents_behind(scheme)
    arrest(scheme)
    publish_again(scheme, lost)
    scheme.until_final()
    check(all(not scheme.status(m)["witness"]["forks"] for m in scheme.members), "the witnesses follow the new log")
    check("log verified" in scheme.verify().out, "the new log verifies")
    first = scheme.search("--outcome", "new-log")
    equal(len(first), 1, "it says where it comes from")
    note = sqlite3.connect(f"file:{scheme.broker_folder}/checkpoint.db?mode=ro", uri=True).execute(
        "SELECT note FROM checkpoint").fetchone()[0]
    check(note.startswith(b"broker.sample/log-2\n"), "checkpoints bear its name")
    return signed


def checkpoints_are_lost(scheme):
    """checkpoint.db alone is gone: the same decision."""
    scheme.stop()
    for end in ("", "-wal", "-shm"):
        (scheme.broker_folder / f"checkpoint.db{end}").unlink(missing_ok=True)
    said = harness.run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=3).err
    check("checkpoints are gone" in said and "new-log" in said, said)
    command = ("concordat-broker", "new-log", "--dir", scheme.broker_folder, "--because", "checkpoint.db was lost")
    for point in ("restore.marked", "restore.moved", "restore.keyed"):  # killed anywhere, it is done again
        harness.run(*command, environment={"CONCORDAT_CRASH": f"{point}:1"}, expect=-9)
    said = harness.run(*command).out
    check("log-3 ends" in said and "log-4 begins" in said, f"a key had been made already: {said}")
    next_bundle(scheme)
    start_with_agents_behind(scheme)
    arrest(scheme)
    check("log verified" in scheme.verify().out, "the third log verifies")


@story
def backups():
    everybody = (POLICE, PRISON, PROBATION)
    with partnership(members=everybody, witnesses=everybody, settings={"cosign_every": 100}) as scheme:
        listing(scheme)
        a_key_first(scheme)
        made = under_traffic(scheme)
        a_killed_backup_leaves_nothing_whole(scheme)
        the_same_log_goes_on(scheme)
        lost = a_fork_is_refused(scheme, made)
        a_new_log(scheme, made, lost)
        checkpoints_are_lost(scheme)
