"""A person is moved to another prison: what stands reaches the prison that holds the person now, and only that one."""
import harness
from harness import check, equal, until

PNC = "2003/9391423N"
POLICE, DOVEGATE, STAFFORD, PROBATION = ("police.staffordshire", "prison.dovegate", "prison.stafford",
                                         "probation.staffordshire")
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16", "--item", "prison_no=A7629RT")


def plans(scheme, member):
    return [e for e in scheme.inbox(member) if e["type"] == "plan.shared" and e["state"] == "stored"]


def recipients(scheme, event):
    return sorted(r["to"] for r in scheme.show(PROBATION, event)["recipients"])


def share(scheme, interventions, *more):
    event = scheme.publish(PROBATION, "plan.shared", "--subject", PNC, "--item", "plan_date=2026-12-01", "--item",
                           f"interventions={interventions}", *more)
    until(lambda: scheme.show(PROBATION, event)["state"] in ("accepted", "delivered"), "the plan is accepted")
    return event


def receives(scheme, prison, code):
    event = scheme.publish(prison, "custody.received", "--subject", PNC, "--attr", f"prison={code}")
    equal(scheme.settled(prison, event)["state"], "delivered", f"{prison} says that it holds the person")


def disclosures(scheme):
    return [(e["from"], e["to"]) for e in scheme.search("--outcome", "disclosed", "--type", "plan.shared")]


def moved(scheme):
    receives(scheme, DOVEGATE, "DGI")
    first = share(scheme, "thinking skills")
    equal(scheme.settled(PROBATION, first)["state"], "delivered", "the plan is delivered")
    equal(recipients(scheme, first), [DOVEGATE], "to the prison that holds the person")
    equal(plans(scheme, STAFFORD), [], "and to no other")

    receives(scheme, STAFFORD, "SFI")
    repeated = until(lambda: plans(scheme, STAFFORD), "the plan that stands reaches the other prison")
    shown = scheme.show(STAFFORD, repeated[0]["event"])["items"]
    equal((shown["interventions"], shown["plan_date"]), ("thinking skills", "2026-12-01"), "with what it says")
    equal(len(plans(scheme, DOVEGATE)), 1, "the prison that the person left gets nothing twice")
    equal(sorted(disclosures(scheme)), [(PROBATION, DOVEGATE), (PROBATION, STAFFORD)], "so says the log")
    return first


def replaced(scheme, first):
    """A newer plan is for the prison that holds the person now."""
    second = share(scheme, "thinking skills; carpentry", "--supersedes", first)
    equal(scheme.settled(PROBATION, second)["state"], "delivered", "the newer plan is delivered")
    equal(recipients(scheme, second), [STAFFORD], "to that prison only")
    equal([e["event"] for e in scheme.inbox(DOVEGATE) if e["event"] == second], [], "the other never hears of it")
    return second


def undelivered(scheme, second):
    """What waits for a prison that no longer holds the person is taken back, and goes to the one that does."""
    scheme.daemons[STAFFORD].stop()
    third = share(scheme, "carpentry", "--supersedes", second)
    equal(recipients(scheme, third), [STAFFORD], "for the prison that holds the person")
    receives(scheme, DOVEGATE, "DGI")
    until(lambda: [e for e in scheme.search("--outcome", "recalled") if e["to"] == STAFFORD], "it is taken back")
    until(lambda: any(scheme.show(DOVEGATE, e["event"])["items"]["interventions"] == "carpentry"
                      for e in plans(scheme, DOVEGATE)), "and reaches the prison that the person is back in")
    scheme.start_agent(STAFFORD)
    until(lambda: scheme.status(STAFFORD)["connected"], "the other is back")
    scheme.settled(POLICE, scheme.publish(POLICE, "ppo.removed", "--subject", PNC, "--attr", "reason=criteria", "--attr",
                                          "authority=bcu_commander"))
    until(lambda: any(e["type"] == "ppo.removed" for e in scheme.inbox(STAFFORD)), "whatever waited has come")
    check(all(e["event"] != third or e["state"] == "recalled" for e in scheme.inbox(STAFFORD)), "but not that plan")


def transfer():
    with harness.partnership(members=(POLICE, DOVEGATE, STAFFORD, PROBATION)) as scheme:
        equal(scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))["state"],
              "delivered", "the person is listed")
        undelivered(scheme, replaced(scheme, moved(scheme)))
        check("log verified" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(transfer)
