"""An agent written in another language from docs/wire-format.md takes part: keys, request, hello, bundle, events in
both directions, receipts in both directions."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
from harness import check, equal
from identity import Bundle, Keys
from link import NO_ANSWER
from peer import Peer, sample_person, stranger
from stage import DOVEGATE, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, adopt, command_line, listing, notice, stage


def breach(prison_no):
    person = sample_person(prison_no)
    return ("breach.recorded", person["pnc"], {"action": "recall_requested"},
            {"name": person["name"], "dob": person["dob"], "pnc_id": person["pnc"], "order_type": "licence",
             "kind": "missed", "officer_risk": "caution"})


def other_agent(scene, keys):
    """That member's agent: it has its keys and the bundle's file, and nothing else."""
    peer = Peer(keys, Bundle(scene.scheme.bundle.read_bytes()), scene.scheme.endpoint)
    scene.peers.append(peer)
    peer.connect()
    peer.hello()
    return peer


def takes_what_is_sent(scheme, peer, member, draft, labels):
    """Our agent of `member` publishes; the peer opens it and confirms; our agent accepts the receipt."""
    event = scheme.publish(member, *command_line(draft))
    got, = peer.next_events()
    equal(got.core.event.hex(), event.replace("-", ""), "the event that was delivered")
    equal(sorted(got.items), sorted(labels), f"what the peer may read of {draft[0]}")
    for label in set(labels) & set(draft[3]):
        equal(got.items[label], draft[3][label], f"the value of {label}")
    equal(peer.acknowledge([got]).count, 1, "receipts stored")
    settled = scheme.settled(member, event)
    equal(settled["state"], "delivered", f"the sender accepts the peer's receipt: {settled}")
    return got


def sends_what_is_taken(scheme, peer, member, draft):
    """The peer publishes; our agent of `member` stores it and confirms; the peer accepts the receipt."""
    event, outcome = peer.send_event(*draft)
    equal(outcome.verdict, "ACCEPTED", f"{draft[0]}: {outcome.reason}")
    check(outcome.log_index is not None, "an accepted event has its place in the log")
    forwarded = peer.await_unasked("forwarded_receipts")
    equal(peer.accepted_receipts(forwarded, [event]), [(event.id, member, "STORED")], "the forwarded receipt")
    peer.fetch(10, forwarded.id)
    shown = next(e for e in scheme.inbox(member) if e["event"].replace("-", "") == event.id.hex())
    equal(shown["state"], "stored", "our agent's own view")
    values = scheme.show(member, shown["event"])["items"]
    granted = next(g for g in event.plan.grants if g.to == member).labels
    equal(values, {label: event.values[label] for label in granted}, "what our agent reads")


def an_agent_in_another_language_takes_part():
    keys = Keys.make(PROBATION)
    with stage(members=(POLICE, DOVEGATE), agents=(POLICE, DOVEGATE), prepare=adopt(keys)) as scene:
        scheme, peer = scene.scheme, other_agent(scene, keys)
        held = peer.bundle.digest
        equal(peer.fetch_bundle().digest, held, "the bundle that the broker serves")
        peer.fetch(10)
        takes_what_is_sent(scheme, peer, POLICE, listing(JOHNSON),
                           ["name", "dob", "pnc_id", "prison_no", "authority", "strand", "selector"])
        takes_what_is_sent(scheme, peer, DOVEGATE, notice(JOHNSON),
                           ["name", "dob", "prison_no", "release_date", "date_type"])
        sends_what_is_taken(scheme, peer, POLICE, breach(JOHNSON))


def what_has_no_receipt_comes_again():
    keys = Keys.make(PROBATION)
    with stage(members=(POLICE,), agents=(POLICE,), prepare=adopt(keys)) as scene:
        peer = other_agent(scene, keys)
        peer.fetch(10)
        event = scene.scheme.publish(POLICE, *command_line(listing(JOHNSON)))
        first, = peer.next_events()
        peer.connect()
        peer.unasked.clear()
        peer.hello()
        peer.fetch(10)
        again, = peer.next_events()
        equal((again.header, again.section_bytes, again.counter), (first.header, first.section_bytes, first.counter),
              "what is delivered again")
        peer.acknowledge([again])
        equal(scene.scheme.settled(POLICE, event)["state"], "delivered", "the sender's view")
        equal(peer.acknowledge([again]).count, 1, "a repeated receipt is answered like the first")


def one_signature_serves_a_batch():
    people = (JOHNSON, HUGHES_PARRY)
    with stage(members=(POLICE, DOVEGATE, PROBATION), agents=(PROBATION,)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        for person in people:
            scene.list_person(police, person)
        events = [prison.event(*notice(person, f"2026-12-{day}")) for day in (28, 29, 30) for person in people]
        prison.plan(events)
        for event in events:
            prison.seal(event)
        equal({o.verdict for o in prison.publish(events)}, {"ACCEPTED"}, "all six events of the batch")
        prison.fetch(10)
        confirmed = set()
        while len(confirmed) < len(events):
            forwarded = prison.await_unasked("forwarded_receipts")
            confirmed |= {event for event, to, _ in prison.accepted_receipts(forwarded, events) if to == PROBATION}
            prison.fetch(10, forwarded.id)
        stored = [e for e in scene.scheme.inbox(PROBATION) if e["type"] == "release.planned"]
        equal(len(stored), len(events), "notices in the inbox")


def the_demo_with_our_agent_running():
    """The member's keys in another client while its own agent is connected; a stranger; then business as before."""
    with stage(members=(POLICE, DOVEGATE, PROBATION), agents=(POLICE, DOVEGATE, PROBATION)) as scene:
        scheme = scene.scheme
        scheme.settled(POLICE, scheme.publish(POLICE, *command_line(listing(JOHNSON))))
        with Peer.of_agent(scheme.agent_folder(DOVEGATE), scheme.endpoint) as client:
            said = client.publish_more_than_granted(JOHNSON)
        check(said.startswith("refused: ") and "crn" in said, f"what another client is told: {said}")
        equal(stranger(scheme.endpoint, scheme.agent_folder(DOVEGATE)), NO_ANSWER, "what a stranger is told")
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        equal(scheme.settled(DOVEGATE, event, 60)["state"], "delivered", "our own agent's next notice")


if __name__ == "__main__":
    harness.story(an_agent_in_another_language_takes_part)
    harness.story(what_has_no_receipt_comes_again)
    harness.story(one_signature_serves_a_batch)
    harness.story(the_demo_with_our_agent_running)
