#!/usr/bin/python3
"""Consent that bites: what is missing is named, a consent given later reaches back, a withdrawal stops at once."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
from harness import check, equal, story, until
from peer import sentence
from stage import (DOVEGATE, DRUGS, JOHNSON, POLICE, PROBATION, command_line, consent, listing, notice, sample_person,
                   stage)

MEMBERS = (POLICE, DOVEGATE, PROBATION, DRUGS)
RULE = """rules:
  withdrawal:                        # told to those who may hold what rested on it
    paragraph: [CC 55]
    from: probation
    events: [consent.withdrawn]
    purpose: record consent
    needs: nothing
    deadline: {within: P1D}
    late: send and flag
    retention: P12M
    to:
      - class: drugs
        relation: all in area
        gateway: cda_115
        crossing: s36_4
        items: [name, scope]
"""


def telling(root):
    """The shipped protocol, with a rule that tells drug teams of a withdrawal."""
    text = harness.PROTOCOL.read_text(encoding="utf-8")
    for old, new in (("\nrules:\n", "\n" + RULE),
                     ("\n    events: [consent.given, consent.withdrawn]\n", "\n    events: [consent.given]\n")):
        check(text.count(old) == 1, f"the shipped protocol has one «{old.strip()}»")
        text = text.replace(old, new)
    path = pathlib.Path(root) / "staffordshire-ppo.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def withdrawn(prison_no=JOHNSON):
    person = sample_person(prison_no)
    return "consent.withdrawn", person["pnc"], {"scope": "throughcare", "form_version": "2"}, {"name": person["name"]}


def kinds(scene, kind, count):
    return scene.await_log(count, kind=kind) and scene.log_kinds(kind=kind)


def seals_without_consent(scene):
    """A sender that seals for the drug team all the same is told exactly what is missing."""
    prison = scene.peer(DOVEGATE)
    event = prison.event(*notice(JOHNSON))
    prison.plan([event])
    grants = [*event.plan.grants, {"to": DRUGS, "rule": "release-notice", "labels": ["name", "dob", "release_date"]}]
    prison.seal(event, sorted(grants, key=lambda grant: grant["to"]))
    outcome, = prison.publish([event])
    equal(outcome.verdict, "REFUSED", "a section without consent")
    check("no consent 'throughcare' is in force" in sentence(outcome), f"says what is missing: {sentence(outcome)}")
    prison.close()
    scene.peers.remove(prison)


def what_consent_does():
    with stage(members=MEMBERS) as scene:
        scheme = scene.scheme
        scheme.stop()  # another protocol first
        scheme.protocols = [telling(scheme.root)]
        scheme.new_bundle()
        scheme.start_broker()
        scene.load()
        for member in MEMBERS:
            scheme.join(member)
        scene.list_person(scene.peer(POLICE))
        for peer in scene.peers:
            peer.close()
        scene.peers.clear()
        seals_without_consent(scene)
        for member in MEMBERS:
            scene.start_agent(member)
        standing = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        shown = scheme.settled(DOVEGATE, standing)
        equal(sorted(r["to"] for r in shown["recipients"]), [POLICE, PROBATION], "without consent")
        check(any("no consent 'throughcare'" in r["text"] for r in shown["refusals"]), "the sender is told the scope")
        before = {m: len(scheme.inbox(m)) for m in (POLICE, PROBATION)}
        given = scheme.publish(PROBATION, *command_line(consent(JOHNSON)))
        equal(scheme.settled(PROBATION, given)["state"], "delivered", "the consent is recorded")

        def reached():
            return [e for e in scheme.inbox(DRUGS) if e["type"] == "release.planned" and e["state"] == "stored"]
        first = until(reached, "the standing notice reaches the drug team")
        equal({m: len(scheme.inbox(m)) for m in before}, before, "and nobody else again")

        scheme.daemons[DRUGS].stop()
        queued = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2026-12-30")))
        until(lambda: any(r["to"] == DRUGS for r in scheme.show(DOVEGATE, queued)["recipients"]), "it is accepted")
        ended = scheme.publish(PROBATION, *command_line(withdrawn()))
        rows = kinds(scene, "recalled", 1)
        check(all(row["to"] == DRUGS and "consent" in row["reason"] for row in rows), f"taken back: {rows}")
        kinds(scene, "withdrawn", 1)
        scene.start_agent(DRUGS)
        equal(scheme.settled(PROBATION, ended)["state"], "delivered", "the holders are told")
        inbox = scheme.inbox(DRUGS)
        check(any(e["event"] == ended and e["labels"] == ["name", "scope"] for e in inbox), f"the withdrawal: {inbox}")
        check(all(e["state"] == "recalled" for e in inbox if e["event"] == queued), "what was queued does not come")
        equal([e["state"] for e in inbox if e["event"] == first[0]["event"]], ["recalled"],
              "what they hold by that consent goes, as the protocol ends retention with it")
        after = scheme.settled(DOVEGATE, scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2026-12-31"))))
        equal(sorted(r["to"] for r in after["recipients"]), [POLICE, PROBATION], "after the withdrawal")
        check(any(r.get("to") == DRUGS and "no consent 'throughcare'" in r["text"] for r in after["refusals"]),
              f"the sender is told what is missing: {after['refusals']}")
        check("log verified" in scheme.verify().out, "the log verifies")


def arrest_for_all(root):
    """The same, and whoever has consented or not: the drug team may know by which number police know the person."""
    path = telling(root)
    text = path.read_text(encoding="utf-8")
    entry = "        also: {pace_63b: [drug_test_result]}\n"
    check(text.count(entry) == 1, "the rule on arrests has one such entry")
    path.write_text(text.replace(entry, entry + """      - class: drugs
        relation: all in area
        gateway: cda_115
        crossing: s36_4
        items: [pnc_id]
"""), encoding="utf-8")
    return path


def what_is_held():
    """A withdrawal takes what rests on it, to the last value, and leaves what rests on something else."""
    with harness.partnership(members=MEMBERS) as scheme:
        scheme.stop()
        scheme.protocols = [arrest_for_all(scheme.root)]
        scheme.new_bundle()
        scheme.start_broker()
        harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
        for member in MEMBERS:
            scheme.join(member)
            scheme.start_agent(member)

        def said(member, draft, *more):
            event = scheme.publish(member, *command_line(draft), *more)
            equal(scheme.settled(member, event)["state"], "delivered", f"{draft[0]} of {member}")
            return event

        def at_drugs(event):
            return scheme.show(DRUGS, until(lambda: [e for e in scheme.inbox(DRUGS) if e["event"] == event],
                                            f"{event} is at the drug team")[0]["event"])
        said(POLICE, listing(JOHNSON))
        said(PROBATION, consent(JOHNSON))
        arrest = said(POLICE, ("arrest.made", sample_person(JOHNSON)["pnc"], {}, {"station": "Hanley"}))
        equal(sorted(at_drugs(arrest)["items"]), ["dob", "name", "pnc_id", "station"], "with consent")
        correction = scheme.command(POLICE, "correct", arrest, "--item", "station=Longton").out.strip()
        equal(at_drugs(correction)["items"]["station"], "Longton", "a correction")
        until(lambda: at_drugs(arrest)["items"]["station"] == "Longton", "is applied")
        said(PROBATION, withdrawn())
        until(lambda: sorted(at_drugs(arrest)["items"]) == ["pnc_id"], "what rests on something else stays")
        equal((at_drugs(arrest)["state"], at_drugs(correction)["state"]), ("stored", "recalled"), "the correction goes")
        again = scheme.command(POLICE, "correct", arrest, "--item", "station=Stoke").out.strip()
        scheme.settled(POLICE, again)
        until(lambda: all(r["confirmed"] for r in scheme.show(POLICE, again)["recipients"]), "a correction is confirmed")
        check("station" not in at_drugs(again)["items"], "and nothing of it kept that may not be held")
        equal(sorted(at_drugs(arrest)["items"]), ["pnc_id"], "nor put back")
        check("log verified" in scheme.verify().out, "the log verifies")


def a_member_who_joins():
    """Standing events reach a member that comes later, and only that one."""
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scheme = scene.scheme
        for member in scheme.members:
            scene.start_agent(member)
        police = scheme.publish(POLICE, *command_line(listing(JOHNSON)))
        equal(sorted(r["to"] for r in scheme.settled(POLICE, police)["recipients"]), [DOVEGATE, PROBATION],
              "whom the listing reaches at first")
        scheme.members.append(DRUGS)
        harness.run("concordat-agent", "init", "--dir", scheme.agent_folder(DRUGS), "--member", DRUGS, "--broker",
                    scheme.endpoint)
        scheme.enrol(scheme.agent_folder(DRUGS), DRUGS)
        scheme.new_bundle()
        scene.load()
        scheme.join(DRUGS)
        scene.start_agent(DRUGS)
        until(lambda: [e["type"] for e in scheme.inbox(DRUGS)] == ["ppo.added"], "the listing reaches the newcomer")
        for member in (DOVEGATE, PROBATION):
            equal([e["type"] for e in scheme.inbox(member)], ["ppo.added"], f"{member} gets nothing twice")


if __name__ == "__main__":
    story(what_consent_does)
    story(what_is_held)
    story(a_member_who_joins)
