#!/usr/bin/python3
"""The main job on loopback, with sample data and the sample day as clock, told in a page.

Usage: demo.py --bin DIR [--keep DIR]
"""
import argparse
import csv
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenarios"))

POLICE, DOVEGATE, STAFFORD = "police.staffordshire", "prison.dovegate", "prison.stafford"
PROBATION, DRUGS = "probation.staffordshire", "drugs.stoke"
HUGHES_PARRY, JOHNSON, BROWN = "2003/9391423N", "1976/3535131P", "2000/7630822W"
NUNEZ, LLEWELLYN = "1994/3831638D", "1983/7558186G"


def say(text=""):
    print(text, flush=True)


def chapter(number, title):
    say()
    say(f"{number}. {title}")


class Teller:
    """Tells what became of events, in the words of the receiving agencies."""

    def __init__(self, scheme, harness):
        self.scheme, self.harness = scheme, harness

    def publish(self, member, event_type, *arguments):
        return self.scheme.publish(member, event_type, *arguments)

    def fate(self, member, event, what):
        """Waits for the outcome of one event and prints who received which labels, and what was refused."""
        shown = self.scheme.settled(member, event)
        say(f"   {what}")
        for recipient in shown["recipients"]:
            late = " LATE" if recipient.get("late") else ""
            say(f"     → {recipient['to']:<25} {', '.join(recipient['labels'])}{late}")
        for refusal in shown["refusals"]:
            say(f"     ✗ {refusal['text']}")
        if shown["state"] == "refused":
            say(f"     ✗ refused: {shown['reason']}")
        if not shown["recipients"] and shown["state"] != "refused" and not shown["refusals"]:
            say("     · recorded; it has no recipient")
        return shown

    def page(self, member, feed, path):
        """Imports a file and prints the agent's own page about it."""
        said = self.scheme.command(member, "import", feed, path, expect=None)
        if said.code not in (0, 1):
            raise self.harness.Failed(said.err)
        for line in said.out.rstrip().splitlines():
            say(f"   | {line}")


def changed_extract(source, target, prison_no, column, value):
    """A copy of the extract in which one person's row says something else."""
    with open(source, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    at = rows[0].index(column)
    number = rows[0].index("NOMS No")
    for row in rows[1:]:
        if len(row) > at and row[number].strip() == prison_no:
            row[at] = value
    with open(target, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)


def the_list(tell, harness):
    chapter(1, "Police put 24 people on the scheme; prisons, probation and the drug team learn their minimum")
    tell.page(POLICE, "ppo-list", harness.DATA / "ppo-list.csv")
    tell.scheme.quiet(POLICE)
    for member in (DOVEGATE, PROBATION, DRUGS):
        received = tell.scheme.inbox(member)
        labels = sorted({label for event in received for label in event["labels"]})
        say(f"   {member} received {len(received)} list changes, each with: {', '.join(labels)}")


def consents(tell):
    chapter(2, "Probation records consents; they reach nobody and stand in the register")
    for person, scope in ((HUGHES_PARRY, "throughcare"), (HUGHES_PARRY, "referral"),
                          (HUGHES_PARRY, "share_with_probation"), (JOHNSON, "throughcare")):
        event = tell.publish(PROBATION, "consent.given", "--subject", person, "--attr", f"scope={scope}",
                             "--attr", "form_version=2", "--attr", "expires=2027-05-31")
        tell.fate(PROBATION, event, f"consent {scope} of {person}")


def extracts(tell, harness):
    chapter(3, "Two prisons drop their ordinary release extract; each agent reads only its own rows")
    for prison in (DOVEGATE, STAFFORD):
        say(f"   {prison}")
        tell.page(prison, "release-extract", harness.DATA / "release-extract.csv")
        tell.scheme.quiet(prison)
    for member in (POLICE, PROBATION, DRUGS):
        notices = [e for e in tell.scheme.inbox(member) if e["type"] == "release.planned"]
        late = sum(1 for e in notices if e["late"])
        labels = sorted({label for event in notices for label in event["labels"]})
        say(f"   {member} received {len(notices)} release notices ({late} late), with: {', '.join(labels)}")


def date_change(tell, harness, folder):
    chapter(4, "A release date changes; the new notice replaces the old one")
    path = folder / "release-extract-2.csv"
    changed_extract(harness.DATA / "release-extract.csv", path, "A7629RT", "Release Date", "18/12/2026")
    tell.page(DOVEGATE, "release-extract", path)
    tell.scheme.quiet(DOVEGATE)
    for member in (POLICE, PROBATION, DRUGS):
        for event in tell.scheme.inbox(member):
            if event["type"] == "release.date_changed":
                say(f"   {member} received release.date_changed: {', '.join(event['labels'])}")


def daily_work(tell):
    chapter(5, "Arrest, breach, referral, answer, treatment")
    tell.fate(POLICE, tell.publish(
        POLICE, "arrest.made", "--subject", BROWN, "--item", "station=Hanley", "--item",
        "arrested_at=2026-12-01T07:40:00Z", "--item", "offence_class=burglary", "--item",
        "drug_test_result=positive"), "police: arrest.made")
    tell.fate(PROBATION, tell.publish(
        PROBATION, "breach.recorded", "--subject", NUNEZ, "--attr", "action=recall_requested", "--item",
        "order_type=licence", "--item", "kind=missed", "--item", "officer_risk=caution"), "probation: breach.recorded")
    referral = tell.publish(PROBATION, "treatment.referred", "--subject", HUGHES_PARRY, "--item",
                            "contact=via offender manager, 01782 555 0110")
    tell.fate(PROBATION, referral, "probation: treatment.referred")
    tell.fate(DRUGS, tell.publish(DRUGS, "treatment.accepted", "--re", referral, "--item",
                                  "appointment=2026-12-21T10:00:00Z"), "drug team: treatment.accepted")
    tell.fate(DRUGS, tell.publish(
        DRUGS, "treatment.started", "--subject", HUGHES_PARRY, "--attr", "start_date=2026-12-01", "--item",
        "keyworker=Ruth Adeyemi", "--item", "attending=yes"), "drug team: treatment.started")


def endings(tell, harness, folder):
    chapter(6, "A removal and a withdrawal take effect at once")
    tell.fate(POLICE, tell.publish(POLICE, "ppo.removed", "--subject", LLEWELLYN, "--attr", "reason=moved",
                                   "--attr", "authority=bcu_commander"), f"police: ppo.removed ({LLEWELLYN})")
    tell.fate(POLICE, tell.publish(POLICE, "arrest.made", "--subject", LLEWELLYN, "--item", "station=Tamworth"),
              "police: an arrest of the person just removed")
    tell.fate(PROBATION, tell.publish(PROBATION, "consent.withdrawn", "--subject", JOHNSON, "--attr",
                                      "scope=throughcare", "--attr", "form_version=2"),
              f"probation: consent.withdrawn ({JOHNSON})")
    path = folder / "release-extract-3.csv"
    changed_extract(folder / "release-extract-2.csv", path, "A9863ZW", "Release Date", "28/12/2026")
    tell.page(DOVEGATE, "release-extract", path)
    tell.scheme.quiet(DOVEGATE)
    reached = [m for m in (POLICE, PROBATION, DRUGS)
               if sum(e["type"] == "release.date_changed" for e in tell.scheme.inbox(m)) > 1]
    say(f"   the changed date of the person who withdrew consent reached: {', '.join(reached)}; not {DRUGS}")


def attempts(scheme):
    chapter(7, "Attempts")
    said = scheme.publish(DOVEGATE, "release.planned", "--subject", JOHNSON, "--attr", "release_date=2026-12-28",
                          "--attr", "home_force=21", "--item", "crn=X777978", expect=1)
    say(f"   the prison's own agent refuses an item that no rule grants:\n     ✗ {said}")
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))
    import peer  # the test client, which knows the wire format from its page alone
    with peer.Peer.of_agent(scheme.agent_folder(DOVEGATE), scheme.endpoint) as client:
        outcome = client.publish_more_than_granted(JOHNSON_PRISON_NO, extra="crn")
    say(f"   the prison's keys in another client, an item too many:\n     ✗ {outcome}")
    say(f"   a stranger with a key that looks right:\n     ✗ {peer.stranger(scheme.endpoint, scheme.agent_folder(DOVEGATE))}")


JOHNSON_PRISON_NO = "A9863ZW"


def audit(scheme):
    chapter(8, f"The data protection officer's view of one person ({HUGHES_PARRY})")
    subject = scheme.command(POLICE, "subject", HUGHES_PARRY).out.strip()
    say(f"   $ concordat-audit search --broker {scheme.broker_folder} --subject {subject[:16]}…")
    for row in scheme.search("--subject", subject):
        to = f" → {row['to']}" if row.get("to") else ""
        labels = f" [{', '.join(row['labels'])}]" if row.get("labels") else ""
        rule = f" under {row['rule']}" if row.get("rule") else ""
        reason = f": {row['reason']}" if row.get("reason") else ""
        say(f"   {row['index']:>5} {row['time'][:19]} {row['kind']:<10} {row.get('type', ''):<21} "
            f"{row.get('from', '')}{to}{rule}{labels}{reason}")
    say()
    scheme.until_final()
    say(scheme.verify().out.strip().splitlines()[-1])
    cosigners(scheme)


def cosigners(scheme):
    """By whom the log was cosigned: what its operator cannot take back without them."""
    log = scheme.log_state()
    names = [w["member"] for w in log["witnesses"] if w["cosigned"] == log["final"]]
    say(f"log cosigned: {log['final']} of {log['entries']} entries, by {', '.join(names)} "
        f"({log['witness_quorum']} of {len(log['witnesses'])} must, {log['witness_dishonest']} may be dishonest)")


def keep_running(scheme):
    binary = os.path.relpath(scheme_bin())
    say()
    say(f"Left running below {scheme.root}. To try:")
    for line in (f"concordat --agent {scheme.agent_folder(PROBATION)} inbox",
                 f"concordat --agent {scheme.agent_folder(DOVEGATE)} status",
                 f"concordat-audit search --broker {scheme.broker_folder} --member {DRUGS}",
                 f"concordat-audit verify --broker {scheme.broker_folder}",
                 f"concordat-protocol explain policy/staffordshire-ppo.yaml --catalogue policy/catalogue.yaml "
                 f"--event release.planned --from {DOVEGATE} --to {DRUGS} --consent throughcare"):
        say(f"  {binary}/{line}")
    say(f"To stop everything: kill $(cat {scheme.root}/pids/*.pid)")


def scheme_bin():
    return os.environ["CONCORDAT_BIN"]


def story(scheme, harness, folder):
    tell = Teller(scheme, harness)
    the_list(tell, harness)
    consents(tell)
    extracts(tell, harness)
    date_change(tell, harness, folder)
    daily_work(tell)
    endings(tell, harness, folder)
    attempts(scheme)
    audit(scheme)


def main():
    options = argparse.ArgumentParser(description="Concordat's main job, with sample data, on loopback.")
    options.add_argument("--bin", required=True, help="folder of the programs")
    options.add_argument("--keep", metavar="DIR", help="work in DIR and leave everything running")
    given = options.parse_args()
    os.environ["CONCORDAT_BIN"] = given.bin
    import harness
    harness.BIN = pathlib.Path(given.bin)
    started = time.monotonic()
    if given.keep and os.path.exists(given.keep) and os.listdir(given.keep):
        print(f"demo: {given.keep} is not empty; name a new folder", file=sys.stderr)
        return 2
    root = pathlib.Path(os.path.abspath(given.keep)) if given.keep else pathlib.Path(tempfile.mkdtemp(prefix="concordat-demo-"))
    scheme = harness.Partnership(root, witnesses=harness.MEMBERS, dishonest=1, settings={"cosign_every": 1000})
    kept = False
    try:
        say("A partnership of a police force, two prisons, probation and a drug team; the clock shows 1 December 2026.")
        scheme.make().start()
        folder = root / "files"
        folder.mkdir()
        story(scheme, harness, folder)
        say(f"({time.monotonic() - started:.0f} s)")
        kept = bool(given.keep)
        if kept:
            keep_running(scheme)
        return 0
    except harness.Failed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    finally:
        if not kept:
            for daemon in scheme.daemons.values():
                daemon.kill()
            if not given.keep:
                shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
