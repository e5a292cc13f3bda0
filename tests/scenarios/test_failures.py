#!/usr/bin/python3
"""What goes wrong in ordinary weeks: the broker is down, a second daemon, a race with a withdrawal, wrong options."""
from harness import DATA, check, equal, partnership, run, story, until

POLICE, PROBATION, DRUGS, PRISON = ("police.staffordshire", "probation.staffordshire", "drugs.stoke",
                                    "prison.dovegate")
MEMBERS = (POLICE, PROBATION, DRUGS, PRISON)
PERSON = "2003/9391423N"


def list_person(scheme):
    return scheme.settled(POLICE, scheme.publish(
        POLICE, "ppo.added", "--subject", PERSON, "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16",
        "--item", "prison_no=A7629RT", "--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr",
        "home_force=21", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
        "review_due=2026-12-15"))


def consent(scheme, what, *more):
    return scheme.settled(PROBATION, scheme.publish(
        PROBATION, what, "--subject", PERSON, "--attr", "scope=throughcare", "--attr", "form_version=2", *more))


def arrest(scheme):
    return scheme.publish(POLICE, "arrest.made", "--subject", PERSON, "--item", "station=Hanley")


def broker_down_for_a_while(scheme):
    scheme.daemons["broker"].stop()
    event = arrest(scheme)
    equal(scheme.show(POLICE, event)["state"], "queued", "with the broker down an event is queued")
    scheme.start_broker()
    shown = scheme.settled(POLICE, event, 60)
    equal(shown["state"], "delivered", "it arrives when the broker is back")


def second_daemon(scheme):
    said = run("concordat-broker", "run", "--dir", scheme.broker_folder, "--now", scheme.now, expect=3)
    check(len(said.err.strip().splitlines()) == 1 and str(scheme.broker_folder) in said.err, f"one line: {said.err}")
    said = run("concordat-agent", "run", "--dir", scheme.agent_folder(POLICE), "--now", scheme.now, expect=3)
    check(len(said.err.strip().splitlines()) == 1 and str(scheme.agent_folder(POLICE)) in said.err,
          f"one line: {said.err}")


def demo_keys_in_production(scheme):
    scheme.daemons[PRISON].stop()
    said = run("concordat-agent", "run", "--dir", scheme.agent_folder(PRISON), expect=1)
    check("demo" in said.err, f"a demo authority's keys are refused in production: {said.err}")
    scheme.start_agent(PRISON)


def withdrawal_races_publish(scheme):
    """Commit order decides: whatever the drug team received was committed before the withdrawal."""
    consent(scheme, "consent.given", "--attr", "expires=2027-05-31")
    scheme.daemons[DRUGS].stop()
    before = arrest(scheme)
    until(lambda: scheme.show(POLICE, before)["state"] in ("accepted", "delivered"), "the broker has it")
    shown = scheme.show(POLICE, before)
    check(any(r["to"] == DRUGS for r in shown["recipients"]), "with consent the drug team is a recipient")
    consent(scheme, "consent.withdrawn")
    scheme.start_agent(DRUGS)
    after = scheme.settled(POLICE, arrest(scheme))
    check(all(r["to"] != DRUGS for r in after["recipients"]), "after the withdrawal it is not")
    check(any(DRUGS in r["text"] and "consent" in r["text"] for r in after["refusals"]), "and the sender is told why")
    until(lambda: scheme.status(DRUGS)["connected"], "the drug team is back")
    kept = [e for e in scheme.inbox(DRUGS) if e["event"] == before]
    check(all(e["state"] == "recalled" and e["labels"] == [] and e["type"] is None for e in kept),
          f"what was queued for them was called back: {kept}")
    rows = scheme.search("--member", DRUGS)
    check(any(row["kind"] in ("withdrawn", "recalled") for row in rows), "which stands in the log")


def impatient_user(scheme):
    for program, arguments, code in (
            ("concordat", ("--agent", scheme.root / "nowhere", "inbox"), 3),
            ("concordat", ("--agent", scheme.agent_folder(POLICE), "inbx"), 2),
            ("concordat", ("--agent", scheme.agent_folder(POLICE), "show", "not-an-id"), 1),
            ("concordat", ("--agent", scheme.agent_folder(POLICE), "import", "no-such-feed", DATA / "ppo-list.csv"), 1),
            ("concordat-agent", ("run",), 2),
            ("concordat-broker", ("load", "--dir", scheme.broker_folder, "--bundle", scheme.root / "none"), 3),
            ("concordat-audit", ("verify", "--broker", scheme.root / "nowhere"), 3),
            ("concordat-audit", ("verify",), 2)):
        said = run(program, *arguments, expect=None)
        check(said.code == code and len(said.err.strip().splitlines()) == 1,
              f"{program} {arguments}: exit {said.code} (expected {code}), {said.err!r}")


@story
def ordinary_weeks():
    with partnership(members=MEMBERS) as scheme:
        list_person(scheme)
        broker_down_for_a_while(scheme)
        second_daemon(scheme)
        demo_keys_in_production(scheme)
        withdrawal_races_publish(scheme)
        impatient_user(scheme)
        check("log verified" in scheme.verify().out, "the log verifies")
