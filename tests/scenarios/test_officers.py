#!/usr/bin/python3
"""Officers' certificates as the board makes them, checked with the openssl tool; an agency's CSR made with openssl."""
import pathlib
import stat
import subprocess
import tempfile

import harness
from harness import Failed, check, equal, run

POLICE, PRISON = "police.staffordshire", "prison.dovegate"
SECRET = "correct horse battery"
EVIL = """[v3]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid:always
subjectAltName=URI:{uri}
"""


def openssl(*arguments, expect=0):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if expect is not None and (done.returncode == 0) != (expect == 0):
        raise Failed(f"openssl {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Board:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.dir = self.folder / "authority"
        self.secret = self.folder / "passphrase"
        self.secret.write_text(SECRET + "\n", encoding="ascii")
        self.secret.chmod(0o600)

    def officer(self, command, *arguments, expect=0):
        return run("concordat-authority", "officer", command, "--dir", self.dir, *arguments,
                   expect=expect)

    def add(self, name, *whose, expect=0):
        out = self.folder / f"{name}.p12"
        return out, self.officer("add", *whose, "--id", name, "--out", out, "--passphrase-file", self.secret,
                                 expect=expect)

    def verify(self, certificate, *more, expect=0):
        return openssl("verify", "-x509_strict", "-CAfile", self.dir / "web-root.pem", *more, certificate, expect=expect)


def agency_issues(board, name, uri):
    """What an agency with other software signs under its intermediate."""
    key, csr, out = (board.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    extensions = board.folder / f"{name}.cnf"
    extensions.write_text(EVIL.format(uri=uri), encoding="ascii")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            csr, "-subj", f"/O={POLICE}/CN=officer {name}")
    openssl("x509", "-req", "-in", csr, "-CA", board.folder / "police.pem", "-CAkey", board.folder / "police.key",
            "-days", "20", "-extfile", extensions, "-extensions", "v3", "-out", out)
    return out


def officers():
    with tempfile.TemporaryDirectory(prefix="concordat-officers-") as folder:
        board = Board(folder)
        run("concordat-authority", "init", "--dir", board.dir, "--name", "Sample", "--demo")
        for member in (POLICE, PRISON):
            agent = board.folder / member
            run("concordat-agent", "init", "--dir", agent, "--member", member, "--broker", "tcp://127.0.0.1:5570")
            run("concordat-authority", "enrol", "--dir", board.dir, "--csr", agent / f"{member}.csr", "--out",
                board.folder / f"{member}.pem")
        protection_officers(board)
        intermediates(board)
        revocations(board)


def protection_officers(board):
    p12, said = board.add("jane.doe", "--agency", POLICE)
    check(f"officer: concordat://{POLICE}/dpo/jane.doe" in said.out, said.out)
    equal(stat.S_IMODE(p12.stat().st_mode), 0o600, "the file is its owner's")
    text = openssl("pkcs12", "-in", p12, "-passin", f"pass:{SECRET}", "-nodes")
    (board.folder / "jane.pem").write_text(text, encoding="ascii")
    shown = openssl("x509", "-in", board.folder / "jane.pem", "-noout", "-text")
    for line in (f"URI:concordat://{POLICE}/dpo/jane.doe", "prime256v1", "TLS Web Client Authentication",
                 "CA:FALSE", "ecdsa-with-SHA256"):
        check(line in shown, line)
    check("OK" in board.verify(board.folder / "jane.pem", "-purpose", "sslclient"), "openssl accepts the chain")
    openssl("pkcs12", "-in", p12, "-passin", "pass:wrong", "-nodes", expect=1)

    _, said = board.add("scheme.dpo", "--scheme")
    check("concordat://scheme/dpo/scheme.dpo" in said.out, said.out)
    check("valid certificate already" in board.add("jane.doe", "--agency", POLICE, expect=1)[1].err, "one each")
    check("not a member" in board.add("x", "--agency", "police.nowhere", expect=1)[1].err, "of members only")
    check("--agency ID, or --scheme" in board.add("x", expect=2)[1].err, "of somebody")
    board.secret.chmod(0o644)
    check("permissions" in board.add("x", "--scheme", expect=3)[1].err, "a passphrase is a secret")
    board.secret.chmod(0o600)


def intermediates(board):
    key, csr, pem = (board.folder / f"police.{end}" for end in ("key", "csr", "pem"))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            csr, "-subj", f"/CN={POLICE}")
    refused = board.officer("intermediate", "--agency", PRISON, "--csr", csr, "--out", pem, expect=1)
    check("the request is of police.staffordshire" in refused.err, refused.err)
    board.officer("intermediate", "--agency", POLICE, "--csr", csr, "--out", pem)
    shown = openssl("x509", "-in", pem, "-noout", "-text")
    check("pathlen:0" in shown and "Name Constraints: critical" in shown and f"URI:{POLICE}" in shown, shown)
    check("OK" in board.verify(pem), "openssl accepts the intermediate")

    good = agency_issues(board, "pc.9", f"concordat://{POLICE}/desk/pc.9")
    check("OK" in board.verify(good, "-untrusted", pem, "-purpose", "sslclient"), "and who it issues")
    for name, uri in (("other", f"concordat://{PRISON}/desk/x"), ("scheme", "concordat://scheme/dpo/x")):
        bad = agency_issues(board, name, uri)
        check("permitted subtree violation" in board.verify(bad, "-untrusted", pem, expect=1), "the constraint bites")
    web = agency_issues(board, "web", f"concordat://{POLICE}/desk/x,DNS:example.org")
    check("excluded subtree violation" in board.verify(web, "-untrusted", pem, expect=1), "no web servers")


def revocations(board):
    jane = f"concordat://{POLICE}/dpo/jane.doe"
    said = board.officer("revoke", "--officer", jane, "--reason", "left").out
    check("with the next bundle" in said, said)
    check("revoked already" in board.officer("revoke", "--officer", jane, expect=1).err, "once")
    check("never issued" in board.officer("revoke", "--officer", "concordat://scheme/dpo/nobody", expect=1).err, "known")
    lines = board.officer("list").out.splitlines()
    equal([(line.split()[0], line.split()[1]) for line in lines],
          [(jane, "revoked"), ("concordat://scheme/dpo/scheme.dpo", "valid"), (f"concordat://{POLICE}", "valid")],
          "the list says how they stand")
    board.folder.joinpath("jane.doe.p12").unlink()
    board.add("jane.doe", "--agency", POLICE)  # a new certificate for who came back


if __name__ == "__main__":
    harness.story(officers)
