#!/usr/bin/python3
"""Clocks: urgent overtakes, is acknowledged or escalated; what nobody fetches is told; a newer event replaces."""
import pathlib
import re
import tempfile

import harness
from harness import check, equal, partnership, story, until

PNC = "2003/9391423N"
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16", "--item", "prison_no=A7629RT")
POLICE, PRISON, PROBATION = "police.staffordshire", "prison.dovegate", "probation.staffordshire"


def notice(scheme, date, *more, event="release.planned"):
    return scheme.publish(PRISON, event, "--subject", PNC, "--attr", f"release_date={date}", "--attr", "home_force=21",
                          "--item", "date_type=CRD", *more)


def breach(scheme):
    return scheme.publish(PROBATION, "breach.recorded", "--subject", PNC, "--attr", "action=court", "--item",
                          "order_type=licence", "--item", "kind=missed")


def accepted(scheme, member, event):
    until(lambda: scheme.show(member, event)["state"] in ("accepted", "delivered"), f"{event} is accepted")
    return event


def to(scheme, member, event, recipient):
    """How one recipient stands in an event of this member."""
    return next(r for r in scheme.show(member, event)["recipients"] if r["to"] == recipient)


def entry(scheme, member, event):
    return next((e for e in scheme.inbox(member) if e["event"] == event), None)


def later(scheme, now, members, kill=False):
    """Everything stops, and goes on at another time with these agents."""
    if kill:
        scheme.daemons["broker"].kill()
    scheme.stop()
    scheme.now = now
    scheme.start_broker()
    for member in members:
        scheme.start_agent(member)
    for member in members:
        until(lambda m=member: scheme.status(m)["connected"], f"{member} is connected")


def protocol():
    """The shipped protocol, but nothing is kept for longer than a month, and an arrest for two days only."""
    text = re.sub(r"retention: P\d+M", "retention: P30D", harness.PROTOCOL.read_text(encoding="utf-8"))
    head, rule, rest = text.partition("\n  arrest:\n")
    check("retention: P30D" in rest, "the rule on arrests states a retention")
    path = pathlib.Path(tempfile.mkdtemp(prefix="concordat-")) / "staffordshire-ppo.yaml"
    path.write_text(head + rule + rest.replace("retention: P30D", "retention: P2D", 1), encoding="utf-8")
    return path


def urgent_overtakes(scheme):
    scheme.daemons[POLICE].stop()
    planned = accepted(scheme, PRISON, notice(scheme, "2026-12-20"))
    urgent = accepted(scheme, PROBATION, breach(scheme))
    scheme.start_agent(POLICE)
    until(lambda: entry(scheme, POLICE, planned), "police have the notice")
    order = [e["event"] for e in scheme.inbox(POLICE) if e["event"] in (planned, urgent)]
    equal(order, [urgent, planned], "the urgent event comes before the earlier one")
    check(entry(scheme, POLICE, urgent)["acknowledge_by"], "it says until when it is to be acknowledged")
    equal(entry(scheme, POLICE, planned)["acknowledge_by"], None, "the other one is not urgent")
    equal(scheme.status(POLICE)["inbox"]["unacknowledged"], 1, "one to be acknowledged")
    scheme.command(POLICE, "acknowledge", urgent)
    until(lambda: to(scheme, PROBATION, urgent, POLICE)["acknowledged"], "probation are told, signed by police")
    equal(scheme.status(POLICE)["inbox"]["unacknowledged"], 0, "none any more")
    check(any(e["kind"] == "opened" and e["outcome"] == "acknowledged" for e in scheme.search("--member", POLICE)),
          "the log has it")
    return planned


def unacknowledged_is_escalated(scheme):
    """Nobody at police looks for three hours; the broker dies meanwhile."""
    scheme.daemons[POLICE].stop()
    urgent = accepted(scheme, PROBATION, breach(scheme))
    later(scheme, "2026-12-01T11:30:00Z", (PROBATION, PRISON), kill=True)
    until(lambda: to(scheme, PROBATION, urgent, POLICE)["escalated"], "probation are told of the escalation")
    equal([(o["event"], o["what"]) for o in scheme.status(PROBATION)["outstanding"]], [(urgent, "unacknowledged")],
          "it is outstanding at probation")
    scheme.start_agent(POLICE)
    alerts = until(lambda: scheme.status(POLICE)["alerts"], "police have an alert")
    equal([(a["event"], a["from"]) for a in alerts], [(urgent, PROBATION)], "about that event")
    check("not acknowledged in time" in scheme.daemons[POLICE].tail(), "a line that a program can watch")
    until(lambda: entry(scheme, POLICE, urgent), "police have the event")
    escalated = [e for e in scheme.search("--member", PROBATION) if e["kind"] == "escalated"]
    equal([(e["from"], e["to"], e["outcome"]) for e in escalated], [(PROBATION, POLICE, "unacknowledged")], "the log")
    scheme.show(POLICE, urgent)
    until(lambda: to(scheme, PROBATION, urgent, POLICE)["acknowledged"], "opening it acknowledges it")
    equal(scheme.status(POLICE)["alerts"], [], "no alert any more")
    equal(scheme.status(PROBATION)["outstanding"], [], "nothing outstanding any more")


def newer_replaces(scheme, planned):
    """Probation are away while a date changes: they get the new one only; police, who had the old one, see both."""
    scheme.daemons[PROBATION].stop()
    first = accepted(scheme, PRISON, notice(scheme, "2026-12-22", "--item", "old_date=2026-12-20", "--supersedes",
                                            planned, event="release.date_changed"))
    until(lambda: entry(scheme, POLICE, first), "police have the first change")
    second = accepted(scheme, PRISON, notice(scheme, "2026-12-23", "--item", "old_date=2026-12-22", "--supersedes",
                                             first, event="release.date_changed"))
    until(lambda: to(scheme, PRISON, first, PROBATION)["state"] == "replaced", "the prison is told")
    scheme.start_agent(PROBATION)
    until(lambda: entry(scheme, PROBATION, second), "probation have the second change")
    equal(entry(scheme, PROBATION, first), None, "and never the first")
    equal(scheme.settled(PRISON, first)["state"], "delivered", "nothing of the first is waited for")
    until(lambda: entry(scheme, POLICE, second), "police have the second change")
    old = entry(scheme, POLICE, first)
    equal((old["state"], old["superseded_by"]), ("superseded", second), "police see by what it was replaced")
    check(any(e["kind"] == "recalled" and "replaced it" in e["reason"] for e in scheme.search("--member", PRISON)),
          "the log says why it was not delivered")


def not_fetched(scheme):
    """An arrest that probation do not fetch: its deadline passes, then its retention."""
    scheme.daemons[PROBATION].stop()
    arrest = accepted(scheme, POLICE, scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item",
                                                     "station=Hanley"))
    later(scheme, "2026-12-02T08:00:00Z", (POLICE,))
    until(lambda: to(scheme, POLICE, arrest, PROBATION)["uncollected"], "police are told that nobody fetched it")
    equal([(o["event"], o["what"]) for o in scheme.status(POLICE)["outstanding"]], [(arrest, "uncollected")],
          "it is outstanding")
    later(scheme, "2026-12-03T12:00:00Z", (POLICE,))
    until(lambda: to(scheme, POLICE, arrest, PROBATION)["state"] == "expired", "its retention has ended")
    equal(scheme.status(POLICE)["outstanding"], [], "nobody waits for it any more")
    scheme.start_agent(PROBATION)
    until(lambda: scheme.status(PROBATION)["connected"], "probation are back")
    entries = [(e["kind"], e["outcome"]) for e in scheme.search("--member", POLICE) if e["to"] == PROBATION]
    check(("escalated", "not-collected") in entries and ("expired", "undelivered") in entries, f"the log: {entries}")
    equal(entry(scheme, PROBATION, arrest), None, "and it never comes")


def forgotten(scheme):
    """What nobody ever acknowledges is listed until nobody may hold it any more."""
    scheme.daemons[POLICE].stop()
    urgent = accepted(scheme, PROBATION, breach(scheme))
    later(scheme, "2026-12-03T16:00:00Z", (PROBATION, POLICE))
    until(lambda: [a["event"] for a in scheme.status(POLICE)["alerts"]] == [urgent], "police have an alert")
    until(lambda: [o["event"] for o in scheme.status(PROBATION)["outstanding"]] == [urgent], "probation see it")
    equal(unacknowledged(scheme), 1, "the broker lists it")
    later(scheme, "2027-01-10T09:00:00Z", (PROBATION, POLICE))
    until(lambda: scheme.status(POLICE)["alerts"] == [], "its retention is over, and so is the alert")
    until(lambda: scheme.status(PROBATION)["outstanding"] == [], "nothing is outstanding")
    until(lambda: unacknowledged(scheme) == 0, "the broker no longer lists it")


def unacknowledged(scheme):
    said = harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()
    return said["pipeline"]["unacknowledged"]


@story
def clocks():
    with partnership(members=(POLICE, PRISON, PROBATION), protocols=(protocol(),)) as scheme:
        scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))
        planned = urgent_overtakes(scheme)
        unacknowledged_is_escalated(scheme)
        newer_replaces(scheme, planned)
        not_fetched(scheme)
        forgotten(scheme)
        check("log verified" in scheme.verify().out, "the log verifies")
