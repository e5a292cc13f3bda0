#!/usr/bin/python3
"""Certificates end: an agent renews its keys while it runs, another one while it is away, at last the broker."""
from harness import check, equal, partnership, run, story, until
from test_first_notice import LISTING, PNC, POLICE, PRISON, PROBATION


def breach(scheme):
    return scheme.publish(PROBATION, "breach.recorded", "--subject", PNC, "--attr", "action=court", "--item",
                          "order_type=licence", "--item", "kind=missed")


def next_bundle(scheme):
    """The board gives out the next bundle, and the running broker takes it."""
    scheme.new_bundle()
    run("concordat-broker", "load", "--dir", scheme.broker_folder, "--bundle", scheme.bundle)


def serial(scheme, member):
    return scheme.status(member)["bundle"]["serial"]


def keys(folder):
    return {name: (folder / "keys" / f"{name}.key").read_bytes() for name in ("current", "previous", "next")
            if (folder / "keys" / f"{name}.key").exists()}


def renew(scheme, member, folder, program):
    run(program, "renew", "--dir", folder)
    waiting = keys(folder)
    run(program, "renew", "--dir", folder)
    equal(keys(folder), waiting, "asked again, the same renewal is under way")
    said = scheme.enrol(folder, member, expect=1)
    check("--renew" in said.err, f"a second certificate is given to a renewal only: {said.err}")
    scheme.enrol(folder, member, "--renew")
    return waiting


def changed(scheme, before, folder, who):
    after = keys(folder)
    equal((after["current"], after["previous"]), (before["next"], before["current"]), f"{who}'s new keys are in use")
    check("next" not in after, "and the renewal is over")


def opened(scheme, event, what):
    found = until(lambda: [e for e in scheme.inbox(POLICE) if e["event"] == event], f"police have {what}")
    equal((len(found), found[0]["state"]), (1, "stored"), what)
    equal(scheme.show(POLICE, event)["items"]["kind"], "missed", what)


def agent_renews_while_it_runs(scheme):
    folder = scheme.agent_folder(PROBATION)
    before = renew(scheme, PROBATION, folder, "concordat-agent")
    number = serial(scheme, PROBATION)
    equal(scheme.settled(PROBATION, breach(scheme))["state"], "delivered", "until a bundle comes the old keys serve")
    next_bundle(scheme)
    until(lambda: serial(scheme, PROBATION) > number and scheme.status(PROBATION)["connected"],
          "probation has the next bundle and is connected")
    changed(scheme, before, folder, PROBATION)
    equal(scheme.status(PROBATION)["incidents"], [], "nothing to tell")
    event = breach(scheme)
    equal(scheme.settled(PROBATION, event)["state"], "delivered", "signed with the new keys")
    opened(scheme, event, "what probation signed with its new keys")


def agent_renews_while_it_is_away(scheme):
    """What was sealed for the old keys is delivered after the new ones came into use."""
    folder = scheme.agent_folder(POLICE)
    before = renew(scheme, POLICE, folder, "concordat-agent")
    scheme.daemons[POLICE].stop()
    sealed_before = breach(scheme)
    until(lambda: scheme.show(PROBATION, sealed_before)["state"] == "accepted", "the broker holds it")
    next_bundle(scheme)
    scheme.join(POLICE)
    changed(scheme, before, folder, POLICE)
    sealed_after = breach(scheme)
    until(lambda: scheme.show(PROBATION, sealed_after)["state"] == "accepted", "the broker holds both")
    scheme.start_agent(POLICE)
    opened(scheme, sealed_before, "what was sealed for the old keys")
    opened(scheme, sealed_after, "what was sealed for the new keys")
    for event in (sealed_before, sealed_after):
        equal(scheme.settled(PROBATION, event)["state"], "delivered", "with a receipt that verifies")
    listed = scheme.show(POLICE, next(e["event"] for e in scheme.inbox(POLICE) if e["type"] == "breach.recorded"))
    equal(listed["items"]["kind"], "missed", "and what is at rest still opens")


def broker_renews(scheme):
    """One agent is away meanwhile: it dials the old key, is told what is wrong, and helped by the bundle's file."""
    before = renew(scheme, "broker.sample", scheme.broker_folder, "concordat-broker")
    number = serial(scheme, PROBATION)
    scheme.daemons[PRISON].stop()
    next_bundle(scheme)
    for member in (POLICE, PROBATION):
        until(lambda m=member: serial(scheme, m) > number, f"{member} has the bundle with the broker's new key")
    scheme.daemons["broker"].stop()
    scheme.start_broker()
    changed(scheme, before, scheme.broker_folder, "the broker")
    for member in (POLICE, PROBATION):
        until(lambda m=member: scheme.status(m)["connected"], f"{member} dials the new key", 60)
    scheme.start_agent(PRISON)
    until(lambda: "does not prove the key that our bundle names" in (scheme.status(PRISON)["trouble"] or ""),
          "the prison's agent says that the key is another")
    check("does not prove the key" in scheme.command(PRISON, "status").out, "also to people")
    equal(scheme.daemons[PRISON].tail().count("does not prove the key"), 1, "and once in its log")
    scheme.join(PRISON)
    until(lambda: scheme.status(PRISON)["connected"], "with the bundle's file it dials the new key", 60)
    equal(scheme.status(PRISON)["trouble"], None, "and nothing is wrong any more")
    equal(scheme.settled(PROBATION, breach(scheme))["state"], "delivered", "all goes on")


@story
def keys_are_renewed():
    with partnership(members=(POLICE, PROBATION, PRISON)) as scheme:
        scheme.settled(POLICE, scheme.publish(POLICE, "ppo.added", "--subject", PNC, *LISTING))
        agent_renews_while_it_runs(scheme)
        agent_renews_while_it_is_away(scheme)
        broker_renews(scheme)
        check("log verified" in scheme.verify().out, "the log verifies")
