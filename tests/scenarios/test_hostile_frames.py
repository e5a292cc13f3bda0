"""Frames that are not what the page allows: too large, too deep, unknown, or the right thing in other bytes."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
from harness import check, equal
import respell
from stage import (DOVEGATE, JOHNSON, POLICE, listing, next_request, notice, publish_frame, raw_answer,
                   stage)
import wire


def frames_of_every_size():
    """256 KiB is read; a byte more ends the connection, and only that one."""
    with stage(members=(POLICE, DOVEGATE)) as scene:
        police, prison, sender = scene.peer(POLICE), scene.peer(DOVEGATE), scene.peer(POLICE)
        scene.list_person(sender)
        police.connect()
        police.hello()
        verb, _ = raw_answer(police, filled(police, wire.LARGEST_FRAME), police.requests)
        equal(verb, "error", "a frame of 256 KiB that says nothing good")
        police.link.send(filled(police, wire.LARGEST_FRAME + 1))
        check(police.link.dropped(10), "a frame of 256 KiB + 1 ends its connection")
        scene.still_serves(prison)
        police.connect()
        police.hello()
        equal(police.send_event(*listing("A2580YA"))[1].verdict, "ACCEPTED", "the same member, on a new connection")


def filled(peer, size):
    """A frame of exactly this size, canonical, with a Publish that is all filler."""
    body = {"certificate": bytes(32), "signature": bytes(64), "headers": [b""], "slices": [], "openings": []}
    request = next_request(peer)
    body["headers"] = [bytes(size - len(wire.frame("publish", body, request)) - 6)]
    while len(frame := wire.frame("publish", body, request)) < size:
        body["headers"][0] += bytes(1)
    equal(len(frame), size, "the frame's size")
    return frame


def one_spelling_only():
    """Each wrong spelling of a batch that would be accepted is refused; then the batch itself is accepted."""
    with stage(members=(POLICE, DOVEGATE)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        body = prison.publish_body([prison.prepare(*notice(JOHNSON))])
        frame, request = publish_frame(prison, body)
        for what, data in respell.spellings(frame, "publish"):
            verb, error = raw_answer(prison, data, request)
            equal(verb, "error", f"the answer to {what}")
            check(error.code in ("MALFORMED", "UNSUPPORTED"), f"{what}: {error.code} {error.text}")
            check(error.text and "\n" not in error.text, f"a sentence about {what}")
        equal(prison.ask_raw(frame, request)[1].outcomes[0].verdict, "ACCEPTED", "the right spelling")


def nothing_before_hello():
    with stage(members=(POLICE, DOVEGATE)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        event = prison.prepare(*notice(JOHNSON))
        body = prison.publish_body([event])
        prison.connect()
        frames = {"plan_request": {"items": [{"core": event.core_bytes, "opening": event.opening}]}, "publish": body,
                  "fetch": {"credit": 5, "receipts_after": 0}}
        for verb, message in frames.items():
            request = next_request(prison)
            got, error = raw_answer(prison, wire.frame(verb, message, request), request)
            equal((got, error["code"]), ("error", "NEED_HELLO"), f"{verb} before hello")
        prison.hello()
        equal(prison.ask("publish", body).outcomes[0].verdict, "ACCEPTED", "after hello")


def verbs_that_only_a_broker_says():
    with stage(members=(POLICE, DOVEGATE)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        head = prison.bundle.signed_head
        said = {
            "welcome": {"now": 1, "head": head, "largest_frame": 1, "largest_batch": 1, "largest_credit": 1},
            "bundle_part": {"head": head, "body_size": 1, "offset": 0, "data": b"x"},
            "plan_answer": {"plans": []}, "publish_answer": {"outcomes": []}, "replan": {"events": [bytes(16)]},
            "recall": {"items": [{"from": DOVEGATE, "event": bytes(16), "reason": "no"}]},
            "receipts_stored": {"count": 1}, "reports_stored": {"count": 1},
            "query_answer": {"answer": "{}", "more": False},
        }
        for verb, message in said.items():
            request = next_request(prison)
            got, error = raw_answer(prison, wire.frame(verb, message, request), request)
            equal((got, error["code"]), ("error", "MALFORMED"), f"{verb} from an agent")
        scene.still_serves(prison)


def messages_of_several_parts():
    with stage(members=(POLICE, DOVEGATE)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        frame, request = publish_frame(prison, prison.publish_body([prison.prepare(*notice(JOHNSON))]))
        for parts in ([frame, b""], [b"", frame], [frame, frame], [frame[:100], frame[100:]]):
            prison.link.socket.send_multipart(parts)
            verb, error, _ = prison.receive(10)
            equal((verb, error.code), ("error", "MALFORMED"), f"{len(parts)} parts")
        equal(prison.ask_raw(frame, request)[1].outcomes[0].verdict, "ACCEPTED", "one part")


if __name__ == "__main__":
    harness.story(frames_of_every_size)
    harness.story(one_spelling_only)
    harness.story(nothing_before_hello)
    harness.story(verbs_that_only_a_broker_says)
    harness.story(messages_of_several_parts)
