"""The log is verified by what is not ours: Go's sumdb packages, and openssl. Every tampered export is refused by them
and by concordat-audit, with the right place named."""
import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import harness
from harness import check, equal
from stage import DOVEGATE, DRUGS, JOHNSON, POLICE, PROBATION, command_line, impatient, listing, notice, stage

ENTRY = 66


def built(folder):
    """The Go verifier, built offline from Debian's packages."""
    source = harness.SOURCE / "tests/independent/verify-export"
    program = pathlib.Path(folder) / "verify-export"
    done = subprocess.run(["go", "build", "-o", program, "."], cwd=source, capture_output=True, text=True, check=False,
                          env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                               "GOCACHE": str(pathlib.Path(folder) / "cache"), "CGO_ENABLED": "0"})
    check(done.returncode == 0, f"the Go verifier is built\n{done.stderr}")
    return program


class Export:
    """An export in a folder, and the means to tamper with copies of it."""

    def __init__(self, folder, vkey, key):
        self.folder, self.vkey, self.key = pathlib.Path(folder), vkey, key
        self.origin = vkey.split("+")[0]
        lines = (self.folder / "checkpoint").read_text(encoding="utf-8").split("\n")
        self.size, self.root = int(lines[1]), base64.b64decode(lines[2])

    def path(self, kind, n):
        """Path of a tile or bundle of level 0."""
        width = min(256, self.size - 256 * n)
        return self.folder / "tile" / kind / (f"{n:03}" if width == 256 else f"{n:03}.p/{width}")

    def sign(self, size, root, key=None, name="checkpoint"):
        """Writes another checkpoint under a key: by default the log's own, as its operator could."""
        key = key or self.key
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        key_id = hashlib.sha256(self.origin.encode() + b"\n\x01" + public).digest()[:4]
        line = base64.b64encode(key_id + key.sign(text.encode())).decode()
        (self.folder / name).write_text(f"{text}\n\u2014 {self.origin} {line}\n", encoding="utf-8")


def flip(path, byte, bit=3):
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


def entry_at(index):
    """Where in its bundle an entry's own bytes begin."""
    return index % 256 * (2 + ENTRY) + 2


def leaf(bundle, place):
    return hashlib.sha256(b"\0" + bundle[place * (2 + ENTRY) + 2:(place + 1) * (2 + ENTRY)]).digest()


def an_entry(export):
    flip(export.path("entries", 0), entry_at(77) + 40)


def the_kind_of_an_entry(export):
    path = export.path("entries", 0)
    content = bytearray(path.read_bytes())
    content[entry_at(99) + 1] = 200
    path.write_bytes(content)


def a_leaf_hash(export):
    flip(export.path("0", 0), 32 * 130 + 5)


def a_higher_hash(export):
    flip(export.folder / "tile/1" / f"000.p/{export.size // 256}", 9)


def a_rewritten_entry(export):
    """An entry and its leaf hash, consistent with each other: only tiles above and the root tell."""
    flip(export.path("entries", 0), entry_at(12) + 50)
    bundle, tile = export.path("entries", 0).read_bytes(), export.path("0", 0)
    content = bytearray(tile.read_bytes())
    content[32 * 12:32 * 13] = leaf(bundle, 12)
    tile.write_bytes(content)


def a_missing_tile(export):
    export.path("0", 0).unlink()


def a_missing_bundle(export):
    export.path("entries", 1).unlink()


def a_truncated_bundle(export):
    path = export.path("entries", 1)
    path.write_bytes(path.read_bytes()[:-10])


def a_missing_entry(export):
    path = export.path("entries", 0)
    path.write_bytes(path.read_bytes()[2 + ENTRY:])


def an_extra_entry(export):
    path = export.path("entries", 1)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:2 + ENTRY])


def swapped_tiles(export):
    tile, bundle = export.path("0", 0), export.path("entries", 0)
    content = tile.read_bytes()
    tile.write_bytes(content[32:64] + content[:32] + content[64:])
    check(bundle.is_file(), "the bundle stays as it is")


def swapped_entries(export):
    """Two entries change places, and their leaf hashes with them."""
    bundle, tile = export.path("entries", 0), export.path("0", 0)
    one, two = 2 + ENTRY, 2 * (2 + ENTRY)
    content, hashes = bundle.read_bytes(), tile.read_bytes()
    bundle.write_bytes(content[one:two] + content[:one] + content[two:])
    tile.write_bytes(hashes[32:64] + hashes[:32] + hashes[64:])


def an_altered_checkpoint(export):
    path = export.folder / "checkpoint"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    path.write_text("\n".join(lines), encoding="utf-8")


def another_root(export):
    export.sign(export.size, hashlib.sha256(b"another").digest())


def a_smaller_size(export):
    export.sign(export.size - 1, export.root)


def a_larger_size(export):
    export.sign(export.size + 1, export.root)


def another_key(export):
    export.sign(export.size, export.root, Ed25519PrivateKey.generate())


def no_checkpoint(export):
    (export.folder / "checkpoint").unlink()


def tamperings(size):
    """(what is done, what concordat-audit names, what the Go verifier names)"""
    last = f"{size - 256}"
    part = f"tile/entries/001.p/{last}"
    return (
        (an_entry, "entry 77:", "tile/0/000: hash 77, over entry 77"),
        (the_kind_of_an_entry, "entry 99: is of no known", "entry 99: is of no known"),
        (a_leaf_hash, "entry 130:", "tile/0/000: hash 130, over entry 130"),
        (a_higher_hash, "entries 0 to 255:", "tile/1/000.p/1: hash 0, over entry 0"),
        (a_rewritten_entry, "entries 0 to 255:", "tile/1/000.p/1: hash 0, over entry 0"),
        (a_missing_tile, "tile/0/000: is missing", "tile/0/000: is missing"),
        (a_missing_bundle, f"{part}: is missing", f"{part}: is missing"),
        (a_truncated_bundle, f"{part}: does not hold {last}", f"{part}: does not hold {last}"),
        (a_missing_entry, "tile/entries/000: does not hold 256", "tile/entries/000: does not hold 256"),
        (an_extra_entry, f"{part}: does not hold {last}", f"{part}: does not hold {last}"),
        (swapped_tiles, "entry 0:", "tile/0/000: hash 0, over entry 0"),
        (swapped_entries, "entries 0 to 255:", "tile/1/000.p/1: hash 0, over entry 0"),
        (an_altered_checkpoint, "checkpoint: its signature", "checkpoint: invalid signature"),
        (another_root, "checkpoint: the", "checkpoint: the"),
        (a_smaller_size, f"tile/entries/001.p/{size - 257}: is missing", f"tile/entries/001.p/{size - 257}: is missing"),
        (a_larger_size, f"tile/entries/001.p/{size - 255}: is missing", f"tile/entries/001.p/{size - 255}: is missing"),
        (another_key, "checkpoint: the log's key did not sign it", "checkpoint: note has no verifiable signatures"),
        (no_checkpoint, "checkpoint: is missing", "checkpoint: is missing"),
    )


def both(program, export, expect):
    """What concordat-audit and the Go verifier say; both must end with this code."""
    ours = harness.run("concordat-audit", "verify", "--export", export.folder, "--key", export.vkey, expect=expect)
    done = subprocess.run([program, export.folder, export.vkey], capture_output=True, text=True, check=False)
    equal(done.returncode, expect, f"the Go verifier's exit code\n{done.stdout}{done.stderr}")
    return ours.out, done.stdout


def openssl_signature(folder, text, public, signature):
    """Whether openssl finds this Ed25519 signature good."""
    folder = pathlib.Path(folder)
    (folder / "text").write_bytes(text)
    (folder / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + public)  # SubjectPublicKeyInfo, RFC 8410
    (folder / "sig").write_bytes(signature)
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey",
                           folder / "key", "-in", folder / "text", "-sigfile", folder / "sig"], capture_output=True,
                          check=False).returncode == 0


def public_of(vkey):
    return base64.b64decode(vkey.split("+", 2)[2])[1:]


def the_log_signature_by_openssl(export, folder):
    text, lines = (export.folder / "checkpoint").read_bytes().split(b"\n\n", 1)
    line = next(x for x in lines.decode().split("\n") if x.startswith(f"\u2014 {export.origin} "))
    signature = base64.b64decode(line.rsplit(" ", 1)[1])[4:]
    check(openssl_signature(folder, text + b"\n", public_of(export.vkey), signature), "openssl finds it signed")
    check(not openssl_signature(folder, text[:-1] + b"\n", public_of(export.vkey), signature), "an altered text is not")


def log_of_more_than_a_tile(scene):
    """More entries than one tile holds, so that there are two levels."""
    police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
    scene.list_person(police)
    for _ in range(2):
        events = [prison.event(*notice(JOHNSON)) for _ in range(60)]
        prison.plan(events)
        outcomes = prison.publish([prison.seal(event) for event in events])
        equal({outcome.verdict for outcome in outcomes}, {"ACCEPTED"}, "the notices")


def exported(scheme, folder):
    broker = scheme.broker_folder
    said = harness.run("concordat-audit", "export", "--broker", broker, "--out", folder).out
    vkey = said.split("key: ")[1].strip()
    key = next(line for line in (broker / "keys/log.key").read_text(encoding="ascii").splitlines()
               if line.startswith("seed "))
    return Export(folder, vkey, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.split(" ")[1])))


def by_others():
    with stage(members=(POLICE, DOVEGATE, PROBATION, DRUGS)) as scene, tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        program = built(work)
        log_of_more_than_a_tile(scene)
        time.sleep(1)  # until the log is signed, which it is at most every 250 ms
        export = exported(scene.scheme, work / "export")
        check(256 < export.size < 512, f"the log has two bundles: {export.size} entries")
        ours, theirs = both(program, export, expect=0)
        equal(ours.strip(), f"log verified: {export.size} entries", "an untouched export")
        equal(theirs.strip(), f"verified {export.size} entries", "the same by Go")
        the_log_signature_by_openssl(export, work)
        for tamper, ours_names, theirs_name in tamperings(export.size):
            shutil.copytree(export.folder, work / "tampered")
            tampered = Export(work / "tampered", export.vkey, export.key)
            tamper(tampered)
            ours, theirs = both(program, tampered, expect=1)
            what = tamper.__name__.replace("_", " ")
            check(ours_names in ours, f"{what}: concordat-audit names {ours_names!r}:\n{ours}")
            check(theirs_name in theirs, f"{what}: the Go verifier names {theirs_name!r}:\n{theirs}")
            shutil.rmtree(work / "tampered")


# ---- witnesses -------------------------------------------------------------------------------------------------


def cosigned_text(time_, body):
    """What a cosignature signs (C2SP tlog-cosignature v1)."""
    return f"cosignature/v1\ntime {time_}\n".encode() + body


def a_cosignature_by_openssl(note, witness, vkey, folder):
    """Whether a witness cosigned this checkpoint, as openssl finds it; false when it says nothing of it."""
    body, lines = note.split(b"\n\n", 1)
    line = next((x for x in lines.decode().split("\n") if x.startswith(f"\u2014 {witness} ")), None)
    if line is None:
        return False
    payload, public = base64.b64decode(line.rsplit(" ", 1)[1]), public_of(vkey)
    equal(payload[:4], hashlib.sha256(witness.encode() + b"\n\x04" + public).digest()[:4], "the witness's key id")
    time_, signature = int.from_bytes(payload[4:12], "big"), payload[12:]
    check(openssl_signature(folder, cosigned_text(time_, body + b"\n"), public, signature), f"{witness} cosigned it")
    for text in (cosigned_text(time_ + 1, body + b"\n"), cosigned_text(time_, body), body + b"\n"):
        check(not openssl_signature(folder, text, public, signature), "and nothing else")
    return True


def cosigned():
    members = (POLICE, DOVEGATE, PROBATION)
    with harness.partnership(members=members, witnesses=members) as scheme, tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        vkeys = {m: harness.run("concordat-agent", "witness", "--dir", scheme.agent_folder(m)).out.strip()
                 for m in members}
        scheme.stop()
        impatient(scheme)
        scheme.start()
        event = scheme.publish(POLICE, *command_line(listing(JOHNSON)))
        scheme.settled(POLICE, event)

        def final():
            log = scheme.status(POLICE)["log"]
            return log["sent"] == 1 and log["provisional"] == 0 and log["owed"] == 0
        harness.until(final, "the proof is final", 60)
        equal(scheme.status(POLICE)["incidents"], [], "incidents")
        proof = work / "proof"
        scheme.command(POLICE, "proof", event, "--out", proof)
        note = proof.read_bytes().split(b"\n\n", 1)[1]
        by = [m for m in members if a_cosignature_by_openssl(note, m, vkeys[m], work)]
        equal(len(by), 2, f"two of three make it final, and the proof has no more: {by}")
        export = exported(scheme, work / "export")
        named = [x for m in members for x in ("--witness", vkeys[m])]
        said = harness.run("concordat-audit", "verify-proof", proof, "--key", export.vkey, *named, "--quorum", "2").out
        check("cosigned by 2 of 3 witnesses" in said, said)
        harness.run("concordat-audit", "verify-proof", proof, "--key", export.vkey, *named, expect=1)
        harness.run("concordat-audit", "verify-proof", proof, "--key", export.vkey, "--witness", vkeys[by[0]])
        program = built(work)
        both(program, export, expect=0)
        folders = (work / f"export-{number}" for number in range(2, 1000))

        def behind():
            """An export whose newest final checkpoint is an earlier one: each export is an entry of its own."""
            again = exported(scheme, next(folders))
            return again if (again.folder / "checkpoint.final").is_file() else None
        export = harness.until(behind, "an export with a final checkpoint apart", 60)
        both(program, export, expect=0)
        final = export.folder / "checkpoint.final"
        size = int(final.read_text(encoding="utf-8").split("\n")[1])
        export.sign(size, hashlib.sha256(b"another").digest(), name="checkpoint.final")
        ours, theirs = both(program, export, expect=1)
        check("checkpoint.final: " in ours and "checkpoint.final: the first" in theirs, f"{ours}{theirs}")


if __name__ == "__main__":
    if not shutil.which("go"):
        print("skipped: go is not installed", file=sys.stderr)
        sys.exit(77)
    harness.story(by_others)
    harness.story(cosigned)
