"""An information-governance officer tries the cases beside the shipped protocol; then the protocol is changed."""
import pathlib
import shutil
import tempfile

import harness

POLICY = harness.PROTOCOL.parent


def test(path, *options, expect):
    return harness.run("concordat-protocol", "test", path, *options, expect=expect)


def main():
    told = test(POLICY / "staffordshire-ppo.cases.yaml", "--strict", expect=0).out
    count = int(told.split(" of ", 1)[0])
    assert count >= 120 and told.startswith(f"{count} of {count} cases hold.\n"), told[:400]
    assert "   -  " not in told, told

    told = test(POLICY / "derbyshire-reach.cases.yaml", "--brief", expect=0).out
    assert "7 of 7 cases hold." in told, told

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file in POLICY.glob("*.yaml"):
            shutil.copy(file, folder)
        protocol = folder / "staffordshire-ppo.yaml"
        text = protocol.read_text()

        # Somebody drops a consent from a rule: the cases about it fail, and say what they saw.
        assert text.count("consent: share_with_ppo_team\n") == 1
        protocol.write_text(text.replace("        consent: share_with_ppo_team\n", ""))
        told = test(folder / "staffordshire-ppo.cases.yaml", "--brief", expect=1).out
        assert "police.staffordshire was to receive nothing and receives name, attending." in told, told

        # A rule without a case is found by --strict alone.
        protocol.write_text(text)
        cases = folder / "few.cases.yaml"
        cases.write_text('protocol: staffordshire-ppo.yaml\ncatalogue: catalogue.yaml\nclock: "2026-12-01"\ncases:\n'
                         "- case: nobody\n  event: {type: arrest.made, from: police.staffordshire, holds: nothing}\n"
                         "  expect: {refused: {event: not-listed}}\n")
        assert "1 of 1 cases hold." in test(cases, "--brief", expect=0).out
        assert "Not tried:   -  rule arrest, arrest.made\n" in test(cases, "--brief", "--strict", expect=1).out

        # Whatever a case file holds, one clear line says where and why.
        good = cases.read_text()
        for content, says in (("x" * (5 << 20), "larger"), (good.replace("  event:", "\tevent:"), ""),
                              (good + "people: &a {}\n", "anchor"), (good + "clock: \"2026-12-01\"\n", "clock"),
                              ("[" * 200, ""), (good.replace("nobody", "no\x07body"), ""), ("", "")):
            cases.write_text(content)
            told = test(cases, expect=1)
            assert told.out == "" and told.err.count("\n") == 1 and says in told.err, told.err
            assert told.err.startswith(f"{cases}:"), told.err
        cases.write_bytes(good.encode("utf-16"))
        assert test(cases, expect=1).err.startswith(f"{cases}:1:")
        cases.write_text(good)

        # What is wrong with a case file is told by place, and a file that is missing by name.
        cases.write_text(cases.read_text().replace("not-listed", "not-there"))
        told = test(cases, expect=1).err
        assert told.startswith(f"{cases}:7:29: ") and "not-there" in told, told
        cases.write_text(cases.read_text().replace("catalogue.yaml", "catalog.yaml"))
        assert test(cases, expect=3).err == f"{folder}/catalog.yaml: not found\n"
    test("/nonexistent.cases.yaml", expect=3)
    harness.run("concordat-protocol", "test", expect=2)


if __name__ == "__main__":
    main()
