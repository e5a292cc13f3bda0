#!/usr/bin/python3
"""Broker and agents die by kill -9 at named points under traffic, again and again; nothing acknowledged is lost.

CONCORDAT_KILLS is how often (200), CONCORDAT_SEED the seed (1). Needs a build with crash points (dev, tsan, coverage).
"""
import os
import random

from harness import check, equal, partnership, story, until

KILLS = int(os.environ.get("CONCORDAT_KILLS", "200"))
SEED = int(os.environ.get("CONCORDAT_SEED", "1"))
POLICE, PROBATION, PRISON = "police.staffordshire", "probation.staffordshire", "prison.dovegate"

# Points that the traffic below passes, by who dies there.
BROKER = ("broker.intake", "broker.verified", "broker.before_group", "broker.before_records", "broker.before_commit",
          "broker.after_commit", "broker.before_sign", "broker.after_sign", "broker.after_answers",
          "broker.after_deliveries", "logbook.append.row", "logbook.save", "logbook.sign.read", "logbook.sign.signed",
          "logbook.sign.stored", "witnessing.offered", "witnessing.taken", "witnessing.stored")
SENDER = ("outbox.queue", "control.queued", "control.queued.done", "planning.sealed", "planning.commit",
          "publishing.built", "session.published", "publishing.outcome", "publishing.outcome.done", "receipts.confirm",
          "session.receipts.confirmed", "witness.checked", "witnessed.floor", "witnessed.kept", "witness.answered")
RECIPIENT = ("inbox.insert", "delivery.commit", "delivery.commit.done", "session.receipts.stored",
             "session.receipts.sent", "witness.checked", "witnessed.floor", "witnessed.kept", "witness.answered")


def list_person(scheme):
    event = scheme.publish(POLICE, "ppo.added", "--subject", "2003/9391423N", "--item", "name=Liam Hughes-Parry",
                           "--item", "dob=1971-09-16", "--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke",
                           "--attr", "home_force=21", "--attr", "authority=bcu_commander", "--attr",
                           "selector=core_nominal", "--attr", "review_due=2026-12-15")
    scheme.settled(POLICE, event)


def breach(scheme, acknowledged):
    """Probation says something that police must get; only what was acknowledged counts."""
    ran = scheme.command(PROBATION, "publish", "breach.recorded", "--subject", "2003/9391423N", "--attr", "action=court",
                         "--item", "order_type=licence", "--item", "kind=missed", expect=None)
    if ran.code == 0:
        acknowledged.append(ran.out.strip())
    else:
        check(ran.code == 3, f"publish to an agent that dies says so with exit code 3, not {ran.code}: {ran.err}")


def one_kill(scheme, chance, acknowledged):
    """Arms one point in one daemon, makes traffic until it died, and starts it again as usual."""
    member, points = chance.choice(((None, BROKER), (PROBATION, SENDER), (POLICE, RECIPIENT)))
    point = chance.choice(points)
    name = member or "broker"
    start = scheme.start_broker if member is None else lambda **e: scheme.start_agent(member, **e)
    scheme.daemons[name].kill()
    armed = {"CONCORDAT_CRASH": f"{point}:{chance.randint(1, 2)}"}
    try:
        daemon = start(**armed)
    except Exception:  # it may die before it is up, which is a kill as well
        daemon = scheme.daemons[name]
        check(not daemon.alive() and daemon.process.returncode == -9, f"{name} at {point}: {daemon.tail()}")
    for _ in range(20):
        if not daemon.alive():
            break
        breach(scheme, acknowledged)
    died = not daemon.alive()
    if died:
        equal(daemon.process.returncode, -9, f"{name} died of something else at {point}\n{daemon.tail()}")
    else:
        daemon.kill()
    start()
    return point if died else None


def everything_arrived(scheme, acknowledged):
    scheme.quiet(PROBATION, seconds=120)
    until(lambda: len([e for e in scheme.inbox(POLICE) if e["type"] == "breach.recorded"]) >= len(acknowledged),
          "police have all that probation was promised", 60)
    got = [e["event"] for e in scheme.inbox(POLICE) if e["type"] == "breach.recorded"]
    equal(len(got), len(set(got)), "nothing reaches a person twice")
    missing = set(acknowledged) - set(got)
    check(not missing, f"acknowledged and lost: {sorted(missing)[:5]}")


@story
def killed_anywhere_nothing_acknowledged_is_lost():
    chance = random.Random(SEED)
    with partnership(members=(POLICE, PROBATION, PRISON), witnesses=(POLICE, PROBATION, PRISON),
                     settings={"cosign_every": 100}) as scheme:
        list_person(scheme)
        acknowledged, hit = [], {}
        for _ in range(KILLS):
            point = one_kill(scheme, chance, acknowledged)
            hit[point] = hit.get(point, 0) + 1
        everything_arrived(scheme, acknowledged)
        size = scheme.until_final(seconds=120)
        check("log verified" in scheme.verify().out, "the log verifies")
        check(all(not scheme.status(m)["witness"]["forks"] for m in (POLICE, PROBATION, PRISON)),
              f"no kill makes the log contradict what was cosigned of its {size} entries")
        died = sum(count for point, count in hit.items() if point)
        print(f"{died} of {KILLS} armed points were passed, {len(hit)} different; {len(acknowledged)} events, seed {SEED}")
        check(died >= KILLS // 2, f"most armed points must be passed: {hit}")
