"""Receipts that are altered, replayed, made up or signed by another: at the broker, and at the sender's agent."""
import copy
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import envelope
from fake_broker import DOWN
import harness
from harness import check, equal
import respell
from stage import (DOVEGATE, JOHNSON, POLICE, PROBATION, command_line, error_of, notice, raw_answer, stage)
import wire

SEED = 20261202


def delivered_to(scene, member):
    """A peer of this member with the one release notice that was delivered to it."""
    peer = scene.peer(member)
    peer.fetch(10)
    while True:
        for event in peer.next_events():
            if event.core.type == "release.planned":
                return peer, event


def undelivered(scene, prison, to):
    """Nothing that the sender got so far confirms a delivery to this member."""
    prison.unasked += [got for got in iter(lambda: prison.receive(0.3), None)]
    for verb, body, _ in prison.unasked:
        if verb == "forwarded_receipts":
            confirmed = [member for _, member, _ in prison.accepted_receipts(body, prison.published)]
            check(to not in confirmed, f"a delivery to {to} is confirmed")
    check(not scene.log_kinds(kind="delivered", **{"from": to}), f"the log shows a delivery to {to}")


def only_the_recipient_can_confirm():
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scene.list_person(scene.peer(POLICE))
        prison = scene.peer(DOVEGATE)
        scene.still_serves(prison)
        prison.fetch(10)
        probation, event = delivered_to(scene, PROBATION)
        police, theirs = delivered_to(scene, POLICE)
        receipt = probation.receipt(event)
        genuine = probation.receipts_body([receipt])
        made_up = police.receipts_body([receipt])
        for what, sender, body in (
                ("signed by another, sent by another", police, made_up),
                ("signed by another, sent by the recipient", probation, made_up),
                ("another's signature under our certificate", probation,
                 {**genuine, "signature": made_up["signature"]}),
                ("genuine, but sent by another", police, genuine),
                ("in the sender's name", police, police.receipts_body([police.receipt(theirs, to=PROBATION)])),
                ("by the sender of the event", prison, prison.receipts_body([receipt]))):
            error = error_of(sender, "receipts", body)
            check(error.code in ("NOT_ALLOWED", "MALFORMED"), f"{what}: {error}")
        undelivered(scene, prison, PROBATION)
        equal(probation.ask("receipts", genuine).count, 1, "the genuine receipt")
        forwarded = prison.await_unasked("forwarded_receipts")
        equal(prison.accepted_receipts(forwarded, prison.published), [(event.core.event, PROBATION, "STORED")],
              "what the sender accepts")
        scene.await_log(1, kind="delivered", **{"from": PROBATION})


def receipts_say_what_was_delivered():
    """One field other than delivered, or one bit altered anywhere."""
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scene.list_person(scene.peer(POLICE))
        prison = scene.peer(DOVEGATE)
        scene.still_serves(prison)
        prison.fetch(10)
        probation, event = delivered_to(scene, PROBATION)
        for what, changes in {"header": {"header": bytes(32)}, "section": {"section": bytes(32)},
                              "counter": {"counter": event.counter + 1}}.items():
            error = error_of(probation, "receipts", probation.receipts_body([probation.receipt(event, **changes)]))
            equal(error.code, "NOT_ALLOWED", f"a receipt with another {what}")
        body = probation.receipts_body([probation.receipt(event)])
        signed = wire.encode("ReceiptBatch", body)
        signed = signed[:len(signed) - len(wire.delimited(4, wire.encode("SignedHead", body["head"])))]
        for bit, altered in respell.flips(signed, 150, SEED):
            content = altered + wire.delimited(4, wire.encode("SignedHead", body["head"]))
            probation.requests += 1
            frame = (wire.tag(1, 0) + b"\1" + wire.tag(2, 0) + wire.varint(probation.requests)
                     + wire.delimited(21, content))
            verb, error = raw_answer(probation, frame, probation.requests)
            equal(verb, "error", f"the answer to bit {bit} altered")
            check(error.code in ("NOT_ALLOWED", "MALFORMED"), f"bit {bit}: {error.code}")
        undelivered(scene, prison, PROBATION)
        equal(probation.ask("receipts", body).count, 1, "the receipt itself")


def a_replay_changes_nothing():
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scene.list_person(scene.peer(POLICE))
        prison = scene.peer(DOVEGATE)
        scene.still_serves(prison)
        prison.fetch(10)
        probation, event = delivered_to(scene, PROBATION)
        body = probation.receipts_body([probation.receipt(event)])
        equal(probation.ask("receipts", body).count, 1, "the first time")
        prison.await_unasked("forwarded_receipts")
        scene.await_log(1, kind="delivered")
        for _ in range(3):
            equal(probation.ask("receipts", body).count, 1, "a replay is answered like the first")
        equal(probation.acknowledge([event], "QUARANTINED").count, 1, "another outcome, afterwards")
        equal(len(scene.log_kinds(kind="delivered")), 1, "entries of the log after the replays")
        check(not scene.log_kinds(kind="quarantined"), "the first outcome stands")
        check(prison.receive(0.5) is None, "nothing more is forwarded")


# ---- at the sender: a broker that forwards what it made up -------------------------------------------------------

def forgeries(scene, genuine):
    """Forwarded receipts that no sender may believe, made from a genuine one."""
    receipt = genuine["receipts"][0]["receipt"]
    police = scene.peer(POLICE, hello=False)
    fields = wire.decode("Receipt", receipt)

    def altered(**changes):
        return {**copy.deepcopy(genuine), **changes}

    def with_receipt(**changes):
        return altered(receipts=[{"index": 0, "receipt": wire.encode("Receipt", {**fields, **changes}), "path": []}])
    yield "a signature with one bit altered", altered(signature=respell.flipped(genuine["signature"], 77))
    yield "another outcome", with_receipt(outcome="QUARANTINED")
    yield "another recipient", with_receipt(to=POLICE)
    yield "another section", with_receipt(section=bytes(32))
    yield "another count", altered(count=2, receipts=[{"index": 0, "receipt": receipt, "path": [bytes(32)]}])
    yield "a path where there is none", altered(receipts=[{"index": 0, "receipt": receipt, "path": [bytes(32)]}])
    signature = police.sign(envelope.RECEIPTS, [receipt])
    certificate = police.own_certificate().digest
    yield "signed by another member", altered(signature=signature, certificate=certificate)
    own = Signed(scene, fields)
    yield "about other content, properly signed", altered(**own.about(header=bytes(32)))
    yield "about another section, properly signed", altered(**own.about(section=bytes(32)))


class Signed:
    """Receipts that the recipient itself signs, but not about what it was sent."""

    def __init__(self, scene, fields):
        self.peer, self.fields = scene.peer(PROBATION, hello=False), fields

    def about(self, **changes):
        receipt = wire.encode("Receipt", {**self.fields, **changes})
        return {"signature": self.peer.sign(envelope.RECEIPTS, [receipt]),
                "receipts": [{"index": 0, "receipt": receipt, "path": []}]}


def our_agent_believes_only_genuine_receipts():
    genuine = []

    def hold(direction, verb, body):
        if (direction, verb) == (DOWN, "forwarded_receipts") and not genuine:
            if any(wire.decode("Receipt", r.receipt).to == PROBATION for r in body["receipts"]):
                genuine.append(body)
                return None
        return body
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, hold)
        scene.list_person(scene.peer(POLICE))
        scene.start_agent(DOVEGATE)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        probation, got = delivered_to(scene, PROBATION)
        probation.acknowledge([got])
        harness.until(lambda: genuine, "the receipt is on its way back")
        for number, (what, forged) in enumerate(forgeries(scene, genuine[0])):
            between.send(DOWN, "forwarded_receipts", {**forged, "id": genuine[0].id + number})
            scheme.status(DOVEGATE)
            states = {r["to"]: r["state"] for r in scheme.show(DOVEGATE, event)["recipients"]}
            equal(states[PROBATION], "undelivered", f"after a forged receipt: {what}")
        between.send(DOWN, "forwarded_receipts", genuine[0])
        between.held.clear()

        def confirmed():
            return {r["to"]: r["state"] for r in scheme.show(DOVEGATE, event)["recipients"]}[PROBATION] == "delivered"
        harness.until(confirmed, "the genuine receipt is believed")


if __name__ == "__main__":
    harness.story(only_the_recipient_can_confirm)
    harness.story(receipts_say_what_was_delivered)
    harness.story(a_replay_changes_nothing)
    harness.story(our_agent_believes_only_genuine_receipts)
