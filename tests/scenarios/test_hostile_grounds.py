"""A patched broker lies about listing, consent, age or area: nothing is sealed for anybody on its word."""
import copy
import datetime
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import envelope
from fake_broker import DOWN, UP
import harness
from harness import check, equal
from identity import Keys
import respell
from stage import (DOVEGATE, DRUGS, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, command_line, consent, listing, notice,
                   stage)
import wire

MEMBERS = (POLICE, DOVEGATE, PROBATION, DRUGS)
OKAFOR = "A2580YA"  # lives elsewhere
UNLISTED = "A8188BZ"


# ---- altering a plan -------------------------------------------------------------------------------------------

def kind_of(ground):
    return wire.decode("Core", envelope.split_header(ground["header"])[0]).type


def ground_of(plan, kind):
    return next(ground for ground in plan["grounds"] if kind_of(ground) == kind)


def opened(ground, label):
    return next(a for a in ground["opening"]["attributes"] if a["id"] == label)


class Lies:
    """What a patched broker can do to the grounds of a plan; `other` is an honest plan about somebody else."""

    def __init__(self, scene):
        self.scene, self.other = scene, None
        self.broker = Keys.of_folder(scene.scheme.broker_folder)

    def forged(self, plan, kind):
        ground = ground_of(plan, kind)
        ground["signature"] = respell.flipped(ground["signature"], 77)

    def signed_by_the_broker(self, plan, kind):
        """Genuine but for its signature, which is the broker's own."""
        ground = ground_of(plan, kind)
        bundle = self.scene.bundle(DOVEGATE)
        certificate = bundle.broker().digest
        ground.update(certificate=certificate, index=0, count=1, path=[], signature=envelope.sign_batch(
            envelope.EVENTS, bundle.root_digest, certificate, self.broker.signing, [ground["header"]]))

    def another_value(self, label, value):
        def alter(plan, kind):
            opened(ground_of(plan, kind), label)["value"] = value
        return alter

    def hidden(self, label):
        def hide(plan, kind):
            opening = ground_of(plan, kind)["opening"]
            opening["attributes"] = [a for a in opening["attributes"] if a["id"] != label]
        return hide

    def foreign(self, plan, kind):
        """A ground of the same kind about somebody else."""
        plan["grounds"] = [g for g in plan["grounds"] if kind_of(g) != kind] + [ground_of(self.other, kind)]

    def missing(self, plan, kind):
        plan["grounds"] = [g for g in plan["grounds"] if kind_of(g) != kind]

    def of_the_future(self, plan, kind):
        ground_of(plan, kind)["committed"] += 3_600_000


def lies_about_grounds():
    """For each fact that a notice rests on: forged, foreign and missing grounds, and values that were altered."""
    told = []

    def lie(direction, verb, body):
        if (direction, verb) != (DOWN, "plan_answer") or not told:
            return body
        body = copy.deepcopy(body)
        for plan in body["plans"]:
            told[0](plan)
        return body
    with stage(members=MEMBERS) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, lie)
        police, probation = scene.peer(POLICE), scene.peer(PROBATION)
        for person in (JOHNSON, HUGHES_PARRY):
            scene.list_person(police, person)
            _, outcome = probation.send_event(*consent(person))
            equal(outcome.verdict, "ACCEPTED", f"the consent: {outcome.reason}")
        scene.start_agent(DOVEGATE)
        lies = Lies(scene)
        honest = scheme.publish(DOVEGATE, *command_line(notice(HUGHES_PARRY)))
        harness.until(lambda: scheme.show(DOVEGATE, honest)["state"] == "accepted", "an honest plan is followed")
        lies.other = between.frames(DOWN, "plan_answer")[-1].plans[0]
        equal(sorted(map(kind_of, lies.other.grounds)), ["consent.given", "ppo.added"], "its grounds")
        sent = len(between.frames(UP, "publish"))
        cases = [(what, kind, how) for kind in ("ppo.added", "consent.given") for what, how in (
            ("forged", lies.forged), ("signed by the broker", lies.signed_by_the_broker), ("foreign", lies.foreign),
            ("missing", lies.missing), ("of the future", lies.of_the_future))]
        cases += [("age", "ppo.added", lies.another_value("juvenile", "unknown")),
                  ("age left out", "ppo.added", lies.hidden("juvenile")),
                  ("area", "ppo.added", lies.another_value("area", "stafford")),
                  ("area left out", "ppo.added", lies.hidden("area")),
                  ("a later review", "ppo.added", lies.another_value("review_due", "2027-12-15")),
                  ("a later end", "consent.given", lies.another_value("expires", "2027-11-30")),
                  ("another scope", "consent.given", lies.another_value("scope", "referral")),
                  ("the end left out", "consent.given", lies.hidden("expires"))]
        for what, kind, how in cases:
            told[:] = [lambda plan, how=how, kind=kind: how(plan, kind)]
            event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
            equal(scheme.settled(DOVEGATE, event)["state"], "refused", f"{kind}: {what}")
            equal(len(between.frames(UP, "publish")), sent, f"what was sealed and sent, {kind}: {what}")
        check(scheme.status(DOVEGATE)["incidents"], "the officers are told")
        told.clear()
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "the truth is believed again")
        told[:] = [lambda plan: plan["grounds"].extend(lies.other.grounds)]
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2027-02-24")))
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "grounds too many grant nothing more")
        check(any("2 grounds that do not verify" in incident["text"] for incident in scheme.status(DOVEGATE)["incidents"]),
              "what is shown of somebody else is told")


def granted_by_hand(recorded, event, grants=None):
    """A plan that the real broker never made: another one's grants and grounds under this event's id."""
    return {"plans": [{"event": event, "verdict": "ACCEPTED", "reason": None, "refusals": [],
                       "grants": recorded["grants"] if grants is None else grants, "grounds": recorded["grounds"]}]}


def made_up_plans():
    """People who are not listed, were removed, or whose consent was withdrawn; juveniles by our own computation."""
    made, asked = [], []

    def make_up(direction, verb, body):
        if (direction, verb) == (UP, "plan_request"):
            asked[:] = [wire.decode("Core", item["core"]).event for item in body["items"]]
        if (direction, verb) == (DOWN, "plan_answer") and made and len(asked) == 1:
            return granted_by_hand(made[0], asked[0])
        return body
    with stage(members=MEMBERS) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, make_up)
        police, probation = scene.peer(POLICE), scene.peer(PROBATION)
        listed, _ = police.send_event(*listing(JOHNSON))
        _, outcome = probation.send_event(*consent(JOHNSON))
        equal(outcome.verdict, "ACCEPTED", f"the consent: {outcome.reason}")
        scene.start_agent(DOVEGATE)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "an honest plan is followed")
        recorded = between.frames(DOWN, "plan_answer")[-1].plans[0]
        check(any(grant.to == DRUGS for grant in recorded.grants), "the drug team among its grants")
        sent = len(between.frames(UP, "publish"))

        def refused(draft, what):
            made[:] = [recorded]
            shown = scheme.settled(DOVEGATE, scheme.publish(DOVEGATE, *command_line(draft)))
            made.clear()
            equal(shown["state"], "refused", what)
            equal(len(between.frames(UP, "publish")), sent, f"what was sealed and sent: {what}")

        refused(notice(UNLISTED), "somebody who was never listed")
        kind, pnc, attributes, items = notice(JOHNSON)
        born = datetime.date.fromisoformat(scheme.now[:10]).replace(year=int(scheme.now[:4]) - 16)
        refused((kind, pnc, attributes, {**items, "dob": born.isoformat()}),
                "a juvenile by our own reckoning, whom the broker calls an adult")
        kind, pnc, _, items = listing(JOHNSON)
        _, outcome = police.send_event("ppo.removed", pnc, {"authority": "bcu_commander", "reason": "moved"}, items)
        equal(outcome.verdict, "ACCEPTED", f"the removal: {outcome.reason}")
        harness.until(lambda: any(e["type"] == "ppo.removed" for e in scheme.inbox(DOVEGATE)), "the prison is told")
        refused(notice(JOHNSON), "a removal that we know of and the broker denies")


def what_has_expired():
    """Grounds that were good once: the listing's review is long overdue, the consent is over."""
    made, asked, recorded = [], [], []

    def make_up(direction, verb, body):
        if (direction, verb) == (UP, "plan_request"):
            asked[:] = [wire.decode("Core", item["core"]).event for item in body["items"]]
        if (direction, verb) == (DOWN, "plan_answer") and made and len(asked) == 1:
            return granted_by_hand(recorded[0], asked[0], made[0])
        return body
    with stage(members=MEMBERS) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, make_up)
        police, probation = scene.peer(POLICE), scene.peer(PROBATION)
        scene.list_person(police, JOHNSON)
        kind, pnc, attributes, items = consent(JOHNSON)
        _, outcome = probation.send_event(kind, pnc, {**attributes, "expires": "2026-12-20"}, items)
        equal(outcome.verdict, "ACCEPTED", f"the consent: {outcome.reason}")
        scene.start_agent(DOVEGATE)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2027-02-22")))
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "an honest plan is followed")
        recorded[:] = [between.frames(DOWN, "plan_answer")[-1].plans[0]]
        grants = recorded[0].grants
        sent = len(between.frames(UP, "publish"))
        for peer in scene.peers:
            peer.close()
        for now, lie, what in (("2026-12-21T08:00:00Z", grants, "a consent that is over"),
                               ("2027-02-01T08:00:00Z", [g for g in grants if g.to != DRUGS],
                                "a listing whose review is overdue beyond the grace")):
            for name in (DOVEGATE, "broker"):
                scheme.daemons[name].stop()
            scheme.now = now
            scheme.start_broker()
            scene.start_agent(DOVEGATE)
            made[:] = [lie]
            shown = scheme.settled(DOVEGATE, scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2027-02-23"))))
            equal(shown["state"], "refused", what)
            equal(len(between.frames(UP, "publish")), sent, f"what was sealed and sent: {what}")
            made.clear()


def signed_by_who_may_not():
    """A member signs a consent of a scope that it may not record; a patched broker shows it as a ground."""
    lies = []

    def lie(direction, verb, body):
        if (direction, verb) != (DOWN, "plan_answer") or not lies:
            return body
        body = copy.deepcopy(body)
        for plan in body["plans"]:
            plan["grounds"].append(lies[0])
            plan["grants"] = sorted(plan["grants"] + [lies[1]], key=lambda grant: grant["to"])
            plan["refusals"] = []
        return body
    with stage(members=MEMBERS) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, lie)
        police = scene.peer(POLICE)
        scene.list_person(police, JOHNSON)
        _, outcome = police.send_event(*consent(JOHNSON))
        equal(outcome.verdict, "REFUSED", "the honest broker does not take it")
        forged = police.event(*consent(JOHNSON))
        header = envelope.header_of(forged.core_bytes, [])
        opening = copy.deepcopy(forged.opening)
        opening["attributes"] = [a for a in opening["attributes"] if a["id"] in ("scope", "form_version", "expires")]
        lies[:] = [{"header": header, "certificate": police.own_certificate().digest,
                    "signature": police.sign(envelope.EVENTS, [header]), "index": 0, "count": 1, "path": [],
                    "opening": opening, "committed": police.now()},
                   {"to": DRUGS, "rule": "release-notice", "labels": police.in_order(["name", "dob", "release_date"])}]
        scene.start_agent(DOVEGATE)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        equal(scheme.settled(DOVEGATE, event)["state"], "refused", "a consent that its signer may not record")
        check(not between.frames(UP, "publish"), "nothing was sealed and sent")
        check(scheme.status(DOVEGATE)["incidents"], "the officers are told")


if __name__ == "__main__":
    harness.story(lies_about_grounds)
    harness.story(made_up_plans)
    harness.story(what_has_expired)
    harness.story(signed_by_who_may_not)
