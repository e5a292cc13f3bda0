"""Two protocols at once on one broker: own parties, own registers, own ends; an event belongs to one of them."""
import json

import harness
from harness import check, equal, until

PNC, OTHER, THIRD = "2003/9391423N", "2001/9391424J", "2002/9391425A"
POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")
STAFFORD = "prison.stafford"
MAIN, NIGHT = "staffordshire-ppo", "night-watch"
LISTING = ("--attr", "strand=catch_convict", "--attr", "area=stoke", "--attr", "authority=bcu_commander", "--attr",
           "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21", "--item",
           "name=Liam Hughes-Parry")


def received(scheme, member, event):
    def there():
        return next((e for e in scheme.inbox(member) if e["event"] == event), None)
    return until(there, f"{member} has received {event}")


def gets(scheme, member, event):
    return any(e["event"] == event for e in scheme.inbox(member))


def listed(scheme, protocol, person=PNC):
    born = ("--item", "dob=1971-09-16") if protocol == MAIN else ()  # the other lets nobody have it
    event = scheme.publish(POLICE, "ppo.added", "--subject", person, "--protocol", protocol, *LISTING, *born)
    equal(scheme.settled(POLICE, event)["state"], "delivered", f"listed under {protocol}")
    return event


def protocols():
    second = harness.DATA / "night-watch.yaml"
    with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS),
                             protocols=(second, harness.PROTOCOL)) as scheme:
        equal(scheme.status(POLICE)["protocols"], [NIGHT, MAIN], "both are in the bundle")
        refused = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING, expect=1)
        check("is covered by night-watch and by staffordshire-ppo: say which with --protocol" in refused, refused)
        refused = scheme.publish(PROBATION, "ppo.added", "--subject", PNC, "--protocol", NIGHT, *LISTING, expect=1)
        check("may not send ppo.added under night-watch" in refused, refused)
        refused = scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--protocol", "no-such", expect=1)
        check("the partnership has no protocol" in refused, refused)

        # A list of its own: who is on one is not on the other.
        main = listed(scheme, MAIN)
        received(scheme, PRISON, main)
        missed = scheme.publish(POLICE, "appointment.missed", "--subject", PNC)  # only one lets police send it
        shown = scheme.settled(POLICE, missed)
        equal(shown["state"], "refused", "not on the list of night-watch")
        check("not on the list" in json.dumps(shown["refusals"]), shown["refusals"])
        night = listed(scheme, NIGHT)
        equal(received(scheme, DRUGS, night)["labels"], ["name"], "what that protocol grants")
        check(not gets(scheme, PRISON, night), "the prison is no party of it")
        missed = scheme.publish(POLICE, "appointment.missed", "--subject", PNC)
        equal(scheme.settled(POLICE, missed)["state"], "delivered", "on its list now")
        equal(received(scheme, DRUGS, missed)["rule"], "warning", "under its rule")

        # Taken off one list, the person stays on the other.
        removed = scheme.publish(POLICE, "ppo.removed", "--subject", PNC, "--protocol", NIGHT, "--attr",
                                 "reason=criteria", "--attr", "authority=bcu_commander")
        equal(scheme.settled(POLICE, removed)["state"], "delivered", "removed from one")
        arrest = scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
        equal(scheme.settled(POLICE, arrest)["state"], "delivered", "and listed under the other")

        newcomer(scheme)
        listed(scheme, NIGHT, THIRD)
        ended(scheme, missed)
        scheme.stop()
        check("entries" in scheme.verify().out, "the log verifies")


def newcomer(scheme):
    """The listing under the other protocol still stands: whoever joins that one later is told of it."""
    scheme.members.append(STAFFORD)
    harness.run("concordat-agent", "init", "--dir", scheme.agent_folder(STAFFORD), "--member", STAFFORD, "--broker",
                scheme.endpoint)
    scheme.enrol(scheme.agent_folder(STAFFORD), STAFFORD)
    scheme.new_bundle()
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
    scheme.join(STAFFORD)
    scheme.start_agent(STAFFORD)
    until(lambda: [e["type"] for e in scheme.inbox(STAFFORD)] == ["ppo.added"], "the newcomer is told of the listing")


def ended(scheme, told):
    """The second protocol ends overnight; what was said under it by then, and not yet sent, is refused."""
    scheme.daemons["broker"].stop()
    waiting = scheme.publish(POLICE, "appointment.missed", "--subject", PNC)
    equal(scheme.show(POLICE, waiting)["state"], "queued", "queued while the broker is away")
    for member in scheme.members:
        scheme.daemons[member].stop()
    scheme.now = "2026-12-02T08:00:00Z"
    scheme.start_broker()
    for member in scheme.members:
        scheme.start_agent(member)

    shown = scheme.settled(POLICE, waiting)
    equal(shown["state"], "refused", "nothing goes under a protocol that has ended")
    check("the protocol night-watch is not in force" in json.dumps(shown), shown)
    refused = scheme.publish(POLICE, "appointment.missed", "--subject", PNC, expect=1)
    check("night-watch is not in force" in refused, refused)
    # It is no longer a choice for what the other covers as well.
    added = scheme.publish(POLICE, "ppo.added", "--subject", OTHER, *LISTING, "--item", "dob=1971-09-16")
    equal(scheme.settled(POLICE, added)["state"], "delivered", "listed under the one that is in force")
    check(not gets(scheme, DRUGS, added) or received(scheme, DRUGS, added)["rule"] == "list-change", "under its rule")
    # Somebody can still be taken off its list.
    removed = scheme.publish(POLICE, "ppo.removed", "--subject", THIRD, "--protocol", NIGHT, "--attr", "reason=other",
                             "--attr", "authority=bcu_commander")
    until(lambda: scheme.show(POLICE, removed)["state"] in ("delivered", "accepted"), "a removal is taken all the same")
    retraction = scheme.command(POLICE, "retract", told).out.strip()
    equal(scheme.settled(POLICE, retraction)["state"], "delivered", "and something told under it can be taken back")
    equal(next(e["state"] for e in scheme.inbox(DRUGS) if e["event"] == told), "retracted", "at the drug team")
    arrest = scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
    equal(scheme.settled(POLICE, arrest)["state"], "delivered", "the other protocol goes on")

    scheme.daemons["broker"].stop()  # plans that nothing followed are logged at a clean stop, or after a while
    scheme.start_broker()
    asked = scheme.search("--outcome", "consulted", "--type", "appointment.missed")
    equal([e["reason"] for e in asked], ["not-listed", "protocol-not-in-force"], "the log says why")


if __name__ == "__main__":
    harness.story(protocols)
