"""What docs/protocol-guide.md tells an information-governance officer to do, from a draft to a bundle that carries it."""
import hashlib
import pathlib
import re
import tempfile

import harness
from harness import check, equal

POLICY = harness.PROTOCOL.parent


def tool(*arguments, expect=0):
    return harness.run("concordat-protocol", *arguments, expect=expect)


def written(folder):
    """Step 1: a copy under a name of its own, with one thing changed."""
    protocol, catalogue = folder / "P.yaml", folder / "C.yaml"
    catalogue.write_bytes((POLICY / "catalogue.yaml").read_bytes())
    text = (POLICY / "staffordshire-ppo.yaml").read_text(encoding="utf-8")
    check("protocol: staffordshire-ppo\n" in text and "at_least: P14D" in text, "what is changed is there")
    protocol.write_text(text.replace("protocol: staffordshire-ppo\n", "protocol: ours\n")
                        .replace("at_least: P14D", "at_least: P21D"), encoding="utf-8")
    cases = (POLICY / "staffordshire-ppo.cases.yaml").read_text(encoding="utf-8")
    (folder / "P.cases.yaml").write_text(cases.replace("protocol: staffordshire-ppo.yaml", "protocol: P.yaml")
                                         .replace("catalogue: catalogue.yaml", "catalogue: C.yaml"), encoding="utf-8")
    return protocol, catalogue


def tried(folder, protocol, catalogue):
    """Steps 2 to 5: checked, asked, tested (a case says that the clock has changed), compared."""
    both = ("--catalogue", catalogue)
    told = tool("check", protocol, *both, "--strict")
    check(told.err == "" and told.out.startswith("ours, version 2: "), f"nothing but the summary: {told.err}")
    told = tool("explain", protocol, *both, "--event", "release.planned", "--from", "prison.dovegate", "--now", "2026-12-01")
    check("police.staffordshire receives name, dob" in told.out, told.out)
    told = tool("explain", protocol, *both, "--event", "release.planned", "--from", "prison.dovegate", "--to", "drugs.stoke",
                "--now", "2026-12-01", expect=1)
    check("no consent 'throughcare' is in force" in told.out, told.out)
    told = tool("test", folder / "P.cases.yaml", "--strict", "--brief", expect=1).out
    check("a notice exactly fourteen days ahead is in time" in told, f"the case about the clock fails: {told}")
    told = tool("compare", POLICY / "staffordshire-ppo.yaml", protocol, *both, expect=1).out
    check("at least 21 days before release_date instead of at least 14 days" in told, told)


def signed(protocol, catalogue):
    """Step 6: the table that the board signs names the file's digest."""
    digest = hashlib.sha256(protocol.read_bytes()).hexdigest()
    for paper in ("matrix", "ropa", "dpia"):
        check(digest in tool(paper, protocol, "--catalogue", catalogue, "--html").out, f"the {paper} names the file")
    return digest


def rolled_out(folder, protocol, catalogue, digest):
    """Step 7: the bundle names the digest that was signed; what does not load is refused, and the old one stays."""
    authority, broker = folder / "A", folder / "B"

    def bundle(name, carried):
        harness.run("concordat-authority", "bundle", "--dir", authority, "--protocol", carried, "--catalogue", catalogue,
                    "--out", folder / name)
        return harness.run("concordat-authority", "show", "--bundle", folder / name).out
    harness.run("concordat-authority", "init", "--dir", authority, "--name", "Ours")
    harness.run("concordat-broker", "init", "--dir", broker, "--member", "broker.ours")
    harness.run("concordat-authority", "enrol", "--dir", authority, "--csr", broker / "broker.ours.csr", "--out",
                folder / "broker.pem")
    shown = bundle("1.bundle", protocol)
    check(re.search(rf"^  ours +{digest}$", shown, re.M), f"the bundle carries what was signed: {shown}")
    fingerprint = re.search(r"^fingerprint: (\S+)", shown, re.M)[1]
    harness.run("concordat-broker", "load", "--dir", broker, "--bundle", folder / "1.bundle", "--fingerprint", fingerprint)
    broken = folder / "broken.yaml"
    broken.write_text(protocol.read_text(encoding="utf-8").replace("  cda_115:\n", "  cda_116:\n"), encoding="utf-8")
    bundle("2.bundle", broken)
    refused = harness.run("concordat-broker", "load", "--dir", broker, "--bundle", folder / "2.bundle", expect=1).err
    check("the bundle's ours does not load: line " in refused and "cda_115" in refused, refused)


def the_guide():
    with tempfile.TemporaryDirectory(prefix="concordat-guide-") as name:
        folder = pathlib.Path(name)
        protocol, catalogue = written(folder)
        tried(folder, protocol, catalogue)
        rolled_out(folder, protocol, catalogue, signed(protocol, catalogue))
        commands = set(re.findall(r"`concordat-protocol (\w+)", harness.PROTOCOL.parents[1].joinpath(
            "docs", "protocol-guide.md").read_text(encoding="utf-8")))
        equal(commands - {"check", "test", "compare", "matrix", "ropa", "explain", "dpia", "merge"}, set(),
              "commands that the guide names")


if __name__ == "__main__":
    harness.story(the_guide)
