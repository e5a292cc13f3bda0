"""A broker lies about the log to one agency alone; that agency finds it by itself, without anybody else's records."""
import copy
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from fake_broker import DOWN, UP
import harness
from harness import check, equal
import log
from log import DISCLOSED
import respell
from stage import DOVEGATE, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, command_line, impatient, notice, stage

DAY_LATER = "2026-12-02T10:00:00Z"
UUID = bytes.fromhex("0193f7f400007000800000000000aaaa")


def filler():
    """An entry of somebody else, of which nothing is known."""
    account = {**dict.fromkeys(log.ACCOUNT, ""), "time": 0, "labels": [], "deadline": 0, "flags": 0, "key": b"",
               "protocol": b"", "from_counter": 0, "to_counter": 0, "details": []}
    personal = {"subject": b"", "officer": "", "event": b"", "header": b"", "grounds": []}
    return log.Record(log.COUNT, account, personal)


def changed(record, account=None, personal=None, kind=None):
    """The same record with other values, and commitments to these."""
    return log.Record(kind or record.kind, {**record.account, **(account or {})},
                      {**record.personal, **(personal or {})})


class Lie:
    """What one agency is answered: the log as its operator makes it up, or the true answers altered."""

    def __init__(self, key, genuine, role):
        self.key, self.genuine, self.number = key, genuine, "from_counter" if role == "sender" else "to_counter"

    def by_log(self, records, order=None, count=None):
        """Answers from a log with these records: by number, or as `order` says; the newest count if asked for."""
        own = log.OwnLog(self.key)
        own.records = [filler(), *(r for record in records for r in (record, filler())), *([count] if count else [])]
        ours = [2 * i + 1 for i in (order or range(len(records)))]

        def answer(asked, _body):
            if asked.newest_count:
                return [own.log_entry(len(own.records) - 1)] if count else []
            return [own.log_entry(i) for i in ours if own.records[i].account[self.number] >= asked.first_counter]
        return answer

    # ---- of either role ------------------------------------------------------------------------------------

    def leaves_everything_out(self):
        return lambda asked, body: []

    def answers_with_another_number(self):
        return lambda asked, body: [] if asked.newest_count else body.entries[1:]

    def proves_nothing(self):
        """One bit of a proof is altered."""
        def answer(_asked, body):
            entries = copy.deepcopy(body.entries)
            for entry in entries:
                head, rest = entry["proof"].split(b"index ", 1)
                number, rest = rest.split(b"\n", 1)
                entry["proof"] = head + b"index " + number + b"\n" + respell.flipped(rest, 8)
            return entries
        return answer

    def opens_it_otherwise(self):
        """The account part is not what the entry commits to."""
        def answer(_asked, body):
            entries = copy.deepcopy(body.entries)
            for entry in entries:
                entry["account"] = respell.flipped(entry["account"], 8 * len(entry["account"]) - 9)
            return entries
        return answer

    def holds_back_whom_it_is_about(self):
        """As if it had been erased; nothing was."""
        def answer(_asked, body):
            entries = copy.deepcopy(body.entries)
            for entry in entries:
                entry["personal"] = entry["personal_salt"] = None
            return entries
        return answer

    def says_it_twice(self):
        one, two = self.genuine[0], self.genuine[1]
        again = changed(one, account={self.number: 3, "time": two.account["time"]})
        return self.by_log([one, two, again])

    def says_it_in_another_order(self):
        one, two = self.genuine[0], self.genuine[1]
        return self.by_log([changed(two, account={"time": one.account["time"]}),
                            changed(one, account={"time": one.account["time"]})], order=[1, 0])

    def says_another_person(self):
        one = changed(self.genuine[0], personal={"subject": self.genuine[0].personal["subject"][:-1] + b"x"})
        return self.by_log([one, *self.genuine[1:]])

    def says_another_header(self):
        return self.by_log([changed(self.genuine[0], personal={"header": bytes(32)}), *self.genuine[1:]])

    def counts_more_than_there_is(self):
        me = self.genuine[0].account["from" if self.number == "from_counter" else "to"]
        numbers = [9, 0] if self.number == "from_counter" else [0, 9]
        count = filler()
        count.account.update({"from": me, "outcome": "counted", "time": 1,
                              "details": [n.to_bytes(8, "big") for n in numbers]})
        return self.by_log(self.genuine, count=count)

    def forks(self):
        """First one log, and once that was believed another."""
        first = self.by_log(self.genuine)
        other = self.by_log([changed(r) for r in self.genuine])
        rounds = []

        def answer(asked, body):
            rounds.extend([1] if asked.newest_count else [])
            return first(asked, body) if len(rounds) < 2 else other(asked, body)
        return answer

    def takes_it_back(self):
        first, rounds = self.by_log(self.genuine), []

        def answer(asked, body):
            rounds.extend([1] if asked.newest_count else [])
            return first(asked, body) if len(rounds) < 2 else []
        return answer

    # ---- to a sender ---------------------------------------------------------------------------------------

    def says_we_sent_what_we_did_not(self):
        more = changed(self.genuine[-1], account={self.number: 3}, personal={"event": UUID})
        return self.by_log([*self.genuine, more])

    # ---- to a recipient ------------------------------------------------------------------------------------

    def says_other_items(self):
        one = self.genuine[0]
        return self.by_log([changed(one, account={"labels": one.account["labels"][:-1]}), *self.genuine[1:]])

    def says_another_rule(self):
        return self.by_log([changed(self.genuine[0], account={"rule": "another"}), *self.genuine[1:]])

    def numbers_them_otherwise(self):
        """The entries of two events have changed places."""
        one, two = self.genuine[0], self.genuine[1]
        return self.by_log([changed(two, account={self.number: 1, "time": one.account["time"]}),
                            changed(one, account={self.number: 2, "time": two.account["time"]})])


EITHER = {
    "answers_with_another_number": "it answered with another entry",
    "proves_nothing": "has not proved the log's entry of our number 1",
    "opens_it_otherwise": "has not proved the log's entry of our number 1",
    "holds_back_whom_it_is_about": "the broker holds back what entry",
    "says_it_twice": "the log says twice that event",
    "says_it_in_another_order": "the log is out of order",
    "says_another_person": "differs from our own event",
    "says_another_header": "differs from our own event",
    "counts_more_than_there_is": "the log counts 9 entries of ours",
    "forks": "the log is forked: it has two entries of our number",
    "takes_it_back": "does not show it any more",
}
SECOND_ROUND = ("forks", "takes_it_back")
SENDER = {**EITHER, "says_we_sent_what_we_did_not": "which we did not"}
RECIPIENT = {**EITHER, "says_other_items": "differs from our own event", "says_another_rule": "differs from our own event",
             "numbers_them_otherwise": "and the log has it as"}


class Liar:
    """Between one agent and the broker; tells the truth until `answer` is set."""

    def __init__(self):
        self.asked, self.answer, self.genuine = None, None, {}

    def __call__(self, direction, verb, body):
        if (direction, verb) == (UP, "log_request"):
            self.asked = body
        if (direction, verb) != (DOWN, "log_answer") or self.asked is None:
            return body
        if not self.asked.newest_count:
            for entry in body.entries:
                self.genuine.setdefault(self.asked.as_sender, {})[entry.index] = log.opened(entry)
        return body if self.answer is None else {"entries": self.answer(self.asked, body)}


def incidents(scheme, member):
    return [incident["text"] for incident in scheme.status(member)["incidents"]]


def every_lie_is_found(scene, liar, member, role, lies):
    """The agent is put back to where it had its events and no proof; then it is lied to in one way after the other."""
    scheme = scene.scheme
    folder, before = scheme.agent_folder(member), scheme.root / f"before-{member}"
    key = log.LogKey(scheme.broker_folder)
    genuine = [record for _, record in sorted(liar.genuine[role == "sender"].items())]
    check(len(genuine) >= 2, f"two events of {member} are in the log")
    scheme.daemons[member].stop()
    for how, sentence in lies.items():
        shutil.rmtree(folder)
        shutil.copytree(before, folder)
        liar.answer = None
        lie = getattr(Lie(key, genuine[:2], role), how)()
        # The other half of the log is the true one.
        liar.answer = lambda asked, body, lie=lie: (lie(asked, body) if asked.newest_count or
                                                    asked.as_sender == (role == "sender") else body.entries)
        scheme.start_agent(member)
        if how in SECOND_ROUND:
            harness.until(lambda: scheme.status(member)["log"]["owed"] == 0, "the first answers are believed")
            scheme.daemons[member].stop()
            scheme.start_agent(member)
        harness.until(lambda: [t for t in incidents(scheme, member) if sentence in t],
                      f"{member} finds that the log {how.replace('_', ' ')}: {incidents(scheme, member)}", 20)
        scheme.daemons[member].stop()
    what_is_left_out_is_owed(scheme, liar, member, role, before)


def what_is_left_out_is_owed(scheme, liar, member, role, before):
    """An entry that is never shown: the proof is owed, and after a day that is an incident."""
    folder = scheme.agent_folder(member)
    shutil.rmtree(folder)
    shutil.copytree(before, folder)
    liar.answer = lambda asked, body: [] if asked.as_sender == (role == "sender") else body.entries
    scheme.start_agent(member)
    harness.until(lambda: scheme.status(member)["log"]["owed"] > 0, "a proof is owed")
    equal(incidents(scheme, member), [], "that is no incident yet")
    scheme.daemons[member].stop()
    scheme.now, then = DAY_LATER, scheme.now
    scheme.start_agent(member)
    harness.until(lambda: [t for t in incidents(scheme, member) if "after 24 hours the log has not proved" in t],
                  f"after a day it is: {incidents(scheme, member)}", 20)
    said = scheme.command(member, "status").out
    check("proofs are owed" in said, said)
    scheme.daemons[member].stop()
    scheme.now = then


def a_folder_from_before_the_first_proof(scene, member, liar, ready):
    """Runs the agent until `ready`, with no answer about the log at all, and keeps a copy of its folder."""
    scheme = scene.scheme
    impatient(scheme, [member])
    liar.answer = lambda asked, body: []
    scene.start_agent(member)
    ready()
    scheme.daemons[member].stop()
    shutil.copytree(scheme.agent_folder(member), scheme.root / f"before-{member}")
    liar.answer = None
    scheme.start_agent(member)
    harness.until(lambda: scheme.status(member)["log"]["owed"] == 0, "with true answers all is proved")
    equal(incidents(scheme, member), [], "and nothing is wrong")


def to_a_sender():
    liar = Liar()
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scene.between(DOVEGATE, liar)
        for person in (JOHNSON, HUGHES_PARRY):
            scene.list_person(scene.peer(POLICE), person)

        def ready():
            harness.until(lambda: scene.scheme.status(DOVEGATE)["people"] == 2, "the people are known")
            for person in (JOHNSON, HUGHES_PARRY):
                event = scene.scheme.publish(DOVEGATE, *command_line(notice(person)))
                harness.until(lambda e=event: scene.scheme.show(DOVEGATE, e)["state"] == "accepted", "accepted")
        a_folder_from_before_the_first_proof(scene, DOVEGATE, liar, ready)
        every_lie_is_found(scene, liar, DOVEGATE, "sender", SENDER)


def to_a_recipient():
    liar = Liar()
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        scene.between(PROBATION, liar)
        for person in (JOHNSON, HUGHES_PARRY):
            scene.list_person(scene.peer(POLICE), person)
        a_folder_from_before_the_first_proof(
            scene, PROBATION, liar,
            lambda: harness.until(lambda: len(scene.scheme.inbox(PROBATION)) == 2, "the listings came"))
        every_lie_is_found(scene, liar, PROBATION, "recipient", RECIPIENT)


if __name__ == "__main__":
    check(DISCLOSED == 2, "the kinds are those of the page")
    harness.story(to_a_sender)
    harness.story(to_a_recipient)
