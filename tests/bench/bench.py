#!/usr/bin/python3
"""Measures the real daemons on loopback: one JSON line a figure, medians of several runs with their spread.

Usage: bench.py --bin DIR [--runs N] [--only NAME] [--quick] [--huge] [--dir DIR]

The machine is shared and noisy: compare figures of one run of this program with one another, not across machines.
"""
import argparse
import contextlib
import csv
import datetime
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenarios"))

SENDERS = [f"prison.p{number:02}" for number in range(1, 11)]
ESTABLISHMENTS = ["ACI", "BMI", "BRI", "BSI", "DHI", "FSI", "HEI", "LEI", "OWI", "WSI"]
SUBJECT = "2003/9391423N"
CROWD = 1000
LOG_START = "2026-12-01T08:30:00+00:00"  # of the made entries, within the sample bundle's life
LOG_STEP_MS = 86.4  # 10^7 entries are ten days


def emit(name, values, unit, **more):
    """One figure: the median of its runs, and their spread."""
    print(json.dumps({"figure": name, "unit": unit, "median": round(statistics.median(values), 3),
                      "min": round(min(values), 3), "max": round(max(values), 3), "runs": len(values), **more}),
          flush=True)


def bench_protocol(harness, folder):
    """The shipped protocol with ten more prisons as parties."""
    text = harness.PROTOCOL.read_text(encoding="utf-8")
    more = "".join(f"  {member}: {{establishments: [{code}]}}\n" for member, code in zip(SENDERS, ESTABLISHMENTS))
    text, count = re.subn(r"(?m)^parties:\n", "parties:\n" + more, text)
    assert count == 1
    path = folder / "bench.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class Bench:
    """A partnership with ten sending prisons; the load plays them and the three recipients."""

    def __init__(self, harness, root):
        self.harness = harness
        members = ("police.staffordshire", "probation.staffordshire", "drugs.stoke", *SENDERS)
        self.scheme = harness.Partnership(root, members=members, protocols=[bench_protocol(harness, root)])
        self.scheme.make()
        self.scheme.start_broker()
        self.seed()

    def seed(self):
        """Puts one person on the list, with consent, so that three recipients are entitled."""
        for member in ("police.staffordshire", "probation.staffordshire"):
            self.scheme.start_agent(member)
        added = self.scheme.publish(
            "police.staffordshire", "ppo.added", "--subject", SUBJECT, "--item", "name=Liam Hughes-Parry", "--item",
            "dob=1971-09-16", "--item", "prison_no=A7629RT", "--attr", "strand=resettle_rehabilitate", "--attr",
            "area=stoke", "--attr", "home_force=21", "--attr", "authority=bcu_commander", "--attr",
            "selector=core_nominal", "--attr", "review_due=2026-12-15")
        self.harness.until(lambda: self.scheme.show("police.staffordshire", added)["state"] in ("accepted", "delivered"),
                           "the person is listed")
        consent = self.scheme.publish("probation.staffordshire", "consent.given", "--subject", SUBJECT, "--attr",
                                      "scope=throughcare", "--attr", "form_version=2", "--attr", "expires=2027-05-31")
        self.scheme.settled("probation.staffordshire", consent)
        for member in ("police.staffordshire", "probation.staffordshire"):
            self.scheme.daemons[member].stop()

    def load(self, senders, events, batch, window, backlog=8192, rate=0, mode="sealed"):
        """One run of the load; its JSON object, and the broker's processor seconds meanwhile."""
        before = self.broker_seconds()
        done = subprocess.run(
            [str(self.harness.BIN / "bench_load"), str(self.scheme.root), self.scheme.endpoint, SUBJECT, str(senders),
             str(events), str(batch), str(window), str(backlog), str(rate), mode],
            capture_output=True, text=True, check=False, timeout=600)
        if done.returncode != 0:
            raise self.harness.Failed(done.stderr)
        said = json.loads(done.stdout)
        said["broker_us_per_event"] = (self.broker_seconds() - before) / events * 1e6
        return said

    def broker_pid(self):
        return self.scheme.daemons["broker"].process.pid

    def broker_seconds(self):
        fields = pathlib.Path(f"/proc/{self.broker_pid()}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    """Resident and anonymous memory of a process, MiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    value = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return value["Rss"] / 1024, value["Anonymous"] / 1024


def yardstick(bench, figures):
    """What this machine can do at all, in the same minutes: CURVE and group commit without anything else."""
    folder = bench.scheme.root / "skeleton"
    folder.mkdir()
    done = subprocess.run([str(bench.harness.BIN / "bench_skeleton"), str(folder), "60000"], capture_output=True,
                          text=True, check=False, timeout=600)
    shutil.rmtree(folder)
    if done.returncode != 0:
        raise bench.harness.Failed(done.stderr)
    for name, value in json.loads(done.stdout).items():
        figures.setdefault(name, []).append(value)


def emit_yardstick(figures, batches):
    emit("skeleton", figures["frames_per_second"], "events/s")
    emit("skeleton.openssl_ed25519_verify", figures["verify_us"], "us")
    emit("skeleton.synced_write_of_4_kib", figures["sync_us"], "us")
    emit("batches_sealed_to_skeleton", [ours / bare for ours, bare in zip(batches, figures["frames_per_second"])],
         "ratio")


def through(bench, runs, quick):
    """Events a second and latencies."""
    machine = {}
    size = 12800 if quick else 51200
    cases = (
        ("batches_sealed", dict(senders=10, events=size, batch=64, window=256)),
        ("batches_live_sealing", dict(senders=10, events=size // 2, batch=64, window=256, mode="live")),
        ("ten_in_flight_sealed", dict(senders=1, events=size // 16, batch=1, window=10)),
        ("ten_in_flight_live_sealing", dict(senders=1, events=size // 16, batch=1, window=10, mode="live")),
        ("one_in_flight_sealed", dict(senders=1, events=size // 32, batch=1, window=1, mode="whole")),
        ("one_unconfirmed_sealed", dict(senders=1, events=size // 32, batch=1, window=1)),
        ("one_unconfirmed_live_sealing", dict(senders=1, events=size // 32, batch=1, window=1, mode="live")),
        ("open_loop_1000_a_second", dict(senders=10, events=5000, batch=1, window=256, rate=1000)),
    )
    for name, options in cases:
        results = []
        for _ in range(runs):
            if name == "batches_sealed":
                yardstick(bench, machine)
            results.append(bench.load(**options))
            time.sleep(1.1)  # event ids of runs are told apart by the second
        emit(name, [r["events_per_second"] for r in results], "events/s", event_bytes=results[0]["event_bytes"],
             recipients=3)
        if name == "batches_sealed":
            emit_yardstick(machine, [r["events_per_second"] for r in results])
        for key, unit in (("confirm_p50_us", "us"), ("confirm_p99_us", "us"), ("deliver_p50_us", "us"),
                          ("deliver_p99_us", "us"), ("broker_us_per_event", "us"), ("load_us_per_event", "us")):
            emit(f"{name}.{key}", [r[key] for r in results], unit)


def biglog(bench, *arguments):
    """What bench_biglog does in the stopped broker's folder; the times are those of LOG_START and LOG_STEP_MS."""
    start = int(datetime.datetime.fromisoformat(LOG_START).timestamp() * 1000)
    verb, *rest = arguments
    done = subprocess.run([str(bench.harness.BIN / "bench_biglog"), verb, str(bench.scheme.broker_folder),
                           *map(str, rest), str(start), str(LOG_STEP_MS)],
                          capture_output=True, text=True, check=False, timeout=7200)
    if done.returncode != 0:
        raise bench.harness.Failed(done.stderr)
    return json.loads(done.stdout)


def start_at_end(bench, entries):
    """Starts the broker at a time after the log's last entry."""
    time_of_end = datetime.datetime.fromisoformat(LOG_START) + datetime.timedelta(
        milliseconds=(entries + 1000) * LOG_STEP_MS)
    bench.scheme.now = time_of_end.strftime("%Y-%m-%dT%H:%M:%SZ")
    bench.scheme.start_broker()


def growth(bench, sizes):
    """What an event, a start and a search cost when the log holds so many entries; most are made by bench_biglog."""
    bench.load(senders=10, events=640, batch=64, window=256)  # the broker gets to know all members
    for entries in sizes:
        bench.scheme.daemons["broker"].stop()
        made = biglog(bench, "make", entries)
        looked = biglog(bench, "look")
        for key in ("entries_per_second", "cpu_us_per_entry", "index_behind_seconds"):
            emit(f"log_made_to_{entries}.{key}", [made[key]], key, made=made["made"])
        for key, value in looked.items():
            if not key.endswith("_hits"):
                emit(f"log_of_{entries}.{key}", [value], "ms" if key.endswith("_ms") else "",
                     hits=looked.get(key.replace("_cpu_ms", "_hits").replace("_ms", "_hits")))
        start_at_end(bench, made["entries"])
        emit(f"broker_rss_at_{entries}_entries", [resident(bench.broker_pid())[0]], "MiB")
        results = []
        for _ in range(4):  # a small log must not grow much meanwhile
            results.append(bench.load(senders=10, events=min(12800, max(640, entries // 64 // 640 * 640)), batch=64,
                                      window=256))
            time.sleep(1.1)
        results = results[1:]  # what the members had yet to get is through
        emit(f"batches_at_{entries}_entries", [r["events_per_second"] for r in results], "events/s")
        emit(f"batches_at_{entries}_entries.broker_us_per_event", [r["broker_us_per_event"] for r in results], "us")
        emit(f"broker_rss_at_{entries}_entries_after_load", [resident(bench.broker_pid())[0]], "MiB")


def bench_entries(bench):
    said = bench.harness.run("concordat-broker", "status", "--dir", bench.scheme.broker_folder, "--json").json()
    return said["pipeline"]["entries"]


def crowd(bench, name):
    """Memory of the broker while many agents are connected, after whatever it has done so far."""
    program = subprocess.Popen([str(bench.harness.BIN / "bench_crowd"), str(bench.scheme.root), bench.scheme.endpoint,
                                str(CROWD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if program.stdout.readline().strip() != "welcome":
        raise bench.harness.Failed("the crowd was not welcomed")
    rss, anonymous = resident(bench.broker_pid())
    emit(name, [rss], "MiB", anonymous=round(anonymous, 1))
    program.communicate("")


def memory(bench):
    rss, anonymous = resident(bench.broker_pid())
    emit("broker_rss_after_load", [rss], "MiB", anonymous=round(anonymous, 1))
    crowd(bench, f"broker_rss_after_load_with_{CROWD}_connections")
    bench.scheme.start_agent("drugs.stoke")
    time.sleep(2)
    rss, anonymous = resident(bench.scheme.daemons["drugs.stoke"].process.pid)
    emit("agent_anonymous_idle", [anonymous], "MiB", rss=round(rss, 1))
    bench.scheme.daemons["drugs.stoke"].stop()


def verify_rate(bench, runs):
    """Entries → root: concordat-audit verify over the whole broker folder."""
    entries = bench_entries(bench)
    seconds = []
    for _ in range(runs):
        started = time.monotonic()
        bench.harness.run("concordat-audit", "verify", "--broker", bench.scheme.broker_folder, timeout=3600)
        seconds.append(time.monotonic() - started)
    emit("verify_with_records", [entries / s for s in seconds], "entries/s", entries=entries)


def import_rate(harness, root, rows, runs):
    """Rows a second of a release extract with nobody new in it."""
    scheme = harness.Partnership(root, members=("police.staffordshire", "prison.dovegate"))
    scheme.make().start()
    scheme.command("police.staffordshire", "import", "ppo-list", harness.DATA / "ppo-list.csv", expect=None)
    scheme.quiet("police.staffordshire")
    with open(harness.DATA / "release-extract.csv", encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    rates = []
    try:
        for run in range(runs):
            path = root / f"extract-{run}.csv"
            with open(path, "w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file, lineterminator="\r\n")
                writer.writerow(table[0])
                for number in range(rows):
                    row = list(table[1 + number % 300])
                    row[0] = f"B{number // 1000 % 10000:04}{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}"
                    row[1] = ""
                    row[5] = "DGI"
                    writer.writerow(row)
            started = time.monotonic()
            harness.run("concordat", "--agent", scheme.agent_folder("prison.dovegate"), "import", "release-extract",
                        path, expect=None, timeout=600)
            rates.append(rows / (time.monotonic() - started))
        emit("import_rows", rates, "rows/s", rows=rows)
    finally:
        for daemon in scheme.daemons.values():
            daemon.kill()


def micro(harness, runs):
    """Decisions a second and entries → root, from the micro-benchmark program."""
    for line in subprocess.run([str(harness.BIN / "bench_micro"), str(runs)], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        print(line, flush=True)


def main():
    options = argparse.ArgumentParser(description="Measures the real daemons on loopback.")
    options.add_argument("--bin", required=True)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="smaller counts, for a first look")
    options.add_argument("--huge", action="store_true", help="growth up to ten million entries: 10 GB and an hour")
    options.add_argument("--dir", help="where to make the folders, instead of the system's for temporary files")
    options.add_argument("--only", choices=("micro", "through", "growth", "import"))
    given = options.parse_args()
    os.environ["CONCORDAT_BIN"] = given.bin
    import harness
    harness.BIN = pathlib.Path(given.bin)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    wanted = [given.only] if given.only else ["micro", "through", "growth", "import"]
    if "micro" in wanted:
        micro(harness, given.runs)
    for part in [part for part in ("through", "growth") if part in wanted]:
        with tempfile.TemporaryDirectory(prefix="concordat-bench-", dir=given.dir) as folder:
            bench = Bench(harness, pathlib.Path(folder))
            try:
                if part == "through":
                    crowd(bench, f"broker_rss_with_{CROWD}_connections")
                    through(bench, given.runs, given.quick)
                    memory(bench)
                else:
                    growth(bench, [10**4, 10**5] + ([] if given.quick else [10**6]) + ([10**7] if given.huge else []))
                    verify_rate(bench, given.runs)
            finally:
                for daemon in bench.scheme.daemons.values():
                    with contextlib.suppress(harness.Failed):
                        daemon.kill()
    if "import" in wanted:
        with tempfile.TemporaryDirectory(prefix="concordat-bench-", dir=given.dir) as folder:
            import_rate(harness, pathlib.Path(folder), 20000 if given.quick else 200000, given.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
