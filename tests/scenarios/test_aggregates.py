"""The monthly return for a Government Office: counts without people, small ones not shown, signed by the log's key."""
import base64
import hashlib
import json
import re

import harness
from harness import check, equal
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")
LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
PEOPLE = ([("stoke", "catch_convict")] * 7 + [("stoke", "resettle_rehabilitate")] * 8 +
          [("stafford", "catch_convict")] * 8 + [("stafford", "resettle_rehabilitate")] * 2 +
          [("tamworth", "catch_convict")] * 9 + [("tamworth", "resettle_rehabilitate")] * 5)


def pnc(number):
    return f"2003/{number:07d}{LETTERS[int(f'03{number:07d}') % 23]}"


def list_everybody(scheme):
    events = []
    for number, (area, strand) in enumerate(PEOPLE, 1000001):
        events.append(scheme.publish(POLICE, "ppo.added", "--subject", pnc(number), "--attr", f"strand={strand}",
                                     "--attr", f"area={area}", "--attr", "authority=bcu_commander", "--attr",
                                     "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr",
                                     "home_force=21", "--item", "name=Somebody Else", "--item", "dob=1971-09-16"))
    for event in events:
        equal(scheme.settled(POLICE, event, 60)["state"], "delivered", "everybody is listed")


def aggregate(scheme, *options, expect=0):
    return harness.run("concordat-broker", "aggregate", "--dir", scheme.broker_folder, *options, expect=expect)


def cells(said):
    return {(r["table"], r["row"], r["column"]): r["count"] for r in said["rows"]}


def check_signature(scheme, note):
    """As C2SP's signed note says, with a library that is not ours."""
    vkey = re.search(r"log: (\S+)", harness.run("concordat-authority", "show", "--bundle", scheme.bundle).out)[1]
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    line = next(s for s in signatures.splitlines() if s.startswith(f"\u2014 {name} "))
    signature = base64.b64decode(line.split(" ")[2])
    equal(signature[:4].hex(), key_id, "the key id")
    equal(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex(), key_id, "which is that of the key")
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())


def merge(scheme):
    """Two records turn out to be one person's, in words that `concordat subject` prints; they count once."""
    one, other = (scheme.command(POLICE, "subject", pnc(1000001 + i)).out.strip() for i in (7, 8))
    for member in (POLICE, PROBATION):
        event = scheme.publish(member, "subject.merged", "--subject", one, "--attr", f"merged_from={other}", "--attr",
                               f"merged_to={one}")
        equal(scheme.settled(member, event)["state"], "delivered", f"{member} says that two records are one person's")


def january(scheme):
    """The same partnership at the beginning of the next year."""
    scheme.stop()
    scheme.now = "2027-01-02T08:00:00Z"
    scheme.start()


def what_it_says(said):
    """39 people came in December, one left, two records were merged: 37, of whom seven are in Stoke to resettle."""
    equal((said["protocol"], said["month"], said["not shown below"]), ("staffordshire-ppo", "2026-12", "5"), "head")
    equal(said["people to the nearest"], "5", "people are not told exactly")
    found = cells(said)
    table = "people by area and strand"
    equal(found[table, "all", "all"], 35, "everybody, 37 people, to the nearest five")
    equal(found[table, "stafford", "resettle_rehabilitate"], None, "two are not shown")
    hidden = {k for k, v in found.items() if v is None and k[0] == table}
    check(sum(k[1] == "stafford" for k in hidden) >= 2, "nor can they be had from the area's total")
    check(sum(k[2] == "resettle_rehabilitate" for k in hidden) >= 2, "nor from the strand's")
    equal(found["people by area and state", "all", "not known"], 35, "no review has said how they do")
    equal({v % 5 for k, v in found.items() if k[0].startswith("people") and v is not None}, {0}, "to the nearest five")
    changes = "changes of the list by area"
    equal((found[changes, "all", "added"], found[changes, "all", "removed"]), (39, None), "39 came, and one went")
    equal([found[changes, a, "removed"] for a in ("stoke", "stafford")].count(None) >= 1, True, "whose area is not told")
    check(found["disclosures by area and clock", "stoke", "in time"] > 20, "disclosures were in time")
    equal(found["disclosures by area and clock", "all", "late"], 0, "and none late")
    check(not re.search(r"[0-9a-f]{64}", said["note"].split("\n\n")[0]), "no pseudonym")


def told_once(scheme, said):
    """A return is made once: whoever asks again, after whatever happened, gets the same."""
    extra = scheme.publish(POLICE, "ppo.added", "--subject", pnc(1000099), "--attr", "strand=catch_convict", "--attr",
                           "area=stoke", "--attr", "authority=bcu_commander", "--attr", "selector=core_nominal",
                           "--attr", "review_due=2027-01-15", "--attr", "home_force=21", "--item",
                           "name=Somebody Else", "--item", "dob=1971-09-16")
    equal(scheme.settled(POLICE, extra)["state"], "delivered", "one more is listed")
    again = aggregate(scheme, "--month", "2026-12", "--json").json()
    equal(again["rows"], said["rows"], "the same rows as before")
    equal(again["people as of"], said["people as of"], "counted when it was asked for first")
    before = aggregate(scheme, "--month", "2026-11", "--json").json()
    equal(cells(before)["changes of the list by area", "all", "added"], 0, "nothing happened in November")
    check(not any(r["table"].startswith("people") for r in before["rows"]), "no other month counts people of today")


def aggregates():
    with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
        list_everybody(scheme)
        removed = scheme.publish(POLICE, "ppo.removed", "--subject", pnc(1000001), "--attr", "reason=criteria", "--attr",
                                 "authority=bcu_commander")
        equal(scheme.settled(POLICE, removed)["state"], "delivered", "one is taken off")
        merge(scheme)
        for month in ("2026-12", "2027-01", "2026-13", "soon"):
            check("one that has ended" in aggregate(scheme, "--month", month, expect=1).err, f"{month} has not ended")
        january(scheme)
        said = aggregate(scheme, "--month", "2026-12", "--json").json()
        what_it_says(said)
        note = aggregate(scheme, "--month", "2026-12").out
        check(note.startswith("concordat/aggregates/v1\n"), note[:200])
        check_signature(scheme, note)
        broken = note.replace("added,39", "added,40")
        check(broken != note, "a count was changed")
        try:
            check_signature(scheme, broken)
        except InvalidSignature:
            pass
        else:
            raise harness.Failed("a changed count verifies")
        told_once(scheme, said)
        looks = scheme.search("--outcome", "aggregated")
        equal([e["kind"] for e in looks], ["audit-query"] * 4, "each look is in the log")
        scheme.stop()
        check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(aggregates)
