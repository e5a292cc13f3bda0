#!/usr/bin/python3
"""The list: who may add and remove, reviews and states, moves and cases, what a removal stops, turning 18."""
from harness import check, equal, partnership, story, until

POLICE, PROBATION, DRUGS, PRISON = ("police.staffordshire", "probation.staffordshire", "drugs.stoke",
                                    "prison.dovegate")
YOT = "yot.staffordshire"
MEMBERS = (POLICE, PROBATION, DRUGS, PRISON, YOT)
HUGHES_PARRY = ("2003/9391423N", "A7629RT", "Liam Hughes-Parry", "1971-09-16")
YOUNG = ("2008/3919924H", "A8188BZ", "Gareth Wilson", "2008-12-10")
STATES = ("antisocial", "offending_outside_cjs", "offending_in_cjs", "not_believed_offending", "at_risk", "in_custody")


def words(option, values):
    return [word for key, value in values.items() for word in (option, f"{key}={value}")]


def publish(scheme, member, kind, person, expect=0, **attributes):
    items = {k[5:]: v for k, v in attributes.items() if k.startswith("item_")}
    attributes = {k: v for k, v in attributes.items() if not k.startswith("item_")}
    return scheme.publish(member, kind, "--subject", person[0], *words("--attr", attributes), *words("--item", items),
                          expect=expect)


def done(scheme, member, kind, person, state="delivered", **attributes):
    """Publishes, waits for the end, and returns what `show` says."""
    shown = scheme.settled(member, publish(scheme, member, kind, person, **attributes))
    equal(shown["state"], state, f"{kind} of {member}: {shown.get('reason')}")
    return shown


def listing(person, **changes):
    return {"strand": "catch_convict", "area": "stoke", "authority": "bcu_commander", "selector": "core_nominal",
            "review_due": "2026-12-15", "home_force": "21", "item_name": person[2], "item_dob": person[3],
            "item_prison_no": person[1], **changes}


def refused(scheme, member, kind, person, says, **attributes):
    shown = done(scheme, member, kind, person, "refused", **attributes)
    check(says in shown["reason"], f"{kind} of {member} is refused with «{says}»: {shown['reason']}")


def notice(scheme, person=HUGHES_PARRY):
    event = publish(scheme, PRISON, "release.planned", person, release_date="2026-12-29", home_force="21",
                    item_date_type="CRD")
    until(lambda: scheme.show(PRISON, event)["state"] in ("accepted", "delivered"), "the notice is accepted")
    return event


def recipients(shown):
    return sorted(r["to"] for r in shown["recipients"])


def entries(scheme, kind, count):
    """Waits until the log's search shows so many of a kind; its index follows the log."""
    def found():
        rows = [row for row in scheme.search() if row["kind"] == kind]
        return rows if len(rows) >= count else None
    return until(found, f"{count} entries of kind {kind}")


def only_the_authority(scheme):
    said = publish(scheme, PROBATION, "ppo.added", HUGHES_PARRY, expect=1, **listing(HUGHES_PARRY))
    check("may not send ppo.added" in said, f"probation cannot list: {said}")
    refused(scheme, POLICE, "ppo.added", HUGHES_PARRY, "the authority is 'bcu_commander'",
            **listing(HUGHES_PARRY, authority="head_of_yos"))
    refused(scheme, POLICE, "ppo.added", HUGHES_PARRY, "only a party of class yot",
            **listing(HUGHES_PARRY, strand="prevent_deter", authority="head_of_yos"))
    refused(scheme, POLICE, "ppo.added", HUGHES_PARRY, "reviewed within P1M",
            **listing(HUGHES_PARRY, review_due="2027-03-01"))
    done(scheme, POLICE, "ppo.added", HUGHES_PARRY, **listing(HUGHES_PARRY))
    refused(scheme, YOT, "ppo.removed", HUGHES_PARRY, "authority is 'bcu_commander'", authority="head_of_yos",
            reason="criteria")
    # The sources give prevent and deter no interval, so none is made up.
    young = listing(YOUNG, strand="prevent_deter", authority="head_of_yos", selector="asbo", review_due="2027-11-30")
    young.pop("item_prison_no")
    done(scheme, YOT, "ppo.added", YOUNG, **young)


def reviews_and_states(scheme):
    for state in STATES:
        done(scheme, POLICE, "ppo.reviewed", HUGHES_PARRY, outcome="retain", next_review="2026-12-20", status=state)
    said = publish(scheme, POLICE, "ppo.reviewed", HUGHES_PARRY, expect=1, outcome="retain",
                   next_review="2026-12-20", status="reformed")
    check("status" in said, f"there is no seventh state: {said}")
    refused(scheme, POLICE, "ppo.reviewed", HUGHES_PARRY, "reviewed within P1M", outcome="retain",
            next_review="2027-02-01")
    entries(scheme, "register", 2 + len(STATES))


def cases_and_custody(scheme):
    refused(scheme, PROBATION, "case.allocated", HUGHES_PARRY, "cannot be 'offender_manager'",
            role="offender_manager", holder=DRUGS)
    done(scheme, PROBATION, "case.allocated", HUGHES_PARRY, role="offender_manager", holder=PROBATION)
    refused(scheme, PRISON, "custody.received", HUGHES_PARRY, "does not speak for the prison", prison="SFI")
    done(scheme, PRISON, "custody.received", HUGHES_PARRY, prison="DGI")


def a_move_takes_back(scheme):
    """What waits for the drug team of the area that was left is called back; the others keep theirs."""
    done(scheme, PROBATION, "consent.given", HUGHES_PARRY, scope="throughcare", form_version="2", expires="2027-05-31")
    scheme.daemons[DRUGS].stop()
    event = notice(scheme)
    equal(recipients(scheme.show(PRISON, event)), [DRUGS, POLICE, PROBATION], "with consent the notice goes to three")
    done(scheme, POLICE, "ppo.moved", HUGHES_PARRY, from_area="stoke", to_area="stafford", home_force="21",
         item_name=HUGHES_PARRY[2])
    rows = entries(scheme, "recalled", 1)
    equal({row["to"] for row in rows}, {DRUGS}, "whose sections were taken back")
    scheme.start_agent(DRUGS)
    until(lambda: scheme.status(DRUGS)["connected"], "the drug team is back")
    kept = [e for e in scheme.inbox(DRUGS) if e["event"] == event]
    check(all(e["state"] == "recalled" for e in kept), f"the notice has not come: {kept}")
    until(lambda: any(e["event"] == event for e in scheme.inbox(PROBATION)), "probation has it")


def a_removal_stops_everything(scheme):
    for member in (PROBATION, DRUGS):
        scheme.daemons[member].stop()
    event = notice(scheme)
    until(lambda: any(e["event"] == event for e in scheme.inbox(POLICE)), "the police have it")
    before = len(entries(scheme, "recalled", 1))
    removal = publish(scheme, POLICE, "ppo.removed", HUGHES_PARRY, authority="bcu_commander", reason="moved",
                      item_name=HUGHES_PARRY[2])
    entries(scheme, "recalled", before + 1)
    for member in (PROBATION, DRUGS):
        scheme.start_agent(member)
    scheme.settled(POLICE, removal)
    kept = [e for e in scheme.inbox(PROBATION) if e["event"] == event]
    check(all(e["state"] == "recalled" for e in kept), f"the notice does not come after the removal: {kept}")
    check(any(e["event"] == removal for e in scheme.inbox(PROBATION)), "the removal does")
    refused(scheme, PRISON, "release.planned", HUGHES_PARRY, "not on the list", release_date="2026-12-30",
            home_force="21", item_date_type="CRD")
    refused(scheme, POLICE, "ppo.added", HUGHES_PARRY, "within five minutes", **listing(HUGHES_PARRY))


def later(scheme, now):
    """Everybody stops, and starts again at another time."""
    scheme.stop()
    scheme.now = now
    scheme.start()


def listed_anew(scheme):
    """A new listing starts from nothing: the consent from before does not come back."""
    later(scheme, "2026-12-01T10:00:00Z")
    reasons = {row.get("reason") for row in entries(scheme, "consulted", 8)}
    check({"register-refuses", "not-listed"} <= reasons, f"what was refused stands in the log: {reasons}")
    done(scheme, POLICE, "ppo.added", HUGHES_PARRY, **listing(HUGHES_PARRY))
    shown = scheme.show(PRISON, notice(scheme))
    equal(recipients(shown), [POLICE, PROBATION], "whom the notice reaches")
    check(any("no consent 'throughcare'" in r["text"] for r in shown["refusals"]), "and why the drug team is left out")


def turning_eighteen(scheme):
    """Until the review that finds the person grown up, the youth offending service stands in for probation."""
    young = ("2013/6646462M", "A2580YA", "Ryan Okafor", "2008-12-10")
    done(scheme, YOT, "ppo.added", young, **{k: v for k, v in listing(young, authority="head_of_yos").items()
                                            if k != "item_prison_no"})
    done(scheme, PROBATION, "consent.given", young, scope="throughcare", form_version="2", expires="2027-05-31")
    event = notice(scheme, young)
    shown = scheme.show(PRISON, event)
    equal(recipients(shown), [POLICE, YOT], "the notice about a juvenile")
    check(any("under 18" in r["text"] for r in shown["refusals"]), "and why the drug team is left out")
    later(scheme, "2026-12-11T09:00:00Z")
    again = scheme.show(PRISON, notice(scheme, young))
    equal(recipients(again), [POLICE, YOT], "a birthday alone changes nothing: the register still says yes")
    # The police's agent works out the age from the date of birth that it holds; nobody tells it to the broker.
    done(scheme, POLICE, "ppo.reviewed", young, outcome="retain", next_review="2027-01-08", status="in_custody")

    def reached():
        return all(any(e["type"] == "release.planned" for e in scheme.inbox(member)) for member in (PROBATION, DRUGS))
    until(reached, "the standing notices reach those who are entitled about an adult")
    equal(recipients(scheme.show(PRISON, notice(scheme, young))), [DRUGS, POLICE, PROBATION], "a new notice")
    search = [row for row in scheme.search("--subject", scheme.command(POLICE, "subject", young[0]).out.strip())]
    check(any(row["kind"] == "register" for row in search), "and the review stands in the log")


@story
def the_list():
    with partnership(members=MEMBERS) as scheme:
        only_the_authority(scheme)
        reviews_and_states(scheme)
        cases_and_custody(scheme)
        a_move_takes_back(scheme)
        a_removal_stops_everything(scheme)
        check("log verified" in scheme.verify().out, "the log verifies")
        listed_anew(scheme)
        turning_eighteen(scheme)
        check("log verified" in scheme.verify().out, "the log verifies at the end")
