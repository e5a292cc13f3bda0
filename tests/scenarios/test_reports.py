#!/usr/bin/python3
"""What a data protection officer reads after an eventful day: an override, corrections, a new version of the protocol.
Old disclosures are judged by the version that was in force for them."""
import json
import os
import pathlib
import tempfile

import harness
from harness import check, equal, until
from test_officer_queries import Office
from test_override import DANGER, DRUGS, PNC, POLICE, PRISON, PROBATION, received, settings

OTHER = "1998/0214378K"


def listing(scheme, pnc, name):
    event = scheme.publish(POLICE, "ppo.added", "--subject", pnc, "--attr", "strand=resettle_rehabilitate", "--attr",
                           "area=stoke", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
                           "review_due=2026-12-15", "--attr", "home_force=21", "--item", f"name={name}", "--item",
                           "dob=1971-09-16")
    scheme.settled(POLICE, event)


def notice(scheme, date, pnc=PNC, *items):
    return scheme.publish(PRISON, "release.planned", "--subject", pnc, "--attr", f"release_date={date}", "--attr",
                          "home_force=21", "--item", "date_type=CRD", "--item", "address=1 High Street, Hanley", *items)


def confirmed(scheme, member, event, recipients):
    def all_have():
        shown = scheme.show(member, event)
        return sorted(r["to"] for r in shown["recipients"] if r["confirmed"]) == sorted(recipients)
    until(all_have, f"{recipients} have confirmed {event}")


def audit(scheme, *arguments, expect=0):
    return harness.run("concordat-audit", *arguments, "--broker", scheme.broker_folder, expect=expect)


def report(scheme, name, *arguments, expect=0):
    """The tables of a report, by name."""
    page = json.loads(audit(scheme, "report", name, "--form", "json", *arguments, expect=expect).out)
    return {part["table"]: part["rows"] for part in page["content"] if "table" in part}


def entry(scheme, event, to):
    found = scheme.search("--event", event, "--kind", "disclosed", "--to", to)
    equal(len(found), 1, f"{event} was disclosed to {to} once")
    return str(found[0]["index"])


def overridden(scheme):
    settings(scheme, DRUGS, duty={str(os.getuid()): ["duty_officer"]})
    used = scheme.publish(DRUGS, "override.made", "--subject", PNC, *DANGER)
    received(scheme, POLICE, used)
    table = report(scheme, "overrides")["overrides"]
    equal([(r["from"], r["rule"], r["fate"]) for r in table],
          [(DRUGS, "danger-to-anyone", "waits to be confirmed")], "an override waits")
    scheme.settled(POLICE, scheme.command(POLICE, "confirm", used).out.strip())
    fate = report(scheme, "overrides")["overrides"][0]["fate"]
    check(fate.startswith(f"confirmed by {POLICE}, 2026-12-01"), fate)
    glass = scheme.search("--break-glass", "--kind", "disclosed")
    check(glass and all("break-glass" in row["flags"] for row in glass), "disclosures rest on it")


def corrected(scheme, told):
    first = scheme.command(PRISON, "correct", told, "--item", "address=7 Low Road, Hanley").out.strip()
    confirmed(scheme, PRISON, first, [PROBATION])
    scheme.daemons[PROBATION].stop()
    second = scheme.command(PRISON, "correct", told, "--item", "address=8 Low Road, Hanley").out.strip()
    until(lambda: scheme.search("--event", second, "--kind", "corrected"), "the second correction is asked")
    tables = report(scheme, "corrections")
    equal([(r["kind"], r["from"], r["to"], r["event"]) for r in tables["outstanding"]],
          [("corrected", PRISON, PROBATION, second)], "who has not confirmed")
    equal([(r["asked"], r["told"], r["confirmed"]) for r in tables["asked"]], [(2, 2, 1)], "what was asked")
    scheme.start_agent(PROBATION)
    confirmed(scheme, PRISON, second, [PROBATION])
    equal(report(scheme, "corrections")["outstanding"], [], "everybody has confirmed")
    said = audit(scheme, "explain", entry(scheme, told, PROBATION)).out
    check("corrected, asked" in said, f"what happened to it: {said}")


def narrower(scheme, folder):
    """A version in which police are no longer told the district comes into force."""
    text = harness.PROTOCOL.read_text(encoding="utf-8")
    changed = text.replace("date_type, home_district,", "date_type,").replace("\nversion: 2\n", "\nversion: 3\n")
    check(changed.count("home_district") < text.count("home_district") and "version: 3" in changed, "an edited protocol")
    path = pathlib.Path(folder) / "narrower.yaml"
    path.write_text(changed, encoding="utf-8")
    scheme.protocols = (path,)
    scheme.new_bundle()
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
    for member in (POLICE, PRISON, PROBATION, DRUGS):
        until(lambda m=member: scheme.status(m)["bundle"]["serial"] == 2, f"{member} has the new bundle")


def judged_by_their_own_day(scheme, before, after):
    old = audit(scheme, "explain", entry(scheme, before, POLICE)).out
    new = audit(scheme, "explain", entry(scheme, after, POLICE)).out
    for said, version, bundle, district in ((old, 2, 1, True), (new, 3, 2, False)):
        words = " ".join(said.split())
        check(f"version {version} of the protocol staffordshire-ppo, in bundle {bundle}, the file whose digest" in words,
              f"the version then: {said}")
        check("exactly those whom the log names" in words, f"decided again: {said}")
        equal("home_district" in words, district, "the district")
    digest = report(scheme, "digest", "--month", "2026-12")
    equal(digest["outside"], [], "nothing was outside the protocol of its day")
    equal(report(scheme, "consents")["after_withdrawal"], [], "nor without its consent")
    ropa = report(scheme, "ropa")
    equal([r["value"] for r in ropa["protocol"] if r["what"] == "version"], ["3"], "the record is of what is in force")


def erased(scheme, told):
    """What was erased is no longer known; everything else can still be decided again and told."""
    index = entry(scheme, told, POLICE)
    scheme.settled(PRISON, scheme.command(PRISON, "erase", told, "--reason", "request").out.strip())
    harness.run("concordat-broker", "confirm-erasure", "--dir", scheme.broker_folder, "--officer", "dpo.hargreaves", told)
    until(lambda: [r for r in scheme.search("--kind", "erased") if r["outcome"] == "erased"], "it is erased")
    page = json.loads(audit(scheme, "report", "digest", "--month", "2026-12", "--form", "json").out)
    notes = " ".join(part["note"] for part in page["content"] if "note" in part)
    check("1 events of this log were erased" in notes, f"the digest says so: {notes}")
    said = " ".join(audit(scheme, "explain", index).out.split())
    check("(erased since)" in said and "cannot be decided again" in said, f"and so does an explanation: {said}")
    check(audit(scheme, "replay-export").out.count("\n") > 3, "past decisions can still be exported")


def asked(scheme):
    """Each question stands in the log, before its answer, with who asked it."""
    looks = scheme.search("--kind", "audit-query")
    who = f"unix:{os.getuid()}"
    check(all(row["officer"] == who for row in looks), "who asked")
    questions = [row["asked"] for row in looks]
    check(any(q.startswith("recheck report=digest since=2026-12-01") for q in questions), f"what was asked: {questions}")
    check(any(q.startswith("explain entry=") for q in questions), questions)


def each_officer_is_told_what_is_theirs(scheme, told):
    """Probation's officer learns what probation received and why, and nothing of what the police did."""
    office = Office(scheme)
    officer = office.add("sam.roe", "--agency", PROBATION)
    scheme.new_bundle()
    harness.run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)
    until(lambda: scheme.status(PROBATION)["bundle"]["serial"] == 3, "the bundle that knows the officer")

    def ask(*arguments, expect=0):
        return harness.run("concordat-audit", *arguments, "--agent", scheme.agent_folder(PROBATION), "--as", officer,
                           "--passphrase-file", office.secret, "--now", "2026-12-01T08:01:00Z", expect=expect)

    said = " ".join(ask("explain", entry(scheme, told, PROBATION)).out.split())
    check("told probation.staffordshire about" in said and "Rule: release-notice" in said, f"what it received: {said}")
    check(POLICE not in said and "home_district" not in said, f"and nothing of what others did: {said}")
    refused = ask("explain", entry(scheme, told, POLICE), expect=1).err
    check("cannot explain that entry" in refused, refused)
    refused = ask("report", "digest", "--month", "2026-12", expect=1).err
    check("only the scheme's data protection officer" in refused, refused)
    late = ask("report", "disclosures").out
    check("probation.staffordshire" in late and f"{PRISON}           {POLICE}" not in late, f"its own alone: {late}")


def tell(scheme, folder):
    listing(scheme, PNC, "Liam Hughes-Parry")
    listing(scheme, OTHER, "Ann Example")
    before = notice(scheme, "2026-12-20", PNC, "--item", "home_district=Hanley")
    scheme.settled(PRISON, before)
    overridden(scheme)
    corrected(scheme, before)
    narrower(scheme, folder)
    after = notice(scheme, "2026-12-21", OTHER)
    scheme.settled(PRISON, after)
    judged_by_their_own_day(scheme, before, after)
    asked(scheme)
    erased(scheme, after)
    each_officer_is_told_what_is_theirs(scheme, before)
    check("entries" in scheme.verify().out, "the log verifies")


def reports():
    with tempfile.TemporaryDirectory(prefix="concordat-reports-") as folder:
        with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
            tell(scheme, folder)


if __name__ == "__main__":
    harness.story(reports)
