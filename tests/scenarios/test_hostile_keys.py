"""Peers who should not be there: unknown, revoked, expired keys; requests and bundles that are not what they say."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
from harness import check, equal, run
from identity import Keys
from link import NO_ANSWER, Silence
from peer import ErrorAnswer, Peer, stranger
from stage import DOVEGATE, DRUGS, JOHNSON, POLICE, PROBATION, STAFFORD, adopt, notice, stage


def sentence_of(ran):
    """What a refused command says: one line."""
    said = ran.err.strip()
    check(said and "\n" not in said, f"one sentence, not {said!r}")
    return said


def an_unknown_key_is_not_let_in():
    with stage(members=(POLICE, DOVEGATE, PROBATION)) as scene:
        equal(stranger(scene.scheme.endpoint, scene.scheme.agent_folder(DOVEGATE)), NO_ANSWER, "a stranger")
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        scene.still_serves(prison)


def a_member_cannot_be_another():
    """A good transport key with another member's name, certificate or signature."""
    with stage(members=(POLICE, DOVEGATE, STAFFORD)) as scene:
        police, prison, thief = scene.peer(POLICE), scene.peer(DOVEGATE), scene.peer(STAFFORD, hello=False)
        scene.list_person(police)
        certificates = {m: thief.bundle.current(m).digest for m in (DOVEGATE, STAFFORD)}
        for changes in ({"member": DOVEGATE}, {"certificate": certificates[DOVEGATE]},
                        {"member": DOVEGATE, "certificate": certificates[DOVEGATE]}):
            try:
                thief.hello(**changes)
            except ErrorAnswer as error:
                equal(error.code, "NOT_ALLOWED", f"a hello with {sorted(changes)}")
            else:
                raise harness.Failed(f"a hello with {sorted(changes)} was welcomed")
        thief.hello()
        body = prison.publish_body([prison.prepare(*notice(JOHNSON))])
        for changes in ({}, {"certificate": certificates[STAFFORD]}):
            try:
                thief.ask("publish", {**body, **changes})
            except ErrorAnswer as error:
                equal(error.code, "NOT_ALLOWED", "another member's batch")
            else:
                raise harness.Failed("another member's batch was taken")
        equal(prison.ask("publish", body).outcomes[0].verdict, "ACCEPTED", "the owner's own batch")


def revocation_reaches_open_connections():
    with stage(members=(POLICE, DOVEGATE, STAFFORD)) as scene:
        scheme = scene.scheme
        police, prison, leaver = scene.peer(POLICE), scene.peer(DOVEGATE), scene.peer(STAFFORD)
        scene.list_person(police)
        event = leaver.prepare(*notice(JOHNSON))
        equal(event.plan.verdict, "ACCEPTED", "before the revocation")
        scene.still_serves(prison)
        run("concordat-authority", "revoke", "--dir", scheme.authority, "--member", STAFFORD, "--now", scheme.now)
        scheme.new_bundle()
        scene.load()
        leaver.patience = 1.5
        for attempt in (lambda: leaver.publish([event]), lambda: leaver.plan([event]), leaver.hello,
                        leaver.fetch_bundle):
            refused(attempt)
        leaver.connect()
        try:
            leaver.hello()
        except Silence as silence:
            equal(str(silence), NO_ANSWER, "the revoked member's next connection")
        else:
            raise harness.Failed("a revoked member was welcomed")
        prison.fetch_bundle()
        scene.still_serves(prison)
        scene.await_log(2, kind="accepted", **{"from": DOVEGATE})
        check(not scene.log_kinds(kind="accepted", **{"from": STAFFORD}), "nothing of the revoked member's is logged")


def refused(attempt):
    """The broker answers with NOT_ALLOWED once, and with nothing after that."""
    try:
        said = attempt()
    except ErrorAnswer as error:
        equal(error.code, "NOT_ALLOWED", "what a revoked member hears")
    except Silence:
        pass
    else:
        raise harness.Failed(f"a revoked member was answered: {said}")


def an_expired_certificate_opens_nothing():
    """It was issued for two years, two years and two days ago; the bundle still lists it."""
    keys = Keys.make(STAFFORD)

    with stage(members=(POLICE, DOVEGATE), founded="2024-11-01T08:00:00Z",
               prepare=adopt(keys, "2024-11-29T08:00:00Z")) as scene:
        late = Peer(keys, scene.bundle(DOVEGATE), scene.scheme.endpoint)
        scene.peers.append(late)
        equal(late.own_certificate().member, STAFFORD, "the bundle lists it")
        late.connect()
        try:
            late.hello()
        except Silence as silence:
            equal(str(silence), NO_ANSWER, "an expired certificate")
        else:
            raise harness.Failed("an expired certificate was let in")
        police, prison = scene.peer(POLICE), scene.peer(DOVEGATE)
        scene.list_person(police)
        scene.still_serves(prison)


SUMMER = "2026-08-01T08:00:00Z"


def months_pass(scene):
    """Everybody is enrolled since the summer; another bundle is in force now."""
    scheme = scene.scheme
    scheme.now = harness.SAMPLE_DAY
    scheme.new_bundle()
    scene.load()
    for member in scheme.members:
        scheme.join(member)


def bundles_that_must_not_be_loaded():
    """Expired, older, forked and foreign ones, at the broker (running) and at an agent."""
    with stage(members=(POLICE, DOVEGATE, PROBATION), now=SUMMER, prepare=months_pass) as scene:
        scheme = scene.scheme
        bad = {"older": scheme.root / "older.bundle", "forked": scheme.root / "forked.bundle"}
        shutil.copy(scheme.bundle, bad["older"])
        shutil.copytree(scheme.authority, scheme.root / "fork")
        scheme.new_bundle()
        good = scheme.root / "good.bundle"
        shutil.copy(scheme.bundle, good)
        scene.load()
        scheme.join(DOVEGATE)
        bad["forked"] = made_elsewhere(scheme, scheme.root / "fork", "forked")
        bad["foreign"] = foreign(scheme)
        bad["expired"] = expired(scheme)
        bad["altered"] = altered(good, scheme.root / "altered.bundle")
        for name, path in bad.items():
            for program, folder in (("concordat-broker", scheme.broker_folder),
                                    ("concordat-agent", scheme.agent_folder(DOVEGATE))):
                verb = "load" if program == "concordat-broker" else "join"
                pin = () if verb == "load" else ("--fingerprint", scheme.fingerprint)
                print(f"   {program}, {name}: "
                      + sentence_of(run(program, verb, "--dir", folder, "--bundle", path, *pin, "--now", scheme.now,
                                        expect=1)))
        police, prison = scene.peer(POLICE, hello=False), scene.peer(DOVEGATE)
        police.bundle = scene.bundle(DOVEGATE)
        police.hello()
        scene.list_person(police)
        scene.still_serves(prison)


def made_elsewhere(scheme, authority, name, now=None):
    """A bundle that another copy of the authority signs."""
    out = scheme.root / f"{name}.bundle"
    protocol = scheme.root / f"{name}.yaml"
    text = pathlib.Path(harness.PROTOCOL).read_text(encoding="utf-8")
    protocol.write_text(text.replace("version: 1\n", "version: 2\n", 1), encoding="utf-8")
    run("concordat-authority", "bundle", "--dir", authority, "--protocol", protocol, "--catalogue",
        harness.CATALOGUE, "--out", out, "--now", now or scheme.now)
    return out


def foreign(scheme):
    """Another partnership's authority, with the same name and the same members' requests."""
    authority = scheme.root / "foreign"
    run("concordat-authority", "init", "--dir", authority, "--name", "Sample partnership", "--demo", "--now",
        scheme.now)
    for folder, member in ((scheme.broker_folder, "broker.sample"), (scheme.agent_folder(DOVEGATE), DOVEGATE)):
        run("concordat-authority", "enrol", "--dir", authority, "--csr", folder / f"{member}.csr", "--out",
            scheme.root / "foreign.pem", "--now", scheme.now)
    return made_elsewhere(scheme, authority, "foreign-bundle")


def expired(scheme):
    """The right authority's next bundle, but its time is over."""
    return made_elsewhere(scheme, scheme.authority, "expired", SUMMER)


def altered(good, path):
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def requests_that_steal():
    """Another's id, another's keys in each of the three uses."""
    with stage(members=(POLICE, DOVEGATE)) as scene:
        scheme, victim = scene.scheme, Keys.of_folder(scene.scheme.agent_folder(DOVEGATE))
        requests = {"the id": Keys.make(DRUGS).request(DOVEGATE)}
        for use in ("signing", "transport_public", "sealing"):
            thief = Keys.make(DRUGS)
            setattr(thief, use, getattr(victim, use))
            requests[use] = thief.request()
        for name, pem in requests.items():
            csr = scheme.root / f"{name}.csr"
            csr.write_bytes(pem)
            said = run("concordat-authority", "enrol", "--dir", scheme.authority, "--csr", csr, "--out",
                       scheme.root / "no.pem", "--now", scheme.now, expect=1)
            print(f"   {name}: {sentence_of(said)}")
            check(not (scheme.root / "no.pem").exists(), "no certificate was written")


if __name__ == "__main__":
    harness.story(an_unknown_key_is_not_let_in)
    harness.story(a_member_cannot_be_another)
    harness.story(revocation_reaches_open_connections)
    harness.story(an_expired_certificate_opens_nothing)
    harness.story(bundles_that_must_not_be_loaded)
    harness.story(requests_that_steal)
