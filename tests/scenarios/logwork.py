"""What stories about the log share: a log that grows, and copies of it as a backup takes and brings them."""
import shutil

from harness import until

QUICKLY = {"cosign_every": 200, "sign_every": 50}
POLICE = "police.staffordshire"


def grow(scheme):
    """The log grows by some entries."""
    before = scheme.log_state()["entries"]
    event = scheme.publish(POLICE, "ppo.added", "--subject", "2003/9391423N", "--item", "name=Liam Hughes-Parry",
                           "--item", "dob=1971-09-16", "--attr", "strand=resettle_rehabilitate", "--attr", "area=stoke",
                           "--attr", "home_force=21", "--attr", "authority=bcu_commander", "--attr",
                           "selector=core_nominal", "--attr", "review_due=2026-12-15", expect=None)
    until(lambda: scheme.log_state()["entries"] > before, "the log grows")
    return event


def databases(scheme):
    return [p for p in scheme.broker_folder.iterdir() if p.name.split(".db")[0] in ("broker", "checkpoint", "index")]


def copy_out(scheme, name):
    """The whole log as a backup would have it, checkpoint.db included; the broker is stopped."""
    target = scheme.root / name
    target.mkdir()
    for path in databases(scheme):
        shutil.copy2(path, target)
    return target


def copy_in(scheme, source):
    for path in databases(scheme):
        path.unlink()
    for path in source.iterdir():
        shutil.copy2(path, scheme.broker_folder)
