"""An agent dies at each of its named points, as if the machine had; nothing acknowledged is lost, nothing comes twice."""
import json
import subprocess

import harness
from harness import check, equal
from test_first_notice import LISTING, PNC, POLICE, PRISON, PROBATION

SENDING = ("control.queued", "outbox.queue", "control.queued.done", "planning.sealed", "planning.commit",
           "publishing.built", "session.published", "publishing.outcome", "publishing.outcome.done",
           "receipts.confirm", "session.receipts.confirmed")
RECEIVING = ("inbox.insert", "delivery.commit", "delivery.commit.done", "session.receipts.sent",
             "session.receipts.stored")


def notice(number):
    return ("release.planned", "--subject", PNC, "--attr", f"release_date=2026-12-{number:02}", "--attr", "home_force=21",
            "--item", "date_type=CRD")


def die_at(scheme, member, point):
    """Starts the agent so that it dies there; what the broker sends again may make it die before it is ready."""
    scheme.daemons[member].stop()
    try:
        scheme.start_agent(member, CONCORDAT_CRASH=f"{point}:1")
    except harness.Failed:
        if scheme.daemons[member].alive():
            raise
    return scheme.daemons[member]


def dead(daemon, point):
    harness.until(lambda: not daemon.alive(), f"{daemon.name} dies at {point}")


def attempt(scheme, member, arguments):
    """Publishes; the event id, or None when the agent died before it said so."""
    ran = scheme.command(member, "publish", *arguments, "--json", expect=None)
    return json.loads(ran.out)["event"] if ran.code == 0 else None


def inbox_of(scheme, member):
    return [e["event"] for e in scheme.inbox(member)]


def kills():
    with harness.partnership(members=(POLICE, PRISON, PROBATION)) as scheme:
        listing = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING)
        scheme.settled(POLICE, listing)
        acknowledged = []
        for number, point in enumerate(SENDING, 1):
            daemon = die_at(scheme, PRISON, point)
            event = attempt(scheme, PRISON, notice(number))
            dead(daemon, point)
            scheme.start_agent(PRISON)
            scheme.quiet(PRISON)
            if event is not None:
                equal(scheme.settled(PRISON, event)["state"], "delivered", f"{point}: delivered after the restart")
                acknowledged.append(event)
        for number, point in enumerate(RECEIVING, 20):
            daemon = die_at(scheme, POLICE, point)
            event = scheme.publish(PRISON, *notice(number))
            dead(daemon, point)
            scheme.start_agent(POLICE)
            equal(scheme.settled(PRISON, event)["state"], "delivered", f"{point}: delivered after the restart")
            acknowledged.append(event)
        for member in (POLICE, PROBATION):
            held = inbox_of(scheme, member)
            equal(len(held), len(set(held)), f"{member} holds nothing twice")
            check(set(acknowledged) <= set(held), f"{member} holds everything that was acknowledged")
        # control.queued.done may have been kept without having been acknowledged; nothing else was.
        check(len(inbox_of(scheme, POLICE)) <= len(acknowledged) + 1, "nothing came that nobody published")
        check(len(acknowledged) >= len(SENDING) + len(RECEIVING) - 6, f"most were acknowledged: {len(acknowledged)}")
        equal(scheme.status(PRISON)["outbox"]["refused"], 0, "nothing refused")
        scheme.stop()
        check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    try:
        harness.story(kills)
    except subprocess.TimeoutExpired as expired:
        raise SystemExit(f"FAILED: {expired}") from expired
