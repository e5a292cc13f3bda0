"""An information-governance officer checks a protocol and asks it questions."""
import pathlib
import re
import tempfile

import harness


def tool(*arguments, expect):
    return harness.run("concordat-protocol", *arguments, "--catalogue", harness.CATALOGUE, expect=expect)


def explain(*arguments, expect):
    return tool("explain", harness.PROTOCOL, "--now", "2026-12-01", "--event", *arguments, expect=expect).out


def main():
    summary = tool("check", harness.PROTOCOL, expect=0)
    assert re.search(r"\d+ parties, \d+ rules, \d+ records", summary.out), summary.out

    assert tool("check", harness.PROTOCOL, "--strict", expect=0).err == ""

    answer = explain("release.planned", "--from", "prison.dovegate", "--to", "drugs.stoke", expect=1)
    assert answer.startswith("No:") and "throughcare" in answer, answer
    answer = explain("release.planned", "--from", "prison.dovegate", "--to", "drugs.stoke", "--consent", "throughcare",
                     expect=0)
    assert answer.startswith("Yes:") and "Items: name, dob, release_date." in answer, answer
    answer = explain("release.planned", "--from", "prison.dovegate", "--to", "drugs.stoke", "--consent", "throughcare",
                     "--juvenile", expect=1)
    assert "under 18" in answer, answer

    with tempfile.TemporaryDirectory() as folder:
        broken = pathlib.Path(folder) / "broken.yaml"
        text = harness.PROTOCOL.read_text()
        broken.write_text(text.replace("gateway: oma_14_out", "gateway: oma_15", 1))
        told = tool("check", broken, expect=1)
        line = 1 + text[:text.index("gateway: oma_14_out")].count("\n")
        assert re.fullmatch(rf"{re.escape(str(broken))}:{line}:18: there is no gateway 'oma_15'; .*\n", told.err), told.err
        assert told.out == ""
        lonely = text.replace("  tracker.national: {}\n", "")
        assert lonely != text
        broken.write_text(lonely)
        told = tool("check", broken, expect=0)
        assert re.search(r":\d+:\d+: no party is of this class", told.err), told.err
        assert tool("check", broken, "--strict", expect=1).err == told.err
        broken.write_text("x" * (5 << 20))
        assert "larger" in tool("check", broken, expect=1).err

    tool("check", "/nonexistent/P.yaml", expect=3)
    tool("check", expect=2)
    tool("explain", harness.PROTOCOL, "--event", "arrest.made", "--to", "police.staffordshire", expect=2)
    everybody = explain("arrest.made", "--from", "police.staffordshire", expect=0)
    assert "- probation.staffordshire receives name, dob, " in everybody and "not for drugs.stoke" in everybody
    explain("arrest.made", "--from", "police.staffordshire", "--to", "probation.staffordshire", "--item", "asn", expect=1)
    nobody = tool("explain", harness.PROTOCOL, "--event", "arrest.made", "--from", "police.staffordshire", "--to",
                  "police.nowhere", expect=2)
    assert "no party 'police.nowhere'" in nobody.err, nobody.err


if __name__ == "__main__":
    main()
