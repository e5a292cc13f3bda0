"""A drug worker on duty breaks the glass; police are told at once and confirm; nobody confirms another, and the right
is suspended until somebody does."""
import json
import os
import pathlib
import tempfile

import harness
from harness import check, equal, until

PNC = "2003/9391423N"
POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")
DANGER = ("--attr", "rule=danger-to-anyone", "--attr", "reason=imminent_harm", "--item", "name=Liam Hughes-Parry",
          "--item", "address=1 High Street, Hanley")


def settings(scheme, member, **changes):
    """Changes a member's agent.json; its agent reads it at its start."""
    path = scheme.agent_folder(member) / "agent.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept.update(changes)
    path.write_text(json.dumps(kept), encoding="utf-8")
    scheme.daemons[member].stop()
    scheme.start_agent(member)


def uses(scheme):
    said = harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()
    return said["pipeline"]["break_glass"]


def received(scheme, member, event):
    def there():
        return next((e for e in scheme.inbox(member) if e["event"] == event), None)
    return until(there, f"{member} has received {event}")


def entries(scheme):
    found = sorted(scheme.search("--outcome", "override"), key=lambda e: e["index"])
    return [(e["outcome"], e["from"], "break-glass" in e["flags"]) for e in found]


def override():
    with tempfile.TemporaryDirectory(prefix="concordat-override-") as folder:
        protocol = pathlib.Path(folder) / "short.yaml"
        protocol.write_text(harness.PROTOCOL.read_text(encoding="utf-8")
                            .replace("confirm_within: PT24H", "confirm_within: PT12S"), encoding="utf-8")
        with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS), protocols=(protocol,)) as scheme:
            tell(scheme)


def tell(scheme):
    refused = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER, expect=1)
    check("only an officer on duty" in refused, refused)
    settings(scheme, DRUGS, duty={str(os.getuid()): ["duty_officer"]})
    refused = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER, "--attr", "duty_role=duty_manager",
                             expect=1)
    check("only an officer on duty" in refused, refused)

    scheme.new_bundle("--contact", "broker.sample=dpo@example.org")
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
    until(lambda: scheme.status(DRUGS)["bundle"]["serial"] == 2, "the bundle with the officer's address is there")

    # Nobody has listed the person, nobody has consented.
    first = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    line = received(scheme, POLICE, first)
    check(line["break_glass"], "the inbox marks it")
    check("BREAK-GLASS" in scheme.command(POLICE, "inbox").out, "for people too")
    check("concordat confirm" in scheme.command(POLICE, "show", first).out, "and says what to do")
    equal(scheme.show(POLICE, first)["items"],
          {"name": "Liam Hughes-Parry", "pnc_id": PNC, "address": "1 High Street, Hanley", "rule": "danger-to-anyone",
           "reason": "imminent_harm", "duty_role": "duty_officer"}, "what the police are told")
    equal([u["state"] for u in uses(scheme)], ["waiting"], "the broker waits for a confirmation")
    log = (scheme.root / "logs" / "broker.log").read_text(encoding="utf-8")
    check("a rule was overridden: from=drugs.stoke rule=danger-to-anyone" in log and "tell=dpo@example.org" in log,
          f"the data protection officer is told at once\n{log[-2000:]}")

    refused = scheme.command(DRUGS, "confirm", first, expect=1).err
    check("no such event was received here" in refused, refused)
    confirmed = scheme.command(POLICE, "confirm", first).out.strip()
    equal(scheme.settled(POLICE, confirmed)["state"], "delivered", "the confirmation reaches the drug team")
    equal(uses(scheme), [], "nothing waits any more")
    again = scheme.command(POLICE, "confirm", first).out.strip()
    equal(scheme.settled(POLICE, again)["state"], "refused", "once is enough")

    # Nobody confirms the second in time.
    second = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    received(scheme, POLICE, second)
    until(lambda: [u for u in uses(scheme) if u["state"] == "suspended"], "the right is suspended")
    third = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    shown = scheme.settled(DRUGS, third)
    equal(shown["state"], "refused", "a suspended member overrides nothing")
    check("suspended until another member confirms it" in json.dumps(shown["refusals"]), shown["refusals"])
    late = scheme.command(POLICE, "confirm", second).out.strip()
    equal(scheme.settled(POLICE, late)["state"], "delivered", "late is possible")

    # The third of the day is the last.
    fourth = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    received(scheme, POLICE, fourth)
    fifth = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    shown = scheme.settled(DRUGS, fifth)
    equal(shown["state"], "refused", "the quota is used up")
    check("3 times within 24 hours" in json.dumps(shown["refusals"]), shown["refusals"])

    # What nobody will confirm the partnership settles.
    until(lambda: [u["event"] for u in uses(scheme) if u["state"] == "suspended"] == [fourth], "one is overdue")
    check("settled" in harness.run("concordat-broker", "lift", "--dir", scheme.broker_folder, fourth).out, "lifted")
    equal(uses(scheme), [], "none waits")

    found = entries(scheme)
    equal(found, [("made", DRUGS, True), ("confirmed", POLICE, True), ("made", DRUGS, True),
                  ("suspended", DRUGS, True), ("confirmed late", POLICE, True), ("made", DRUGS, True),
                  ("suspended", DRUGS, True), ("lifted", DRUGS, True)], "the log's account")
    disclosed = scheme.search("--outcome", "disclosed", "--type", "override.made")
    equal(len(disclosed), 3, "three disclosures")
    check(all("break-glass" in e["flags"] for e in disclosed), "each marked")
    scheme.stop()
    check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(override)
