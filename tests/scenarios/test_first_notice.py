"""Police list a person; the prison's release notice reaches whom the protocol names, with what it names."""
import harness
from harness import check, equal

PNC = "2003/9391423N"
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16", "--item", "prison_no=A7629RT")
NOTICE = ("--attr", "release_date=2026-12-20", "--attr", "home_force=21", "--item", "date_type=CRD",
          "--item", "home_district=Hanley", "--item", "address=1 High Street, Hanley")
POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")


def labels(scheme, member, event):
    """The labels with which an event stands in a member's inbox, or None."""
    found = [e for e in scheme.inbox(member) if e["event"] == event]
    return found[0]["labels"] if found else None


def received(scheme, member, event):
    harness.until(lambda: labels(scheme, member, event) is not None, f"{member} has received {event}")
    return labels(scheme, member, event)


def first_notice():
    with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
        refused = scheme.publish(PRISON, "release.planned", "--subject", PNC, "--item", "crn=X123456", expect=1)
        check("no rule of staffordshire-ppo lets anybody have crn" in refused, f"a sentence: {refused}")
        refused = scheme.publish(PRISON, "arrest.made", "--subject", PNC, expect=1)
        check("may not send arrest.made" in refused, f"a sentence: {refused}")

        listing = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING)
        equal(scheme.settled(POLICE, listing)["state"], "delivered", "the listing is delivered")
        equal(received(scheme, PRISON, listing), ["name", "dob", "pnc_id", "prison_no", "strand"], "to the prison")
        equal(labels(scheme, DRUGS, listing), ["name", "dob"], "to the drug team")
        equal(scheme.status(PRISON)["people"], 1, "people that the prison knows")

        notice = scheme.publish(PRISON, "release.planned", "--subject", PNC, *NOTICE)
        shown = scheme.settled(PRISON, notice)
        equal(shown["state"], "delivered", "the notice is delivered")
        equal([r["to"] for r in shown["recipients"]], [POLICE, PROBATION], "its recipients")
        check(any(r["code"] == "no-consent" for r in shown["refusals"]), "the drug team's refusal is told")
        equal(labels(scheme, POLICE, notice),
              ["name", "dob", "pnc_id", "release_date", "date_type", "home_district"], "to the police")
        equal(scheme.show(POLICE, notice)["items"]["name"], "Liam Hughes-Parry", "filled in from the list")
        equal(labels(scheme, DRUGS, notice), None, "nothing to the drug team without consent")

        consent = scheme.publish(PROBATION, "consent.given", "--subject", PNC, "--attr", "scope=throughcare",
                                 "--attr", "form_version=1", "--attr", "expires=2027-03-31")
        equal(scheme.settled(PROBATION, consent)["state"], "delivered", "the consent is recorded")
        found = harness.until(lambda: [e for e in scheme.inbox(DRUGS) if e["type"] == "release.planned"],
                              "the standing notice is repeated for the drug team")
        equal(found[0]["labels"], ["name", "dob", "release_date"], "to the drug team with consent")

        scheme.daemons["broker"].stop()
        waiting = scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
        equal(scheme.show(POLICE, waiting)["state"], "queued", "queued while the broker is down")
        scheme.start_broker()
        equal(scheme.settled(POLICE, waiting)["state"], "delivered", "delivered when the broker is back")
        equal(received(scheme, PROBATION, waiting), ["name", "dob", "station"], "the arrest, to probation")

        second = harness.run("concordat-agent", "run", "--dir", scheme.agent_folder(POLICE), "--now", scheme.now,
                             expect=3)
        check("another agent runs on this folder" in second.err, second.err)
        scheme.stop()
        check("start it with concordat-agent run" in scheme.command(POLICE, "status", expect=3).err, "who to start")
        plain = harness.run("concordat-agent", "run", "--dir", scheme.agent_folder(POLICE), expect=1)
        check("refused in production" in plain.err, plain.err)
        check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(first_notice)
