#!/usr/bin/python3
"""Disks fill up under real daemons: nothing acknowledged is lost, everybody says so, and all goes on when there is room."""
import json
import pathlib
import sys
import tempfile
import time

import smalldisk
from harness import Failed, Partnership, check, equal, run, story, until
from test_first_notice import LISTING, PNC, POLICE, PRISON, PROBATION

FLOOR = 2 << 20  # of the broker, so that a small disk does


def breach(scheme, acknowledged):
    """Probation says something that police must get; returns what the program said."""
    ran = scheme.command(PROBATION, "publish", "breach.recorded", "--subject", PNC, "--attr", "action=court",
                         "--item", "order_type=licence", "--item", "kind=missed", expect=None)
    if ran.code == 0:
        acknowledged.append(ran.out.strip())
    return ran


def one_line(ran, code, *words):
    check(ran.code == code and len(ran.err.strip().splitlines()) == 1 and all(word in ran.err for word in words),
          f"exit {ran.code} (expected {code}) and one line with {words}: {ran.err!r}")


def arrived(scheme, acknowledged, what):
    def all_there():
        got = [e["event"] for e in scheme.inbox(POLICE) if e["type"] == "breach.recorded"]
        equal(len(got), len(set(got)), "nothing reaches a person twice")
        return set(got) == set(acknowledged)
    until(all_there, f"police have all that probation was promised, and no more: {what}", 60)
    scheme.quiet(PROBATION)


def told(scheme, member, words):
    return until(lambda: [i for i in scheme.status(member)["incidents"] if words in i["text"]],
                 f"{member} is told: {words}")


def broker_status(scheme):
    return run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["pipeline"]


def below_the_floor(scheme, disk, acknowledged):
    disk.fill(FLOOR - (256 << 10))
    until(lambda: broker_status(scheme)["disk_full"], "the broker sees it")
    for _ in range(3):
        breach(scheme, acknowledged)
    event = acknowledged[-1]
    told(scheme, PROBATION, "the broker's disk is full; nothing is accepted until there is room")
    check(scheme.show(PROBATION, event)["state"] in ("queued", "sealed"), "it waits at the sender's")
    disk.empty()
    arrived(scheme, acknowledged, "after the broker's disk was below its floor")


def not_a_byte_left(scheme, disk, acknowledged):
    """What the broker cannot write it does not confirm; it neither dies nor forgets."""
    scheme.daemons[POLICE].stop()
    for _ in range(5):
        breach(scheme, acknowledged)
    until(lambda: scheme.status(PROBATION)["outbox"]["accepted"] == 5, "the broker has them for the police")
    disk.fill(0)
    scheme.start_agent(POLICE)
    until(lambda: len([e for e in scheme.inbox(POLICE) if e["type"] == "breach.recorded"]) == len(acknowledged),
          "deliveries go on")
    breach(scheme, acknowledged)
    until(lambda: broker_status(scheme)["disk_full"], "the broker answers")
    equal(scheme.status(PROBATION)["outbox"]["delivered"], len(acknowledged) - 6, "receipts that were not stored")
    dialled = pathlib.Path(scheme.daemons[POLICE].log).read_text(encoding="utf-8").count("connected to the broker")
    time.sleep(1)
    again = pathlib.Path(scheme.daemons[POLICE].log).read_text(encoding="utf-8").count("connected to the broker")
    check(again - dialled <= 1, f"the recipient waits patiently, but connected {again - dialled} times in a second")
    scheme.daemons["broker"].kill()
    start = run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=None, timeout=20)
    one_line(start, 3, "full")
    disk.empty()
    scheme.start_broker()
    arrived(scheme, acknowledged, "after the broker had no byte left")


def recipient_is_full(scheme, disk, acknowledged):
    disk.fill(0)
    for _ in range(5):
        breach(scheme, acknowledged)
    until(lambda: "the disk is full: nothing is taken until there is room" in scheme.daemons[POLICE].tail(),
          "the police's agent says so in its log")
    check(scheme.daemons[POLICE].alive(), "and stays up")
    until(lambda: scheme.status(PROBATION)["outbox"]["accepted"] == 5, "the broker keeps them")
    scheme.daemons[POLICE].kill()
    disk.empty()
    scheme.start_agent(POLICE)
    arrived(scheme, acknowledged, "after the recipient's disk was full")


def sender_is_full(scheme, disk, acknowledged):
    disk.fill(0)
    for _ in range(50):
        ran = breach(scheme, acknowledged)
        if ran.code != 0:
            break
    one_line(ran, 3, "no space left on the disk")
    check(scheme.daemons[PROBATION].alive(), "the agent stays up")
    disk.empty()
    until(lambda: breach(scheme, acknowledged).code == 0, "it takes events again")
    arrived(scheme, acknowledged, "after the sender's disk was full")


def tell_settings(scheme):
    path = scheme.broker_folder / "broker.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["disk_floor"] = FLOOR
    path.write_text(json.dumps(settings), encoding="utf-8")


@story
def disks_fill_up():
    if not smalldisk.available():
        print("SKIPPED: this machine allows no mounts, neither to root nor in a user namespace: no disk was filled")
        sys.exit(smalldisk.SKIPPED)
    with tempfile.TemporaryDirectory(prefix="concordat-full-", ignore_cleanup_errors=True) as root:
        scheme = Partnership(root, members=(POLICE, PROBATION, PRISON), witnesses=(POLICE, PROBATION, PRISON),
                             settings={"cosign_every": 100})
        disks = {}
        for name, folder in (("broker", scheme.broker_folder), (POLICE, scheme.agent_folder(POLICE)),
                             (PROBATION, scheme.agent_folder(PROBATION))):
            disks[name] = smalldisk.Disk(folder, 24 << 20)
        try:
            scheme.make()
            tell_settings(scheme)
            scheme.start()
            scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))
            acknowledged = []
            below_the_floor(scheme, disks["broker"], acknowledged)
            not_a_byte_left(scheme, disks["broker"], acknowledged)
            recipient_is_full(scheme, disks[POLICE], acknowledged)
            sender_is_full(scheme, disks[PROBATION], acknowledged)
            scheme.until_final()
            check(all(not scheme.status(m)["witness"]["forks"] for m in (POLICE, PROBATION, PRISON)),
                  "no full disk made the log contradict what was cosigned")
            scheme.stop()
            check("log verified" in scheme.verify().out, "the log verifies")
        except Failed:
            for daemon in scheme.daemons.values():
                print(f"--- {daemon.name}\n{daemon.tail()}", file=sys.stderr)
            raise
        finally:
            for daemon in scheme.daemons.values():
                daemon.kill()
            for disk in disks.values():
                disk.close()
