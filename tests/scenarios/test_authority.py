#!/usr/bin/python3
"""The partnership board's day with concordat-authority, checked with the openssl tool.

Members' keys and requests are made with openssl alone, as an agency with other software would make them.
"""
import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["CONCORDAT_BIN"]) / "concordat-authority"
SOURCE = pathlib.Path(os.environ["CONCORDAT_SOURCE"])
PROTOCOL = SOURCE / "policy" / "staffordshire-ppo.yaml"
CATALOGUE = SOURCE / "policy" / "catalogue.yaml"
LOG_NAME = "log.example/staffordshire"


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


def public_hex(key):
    """The 32 raw bytes of an Ed25519 or X25519 public key: the end of its DER."""
    return openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-32:].hex()


class Board(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="concordat-authority-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.dir = self.folder / "authority"

    # -- what the board and the members do

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)

    def done(self, *arguments):
        result = self.run_program(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def refused(self, code, text, *arguments):
        result = self.run_program(*arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(text, result.stderr)

    def init(self, *more):
        out = self.done("init", "--dir", self.dir, "--name", "Test partnership", *more)
        return re.fullmatch(r"fingerprint: ([0-9a-f]{64})\n", out).group(1)

    def keys(self, name):
        """Fresh keys of a member: paths of the signing, transport and sealing key."""
        paths = [self.folder / f"{name}.{use}.pem" for use in ("signing", "transport", "sealing")]
        for path, algorithm in zip(paths, ("ed25519", "x25519", "x25519")):
            openssl("genpkey", "-algorithm", algorithm, "-out", path)
        return paths

    def request(self, member, keys, role="agent", log=None, more=""):
        names = [f"member:{member}", f"role:{role}", f"curve:{public_hex(keys[1])}",
                 f"sealing:{public_hex(keys[2])}"]
        if log:
            names.append(f"log:{log}")
        config = self.folder / "request.cnf"
        config.write_text("[req]\nprompt=no\ndistinguished_name=dn\nreq_extensions=ext\n"
                          f"[dn]\nCN={member}\n[ext]\n{more}subjectAltName=@names\n[names]\n"
                          + "".join(f"URI.{i}=urn:concordat:{name}\n" for i, name in enumerate(names)))
        path = self.folder / f"{member}.csr"
        openssl("req", "-new", "-config", config, "-key", keys[0], "-out", path)
        return path

    def enrol(self, member, **request):
        keys = self.keys(member)
        out = self.folder / f"{member}.pem"
        self.done("enrol", "--dir", self.dir, "--csr", self.request(member, keys, **request), "--out", out)
        return keys, out

    def enrol_broker(self):
        return self.enrol("broker.staffordshire", role="broker", log=self.log_vkey())

    def log_vkey(self):
        """A verifier key as C2SP signed-note writes it, computed here once more."""
        path = self.folder / "log.pem"
        if not path.exists():
            openssl("genpkey", "-algorithm", "ed25519", "-out", path)
        key = b"\x01" + bytes.fromhex(public_hex(path))
        digest = hashlib.sha256(LOG_NAME.encode() + b"\n" + key).hexdigest()
        return f"{LOG_NAME}+{digest[:8]}+{base64.b64encode(key).decode()}"

    def bundle_arguments(self, out, *more):
        return ("bundle", "--dir", self.dir, "--protocol", PROTOCOL, "--catalogue", CATALOGUE, "--out", out, *more)

    # -- the stories

    def test_openssl_accepts_and_shows_what_is_issued(self):
        fingerprint = self.init()
        root = self.dir / "root.pem"
        shown = openssl("x509", "-in", root, "-noout", "-fingerprint", "-sha256").decode()
        self.assertEqual(shown.split("=")[1].strip().replace(":", "").lower(), fingerprint)
        keys, certificate = self.enrol("prison.dovegate")
        _, broker = self.enrol_broker()
        for path in (certificate, broker, self.dir / "authority.pem"):
            self.assertIn("OK", openssl("verify", "-x509_strict", "-CAfile", root, path).decode())
        openssl("verify", "-CAfile", self.dir / "web-root.pem", self.dir / "web-root.pem")
        text = openssl("x509", "-in", certificate, "-noout", "-text").decode()
        for line in ("Subject: CN = prison.dovegate", "URI:urn:concordat:member:prison.dovegate",
                     "URI:urn:concordat:role:agent", f"URI:urn:concordat:curve:{public_hex(keys[1])}",
                     f"URI:urn:concordat:sealing:{public_hex(keys[2])}", "CA:FALSE",
                     "X509v3 Key Usage: critical\n                Digital Signature\n"):
            self.assertIn(line, text)
        self.assertIn("URI:urn:concordat:log:" + self.log_vkey(),
                      openssl("x509", "-in", broker, "-noout", "-text").decode())

    def test_keys_are_private(self):
        self.init()
        keys = [path for path in self.dir.rglob("*.key")] + [self.dir / "state.json"]
        self.assertGreaterEqual(len(keys), 5)
        for path in keys:
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)
        self.assertEqual(self.dir.stat().st_mode & 0o777, 0o700)
        (self.dir / "root.key").chmod(0o640)
        self.refused(3, "file permissions are wrong", "show", "--dir", self.dir)

    def test_nothing_is_copied_blindly_from_a_request(self):
        self.init()
        keys = self.keys("prison.dovegate")
        wishes = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=serverAuth\n"
        csr = self.request("prison.dovegate", keys, more=wishes)
        out = self.folder / "out.pem"
        self.done("enrol", "--dir", self.dir, "--csr", csr, "--out", out)
        text = openssl("x509", "-in", out, "-noout", "-text").decode()
        self.assertIn("CA:FALSE", text)
        self.assertNotIn("CA:TRUE", text)
        self.assertNotIn("Certificate Sign", text)
        self.assertNotIn("TLS Web Server", text)

    def test_requests_that_are_refused(self):
        self.init()
        keys, _ = self.enrol("prison.dovegate")
        enrol = ("enrol", "--dir", self.dir, "--out", self.folder / "no.pem", "--csr")
        fresh = self.keys("thief")
        self.refused(1, "prison.dovegate is enrolled already", *enrol, self.request("prison.dovegate", fresh))
        for place in range(3):
            stolen = list(fresh)
            stolen[place] = keys[place]
            self.refused(1, "a key that prison.dovegate has or had", *enrol, self.request("drugs.stoke", stolen))
        swapped = [fresh[0], keys[2], fresh[2]]
        self.refused(1, "a key that prison.dovegate has or had", *enrol, self.request("drugs.stoke", swapped))
        same = [fresh[0], fresh[1], fresh[1]]
        self.refused(1, "are the same", *enrol, self.request("drugs.stoke", same))
        self.refused(1, "none of Concordat's", *enrol, self.odd_request(fresh))
        self.refused(1, "--role authority", *enrol, self.authority_request(fresh))
        self.assertFalse((self.folder / "no.pem").exists())

    def odd_request(self, keys):
        path = self.folder / "odd.csr"
        openssl("req", "-new", "-subj", "/CN=drugs.stoke", "-addext",
                "subjectAltName=URI:urn:concordat:member:drugs.stoke,URI:urn:concordat:admin:yes", "-key", keys[0],
                "-out", path)
        return path

    def authority_request(self, keys):
        path = self.folder / "authority.csr"
        openssl("req", "-new", "-subj", "/CN=authority.second", "-addext",
                "subjectAltName=URI:urn:concordat:member:authority.second,URI:urn:concordat:role:authority", "-key",
                keys[0], "-out", path)
        return path

    def test_bundles(self):
        fingerprint = self.init()
        self.refused(1, "no broker is enrolled", *self.bundle_arguments(self.folder / "0.bundle"))
        self.enrol_broker()
        self.enrol("prison.dovegate")
        first, second = self.folder / "1.bundle", self.folder / "2.bundle"
        out = self.done(*self.bundle_arguments(first, "--contact", "prison.dovegate=Duty governor, 01283 000000"))
        self.assertEqual(out, f"serial: 1\nfingerprint: {fingerprint}\n")
        self.done("revoke", "--dir", self.dir, "--member", "prison.dovegate", "--reason", "closed")
        self.done(*self.bundle_arguments(second, "--valid-days", "30"))
        shown = self.done("show", "--bundle", second)
        for line in ("serial: 2", f"fingerprint: {fingerprint}", "state: in force", f"log: {self.log_vkey()}",
                     "signatures: 1 of 1 needed", "staffordshire-ppo"):
            self.assertIn(line, shown)
        self.assertRegex(shown, r"prison\.dovegate +agent +revoked")
        self.assertRegex(self.done("show", "--bundle", first), r"prison\.dovegate +agent +in force")
        self.assertIn("pseudonym epoch: 2\n", self.done("show", "--dir", self.dir))
        self.assertIn("Duty governor", self.done("show", "--dir", self.dir))
        self.assertEqual(first.read_bytes(), (self.dir / "bundles" / "1.bundle").read_bytes())
        # What the board hands in stands in the bundle byte for byte.
        self.assertIn(PROTOCOL.read_bytes(), first.read_bytes())
        self.assertIn(CATALOGUE.read_bytes(), first.read_bytes())

    def test_bundles_that_are_refused(self):
        self.init()
        self.enrol_broker()
        out = self.folder / "out.bundle"
        self.refused(1, "two of the protocol files are 'staffordshire-ppo'",
                     *self.bundle_arguments(out, "--protocol", PROTOCOL))
        swapped = ("bundle", "--dir", self.dir, "--protocol", CATALOGUE, "--catalogue", PROTOCOL, "--out", out)
        self.refused(1, "there is no line 'protocol: ...' in it", *swapped)
        broken = self.folder / "broken.yaml"
        broken.write_text("protocol: x\nprotocol: y\n")
        self.refused(1, "broken.yaml:2:1:", "bundle", "--dir", self.dir, "--protocol", broken, "--catalogue",
                     CATALOGUE, "--out", out)
        self.refused(2, "--valid-days", *self.bundle_arguments(out, "--valid-days", "91"))
        self.refused(2, "--contact", *self.bundle_arguments(out, "--contact", "nobody"))
        self.refused(1, "was never enrolled", *self.bundle_arguments(out, "--contact", "drugs.stoke=x"))
        self.refused(1, "witnesses", *self.bundle_arguments(out, "--witness-quorum", "1"))
        self.refused(1, "2 authorities are to sign", *self.bundle_arguments(out, "--quorum", "2"))
        self.assertFalse(out.exists())
        self.assertIn("serial: 0\n", self.done("show", "--dir", self.dir))

    def test_a_damaged_bundle_is_not_shown(self):
        self.init()
        self.enrol_broker()
        path = self.folder / "1.bundle"
        self.done(*self.bundle_arguments(path))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        self.refused(1, "its body is not the one that its head names", "show", "--bundle", path)
        path.write_bytes(b"")
        self.refused(1, "it is not a bundle", "show", "--bundle", path)

    def test_two_of_two_authorities(self):
        self.init()
        self.enrol_broker()
        second = self.folder / "second"
        self.done("request", "--dir", second, "--member", "authority.second")
        csr = second / "authority.second.csr"
        enrol = ("enrol", "--dir", self.dir, "--csr", csr, "--out", self.folder / "second.pem")
        self.refused(1, "--role authority", *enrol)
        self.done(*enrol, "--role", "authority")
        half, whole = self.folder / "half.bundle", self.folder / "whole.bundle"
        self.assertIn("signatures: 1 of 2 needed", self.done(*self.bundle_arguments(half, "--quorum", "2")))
        self.done("sign", "--dir", second, "--bundle", half, "--out", whole)
        self.assertIn("signatures: 2 of 2 needed", self.done("show", "--bundle", whole))
        self.refused(1, "has signed it already", "sign", "--dir", second, "--bundle", whole, "--out", half)

    def test_the_clock_of_a_demonstration(self):
        self.init("--demo", "--now", "2026-12-01T09:00:00Z")
        self.assertIn("demo: yes\n", self.done("show", "--dir", self.dir, "--now", "2026-12-01T10:00:00Z"))
        shutil.rmtree(self.dir)
        self.refused(1, "--demo", "init", "--dir", self.dir, "--name", "Real", "--now", "2026-12-01")
        self.init()
        self.refused(1, "--demo", "show", "--dir", self.dir, "--now", "2026-12-01")

    def test_wrong_files_and_options(self):
        self.refused(3, "there is no authority there", "show", "--dir", self.dir)
        self.init()
        self.refused(1, "choose another folder", "init", "--dir", self.dir, "--name", "Again")
        enrol = ("enrol", "--dir", self.dir, "--out", self.folder / "no.pem", "--csr")
        self.refused(3, "not found", *enrol, self.folder / "missing.csr")
        text = self.folder / "text.csr"
        text.write_text("hello\n")
        self.refused(1, "it is not a PEM certificate request", *enrol, text)
        self.refused(2, "--role must be", *enrol, text, "--role", "king")
        self.refused(2, "exclude each other", *enrol, text, "--renew", "--replace")
        self.refused(2, "--csr", "enrol", "--dir", self.dir, "--out", "x")
        self.refused(1, "was never enrolled", "revoke", "--dir", self.dir, "--member", "drugs.stoke")
        self.refused(2, "either --dir DIR or --bundle FILE", "show")
        self.refused(2, "rule", "rule")
        state = self.dir / "state.json"
        state.write_text(state.read_text()[:-10])
        self.refused(3, "stored data is damaged", "show", "--dir", self.dir)


if __name__ == "__main__":
    unittest.main()
