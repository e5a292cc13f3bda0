"""Sections that the broker cannot see through: the recipient's agent sets them aside and says so."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import envelope
import harness
from harness import check, equal
import hpke
import wire
from stage import DOVEGATE, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, STAFFORD, command_line, listing, notice, stage


def sealed(prison, event, to, items, labels, core=None):
    """The event with a section for `to` that holds these items under these labels."""
    certificate = prison.bundle.current(to)
    sealer = hpke.Sealer(certificate.sealing, envelope.SECTION_INFO)
    grant = next(g for g in event.plan.grants if g.to == to)
    event.sections[to] = envelope.seal_section(sealer, core or event.core_bytes, grant, certificate.sealing_id, items,
                                               labels)
    return event


def hostile_events(prison, other):
    """(what, sender, event): each is accepted by the broker, which sees labels and sizes only."""
    def fresh(person=JOHNSON):
        event = prison.prepare(*notice(person))
        labels = next(g for g in event.plan.grants if g.to == POLICE).labels
        return event, [(label, event.values[label]) for label in labels], labels
    event, items, labels = fresh()
    yield "an item more inside", prison, sealed(prison, event, POLICE, [*items, ("crn", "X777978")], labels)
    event, items, labels = fresh()
    yield "an item fewer inside", prison, sealed(prison, event, POLICE, items[:-1], labels)
    event, items, labels = fresh()
    yield "another label inside", prison, sealed(prison, event, POLICE, [("crn", "X777978"), *items[1:]], labels)
    event, items, labels = fresh()
    yield "another order inside", prison, sealed(prison, event, POLICE, items[::-1], labels)
    event, items, labels = fresh()
    yield "a value that is not of its kind", prison, sealed(
        prison, event, POLICE, [(label, "31/02/2026" if label == "dob" else value) for label, value in items], labels)
    event, items, labels = fresh()
    yield "noise in place of sealed bytes", prison, noise(prison, event)
    event, items, labels = fresh()
    first, _, _ = fresh(HUGHES_PARRY)
    event.sections[POLICE] = first.sections[POLICE]
    yield "a section made for another event", prison, event
    event, items, labels = fresh()
    foreign = other.prepare(*notice(JOHNSON))
    foreign.sections[POLICE] = event.sections[POLICE]
    yield "another sender's section", other, foreign


def noise(prison, event):
    section = wire.decode("Section", event.sections[POLICE])
    event.sections[POLICE] = wire.encode("Section", {**section, "sealed": bytes(len(section.sealed))})
    return event


def what_does_not_fit_is_set_aside():
    with stage(members=(POLICE, DOVEGATE, STAFFORD, PROBATION), agents=(POLICE,)) as scene:
        scheme, prison, other = scene.scheme, scene.peer(DOVEGATE), scene.peer(STAFFORD)
        scheme.publish(POLICE, *command_line(listing(JOHNSON)))
        scheme.publish(POLICE, *command_line(listing(HUGHES_PARRY)))
        harness.until(lambda: scheme.status(POLICE)["outbox"]["accepted"] == 2, "two people are listed")
        prison.fetch(50)
        set_aside = []
        for what, sender, event in hostile_events(prison, other):
            outcome, = sender.publish([event])
            equal(outcome.verdict, "ACCEPTED", f"the broker's view of {what}: {outcome.reason}")
            harness.until(lambda e=event: state_of(scheme, e), f"{what} is in the inbox of the police")
            equal(state_of(scheme, event), "quarantined", what)
            shown = scheme.show(POLICE, identifier(event))
            check(not shown.get("items"), f"nothing of {what} can be read: {shown}")
            set_aside += [event] if sender is prison else []
        good = scene.still_serves(prison)
        harness.until(lambda: state_of(scheme, good) == "stored", "a good notice")
        reported(scene, prison, set_aside)


def reported(scene, prison, events):
    """The sender gets signed receipts that say so, and the log shows it."""
    outcomes = {}
    while not all(e.id in outcomes for e in events):
        forwarded = prison.await_unasked("forwarded_receipts")
        outcomes |= {event: said for event, to, said in prison.accepted_receipts(forwarded, prison.published)
                     if to == POLICE}
        prison.fetch(10, forwarded.id)
    equal({outcomes[e.id] for e in events}, {"QUARANTINED"}, "what the police's receipts say")
    scene.await_log(len(events), kind="quarantined", **{"from": POLICE})


def identifier(event):
    text = event.id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def state_of(scheme, event):
    return next((e["state"] for e in scheme.inbox(POLICE) if e["event"] == identifier(event)), None)


if __name__ == "__main__":
    harness.story(what_does_not_fit_is_set_aside)
