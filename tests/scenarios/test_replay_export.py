"""A data protection officer has past traffic decided again under a version that the board is thinking about."""
import json

import harness
from harness import check, equal
from test_first_notice import DRUGS, LISTING, NOTICE, PNC, POLICE, PRISON, PROBATION


def lines(exported):
    return [json.loads(line) for line in exported.out.splitlines()]


def compared(scheme, past, newer, expect):
    return harness.run("concordat-protocol", "compare", harness.PROTOCOL, newer, "--catalogue", harness.CATALOGUE,
                       "--replay", past, expect=expect).out


def traffic(scheme):
    """A listing, a notice without consent, the consent, and the notice repeated for the drug team."""
    scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))
    harness.until(lambda: scheme.status(PRISON)["people"] == 1, "the prison knows the person")
    scheme.settled(PRISON, scheme.publish(PRISON, "release.planned", "--subject", PNC, *NOTICE))
    scheme.settled(PROBATION, scheme.publish(PROBATION, "consent.given", "--subject", PNC, "--attr",
                                             "scope=throughcare", "--attr", "form_version=1", "--attr",
                                             "expires=2027-03-31"))
    harness.until(lambda: [e for e in scheme.inbox(DRUGS) if e["type"] == "release.planned"],
                  "the standing notice is repeated for the drug team")


def replay_export():
    with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
        traffic(scheme)
        broker = scheme.broker_folder
        exported = harness.run("concordat-audit", "replay-export", "--broker", broker)
        told = lines(exported)
        equal([line["event"] for line in told], ["ppo.added", "release.planned", "consent.given", "release.planned"],
              "the events that were decided")
        check("Liam" not in exported.out and "Hanley" not in exported.out, "no sealed value is told")
        listing, notice, consent, repeat = told
        equal(listing["person"], {"listed": "no"}, "nothing was known before the listing")
        equal(notice["person"]["strand"], "resettle_rehabilitate", "what was known at the notice")
        check("consents" not in notice["person"] and "throughcare" in repeat["person"]["consents"], "consents then")
        equal(sorted(notice["disclosed"]), [POLICE, PROBATION], "whom the notice went to")
        equal(notice["disclosed"][POLICE], ["name", "dob", "pnc_id", "release_date", "date_type", "home_district"],
              "with what")
        equal(sorted(repeat["repeats"]), [POLICE, PROBATION], "who had it before the repeat")
        equal(repeat["disclosed"], {DRUGS: ["name", "dob", "release_date"]}, "the repeat")
        equal(consent["disclosed"], {}, "a record goes to nobody")
        equal(len(lines(harness.run("concordat-audit", "replay-export", "--broker", broker, "--since", "2027-01-01"))),
              0, "events of a later year")

        past, newer = scheme.root / "past.jsonl", scheme.root / "newer.yaml"
        past.write_text(exported.out)
        same = compared(scheme, past, harness.PROTOCOL, expect=0)
        check("Past traffic: 4 events, " in same and "decided otherwise" not in same, f"replayed as it was: {same}")
        newer.write_text(harness.PROTOCOL.read_text().replace("consent: throughcare", "consent: referral"))
        changed = compared(scheme, past, newer, expect=1)
        check("release.planned from prison.dovegate to drugs.stoke would now be refused: " in changed, changed)

        search = harness.run("concordat-audit", "search", "--broker", broker, "--json")
        asked = [json.loads(line) for line in search.out.splitlines()]
        check(any(row["kind"] == "audit-query" for row in asked), "each look is in the log")
        check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(replay_export)
