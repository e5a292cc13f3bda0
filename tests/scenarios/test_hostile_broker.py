"""A patched broker: our agent believes the protocol, the signatures and its own rules, not the broker."""
import copy
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from fake_broker import DOWN, UP
import harness
from harness import check, equal
import respell
from stage import DOVEGATE, DRUGS, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, STAFFORD, command_line, notice, stage
import wire


def widened(plan, how):
    """A plan that grants more than the protocol does."""
    plan = copy.deepcopy(plan)
    grants = plan["grants"]
    if how == "an item more":
        at = grants[0]["labels"].index("prison_no" if "prison_no" in grants[0]["labels"] else "name")
        grants[0]["labels"].insert(at + 1, "dob" if "dob" not in grants[0]["labels"] else "crn")
    elif how == "the police's items for probation":
        grants[1]["labels"] = list(grants[0]["labels"])
    elif how == "a recipient whom no rule names":
        grants.append({"to": STAFFORD, "rule": "release-notice", "labels": ["name"]})
    elif how == "a recipient without consent":
        grants.append({"to": DRUGS, "rule": "release-notice", "labels": ["name", "dob", "release_date"]})
    elif how == "another rule":
        grants[0]["rule"] = "list-change"
    elif how == "no grounds":
        plan["grounds"] = []
    elif how == "a ground with one bit altered":
        plan["grounds"][0]["signature"] = respell.flipped(plan["grounds"][0]["signature"], 3)
    elif how == "a ground about somebody else":
        plan["grounds"][0]["opening"]["attributes"][-1]["value"] = "20"
    grants.sort(key=lambda grant: grant["to"])
    return plan


WIDENINGS = ("an item more", "the police's items for probation", "a recipient whom no rule names",
             "a recipient without consent", "another rule", "no grounds", "a ground with one bit altered",
             "a ground about somebody else")


def a_widened_plan_is_refused_here():
    now = []

    def widen(direction, verb, body):
        if (direction, verb) == (DOWN, "plan_answer") and now:
            return {"plans": [widened(plan, now[0]) for plan in body.plans]}
        return body
    with stage(members=(POLICE, DOVEGATE, STAFFORD, PROBATION, DRUGS)) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, widen)
        scene.list_person(scene.peer(POLICE))
        scene.start_agent(DOVEGATE)
        for how in WIDENINGS:
            now[:] = [how]
            event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
            shown = scheme.settled(DOVEGATE, event)
            equal(shown["state"], "refused", how)
            check(shown["reason"], f"{how} is refused with a sentence")
            print(f"   {how}: {shown['reason']}")
        equal(between.frames(UP, "publish"), [], "what our agent sealed and sent under widened plans")
        check(scheme.status(DOVEGATE)["incidents"], "the officers are told")
        now.clear()
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "an honest plan is followed")


def narrowed_plans_are_not_followed_in_silence():
    """A broker that leaves somebody out: our agent may send less, or refuse, but never more."""
    now = []

    def narrow(direction, verb, body):
        if (direction, verb) == (DOWN, "plan_answer") and now:
            body = copy.deepcopy(body)
            for plan in body["plans"]:
                plan["grants"] = plan["grants"][1:]
        return body
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, narrow)
        scene.list_person(scene.peer(POLICE))
        scene.start_agent(DOVEGATE)
        now.append(True)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        shown = scheme.settled(DOVEGATE, event)
        equal(shown["state"], "refused", "a plan that leaves a recipient out")
        equal(between.frames(UP, "publish"), [], "what was sent")


def tampered(deliver, how, other):
    """A Deliver that is not what its sender signed."""
    body = copy.deepcopy(deliver)
    event = body["events"][0]
    if how == "a header":
        event["header"] = respell.flipped(event["header"], 999)
    elif how == "a section":
        event["section"] = respell.flipped(event["section"], 8 * len(event["section"]) - 9)
    elif how == "a label":
        section = wire.decode("Section", event["section"])
        event["section"] = wire.encode("Section", {**section, "labels": ["crn", *section.labels[1:]]})
    elif how == "a path":
        event["path"] = [bytes(32)]
    elif how == "the count":
        body["count"] += 1
    elif how == "the index":
        event["index"] += 1
    elif how == "the signature":
        body["signature"] = respell.flipped(body["signature"], 100)
    elif how == "the certificate":
        body["certificate"] = respell.flipped(body["certificate"], 100)
    elif how == "the sender":
        body["from"] = STAFFORD
    elif how == "another recipient's section":
        event["section"] = other["events"][0]["section"]
    return body


TAMPERINGS = ("a header", "a section", "a label", "a path", "the count", "the index", "the signature",
              "the certificate", "the sender", "another recipient's section")


def altered_deliveries_are_not_stored():
    """Before each genuine delivery come copies altered in every way; only the genuine one is stored, and once."""
    others = []

    def tamper(direction, verb, body):
        if (direction, verb) == (DOWN, "deliver"):
            return [*((verb, tampered(body, how, others[0])) for how in TAMPERINGS), (verb, body)]
        return body
    with stage(members=(POLICE, DOVEGATE, STAFFORD, PROBATION)) as scene:
        scheme, between = scene.scheme, scene.between(PROBATION, tamper)
        police = scene.peer(POLICE)
        for person in (JOHNSON, HUGHES_PARRY):
            scene.list_person(police, person)
        prison = scene.peer(DOVEGATE)
        first = scene.still_serves(prison)
        police.fetch(10)
        others.append(police.await_unasked("deliver"))
        scene.start_agent(PROBATION)
        prison.fetch(10)
        forwarded = prison.await_unasked("forwarded_receipts")
        equal(prison.accepted_receipts(forwarded, [first]), [(first.id, PROBATION, "STORED")], "the only receipt")
        inbox = scheme.inbox(PROBATION)
        equal(sorted((e["type"], e["state"]) for e in inbox),
              [("ppo.added", "stored"), ("ppo.added", "stored"), ("release.planned", "stored")], "the inbox")
        check(scheme.status(PROBATION)["incidents"], "the officers are told")
        receipts = [r for batch in between.frames(UP, "receipts") for r in batch["receipts"]]
        equal(len(receipts), len(inbox), "receipts that were given")


if __name__ == "__main__":
    harness.story(a_widened_plan_is_refused_here)
    harness.story(narrowed_plans_are_not_followed_in_silence)
    harness.story(altered_deliveries_are_not_stored)
