#!/usr/bin/python3
"""`concordat doctor`: well when all is well; otherwise it names what is not, and a remedy."""
import os

from harness import check, equal, partnership, run, story, until

POLICE, DOVEGATE = "police.staffordshire", "prison.dovegate"
CHECKS = {"agent", "keys", "certificate", "bundle", "protocol", "trial", "folder", "disk", "broker", "clock", "queue",
          "log"}


def examine(scheme, member, expect):
    said = scheme.command(member, "doctor", "--json", expect=expect).json()
    equal({finding["check"] for finding in said["findings"]}, CHECKS, "every check says something")
    for finding in said["findings"]:
        check((finding["level"] == "good") == (finding["remedy"] is None), f"whatever is not good has a remedy: {finding}")
    return said


def of(said, name):
    return [finding for finding in said["findings"] if finding["check"] == name]


def only(said, **expected):
    """Everything is good but these checks, which have this level and say this."""
    for finding in said["findings"]:
        level, text = expected.get(finding["check"], ("good", ""))
        check(finding["level"] == level, f"{finding['check']} should be {level}: {finding}")
        check(text in finding["text"], f"{finding} does not say {text!r}")


def again(scheme, member, now):
    """The agent started anew with another clock."""
    scheme.daemons[member].stop()
    scheme.now, before = now, scheme.now
    try:
        scheme.start_agent(member)
        until(lambda: scheme.status(member)["connected"], f"{member} is connected")
    finally:
        scheme.now = before


def rights(scheme):
    folder = scheme.agent_folder(POLICE)
    for name, path in (("keys/storage.key", folder / "keys" / "storage.key"), ("agent.db", folder / "agent.db")):
        mode = path.stat().st_mode & 0o777
        os.chmod(path, 0o644)
        said = examine(scheme, POLICE, 1)
        only(said, folder=("bad", name))
        check("chmod" in of(said, "folder")[0]["remedy"], "the remedy is a command")
        os.chmod(path, mode)
    only(examine(scheme, POLICE, 0))


def clocks(scheme):
    again(scheme, POLICE, "2026-12-01T07:59:00Z")
    only(examine(scheme, POLICE, 1), clock=("warning", "ahead of"))
    again(scheme, POLICE, "2026-12-01T08:30:00Z")
    only(examine(scheme, POLICE, 1), clock=("bad", "behind"))


def ends(scheme):
    """In February the bundle of December ends within three weeks; a year later everything has ended."""
    again(scheme, POLICE, "2027-02-20T08:00:00Z")
    said = examine(scheme, POLICE, 1)
    equal((of(said, "bundle")[0]["level"], of(said, "keys")[0]["level"]), ("warning", "good"), "the bundle ends soon")
    check("ask the board" in of(said, "bundle")[0]["remedy"], "who to ask")


def broker_away(scheme):
    again(scheme, POLICE, scheme.now)
    scheme.daemons["broker"].stop()
    until(lambda: not scheme.status(POLICE)["connected"], "the police agent sees that the broker is away")
    scheme.publish(POLICE, "ppo.added", "--subject", "2003/9391423N", "--attr", "strand=prevent_and_deter", expect=None)
    said = examine(scheme, POLICE, 1)
    equal(of(said, "broker")[0]["level"], "bad", "the broker is away")
    check(scheme.endpoint in of(said, "broker")[0]["text"], "which broker")
    text = scheme.command(POLICE, "doctor", expect=1).out
    check("→" in text and "bad      broker" in text, f"for people:\n{text}")


def without_agent(scheme):
    scheme.daemons[DOVEGATE].stop()
    said = examine(scheme, DOVEGATE, 1)
    equal(of(said, "agent")[0]["level"], "bad", "it says that no agent runs")
    equal(of(said, "broker")[0]["level"], "warning", "and what it cannot know")
    equal(of(said, "folder")[0]["level"], "good", "and what it can")
    stranger = run("concordat", "--agent", scheme.root / "nowhere", "doctor", expect=3)
    check("nowhere" in stranger.err and stranger.err.count("\n") == 1, f"one line about a wrong folder: {stranger.err}")


def swapped_keys(scheme):
    """Keys restored from somewhere else do not go unnoticed."""
    keys, other = (scheme.agent_folder(member) / "keys" / "current.key" for member in (DOVEGATE, "drugs.stoke"))
    mine = keys.read_bytes()
    keys.write_bytes(other.read_bytes())
    ran = scheme.command(DOVEGATE, "doctor", "--json", expect=None)
    check(ran.code in (1, 3) and "key" in (ran.out + ran.err), f"foreign keys: {ran.code} {ran.out}{ran.err}")
    keys.write_bytes(mine)


@story
def what_is_well_and_what_is_not():
    with partnership() as scheme:
        for member in scheme.members:
            only(examine(scheme, member, 0))
        rights(scheme)
        clocks(scheme)
        ends(scheme)
        broker_away(scheme)
        without_agent(scheme)
        swapped_keys(scheme)
