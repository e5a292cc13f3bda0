#!/usr/bin/python3
"""Data protection officers ask the log through an agency's agent: each sees what is theirs, and every look is logged."""
import json
import subprocess

import harness
from harness import BIN, check, equal, run, until

PNC = "2003/9391423N"
POLICE, PRISON, DRUGS = "police.staffordshire", "prison.dovegate", "drugs.stoke"
SIGNED = "2026-12-01T08:01:00Z"  # within what the broker allows for clocks that differ
SECRET = "correct horse battery"
LISTING = ("--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr", "authority=bcu_commander",
           "--attr", "selector=core_nominal", "--attr", "review_due=2026-12-15", "--attr", "home_force=21",
           "--item", "name=Liam Hughes-Parry", "--item", "dob=1971-09-16")


class Office:
    def __init__(self, scheme):
        self.scheme = scheme
        self.secret = scheme.root / "passphrase"
        self.secret.write_text(SECRET + "\n", encoding="ascii")
        self.secret.chmod(0o600)

    def authority(self, command, *arguments):
        return run("concordat-authority", "officer", command, "--dir", self.scheme.authority, *arguments, "--now",
                   self.scheme.now)

    def add(self, name, *whose):
        out = self.scheme.root / f"{name}.p12"
        self.authority("add", *whose, "--id", name, "--out", out, "--passphrase-file", self.secret)
        return out

    def ask(self, member, p12, *arguments, expect=0, now=None):
        ran = run("concordat-audit", "search", "--agent", self.scheme.agent_folder(member), "--as", p12,
                  "--passphrase-file", self.secret, "--now", now or SIGNED, "--json", *arguments,
                  expect=expect)
        if expect != 0:
            return ran.err
        return [json.loads(line) for line in ran.out.splitlines()]

    def looks(self):
        return [e for e in self.scheme.search("--kind", "audit-query") if e["from"] is not None]

    def new_bundle(self):
        serial = self.scheme.status(POLICE)["bundle"]["serial"]
        bundle = self.scheme.new_bundle()
        run("concordat-broker", "load", "--dir", self.scheme.broker_folder, "--bundle", bundle)
        for member in self.scheme.members:
            until(lambda m=member: self.scheme.status(m)["bundle"]["serial"] > serial, f"{member} has the bundle")


def pairs(rows):
    return {(row["kind"], row["from"], row["to"]) for row in rows}


def queries():
    with harness.partnership(members=(POLICE, PRISON, DRUGS)) as scheme:
        office = Office(scheme)
        listing = scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING)
        equal(scheme.settled(POLICE, listing)["state"], "delivered", "the person is listed")
        jane = office.add("jane.doe", "--agency", POLICE)
        drugs = office.add("sam.roe", "--agency", DRUGS)
        anna = office.add("anna.lee", "--scheme")
        scopes(scheme, office, jane, drugs, anna)
        refusals(scheme, office, jane)
        revocation(scheme, office, jane)
        streams(scheme, office, anna)
        scheme.stop()
        check("entries" in scheme.verify().out, "the log verifies")


def scopes(scheme, office, jane, drugs, anna):
    everything = scheme.search()
    wide = office.ask(PRISON, anna)
    equal(wide[:len(everything)], everything[:len(wide)], "the scheme's officer sees all, through anybody's agent")

    own = office.ask(POLICE, jane)
    check(own and all(POLICE in (e["from"], e["to"]) for e in own), "an agency's officer sees the own agency's")
    check(("disclosed", POLICE, DRUGS) in pairs(own), "what it told")
    told = office.ask(DRUGS, drugs)
    check(("disclosed", POLICE, DRUGS) in pairs(told), "what it was told")
    check(all(DRUGS in (e["from"], e["to"]) for e in told), "and nothing between others")
    equal({e["to"] for e in told if e["kind"] == "disclosed"}, {DRUGS}, "no other recipient's line")

    # Drugs may not send this: police's officer does not learn that it tried, the own and the scheme's do.
    refused = scheme.publish(DRUGS, "arrest.made", "--subject", PNC, expect=None)
    check(refused, "refused at once or later")
    equal(office.ask(POLICE, jane, "--from", DRUGS, "--kind", "refused"), [], "what was not told stays untold")

    looks = office.looks()
    equal([(e["from"], e["officer"]) for e in looks][:3],
          [(PRISON, "concordat://scheme/dpo/anna.lee"), (POLICE, f"concordat://{POLICE}/dpo/jane.doe"),
           (DRUGS, f"concordat://{DRUGS}/dpo/sam.roe")], "every look names its officer and the way it came")
    equal({e["outcome"] for e in looks}, {"asked"}, "as asked")
    check("kind" in looks[3]["asked"] and DRUGS in looks[3]["asked"], looks[3])


def refusals(scheme, office, jane):
    before = len(office.looks())
    said = office.ask(PRISON, jane, expect=1)
    check(f"an officer of {POLICE} asks through that agency's own agent" in said, said)
    said = office.ask(POLICE, jane, now="2026-12-01T07:00:00Z", expect=1)
    check("signed too long ago" in said, said)
    said = office.ask(POLICE, jane, now="2026-12-01T09:00:00Z", expect=1)
    check("signed ahead of time" in said, said)
    refused = office.looks()[before:]
    equal([e["outcome"] for e in refused], ["refused"] * 3, "refused looks are logged")
    check("own agent" in refused[0]["reason"] and refused[0]["from"] == PRISON, refused[0])

    for argument, sentence in ((("--as", jane), "say whom to ask"), (("--broker", scheme.broker_folder, "--as", jane),
                                                                     "say whom to ask")):
        said = run("concordat-audit", "search", *argument, expect=2).err
        check(sentence in said, said)
    office.secret.write_text("something else\n", encoding="ascii")
    check("passphrase is not" in office.ask(POLICE, jane, expect=1), "the passphrase is the file's")
    office.secret.write_text(SECRET + "\n", encoding="ascii")
    equal(len(office.looks()), before + 3, "what never reached the broker is no look")


def revocation(scheme, office, jane):
    office.authority("revoke", "--officer", f"concordat://{POLICE}/dpo/jane.doe", "--reason", "left")
    check(office.ask(POLICE, jane), "until the bundle says so")
    office.new_bundle()
    said = office.ask(POLICE, jane, expect=1)
    check("the officer's certificate is revoked" in said, said)
    check(office.looks()[-1]["officer"].startswith("unproven:"), "nobody has proven to be her")


def streams(scheme, office, anna):
    # More than one frame's worth, and a reader that goes away.
    for _ in range(3):
        scheme.publish(POLICE, "case.queried", "--subject", PNC, "--attr", "asked_items=status", expect=None)
    rows = office.ask(DRUGS, anna, "--limit", "5")
    equal(len(rows), 5, "a limit holds")
    reader = subprocess.Popen([BIN / "concordat-audit", "search", "--agent", scheme.agent_folder(DRUGS), "--as", anna,
                               "--passphrase-file", office.secret, "--now", SIGNED, "--json"],
                              stdout=subprocess.PIPE)
    reader.stdout.close()
    reader.kill()
    reader.wait()
    check(office.ask(DRUGS, anna, "--limit", "1"), "who goes away leaves room for others")
    scheme.daemons["broker"].stop()
    said = until(lambda: not scheme.status(DRUGS)["connected"] and office.ask(DRUGS, anna, expect=3), "the broker is away")
    check("the broker is away" in said, said)
    scheme.start_broker()


if __name__ == "__main__":
    harness.story(queries)
