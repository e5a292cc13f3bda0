"""Event ids that come again, in turn and in a race, and bundles that change between plan and publish."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from fake_broker import DOWN, UP
import harness
from harness import check, equal
from stage import (DOVEGATE, JOHNSON, POLICE, PROBATION, command_line, notice, publish_frame, stage)


def told(outcome):
    """All that an outcome says."""
    return (outcome.event, outcome.verdict, outcome.reason, outcome.log_index, outcome.refusals)


def the_first_outcome_comes_back():
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        good, bad = prison.prepare(*notice(JOHNSON)), prison.prepare(*notice(JOHNSON))
        bad.sections.pop(POLICE)
        first = [told(o) for o in prison.publish([good, bad])]
        equal([o[1] for o in first], ["ACCEPTED", "REFUSED"], "the first time")
        equal([told(o) for o in prison.publish([good, bad])], first, "again, in the same batch")
        equal([told(o) for e in (bad, good) for o in prison.publish([e])], first[::-1], "again, one by one")
        scene.scheme.daemons["broker"].stop()
        scene.scheme.start_broker()
        prison.connect()
        prison.hello()
        equal([told(o) for o in prison.publish([good, bad])], first, "again, after a restart")
        twice = prison.prepare(*notice(JOHNSON))
        outcomes = [told(o) for o in prison.publish([twice, twice])]
        equal(outcomes[0], outcomes[1], "twice in one batch")
        equal(outcomes[0][1], "ACCEPTED", "twice in one batch")
        once_each(scene, police, {good.id, twice.id})


def once_each(scene, police, ids):
    """The police get each of these once and nothing else."""
    police.connect()
    police.unasked.clear()
    police.hello()
    police.fetch(100)
    got = []
    while len(got) < len(ids):
        got += [e.core.event for e in police.next_events()]
    scene.still_serves(scene.peer(DOVEGATE))
    got += [e.core.event for e in police.next_events()][:-1]
    equal(sorted(got), sorted(ids), "what the police received")


def a_repeat_that_races_the_first():
    """Two copies back to back, without waiting; then a flock of them on one connection."""
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        ids = set()
        for copies in (2, 2, 2, 20):
            event = prison.prepare(*notice(JOHNSON))
            body = prison.publish_body([event])
            frames = [publish_frame(prison, body) for _ in range(copies)]
            for frame, _ in frames:
                prison.link.send(frame)
            outcomes = [told(prison.answer(request)[1].outcomes[0]) for _, request in frames]
            equal(set(map(str, outcomes)), {str(outcomes[0])}, f"the outcomes of {copies} copies")
            equal(outcomes[0][1], "ACCEPTED", "the first outcome")
            ids.add(event.id)
        once_each(scene, police, ids)


def an_id_with_other_content_is_refused():
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        event = prison.prepare(*notice(JOHNSON))
        equal(prison.publish([event])[0].verdict, "ACCEPTED", "the first content")
        for what, other in (("another date", prison.prepare(*notice(JOHNSON, "2026-12-30"), event=event.id)),
                            ("the same words, sealed again", prison.seal(copy_of(prison, event)))):
            outcome, = prison.publish([other])
            equal(outcome.verdict, "REFUSED", what)
            check(outcome.reason, f"{what} is refused with a sentence")
        equal(prison.publish([event])[0].verdict, "ACCEPTED", "the first content again")
        first, second = (prison.prepare(*notice(JOHNSON)) for _ in range(2))
        second = prison.prepare(*notice(JOHNSON, "2026-12-30"), event=first.id)
        equal([o.verdict for o in prison.publish([first, second])], ["ACCEPTED", "REFUSED"], "both in one batch")
        scene.still_serves(prison)


def copy_of(prison, event):
    other = prison.event(*notice(JOHNSON), **{k: v for k, v in event.core.items() if k != "attributes"})
    other.plan = event.plan
    return other


def a_bundle_between_plan_and_publish():
    """The outcome is STALE, which is none; planned again under the same id it goes through."""
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        event = prison.prepare(*notice(JOHNSON))
        scene.scheme.new_bundle()
        scene.load()
        outcome, = prison.publish([event])
        equal(outcome.verdict, "STALE", f"under the bundle before: {outcome.reason}")
        before = prison.bundle.digest
        check(prison.fetch_bundle().digest != before, "a newer bundle is served")
        again = prison.prepare(*notice(JOHNSON), event=event.id)
        equal(prison.publish([again])[0].verdict, "ACCEPTED", "planned again under the same id")
        equal(prison.publish([event])[0].verdict, "REFUSED", "the stale content, now that the id has an outcome")


def our_agent_plans_again_under_the_same_id():
    """The publish of our own agent is held back until another bundle is in force."""
    once = []

    def hold(direction, verb, body):
        if (direction, verb) == (UP, "publish") and not once:
            once.append(body)
            return None
        return body
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scheme, between = scene.scheme, scene.between(DOVEGATE, hold)
        scene.list_person(scene.peer(POLICE))
        scene.start_agent(DOVEGATE)
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        harness.until(lambda: once, "our agent publishes")
        scheme.new_bundle()
        scene.load()
        between.release()
        harness.until(lambda: scheme.show(DOVEGATE, event)["state"] == "accepted", "the event is accepted")
        outcomes = [o for answer in between.frames(DOWN, "publish_answer") for o in answer.outcomes]
        equal(outcomes[0].verdict, "STALE", "the first outcome")
        equal(outcomes[-1].verdict, "ACCEPTED", "the last outcome")
        equal({o.event.hex() for o in outcomes}, {event.replace("-", "")}, "one id throughout")


if __name__ == "__main__":
    harness.story(the_first_outcome_comes_back)
    harness.story(a_repeat_that_races_the_first)
    harness.story(an_id_with_other_content_is_refused)
    harness.story(a_bundle_between_plan_and_publish)
    harness.story(our_agent_plans_again_under_the_same_id)
