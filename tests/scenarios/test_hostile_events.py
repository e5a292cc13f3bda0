"""Batches by a member with good keys who alters, moves, adds, leaves out or repeats."""
import copy
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import envelope
import harness
from harness import check, equal
import hpke
from peer import sentence
import respell
from stage import (DOVEGATE, DRUGS, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, STAFFORD, error_of, notice,
                   publish_frame, raw_answer, stage)
import wire

SEED = 20261201


def refused_as_a_whole(peer, body, what):
    error = error_of(peer, "publish", body)
    check(error.code in ("NOT_ALLOWED", "MALFORMED"), f"{what}: {error}")
    return error


def scene_with_people(scene, *members):
    """Peers of these members, with two people on the scheme."""
    police = scene.peer(POLICE)
    for person in (JOHNSON, HUGHES_PARRY):
        scene.list_person(police, person)
    return [scene.peer(m) for m in members]


# ---- altered ---------------------------------------------------------------------------------------------------

def no_bit_of_a_batch_can_be_altered():
    """Seeded places in every part: certificate, signature, headers, slices, labels, sections, openings."""
    with stage() as scene:
        prison, = scene_with_people(scene, DOVEGATE)
        events = [prison.prepare(*notice(p)) for p in (JOHNSON, HUGHES_PARRY)]
        body = prison.publish_body(events)
        content = wire.encode("Publish", body)
        _, request = publish_frame(prison, body)
        tried = 0
        for bit, altered in respell.flips(content, 300, SEED):
            frame = wire.tag(1, 0) + b"\1" + wire.tag(2, 0) + wire.varint(request) + wire.delimited(16, altered)
            verb, answer = raw_answer(prison, frame, request)
            equal(verb, "error", f"the answer to bit {bit} of {8 * len(content)} altered")
            check(answer.code in ("NOT_ALLOWED", "MALFORMED"), f"bit {bit}: {answer.code}")
            tried += 1
        for name, altered in altered_parts(body):
            refused_as_a_whole(prison, altered, name)
        equal([o.verdict for o in prison.publish(events)], ["ACCEPTED"] * 2, f"the batch itself, after {tried}")


def altered_parts(body):
    """(what, body) with one bit altered in each named part, and the count made wrong."""
    rng = random.Random(SEED)

    def flip(value):
        return respell.flipped(value, rng.randrange(8 * len(value)))

    def change(edit):
        other = copy.deepcopy(body)
        edit(other)
        return other
    yield "the signature", change(lambda b: b.update(signature=flip(b["signature"])))
    yield "the certificate", change(lambda b: b.update(certificate=flip(b["certificate"])))
    yield "a header", change(lambda b: b["headers"].__setitem__(0, flip(b["headers"][0])))
    yield "an attribute's value", change(lambda b: b["openings"][0]["attributes"][-1].update(value="2026-12-29"))
    yield "an attribute's salt", change(lambda b: b["openings"][0]["attributes"][0].update(salt=bytes(16)))
    yield "openings of each other", change(lambda b: b["openings"].reverse())
    yield "the headers' order", change(lambda b: b["headers"].reverse())
    yield "one header fewer", change(lambda b: (b["headers"].pop(), b["openings"].pop()))
    yield "one header twice", change(lambda b: (b["headers"].append(b["headers"][0]),
                                                b["openings"].append(b["openings"][0])))
    yield "one opening fewer", change(lambda b: b["openings"].pop())
    yield "an index", change(lambda b: b["slices"][0].update(indexes=[0, 7]))
    yield "the indexes' order", change(lambda b: b["slices"][0].update(indexes=[1, 0]))
    yield "a slice's recipient", change(lambda b: b["slices"][0].update(to=STAFFORD))
    yield "the slices' order", change(lambda b: b["slices"].reverse())
    yield "a slice left out", change(lambda b: b["slices"].pop())
    yield "a slice twice", change(lambda b: b["slices"].append(b["slices"][-1]))

    def section(field, value):
        def edit(b):
            decoded = wire.decode("Section", b["slices"][0]["sections"][0])
            b["slices"][0]["sections"][0] = wire.encode("Section", {**decoded, field: value(decoded[field])})
        return change(edit)
    yield "a label", section("labels", lambda labels: ["crn", *labels[1:]])
    yield "the labels' order", section("labels", lambda labels: labels[::-1])
    yield "a section's rule", section("rule", lambda rule: "list-change")
    yield "a section's key", section("key", flip)
    yield "a section's encapsulated key", section("enc", flip)
    yield "a section's sequence number", section("sequence", lambda n: n + 1)
    yield "sealed bytes", section("sealed", flip)


# ---- moved -----------------------------------------------------------------------------------------------------

def sections_stay_where_they_are():
    """Into another event, another recipient's slot; the header still names the old place."""
    with stage() as scene:
        prison, = scene_with_people(scene, DOVEGATE)
        events = [prison.prepare(*notice(p)) for p in (JOHNSON, HUGHES_PARRY)]
        body = prison.publish_body(events)
        moved = copy.deepcopy(body)
        moved["slices"][0]["sections"].reverse()
        refused_as_a_whole(prison, moved, "sections of two events exchanged")
        moved = copy.deepcopy(body)
        first, second = moved["slices"][:2]
        first["sections"][0], second["sections"][0] = second["sections"][0], first["sections"][0]
        refused_as_a_whole(prison, moved, "sections of two recipients exchanged")
        moved = copy.deepcopy(body)
        moved["slices"][0]["sections"], moved["slices"][1]["sections"] = (moved["slices"][1]["sections"],
                                                                          moved["slices"][0]["sections"])
        refused_as_a_whole(prison, moved, "two slices exchanged")
        equal([o.verdict for o in prison.publish(events)], ["ACCEPTED"] * 2, "everything in its place")


def signed_again_after_moving():
    """The sender itself signs a header over a section made for another event, recipient or sender."""
    with stage(members=(POLICE, DOVEGATE, STAFFORD, PROBATION)) as scene:
        prison, other = scene_with_people(scene, DOVEGATE, STAFFORD)
        first, second = (prison.prepare(*notice(p)) for p in (JOHNSON, HUGHES_PARRY))
        wrong = prison.prepare(*notice(JOHNSON))
        wrong.sections[POLICE], wrong.sections[PROBATION] = wrong.sections[PROBATION], wrong.sections[POLICE]
        refused_as_a_whole(prison, prison.publish_body([wrong]), "a section in another recipient's slot, signed")
        second.sections[PROBATION] = first.sections[PROBATION]
        foreign = other.prepare(*notice(JOHNSON))
        foreign.sections[POLICE] = first.sections[POLICE]
        # These two the broker cannot see through: only who opens them can. test_hostile_content.py goes on there.
        for peer, event in ((prison, second), (other, foreign)):
            equal(peer.publish([event])[0].verdict, "ACCEPTED", "what the broker cannot tell apart")
        cannot_open(scene, PROBATION, second)
        cannot_open(scene, POLICE, foreign)
        scene.still_serves(prison)


def cannot_open(scene, member, event):
    """Everything about the delivery verifies, but its section does not open."""
    peer = scene.peer(member)
    peer.fetch(50)
    while True:
        for got in peer.verify(peer.await_unasked("deliver")):
            opens = True
            try:
                envelope.open_section(peer.keys.sealing, got.core_bytes, got.section)
            except hpke.BadSeal:
                opens = False
            if got.core.event == event.id:
                return check(not opens, f"{member} cannot open what was moved")


# ---- more or less than granted -----------------------------------------------------------------------------------

def refused_event(peer, event, what):
    outcome, = peer.publish([event])
    equal(outcome.verdict, "REFUSED", f"{what}: {sentence(outcome)}")
    check(sentence(outcome) != "refused: ", f"{what} is refused with a sentence")
    print(f"   {what}: {sentence(outcome)}")
    return outcome


def exactly_what_was_granted():
    with stage(members=(POLICE, DOVEGATE, STAFFORD, PROBATION, DRUGS)) as scene:
        prison, = scene_with_people(scene, DOVEGATE)
        for what, grants in grants_beyond():
            event = prison.event(*notice(JOHNSON))
            event.values.update(crn="X777978", address="1 High Street")
            prison.plan([event])
            prison.seal(event, grants(event.plan.grants))
            refused_event(prison, event, what)
            scene.still_serves(prison)
        check(prison.publish_more_than_granted(JOHNSON).startswith("refused: "), "what the demo does")
        scene.await_log(10, kind="refused", **{"from": DOVEGATE})


def grants_beyond():
    """(what, function of the grants) that a hostile agent seals for."""
    def with_first(change):
        return lambda grants: [change(dict(g)) if at == 0 else g for at, g in enumerate(grants)]
    order = ["name", "dob", "pnc_id", "prison_no", "crn", "release_date", "date_type", "home_district",
             "licence_conditions", "address"]

    def more(grant):
        return {**grant, "labels": sorted([*grant["labels"], "crn"], key=order.index)}
    yield "an item more", with_first(more)
    yield "an item fewer", with_first(lambda g: {**g, "labels": g["labels"][:-1]})
    yield "another item instead", with_first(lambda g: {**g, "labels": sorted([*g["labels"][1:], "crn"],
                                                                              key=order.index)})
    yield "a recipient that no rule names", lambda grants: [
        *grants, {"to": STAFFORD, "rule": "release-notice", "labels": ["name"]}]
    yield "a recipient without the consent that the rule asks for", lambda grants: [
        *grants, {"to": DRUGS, "rule": "release-notice", "labels": ["name", "dob", "release_date"]}]
    yield "a recipient left out", lambda grants: grants[1:]
    yield "nobody", lambda grants: []
    yield "another rule", with_first(lambda g: {**g, "rule": "list-change"})
    yield "the sender itself", lambda grants: sorted(
        [*grants, {"to": DOVEGATE, "rule": "release-notice", "labels": ["name"]}], key=lambda g: g["to"])


def keys_that_are_not_the_recipients():
    with stage() as scene:
        prison, = scene_with_people(scene, DOVEGATE)
        for what, key_of in (("another member's key", PROBATION), ("our own key", DOVEGATE)):
            event = prison.prepare(*notice(JOHNSON))
            certificate = prison.bundle.current(key_of)
            sealer = hpke.Sealer(certificate.sealing, envelope.SECTION_INFO)
            grant = next(g for g in event.plan.grants if g.to == POLICE)
            items = [(label, event.values[label]) for label in grant.labels]
            event.sections[POLICE] = envelope.seal_section(sealer, event.core_bytes, grant, certificate.sealing_id,
                                                           items)
            refused_event(prison, event, what)
        scene.still_serves(prison)


if __name__ == "__main__":
    harness.story(no_bit_of_a_batch_can_be_altered)
    harness.story(sections_stay_where_they_are)
    harness.story(signed_again_after_moving)
    harness.story(exactly_what_was_granted)
    harness.story(keys_that_are_not_the_recipients)
