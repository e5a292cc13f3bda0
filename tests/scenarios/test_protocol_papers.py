"""A board gets its papers: the table to sign, drafts to finish, and what the next version would change."""
import csv
import hashlib
import html.parser
import json
import pathlib
import tempfile

import harness

NOTICE = {
    "replay": 1, "at": "2026-12-01T09:00:00Z", "event": "release.planned", "from": "prison.dovegate",
    "attributes": {"release_date": "2027-01-15"}, "held": ["name"], "juvenile": "no",
    "person": {"listed": "yes", "review_due": "2026-12-15", "strand": "catch_convict", "area": "stoke",
               "home_force": "21", "consents": {"throughcare": {"expires": "2027-06-30"}}},
    "disclosed": {"drugs.stoke": ["name", "release_date"], "police.staffordshire": ["name", "release_date"],
                  "probation.staffordshire": ["name", "release_date"]},
}


class Page(html.parser.HTMLParser):
    """Checks that a page is whole and fetches nothing."""

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "img", "link", "iframe", "object"), tag
        assert not {name for name, _ in attrs} & {"src", "href"}, attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tool(*arguments, expect):
    return harness.run("concordat-protocol", *arguments, expect=expect)


def paper(command, *options, expect=0):
    return tool(command, harness.PROTOCOL, "--catalogue", harness.CATALOGUE, *options, expect=expect)


def main():
    digest = hashlib.sha256(harness.PROTOCOL.read_bytes()).hexdigest()
    for command in ("matrix", "ropa", "dpia"):
        for options in ((), ("--html",)):
            text = paper(command, *options).out
            assert digest in text, command
        Page(text)
    assert paper("matrix").out == paper("matrix").out
    rows = list(csv.DictReader(paper("matrix", "--csv").out.splitlines()))
    row = next(row for row in rows if row["Event"] == "arrest.made" and row["To"].startswith("drugs"))
    assert row["From"] == "police" and row["Items"] == "name, dob, station, drug_test_result", row
    assert "consent throughcare" in row["If"], row
    assert "exclude each other" in paper("matrix", "--csv", "--html", expect=2).err
    paper("ropa", "--csv", expect=2)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text = harness.PROTOCOL.read_text()
        newer, past = folder / "newer.yaml", folder / "past.jsonl"
        assert text.count("consent: throughcare") >= 2
        newer.write_text(text.replace("consent: throughcare", "consent: referral"))
        pair = ("compare", harness.PROTOCOL, newer)
        both = ("--catalogue", harness.CATALOGUE)
        told = tool(*pair, *both, expect=1).out
        assert "still gives drugs (all in area) its items of" in told, told
        assert "but with another consent: referral instead of throughcare." in told, told
        assert "Nothing changes." in tool("compare", newer, newer, *both, expect=0).out

        past.write_text(json.dumps(NOTICE) + "\n" + json.dumps(dict(NOTICE, at="2026-12-02T09:00:00Z")) + "\n")
        told = tool(*pair, "--catalogue-old", harness.CATALOGUE, "--catalogue-new", harness.CATALOGUE, "--replay", past,
                    expect=1).out
        assert "Past traffic: 2 events, 6 disclosures under version" in told, told
        assert "decided otherwise" not in told, told
        assert "- 2 times (first on line 1): release.planned from prison.dovegate to drugs.stoke would now be " in told

        past.write_text(json.dumps(NOTICE) + "\n" + json.dumps(dict(NOTICE, name="Anna")) + "\n")
        told = tool(*pair, *both, "--replay", past, expect=1)
        assert told.err == (f"concordat-protocol compare: {past}:2: the line has a key that this version does not "
                            "know\n"), told.err
        assert told.out == ""
        assert "no catalogue for" in tool(*pair, expect=2).err
        tool(*pair, *both, "--replay", folder / "none.jsonl", expect=3)
        tool("compare", harness.PROTOCOL, *both, expect=2)


if __name__ == "__main__":
    main()
