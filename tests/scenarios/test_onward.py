"""What others told under a ban on passing it on stays where it is, as far as an agent can know where a value came from."""
import json
import os
import pathlib

import harness
from harness import check, equal, until

PNC = "2003/9391423N"
POLICE, PRISON, PROBATION, DRUGS, COUNCIL = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                             "drugs.stoke", "council.stoke")
MEMBERS = (POLICE, PRISON, PROBATION, DRUGS, COUNCIL)
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16", "--item", "prison_no=A7629RT")
NUMBER = "07700 900123"


def consent(scheme, scope):
    event = scheme.publish(PROBATION, "consent.given", "--subject", PNC, "--attr", f"scope={scope}", "--attr",
                           "form_version=1", "--attr", "expires=2027-02-28")
    equal(scheme.settled(PROBATION, event)["state"], "delivered", f"the consent {scope}")


def received(scheme, member, event):
    return until(lambda: next((e for e in scheme.inbox(member) if e["event"] == event), None), f"{member} has it")


def refer(scheme, number, *more, expect=0):
    """The drug team refers a person on, with a telephone number."""
    return scheme.publish(DRUGS, "referral.made", "--subject", PNC, "--attr", "pathway=accommodation", "--item",
                          f"contact={number}", *more, expect=expect)


def a_number(scheme):
    """Probation refer somebody to the drug team, which would refer the person on with the number it was told."""
    told = scheme.publish(PROBATION, "treatment.referred", "--subject", PNC, "--item", f"contact={NUMBER}")
    equal(received(scheme, DRUGS, told)["onward"], "never", "the inbox says that it is not to be passed on")
    check("Not to be passed on" in scheme.command(DRUGS, "show", told).out, "in words too")
    refused = refer(scheme, NUMBER, expect=1)
    for part in ("contact is what probation.staffordshire told you under rule referral of staffordshire-ppo",
                 "which lets nobody pass it on", "leave it out", "ask probation.staffordshire", "add --own contact"):
        check(part in refused, f"the sentence says «{part}»: {refused}")
    refused = refer(scheme, NUMBER, "--leave", "contact", expect=1)
    check("nobody can give leave" in refused, refused)
    refused = refer(scheme, NUMBER, "--own", "address", expect=1)
    check("address is not" in refused, refused)

    other = refer(scheme, "07700 900999")
    equal(scheme.settled(DRUGS, other)["state"], "delivered", "another number is nobody's but the drug team's")
    own = refer(scheme, NUMBER, "--own", "contact")
    shown = scheme.settled(DRUGS, own)
    equal((shown["state"], shown["stated"]), ("delivered", {"contact": "own records"}), "what the officer stated is kept")
    equal(scheme.show(COUNCIL, received(scheme, COUNCIL, own)["event"])["items"]["contact"], NUMBER, "and it goes")


def a_plan(scheme):
    """The drug team's care plan is told to probation with consent, and not for the prison."""
    told = scheme.publish(DRUGS, "plan.shared", "--subject", PNC, "--item", "plan_date=2026-11-30", "--item",
                          "interventions=weekly sessions")
    received(scheme, PROBATION, told)
    carried = ("--item", "plan_date=2026-11-30")
    refused = scheme.publish(PROBATION, "plan.shared", "--re", told, *carried, expect=1)
    check("plan_date is what drugs.stoke told you under rule care-plan" in refused, refused)
    refused = scheme.publish(PROBATION, "plan.shared", "--subject", PNC, "--item", "interventions=weekly sessions",
                             expect=1)
    check("interventions is what drugs.stoke told you" in refused, f"with or without --re: {refused}")
    # A day alone, of an event that is not named, may be anybody's.
    sent = scheme.publish(PROBATION, "plan.shared", "--subject", PNC, *carried, "--item", "interventions=thinking skills")
    until(lambda: scheme.show(PROBATION, sent)["state"] != "queued", "probation's own plan goes")
    # Whoever told it may be told it back.
    back = scheme.publish(DRUGS, "treatment.accepted", "--re", next(
        e["event"] for e in scheme.inbox(DRUGS) if e["type"] == "treatment.referred"))
    equal(scheme.settled(DRUGS, back)["state"], "delivered", "an answer")


def an_emergency(scheme):
    """Who breaks the glass may tell what others told: it is confirmed afterwards."""
    told = scheme.publish(PRISON, "release.planned", "--subject", PNC, "--attr", "release_date=2026-12-20", "--attr",
                          "home_force=21", "--item", "date_type=CRD", "--item", "address=1 High Street, Hanley")
    received(scheme, PROBATION, told)
    settings = scheme.agent_folder(PROBATION) / "agent.json"
    kept = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({**kept, "duty": {str(os.getuid()): ["duty_officer"]}}), encoding="utf-8")
    scheme.daemons[PROBATION].stop()
    scheme.start_agent(PROBATION)
    danger = scheme.publish(PROBATION, "override.made", "--subject", PNC, "--attr", "rule=danger-to-anyone", "--attr",
                            "reason=imminent_harm", "--item", "address=1 High Street, Hanley")
    equal(scheme.settled(PROBATION, danger)["state"], "delivered", "police are told where the person lives")


def with_leave(scheme):
    """A newer version lets things be passed on with the sender's leave."""
    text = harness.PROTOCOL.read_text(encoding="utf-8")
    check(text.count("  onward: never ") == 1, "the shipped protocol bans it")
    path = pathlib.Path(scheme.root) / "leave.yaml"
    path.write_text(text.replace("  onward: never ", "  onward: with the sender's leave "), encoding="utf-8")
    scheme.protocols = [path]
    scheme.new_bundle()
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
    until(lambda: scheme.status(DRUGS)["bundle"]["serial"] == 2, "the newer bundle is there")
    refused = refer(scheme, NUMBER, expect=1)
    check("with the sender's leave only" in refused and "add --leave contact" in refused, refused)
    sent = refer(scheme, NUMBER, "--leave", "contact")
    equal(scheme.settled(DRUGS, sent)["stated"], {"contact": "sender's leave"}, "with leave it goes")


def onward():
    with harness.partnership(members=MEMBERS) as scheme:
        equal(scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))["state"],
              "delivered", "the person is listed")
        consent(scheme, "referral")
        consent(scheme, "share_with_probation")
        a_number(scheme)
        a_plan(scheme)
        an_emergency(scheme)
        with_leave(scheme)
        sent = [e for e in scheme.search("--outcome", "accepted", "--type", "referral.made") if e["from"] == DRUGS]
        equal(len(sent), 3, "what was refused here never reached the broker")
        check("log verified" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(onward)
