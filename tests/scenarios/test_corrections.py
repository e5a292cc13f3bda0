#!/usr/bin/python3
"""Corrections, retractions and erasures go to those who were told, and to nobody else; each confirms, signed."""
import json

import harness
from harness import check, equal, partnership, story, until

PNC, OTHER = "2003/9391423N", "1998/0214378K"
POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")
DPO = "dpo.hargreaves"
ERASED_BY = "officer-who-will-be-forgotten"


def listing(scheme, pnc, name):
    event = scheme.publish(POLICE, "ppo.added", "--subject", pnc, "--attr", "strand=resettle_rehabilitate", "--attr",
                           "area=stoke", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
                           "review_due=2026-12-15", "--attr", "home_force=21", "--item", f"name={name}", "--item",
                           "dob=1971-09-16")
    scheme.settled(POLICE, event)
    return event


def notice(scheme, date, pnc=PNC):
    return scheme.publish(PRISON, "release.planned", "--subject", pnc, "--attr", f"release_date={date}", "--attr",
                          "home_force=21", "--item", "date_type=CRD", "--item", "home_district=Hanley", "--item",
                          "address=1 High Street, Hanley")


def entry(scheme, member, event):
    return next((e for e in scheme.inbox(member) if e["event"] == event), None)


def received(scheme, member, event):
    return until(lambda: entry(scheme, member, event), f"{member} has {event}")


def kinds(scheme, kind):
    return [(e["from"], e["to"], e["outcome"]) for e in scheme.search("--outcome", kind)]


def broker_status(scheme):
    return harness.run("concordat-broker", "status", "--dir", scheme.broker_folder, "--json").json()["pipeline"]


def confirmed(scheme, member, event, recipients):
    def all_have():
        shown = scheme.show(member, event)
        return sorted(r["to"] for r in shown["recipients"] if r["confirmed"]) == sorted(recipients) and shown
    return until(all_have, f"{recipients} have confirmed {event}")


def corrected(scheme):
    """The address goes to probation only, the district to police only; both are corrected where they were told."""
    told = notice(scheme, "2026-12-20")
    scheme.settled(PRISON, told)
    received(scheme, POLICE, told)
    received(scheme, PROBATION, told)
    wrong = scheme.command(PRISON, "correct", told, "--item", "crn=X123456", expect=1).err
    check("nobody was told" in wrong, wrong)
    wrong = scheme.command(POLICE, "correct", told, "--item", "address=x", expect=1).err
    check("no event of ours" in wrong, f"only its own sender corrects an event: {wrong}")
    correction = scheme.command(PRISON, "correct", told, "--item", "address=7 Low Road, Hanley").out.strip()
    equal([r["to"] for r in confirmed(scheme, PRISON, correction, [PROBATION])["recipients"]], [PROBATION],
          "only probation were told the address")
    shown = scheme.show(PROBATION, told)
    equal((shown["items"]["address"], shown["corrected_by"]), ("7 Low Road, Hanley", correction), "it is corrected")
    equal(entry(scheme, POLICE, told)["corrected_by"], None, "nothing was corrected at police")
    equal(entry(scheme, POLICE, correction), None, "and they hear nothing of it")
    date = scheme.command(PRISON, "correct", told, "--item", "release_date=2026-12-22", "--reason", "wrong_value").out
    confirmed(scheme, PRISON, date.strip(), [POLICE, PROBATION])
    equal(scheme.show(POLICE, told)["items"]["release_date"], "2026-12-22", "a date, at police")
    equal(kinds(scheme, "corrected").count((PROBATION, PRISON, "confirmed")), 2, "the log has the confirmations")
    equal(len([k for k in kinds(scheme, "corrected") if k[2] == "asked"]), 2, "and what was asked")
    return told


def whoever_is_entitled_later_gets_the_right_value(scheme):
    """A repeat of the standing notice says what it should have said."""
    scheme.settled(PROBATION, scheme.publish(PROBATION, "consent.given", "--subject", PNC, "--attr", "scope=throughcare",
                                             "--attr", "form_version=1", "--attr", "expires=2027-02-28"))
    found = until(lambda: [e for e in scheme.inbox(DRUGS) if e["type"] == "release.planned"], "the drug team is told")
    equal(scheme.show(DRUGS, found[0]["event"])["items"]["release_date"], "2026-12-22", "the corrected date")
    return found[0]["event"]


def retracted(scheme, told, repeat):
    """Off the list meanwhile, consent or not: it is taken back from all three. Police are away and are reminded."""
    scheme.daemons[POLICE].stop()
    first, second = scheme.command(PRISON, "retract", told).out.split()
    confirmed(scheme, PRISON, first, [PROBATION])
    confirmed(scheme, PRISON, second, [DRUGS])
    waiting = broker_status(scheme)
    equal(waiting["unconfirmed"], 1, "one confirmation is outstanding")
    equal([(o["what"], o["to"]) for o in waiting["outstanding"]], [("confirmation", POLICE)], "of police")
    equal([(o["what"], o["to"]) for o in scheme.status(PRISON)["outstanding"]], [("unconfirmed", POLICE)], "so says status")
    for member, event in ((PROBATION, told), (DRUGS, repeat)):
        equal((entry(scheme, member, event)["state"], scheme.show(member, event)["items"]), ("retracted", {}),
              f"{member}: the contents are gone")
    scheme.daemons["broker"].kill()
    scheme.stop()
    scheme.now = "2026-12-02T09:00:00Z"
    scheme.start()
    confirmed(scheme, PRISON, first, [POLICE, PROBATION])
    check((PRISON, POLICE, "reminded") in kinds(scheme, "retracted"), "police were reminded, and the log says so")
    check((POLICE, PRISON, "confirmed") in kinds(scheme, "retracted"), "and confirmed")
    equal(broker_status(scheme)["unconfirmed"], 0, "nothing is outstanding")
    equal(entry(scheme, POLICE, told)["state"], "retracted", "at police too")


def undelivered_is_recalled_instead(scheme):
    scheme.daemons[PROBATION].stop()
    scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley")
    until(lambda: broker_status(scheme)["connected"] == 3, "the broker has found that probation are gone")
    told = notice(scheme, "2026-12-28")
    received(scheme, POLICE, told)
    until(lambda: [r["state"] for r in scheme.show(PRISON, told)["recipients"]] == ["delivered", "delivered", "undelivered"],
          "the prison has the receipts of the others")
    retraction = scheme.command(PRISON, "retract", told).out.strip()
    shown = confirmed(scheme, PRISON, retraction, [DRUGS, POLICE])
    equal([r["to"] for r in shown["recipients"]], [DRUGS, POLICE], "probation, who never had it, are told nothing")
    until(lambda: scheme.show(PRISON, told)["state"] == "delivered", "nothing is waited for")
    scheme.start_agent(PROBATION)
    until(lambda: scheme.status(PROBATION)["connected"], "probation are back")
    scheme.settled(POLICE, scheme.publish(POLICE, "arrest.made", "--subject", PNC, "--item", "station=Hanley"))
    equal((entry(scheme, PROBATION, told), entry(scheme, PROBATION, retraction)), (None, None), "and it never came")


def officer(scheme, name):
    """Whoever uses the prison's command line from now on acts under this name."""
    scheme.daemons[PRISON].stop()
    path = scheme.agent_folder(PRISON) / "agent.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["officers"] = {"0": name}
    path.write_text(json.dumps(settings), encoding="utf-8")
    scheme.start_agent(PRISON)
    until(lambda: scheme.status(PRISON)["connected"], "the prison is connected")


def left_of(scheme, *traces):
    """The broker's files in which one of these stands."""
    return [path.name for path in scheme.broker_folder.iterdir() if path.is_file()
            and any(trace in path.read_bytes() for trace in traces)]


def erased(scheme):
    officer(scheme, ERASED_BY)
    told = notice(scheme, "2027-01-07", OTHER)
    scheme.settled(PRISON, told)
    scheme.show(POLICE, received(scheme, POLICE, told)["event"])
    officer(scheme, "records-clerk")
    until(lambda: "broker.db" in " ".join(left_of(scheme, ERASED_BY.encode())), "the log knows who acted")
    before = len(scheme.search("--type", "release.planned"))
    early = harness.run("concordat-broker", "confirm-erasure", "--dir", scheme.broker_folder, "--officer", DPO, told,
                        expect=1).err
    check("has not asked" in early, f"nobody but its sender asks: {early}")
    erasure = scheme.command(PRISON, "erase", told, "--reason", "request").out.strip()
    confirmed(scheme, PRISON, erasure, [POLICE, PROBATION])
    equal((entry(scheme, POLICE, told)["state"], scheme.show(POLICE, told)["items"]), ("erased", {}), "gone at police")
    equal((scheme.show(PRISON, told)["state"], scheme.show(PRISON, told)["items"]), ("erased", {}), "gone at its sender")
    equal(broker_status(scheme)["erasures"], 1, "it waits for the officer's word")
    check(left_of(scheme, ERASED_BY.encode()), "and stands in the log until then")
    harness.run("concordat-broker", "confirm-erasure", "--dir", scheme.broker_folder, "--officer", DPO, told)
    scheme.daemons["broker"].kill()
    scheme.start_broker()
    until(lambda: broker_status(scheme)["erasing"] == 0 and broker_status(scheme)["erasures"] == 0, "it is done")
    until(lambda: not left_of(scheme, ERASED_BY.encode()), "nothing of it is left in the broker's folder")
    entries = kinds(scheme, "erased")
    check((PRISON, None, "confirmed") in entries and (PRISON, None, "erased") in entries, f"the log says so: {entries}")
    equal(len(scheme.search("--type", "release.planned")), before, "its entries are there")
    check(not any(e["event"] == told for e in scheme.search("--type", "release.planned")), "and no longer name it")
    check("log verified" in scheme.verify().out, "everything still verifies")


@story
def corrections():
    with partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
        listing(scheme, PNC, "Liam Hughes-Parry")
        listing(scheme, OTHER, "Brian Example")
        told = corrected(scheme)
        repeat = whoever_is_entitled_later_gets_the_right_value(scheme)
        retracted(scheme, told, repeat)
        undelivered_is_recalled_instead(scheme)
        erased(scheme)
        scheme.daemons["broker"].kill()
        scheme.start_broker()
        check("log verified" in scheme.verify().out, "the log verifies after a kill")
