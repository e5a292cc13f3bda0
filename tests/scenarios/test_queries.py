"""Police ask probation for single items: answered by a person, declined, answered by a hook; never more than was asked."""
import json
import pathlib
import stat
import tempfile

import harness
from harness import check, equal, until

PNC = "2003/9391423N"
POLICE, PROBATION, DRUGS = "police.staffordshire", "probation.staffordshire", "drugs.stoke"
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16")
HOOK = """#!/usr/bin/python3
import json, os, sys
question = json.load(sys.stdin)
if question["asked"] == ["plan_date"]:
    json.dump({"decline": True}, sys.stdout)
elif "next_date" in question["asked"]:
    json.dump({"items": {"band": "low", "address": "1 High Street"}}, sys.stdout)
elif "hearing_date" in question["asked"]:
    while True:
        pass
elif set(os.environ) - {"PATH", "LANG", "LC_CTYPE"}:
    sys.exit(1)
else:
    json.dump({"items": {"band": "medium"}}, sys.stdout)
"""


def settings(scheme, member, **changes):
    path = scheme.agent_folder(member) / "agent.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept.update(changes)
    path.write_text(json.dumps(kept), encoding="utf-8")
    scheme.daemons[member].stop()
    scheme.start_agent(member)


def ask(scheme, items):
    return scheme.publish(POLICE, "case.queried", "--subject", PNC, "--attr", f"asked_items={items}")




def line_of(scheme, member, event):
    return next((e for e in scheme.inbox(member) if e["event"] == event), None)


def received(scheme, member, event):
    return until(lambda: line_of(scheme, member, event), f"{member} has received {event}")


def answer_to(scheme, question):
    """What police got for a question."""
    def there():
        return next((e for e in scheme.inbox(POLICE) if e["correlation"] == question), None)
    return scheme.show(POLICE, until(there, f"an answer to {question}")["event"])


def queries():
    with tempfile.TemporaryDirectory(prefix="concordat-queries-") as folder:
        hook = pathlib.Path(folder) / "answer"
        hook.write_text(HOOK, encoding="utf-8")
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
        with harness.partnership(members=(POLICE, PROBATION, DRUGS)) as scheme:
            listing = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING)
            equal(scheme.settled(POLICE, listing)["state"], "delivered", "the person is listed")
            by_people(scheme)
            by_hook(scheme, hook)
            scheme.stop()
            check("entries" in scheme.verify().out, "the log verifies")


def by_people(scheme):
    refused = scheme.settled(POLICE, ask(scheme, "address"))
    equal(refused["state"], "refused", "what no rule lets be asked is not")
    check("'address' may not be asked for" in json.dumps(refused["refusals"]), refused["refusals"])
    refused = scheme.publish(DRUGS, "case.queried", "--subject", PNC, "--attr", "asked_items=status", expect=1)
    check("may not send case.queried" in refused, refused)

    question = ask(scheme, "band,status")
    line = received(scheme, PROBATION, question)
    check(line["waiting"], "it waits for an answer")
    check("WAITS FOR AN ANSWER" in scheme.command(PROBATION, "inbox").out, "which people see")
    equal(scheme.status(PROBATION)["questions"]["waiting"], 1, "and status counts")
    equal(scheme.show(PROBATION, question)["items"]["asked_items"], "band,status", "what is asked")
    equal(line["purpose"], "ask probation for single items about a person on the scheme", "what for")

    refused = scheme.command(PROBATION, "answer", question, "--item", "next_date=2026-12-20", expect=1).err
    check("next_date was not asked for" in refused, refused)
    refused = scheme.command(PROBATION, "answer", listed(scheme), "--item", "band=high", expect=1).err
    check("asks nothing" in refused, refused)
    # Said in other words, what was not asked does not go either.
    wide = scheme.publish(PROBATION, "case.answered", "--re", question, "--item", "band=high", "--item",
                          "next_date=2026-12-20")
    equal(scheme.settled(PROBATION, wide)["state"], "delivered", "the answer goes")
    equal(answer_to(scheme, question)["items"], {"band": "high"}, "with what was asked and known")
    check(not line_of(scheme, PROBATION, question)["waiting"], "nothing waits any more")

    question = ask(scheme, "status")
    received(scheme, PROBATION, question)
    scheme.command(PROBATION, "answer", question, "--decline")
    told = answer_to(scheme, question)
    equal((told["type"], told["items"]), ("case.declined", {}), "that nothing is answered is told")

    # The author of a report asks police.
    question = scheme.publish(PROBATION, "case.queried", "--subject", PNC, "--attr", "asked_items=status")
    received(scheme, POLICE, question)
    given = scheme.command(POLICE, "answer", question, "--item", "status=in_custody").out.strip()
    equal(scheme.settled(POLICE, given)["state"], "delivered", "police answer")

    asked = [e for e in scheme.search("--outcome", "accepted", "--type", "case.queried") if e["from"] == POLICE]
    equal(sorted(asked[0]["labels"] + asked[1]["labels"]), ["band", "status", "status"], "the log keeps what was asked")
    answered = scheme.search("--outcome", "disclosed", "--type", "case.answered")
    equal(sorted((e["from"], e["to"], tuple(e["labels"])) for e in answered),
          [(POLICE, PROBATION, ("status",)), (PROBATION, POLICE, ("band",))], "and what was answered")


def listed(scheme):
    return next(e["event"] for e in scheme.inbox(PROBATION) if e["type"] == "ppo.added")


def by_hook(scheme, hook):
    settings(scheme, PROBATION, hooks={"case.queried": str(hook)}, hook_seconds=2)
    told = answer_to(scheme, ask(scheme, "band"))
    equal(told["items"], {"band": "medium"}, "the hook answers")
    told = answer_to(scheme, ask(scheme, "plan_date"))
    equal(told["type"], "case.declined", "the hook declines")

    overfull = ask(scheme, "band,next_date")
    until(lambda: [i for i in scheme.status(PROBATION)["incidents"] if "address was not asked for" in i["text"]],
          "a hook that says more than was asked is told on")
    check(line_of(scheme, PROBATION, overfull)["waiting"], "and a person is waited for")
    slow = ask(scheme, "hearing_date")
    until(lambda: [i for i in scheme.status(PROBATION)["incidents"] if "it took too long" in i["text"] or
                   "it failed" in i["text"]], "a hook that does not end is ended")
    check(line_of(scheme, PROBATION, slow)["waiting"], "and a person is waited for")
    equal(scheme.status(PROBATION)["questions"]["waiting"], 2, "two wait")


if __name__ == "__main__":
    harness.story(queries)
