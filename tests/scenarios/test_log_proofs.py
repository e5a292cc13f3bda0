"""Members ask for their own entries of the log, by counter, and get them with proofs that another program verifies."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
import log
from harness import check, equal
from stage import DOVEGATE, DRUGS, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, notice, stage

MANY = 100


def entries(peer, key, first, count, as_sender, **more):
    """[(index, record)] of a LogRequest; every proof and every commitment is verified."""
    answer = peer.ask("log_request", {"first_counter": first, "count": count, "as_sender": as_sender, **more},
                      "log_answer")
    found = []
    for entry in answer.entries:
        check(len(entry.proof) <= 4096, f"a proof has at most 4 KiB, not {len(entry.proof)}")
        index, _size = log.verify_proof(entry.proof, entry.entry, key.public)
        equal(index, entry.index, "the proof's index")
        found.append((index, log.opened(entry)))
    return found


def a_member_gets_its_own_entries_and_no_others():
    with stage(members=(POLICE, DOVEGATE, PROBATION, DRUGS)) as scene:
        key = log.LogKey(scene.scheme.broker_folder)
        police, prison, probation = scene.peer(POLICE), scene.peer(DOVEGATE), scene.peer(PROBATION)
        listed = [scene.list_person(police, person) for person in (JOHNSON, HUGHES_PARRY)]
        notices = [prison.event(*notice(JOHNSON)) for _ in range(MANY)]
        prison.plan(notices)
        for at in range(0, MANY, 9):
            prison.publish([prison.seal(event) for event in notices[at:at + 9]])
        harness.until(lambda: len(entries(prison, key, 1, 256, True)) >= 50, "the log is signed")

        sent = entries(prison, key, 1, 256, True)
        check(len(sent) < MANY, "what does not go into one frame is left for the next request")
        while len(sent) < MANY:
            sent += entries(prison, key, len(sent) + 1, 256, True)
        equal([r.account["from_counter"] for _, r in sent], list(range(1, MANY + 1)), "the sender's counters")
        equal([r.personal["event"] for _, r in sent], [e.id for e in notices], "the events that they are about")
        equal({(r.kind, r.account["from"]) for _, r in sent}, {(log.ACCEPTED, DOVEGATE)}, "kind and sender")
        indexes = [index for index, _ in sent]
        equal(indexes, sorted(set(indexes)), "in the order of the log")

        got = entries(probation, key, 1, 3, False)
        equal([r.account["to_counter"] for _, r in got], [1, 2, 3], "the recipient's counters")
        equal({(r.kind, r.account["to"]) for _, r in got}, {(log.DISCLOSED, PROBATION)}, "kind and recipient")
        equal([r.personal["event"] for _, r in got][:2], [e.id for e in listed], "the events told to it")
        equal(entries(probation, key, 57, 2, False)[0][1].account["to_counter"], 57, "from the middle")
        equal(entries(probation, key, 1, 256, True), [], "it has sent nothing")
        equal(entries(prison, key, 1000, 256, True), [], "counters that do not exist")
        told = entries(scene.peer(DRUGS), key, 1, 256, False)
        equal({r.account["type"] for _, r in told}, {"ppo.added"}, "what somebody else was told")
        for counter in (1, 2, 50, 99, 100, 101):
            equal([r.account["from_counter"] for _, r in entries(prison, key, counter, 1, True)],
                  [counter] if counter <= MANY else [], f"counter {counter} alone, by the index")


if __name__ == "__main__":
    harness.story(a_member_gets_its_own_entries_and_no_others)
