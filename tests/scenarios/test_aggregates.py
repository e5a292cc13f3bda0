"""The monthly return for a Government Office: counts without people, small ones not shown, signed by the log's key."""
import base64
import hashlib
import json
import re

import harness
from harness import check, equal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

POLICE, PRISON, PROBATION, DRUGS = ("police.staffordshire", "prison.dovegate", "probation.staffordshire",
                                    "drugs.stoke")
LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
PEOPLE = ([("stoke", "catch_convict")] * 7 + [("stoke", "resettle_rehabilitate")] * 6 +
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


def merged(scheme):
    """Two records turn out to be one person's, in words that `concordat subject` prints; they count once."""
    one, other = (scheme.command(POLICE, "subject", pnc(1000001 + i)).out.strip() for i in (7, 8))
    for member in (POLICE, PROBATION):
        event = scheme.publish(member, "subject.merged", "--subject", one, "--attr", f"merged_from={other}", "--attr",
                               f"merged_to={one}")
        equal(scheme.settled(member, event)["state"], "delivered", f"{member} says that two records are one person's")
    found = cells(aggregate(scheme, "--month", "2026-12", "--json").json())
    table = "people by area and strand"
    equal((found[table, "all", "all"], found["people by area and state", "all", "all"]), (35, 35), "one person less")


def aggregates():
    with harness.partnership(members=(POLICE, PRISON, PROBATION, DRUGS)) as scheme:
        list_everybody(scheme)
        removed = scheme.publish(POLICE, "ppo.removed", "--subject", pnc(1000001), "--attr", "reason=criteria", "--attr",
                                 "authority=bcu_commander")
        equal(scheme.settled(POLICE, removed)["state"], "delivered", "one is taken off")

        said = aggregate(scheme, "--month", "2026-12", "--json").json()
        equal((said["protocol"], said["month"], said["not shown below"]), ("staffordshire-ppo", "2026-12", "5"), "head")
        found = cells(said)
        table = "people by area and strand"
        equal(found[table, "all", "all"], 36, "everybody")
        equal(found[table, "stoke", "catch_convict"], 6, "six are left there")
        equal(found[table, "stafford", "resettle_rehabilitate"], None, "two are not shown")
        hidden = {k for k, v in found.items() if v is None and k[0] == table}
        check(sum(k[1] == "stafford" for k in hidden) >= 2, "nor can they be had from the area's total")
        check(sum(k[2] == "resettle_rehabilitate" for k in hidden) >= 2, "nor from the strand's")
        people = "people by area and state"
        equal(found[people, "all", "not known"], 36, "no review has said how they do")
        changes = "changes of the list by area"
        equal((found[changes, "all", "added"], found[changes, "all", "removed"]), (37, None), "37 came, and one went")
        equal([found[changes, a, "removed"] for a in ("stoke", "stafford")].count(None) >= 1, True, "whose area is not told")
        check(found["disclosures by area and clock", "stoke", "in time"] > 20, "disclosures were in time")
        equal(found["disclosures by area and clock", "all", "late"], 0, "and none late")
        check(not re.search(r"[0-9a-f]{64}", said["note"].split("\n\n")[0]), "no pseudonym")

        note = aggregate(scheme, "--month", "2026-12").out
        check(note.startswith("concordat/aggregates/v1\n"), note[:200])
        check_signature(scheme, note)
        broken = note.replace("stoke,catch_convict,6", "stoke,catch_convict,7")
        try:
            check_signature(scheme, broken)
            raise harness.Failed("a changed count verifies")
        except harness.Failed:
            raise
        except Exception:
            pass
        equal(cells(aggregate(scheme, "--month", "2026-11", "--json").json())["changes of the list by area", "all", "added"], 0,
              "nothing happened the month before")
        check("not a later one" in aggregate(scheme, "--month", "2027-01", expect=1).err, "no month to come")

        merged(scheme)
        scheme.daemons["broker"].stop()
        scheme.start_broker()
        equal(cells(aggregate(scheme, "--month", "2026-12", "--json").json())[changes, "all", "added"], 37,
              "counts outlive the process")
        looks = scheme.search("--outcome", "aggregated")
        equal([e["kind"] for e in looks], ["audit-query"] * 5, "each look is in the log")
        scheme.stop()
        check("entries" in scheme.verify().out, "the log verifies")


if __name__ == "__main__":
    harness.story(aggregates)
