#!/usr/bin/python3
"""A backup read and written by something that shares no code with the broker; old ones, wrong ones, and full disks."""
import hashlib
import json
import pathlib
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))
import hpke  # noqa: E402
import smalldisk  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: E402

import harness  # noqa: E402
from harness import check, equal, partnership, story  # noqa: E402

POLICE = "police.staffordshire"
CHUNK = 1 << 20
MAGIC = b"concordat/backup/1\n"
DAY = 86400


def private_key(path):
    lines = pathlib.Path(path).read_text(encoding="ascii").splitlines()
    equal(lines[0], "concordat backup key 1", "the key's file says what it is")
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(lines[1]))


def unpack(path, key):
    """{name: bytes} in order, from docs/operations.md alone."""
    content = pathlib.Path(path).read_bytes()
    info, enc, at = content[:43], content[43:75], 75
    equal((info[:19], info[19:35]), (MAGIC, hashlib.sha256(hpke.public_bytes(key)).digest()[:16]), "the head")
    plain, sequence = b"", 0
    while at < len(content):
        sealed = content[at:at + CHUNK + 16]
        at += len(sealed)
        plain += hpke.open_sealed(key, enc, info, bytes([at == len(content)]), sequence, sealed)
        sequence += 1
    files, at = {}, 0
    while (size := int.from_bytes(plain[at:at + 2], "big")) != 0:
        name, length = plain[at + 2:at + 2 + size].decode(), int.from_bytes(plain[at + 2 + size:at + 10 + size], "big")
        at += 10 + size
        files[name] = plain[at:at + length]
        at += length
    equal(at + 2, len(plain), "nothing follows the last file")
    return files


def pack(path, key, files, made):
    info = MAGIC + hashlib.sha256(hpke.public_bytes(key)).digest()[:16] + int(made * 1000).to_bytes(8, "big")
    plain = b"".join(len(n).to_bytes(2, "big") + n.encode() + len(b).to_bytes(8, "big") + b for n, b in files.items())
    plain += b"\0\0"
    sealer = hpke.Sealer(hpke.public_bytes(key), info)
    chunks = [plain[i:i + CHUNK] for i in range(0, len(plain), CHUNK)]
    sealed = [sealer.seal(bytes([i == len(chunks) - 1]), chunk)[1] for i, chunk in enumerate(chunks)]
    pathlib.Path(path).write_bytes(info + sealer.enc + b"".join(sealed))
    return path


def manifest(files, **changes):
    return {**files, "manifest.json": json.dumps({**json.loads(files["manifest.json"]), **changes}).encode()}


def backup(scheme, target, expect=0):
    return harness.run("concordat-broker", "backup", "--dir", scheme.broker_folder, "--to", target, expect=expect)


def restore(scheme, source, *options, folder=None, expect=0):
    return harness.run("concordat-broker", "restore", "--dir", folder or scheme.broker_folder, "--from", source, "--key",
                       scheme.root / "recovery.key", *options, expect=expect)


def empty_copy(scheme, name):
    """The broker's folder as it is when its database is lost."""
    copy = scheme.root / name
    shutil.copytree(scheme.broker_folder, copy, ignore=shutil.ignore_patterns("broker.db*", "index.db*", "*.sock", "lock"))
    return copy


def whats_in_it(scheme, key):
    backup(scheme, scheme.root / "running.backup")
    files = unpack(scheme.root / "running.backup", key)
    equal(list(files), ["manifest.json", "broker.db", "broker.json", "bundles/1.bundle"], "these, and no keys")
    said = json.loads(files["manifest.json"])
    equal((said["format"], said["member"]), (1, "broker.sample"), "it says whose it is")
    check(said["checkpoint"].startswith("broker.sample/log\n"), "and what was signed last")
    database = scheme.root / "unpacked.db"
    database.write_bytes(files["broker.db"])
    with sqlite3.connect(database) as opened:
        equal(opened.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "its database is whole")
        size = opened.execute("SELECT first + n FROM log ORDER BY first DESC LIMIT 1").fetchone()[0]
    opened.close()
    equal(size, said["entries"], "and holds as many entries as it says")


def old_and_wrong_ones(scheme, key):
    scheme.stop()
    backup(scheme, scheme.root / "good.backup")
    files = unpack(scheme.root / "good.backup", key)
    old = pack(scheme.root / "old.backup", key, manifest(files, made="2026-01-01T00:00:00.000Z"), time.time())
    other = pack(scheme.root / "other.backup", key, manifest(files, member="broker.elsewhere"), time.time())
    later = pack(scheme.root / "later.backup", key, manifest(files, format=2), time.time())
    bare = pack(scheme.root / "bare.backup", key, {"broker.db": files["broker.db"]}, time.time())
    none = pack(scheme.root / "none.backup", key, {"manifest.json": files["manifest.json"]}, time.time())
    climbing = pack(scheme.root / "climbing.backup", key, {**files, "bundles/../../climbed": b"x", "keys/x.key": b"x"}, time.time())
    copy = empty_copy(scheme, "copy")
    for source, sentence in ((old, "--expired"), (other, "broker.elsewhere's"), (later, "newer version"),
                             (bare, "no backup"), (none, "no backup")):
        ran = restore(scheme, source, folder=copy, expect=None)
        check(ran.code in (1, 3) and sentence in ran.err, f"{source.name}: {ran.code} {ran.err}")
        check(not (copy / "broker.db").exists(), f"{source.name}: nothing was restored")
    restore(scheme, climbing, folder=copy)
    check(not list(scheme.root.rglob("climbed")) and not (copy / "keys/x.key").exists(), "no file leaves its place")
    shutil.rmtree(copy)
    restore(scheme, old, "--expired", folder=empty_copy(scheme, "copy"))
    shutil.rmtree(copy)


def full_disks(scheme):
    if not smalldisk.available():
        print("no mounts here: no disk was filled")
        return
    disk = smalldisk.Disk(scheme.root / "backups", 64 << 10)
    scheme.start()
    said = backup(scheme, disk.folder / "a.backup", expect=3).err
    check("no space left" in said, said)
    equal(list(disk.folder.iterdir()), [], "nothing is left of it")
    backup(scheme, scheme.root / "after.backup")
    scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", "2003/9391423N", "--attr",
                                          "strand=resettle_rehabilitate", "--attr", "area=stoke", "--attr",
                                          "authority=bcu_commander", "--attr", "selector=core_nominal", "--attr",
                                          "review_due=2026-12-15", "--attr", "home_force=21", "--item", "name=A B",
                                          "--item", "dob=1971-09-16"))
    scheme.stop()
    disk.close()
    small = smalldisk.Disk(scheme.root / "small", 512 << 10)
    copy = small.folder / "broker"
    backup(scheme, scheme.root / "last.backup")
    shutil.copytree(scheme.broker_folder, copy, ignore=shutil.ignore_patterns("broker.db*", "index.db*", "*.sock", "lock"))
    small.fill(128 << 10)
    said = restore(scheme, scheme.root / "last.backup", folder=copy, expect=3).err
    check("no space left" in said, said)
    equal([p.name for p in copy.iterdir() if p.name.startswith("broker.db")], [], "nothing is left of it")
    small.close()


@story
def backup_format():
    with partnership(members=(POLICE,)) as scheme:
        harness.run("concordat-broker", "backup-key", "--dir", scheme.broker_folder, "--out", scheme.root / "recovery.key")
        key = private_key(scheme.root / "recovery.key")
        whats_in_it(scheme, key)
        old_and_wrong_ones(scheme, key)
        full_disks(scheme)
