#!/usr/bin/python3
"""Unix users at one agent: each may what agent.json gives them, acts under the own name, and each one's look is logged.

Other users can be had by root alone; without root the story ends after what the agent's own user can see.
"""
import grp
import json
import os
import pwd
import subprocess

import harness
from harness import BIN, check, equal, run, until

PNC = "2003/9391423N"
POLICE, DRUGS = "police.staffordshire", "drugs.stoke"
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16")
READER, HELPER, STRANGER = "nobody", "daemon", "bin"  # every Debian has them


def settings(scheme, member, expect=True, **changes):
    path = scheme.agent_folder(member) / "agent.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept.update(changes)
    path.write_text(json.dumps(kept), encoding="utf-8")
    scheme.daemons[member].stop()
    if expect:
        scheme.start_agent(member)


def opened(scheme, event):
    return sorted(row["officer"] for row in scheme.search("--kind", "opened", "--event", event))


def as_user(name, folder, *arguments):
    user = pwd.getpwnam(name)
    done = subprocess.run([BIN / "concordat", "--agent", folder, *arguments], capture_output=True, text=True,
                          check=False, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/")
    return harness.Ran(done.returncode, done.stdout, done.stderr)


def rights():
    with harness.partnership(members=(POLICE, DRUGS)) as scheme:
        listing = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING)
        equal(scheme.settled(POLICE, listing)["state"], "delivered", "the person is listed")
        me = os.geteuid()
        settings(scheme, DRUGS, officers={str(me): "caseworker-1"})
        scheme.inbox(DRUGS)
        equal(opened(scheme, listing), [], "a list shows no contents")
        scheme.show(DRUGS, listing)
        scheme.show(DRUGS, listing)
        until(lambda: opened(scheme, listing), "the look is logged")
        equal(opened(scheme, listing), ["caseworker-1"], "once")
        settings(scheme, DRUGS, officers={str(me): "caseworker-2"})
        scheme.show(DRUGS, listing)
        until(lambda: len(opened(scheme, listing)) == 2, "another officer's look is logged too")
        equal(opened(scheme, listing), ["caseworker-1", "caseworker-2"], "each once")
        refused_settings(scheme)
        if me == 0:
            others(scheme, listing)
        settings(scheme, DRUGS, officers={})
        exports(scheme)


def refused_settings(scheme):
    for officers, sentence in (({"no-such-user-here": "x"}, "is no Unix user"), ({"0": {"rights": ["fly"]}}, "must map"),
                               ({"@root": "x"}, "must map"), ({"0": {"officer": "x", "colour": 1}}, "must map")):
        settings(scheme, DRUGS, expect=False, officers=officers)
        said = run("concordat-agent", "run", "--dir", scheme.agent_folder(DRUGS), "--now", scheme.now, expect=None)
        check(said.code != 0 and sentence in said.err, (officers, said.err))


def others(scheme, listing):
    """As root: other users come through a socket in a folder that they can reach."""
    folder = scheme.root / "run"
    folder.mkdir()
    folder.chmod(0o755)
    scheme.root.chmod(0o755)
    path = scheme.agent_folder(DRUGS) / "agent.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    group = grp.getgrgid(pwd.getpwnam(READER).pw_gid).gr_name
    kept.update(socket_folder=str(folder), socket_group=group,
                officers={READER: {"officer": "reader-7", "rights": ["read"]}, HELPER: {"rights": []}})
    path.write_text(json.dumps(kept), encoding="utf-8")
    scheme.daemons[DRUGS].start()
    socket = folder / "control.sock"
    until(socket.exists, "the socket is there")
    equal(oct(socket.stat().st_mode & 0o777), "0o660", "for its group")
    said = as_user(STRANGER, folder, "status")
    check(said.code == 3 and "permission" in said.err.lower(), said.err)

    until(lambda: as_user(READER, folder, "show", listing).code == 0, "the reader reads")
    until(lambda: "reader-7" in opened(scheme, listing), "under the name of agent.json")
    said = as_user(READER, folder, "publish", "ppo.removed", "--subject", PNC)
    check(said.code == 1 and "no right to publish here" in said.err, said.err)
    socket.chmod(0o666)  # whoever gets in all the same is told
    said = as_user(STRANGER, folder, "inbox")
    check(said.code == 1 and "no right to do anything here" in said.err, said.err)
    equal(as_user(HELPER, folder, "status").code, 0, "whoever is named sees the status")
    said = as_user(HELPER, folder, "show", listing)
    check(said.code == 1 and "no right to read here" in said.err, said.err)
    scheme.daemons[DRUGS].stop()
    kept.pop("socket_folder"), kept.pop("socket_group")
    path.write_text(json.dumps(kept), encoding="utf-8")
    scheme.start_agent(DRUGS)


def exports(scheme):
    before = len(scheme.search("--kind", "audit-query"))
    run("concordat-audit", "export", "--broker", scheme.broker_folder, "--out", scheme.root / "export")
    looks = scheme.search("--kind", "audit-query")
    equal((looks[-2]["asked"], looks[-2]["officer"]), ("export", f"unix:{os.geteuid()}"), "an export is a look")
    check(len(looks) > before + 1, "and so are searches")
    scheme.daemons["broker"].stop()
    said = run("concordat-audit", "export", "--broker", scheme.broker_folder, "--out", scheme.root / "again", expect=3)
    check("is not running" in said.err and "verify" in said.err, said.err)
    check(not (scheme.root / "again").exists(), "nothing was written")
    for command in ("search", "replay-export"):
        said = run("concordat-audit", command, "--broker", scheme.broker_folder, expect=3)
        check("not running" in said.err, said.err)
    check("log verified" in scheme.verify().out, "a stopped broker's folder can be verified")
    scheme.start_broker()


if __name__ == "__main__":
    harness.story(rights)
