"""Members ask for their own entries of the log, by counter, and get them with proofs that another program verifies.
Agents do so by themselves, and give out proofs that anybody can check offline: with concordat-audit, or with openssl."""
import html
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import harness
import log
from harness import check, equal
from stage import (DOVEGATE, DRUGS, HUGHES_PARRY, JOHNSON, POLICE, PROBATION, command_line, impatient, listing,
                   notice, stage)

MANY = 100


def entries(peer, key, first, count, as_sender, **more):
    """[(index, record)] of a LogRequest; every proof and every commitment is verified."""
    answer = peer.ask("log_request", {"first_counter": first, "count": count, "as_sender": as_sender, **more},
                      "log_answer")
    found = []
    for entry in answer.entries:
        check(len(entry.proof) <= 4096, f"a proof has at most 4 KiB, not {len(entry.proof)}")
        index, _size = log.verify_proof(entry.proof, entry.entry, key.public)
        equal(index, entry.index, "the proof's index")
        found.append((index, log.opened(entry)))
    return found


def a_member_gets_its_own_entries_and_no_others():
    with stage(members=(POLICE, DOVEGATE, PROBATION, DRUGS)) as scene:
        key = log.LogKey(scene.scheme.broker_folder)
        police, prison, probation = scene.peer(POLICE), scene.peer(DOVEGATE), scene.peer(PROBATION)
        listed = [scene.list_person(police, person) for person in (JOHNSON, HUGHES_PARRY)]
        notices = [prison.event(*notice(JOHNSON)) for _ in range(MANY)]
        prison.plan(notices)
        for at in range(0, MANY, 9):
            prison.publish([prison.seal(event) for event in notices[at:at + 9]])
        harness.until(lambda: entries(prison, key, MANY, 1, True), "the log is signed")

        sent = entries(prison, key, 1, 256, True)
        check(len(sent) < MANY, "what does not go into one frame is left for the next request")
        while len(sent) < MANY:
            sent += entries(prison, key, len(sent) + 1, 256, True)
        equal([r.account["from_counter"] for _, r in sent], list(range(1, MANY + 1)), "the sender's counters")
        equal([r.personal["event"] for _, r in sent], [e.id for e in notices], "the events that they are about")
        equal({(r.kind, r.account["from"]) for _, r in sent}, {(log.ACCEPTED, DOVEGATE)}, "kind and sender")
        indexes = [index for index, _ in sent]
        equal(indexes, sorted(set(indexes)), "in the order of the log")

        got = entries(probation, key, 1, 3, False)
        equal([r.account["to_counter"] for _, r in got], [1, 2, 3], "the recipient's counters")
        equal({(r.kind, r.account["to"]) for _, r in got}, {(log.DISCLOSED, PROBATION)}, "kind and recipient")
        equal([r.personal["event"] for _, r in got][:2], [e.id for e in listed], "the events told to it")
        equal(entries(probation, key, 57, 2, False)[0][1].account["to_counter"], 57, "from the middle")
        equal(entries(probation, key, 1, 256, True), [], "it has sent nothing")
        equal(entries(prison, key, 1000, 256, True), [], "counters that do not exist")
        told = entries(scene.peer(DRUGS), key, 1, 256, False)
        equal({r.account["type"] for _, r in told}, {"ppo.added"}, "what somebody else was told")
        for counter in (1, 2, 50, 99, 100, 101):
            equal([r.account["from_counter"] for _, r in entries(prison, key, counter, 1, True)],
                  [counter] if counter <= MANY else [], f"counter {counter} alone, by the index")


# ---- agents ----------------------------------------------------------------------------------------------------


def log_of(scheme, member):
    return scheme.status(member)["log"]


def audit(*arguments, expect):
    return harness.run("concordat-audit", *arguments, expect=expect).out


def commands_of(page):
    """The block of commands of a printed page, as text or HTML."""
    if "<html" in page:
        return html.unescape(page.split('<pre class="commands">')[1].split("</pre>")[0])
    return page.split("---- commands ----\n")[1].split("---- end ----")[0]


def run_by_hand(page):
    """Runs the page's commands in an empty folder, with a shell and openssl: (exit code, output)."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["sh"], input=commands_of(page), cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def altered(line):
    """The line with its first letter or digit replaced by another one."""
    at = next(i for i, c in enumerate(line) if c.isalnum())
    return line[:at] + ("B" if line[at] != "B" else "C") + line[at + 1:]


def the_page_convinces_and_an_altered_one_does_not(page):
    code, said = run_by_hand(page)
    check(code == 0 and "Verified Successfully" in said, f"the printed commands: {code} {said}")
    lines = commands_of(page).split("\n")
    tried = 0
    for at, line in enumerate(lines):
        data = len(line) > 30 and all(c.isalnum() or c in "+/=" for c in line)
        if not data and not line.startswith(("left  ", "right ")) and "hexkey:" not in line:
            continue
        if "hexkey:" in line:
            at_hex = line.index("hexkey:") + 7
            changed = line[:at_hex] + ("0" if line[at_hex] != "0" else "1") + line[at_hex + 1:]
        else:
            before, word = ("", line) if data else line.rsplit(" ", 1)
            changed = f"{before} {altered(word)}".lstrip()
        code, said = run_by_hand(page.replace(line, html.escape(changed) if "<html" in page else changed))
        check(code != 0, f"the page with line {at} altered convinces: {line} -> {changed}\n{said}")
        tried += 1
    check(tried > 10, f"only {tried} lines were altered")


def a_proof_is_shown(scheme, member, event, vkey, folder):
    """What a member can show to somebody who has nothing but the log's key."""
    path = folder / f"{member}.proof"
    scheme.command(member, "proof", event, "--out", path)
    size = path.stat().st_size
    check(size <= 4096, f"a proof with its record has at most 4 KiB, not {size}")
    told = audit("verify-proof", path, "--key", vkey, expect=0)
    check(event in told and "release.planned" in told and "proof verified: entry " in told, told)
    for at in range(0, size, 37):
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        (folder / "altered").write_bytes(content)
        ran = harness.run("concordat-audit", "verify-proof", folder / "altered", "--key", vkey, expect=None)
        check(ran.code == 1, f"bit 0 of byte {at} of the proof was altered: {ran.code} {ran.out}{ran.err}")
    for form in ((), ("--html",)):
        page = audit("print-proof", path, "--key", vkey, *form, expect=0)
        code, said = run_by_hand(page)
        check(code == 0 and "Verified Successfully" in said, f"the printed commands: {code} {said}")
    the_page_convinces_and_an_altered_one_does_not(audit("print-proof", path, "--key", vkey, expect=0))
    less = scheme.command(member, "proof", event, "--without-person").out
    (folder / "less").write_text(less, encoding="utf-8")
    told = audit("verify-proof", folder / "less", "--key", vkey, "--print", expect=0)
    check(event not in told and "is not shown" in told, told)
    code, said = run_by_hand(told)
    check(code == 0, f"the printed commands without the person: {said}")
    return path


def agents_fetch_their_proofs_and_show_them():
    with harness.partnership(members=(POLICE, DOVEGATE, PROBATION)) as scheme, tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        key = log.LogKey(scheme.broker_folder)
        scheme.stop()
        impatient(scheme)
        scheme.start()
        scheme.settled(POLICE, scheme.publish(POLICE, *command_line(listing(JOHNSON))))
        harness.until(lambda: scheme.status(DOVEGATE)["people"] == 1, "the prison knows the person")
        event = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        scheme.settled(DOVEGATE, event)
        harness.until(lambda: log_of(scheme, DOVEGATE)["sent"] == 1 and log_of(scheme, PROBATION)["received"] == 2
                      and log_of(scheme, DOVEGATE)["owed"] == 0, "the proofs are here")
        for member in scheme.members:
            equal(scheme.status(member)["incidents"], [], f"incidents of {member}")
        vkey = vkey_of(key)
        mine = a_proof_is_shown(scheme, DOVEGATE, event, vkey, folder)
        theirs = a_proof_is_shown(scheme, PROBATION, event, vkey, folder)
        check(mine.read_bytes() != theirs.read_bytes(), "the sender's entry and the recipient's are two")
        told = audit("verify-proof", theirs, "--key", vkey, expect=0)
        check("prison.dovegate disclosed release.planned to probation.staffordshire" in told, told)
        check("Items: name, " in told, told)
        stranger = log.LogKey.__new__(log.LogKey)
        stranger.name, stranger.public = key.name, bytes(31) + b"\1"
        ran = harness.run("concordat-audit", "verify-proof", theirs, "--key", vkey_of(stranger), expect=None)
        check(ran.code != 0, "under another key nothing verifies")
        said = scheme.command(PROBATION, "proof", "0193f7f4-0000-7000-8000-000000000000", expect=1).err
        check("no log proof" in said, said)


def the_log_counts_members_once_a_day():
    with harness.partnership(members=(POLICE, DOVEGATE, PROBATION)) as scheme:
        scheme.settled(POLICE, scheme.publish(POLICE, *command_line(listing(JOHNSON))))
        harness.until(lambda: scheme.status(DOVEGATE)["people"] == 1, "the prison knows the person")
        scheme.settled(DOVEGATE, scheme.publish(DOVEGATE, *command_line(notice(JOHNSON))))
        equal([e for e in scheme.search() if e["kind"] == "count"], [], "counts on the first day")
        for now in ("2026-12-02T08:30:00Z", "2026-12-02T20:00:00Z"):
            scheme.stop()
            scheme.now = now
            scheme.start()
            counts = harness.until(lambda: [e for e in scheme.search() if e["kind"] == "count"], "members are counted")
            equal({e["from"]: (e["sent"], e["received"]) for e in counts},
                  {POLICE: (1, 1), DOVEGATE: (1, 1), PROBATION: (0, 2)}, f"the counts at {now}")
            equal(len(counts), 3, "who has no more entries than at the last count is not counted again")
        for member, counted in ((DOVEGATE, {"sent": 1, "received": 1}), (PROBATION, {"sent": 0, "received": 2})):
            harness.until(lambda m=member, c=counted: log_of(scheme, m)["counted"] == c, f"{member} has its count")
            equal(scheme.status(member)["incidents"], [], f"incidents of {member}")
        scheme.verify()


def an_erased_event_leaves_nobody_in_the_proofs():
    """Whether the proof came before the erasure or after it."""
    with harness.partnership(members=(POLICE, DOVEGATE, PROBATION)) as scheme:
        scheme.stop()
        impatient(scheme)
        impatient(scheme, (DOVEGATE, PROBATION), 12)  # the proof of the second notice comes after its erasure
        scheme.start()
        scheme.settled(POLICE, scheme.publish(POLICE, *command_line(listing(JOHNSON))))
        harness.until(lambda: scheme.status(DOVEGATE)["people"] == 1, "the prison knows the person")
        early = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON)))
        scheme.settled(DOVEGATE, early)
        harness.until(lambda: log_of(scheme, DOVEGATE)["sent"] == 1 and log_of(scheme, PROBATION)["received"] == 2,
                      "the first proofs", 60)
        check(early in scheme.command(PROBATION, "proof", early, "--json").out, "a proof of the first")
        late = scheme.publish(DOVEGATE, *command_line(notice(JOHNSON, "2026-12-29")))
        scheme.settled(DOVEGATE, late)
        for event in (early, late):
            correcting = scheme.command(DOVEGATE, "erase", event, "--reason", "request", "--json", expect=None)
            check(correcting.code == 0, f"erased: {correcting.out}{correcting.err}")
            for made in correcting.json()["events"]:
                scheme.settled(DOVEGATE, made)
        harness.until(lambda: log_of(scheme, DOVEGATE)["owed"] == 0 and log_of(scheme, PROBATION)["owed"] == 0,
                      "everything is proved", 60)
        with tempfile.TemporaryDirectory() as work:
            key = vkey_of(log.LogKey(scheme.broker_folder))
            for member in (DOVEGATE, PROBATION):
                for event in (early, late):
                    path = pathlib.Path(work) / f"{member}-{event}"
                    scheme.command(member, "proof", event, "--out", path)
                    told = audit("verify-proof", path, "--key", key, expect=0)
                    check("is not shown" in told and event not in told, f"{member} of {event}: {told}")
                equal(scheme.status(member)["incidents"], [], f"incidents of {member}")


def vkey_of(key):
    name = log.sha(key.name.encode() + b"\n\x01" + key.public)[:4]
    return f"{key.name}+{name.hex()}+{log.base64.b64encode(bytes([1]) + key.public).decode()}"


if __name__ == "__main__":
    harness.story(a_member_gets_its_own_entries_and_no_others)
    harness.story(the_log_counts_members_once_a_day)
    harness.story(an_erased_event_leaves_nobody_in_the_proofs)
    harness.story(agents_fetch_their_proofs_and_show_them)
