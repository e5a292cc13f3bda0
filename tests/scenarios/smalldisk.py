"""Small disks for stories about full ones: a tmpfs of its own for a folder, in a mount namespace of this process.

An ordinary user may do this in a user namespace of their own, root may do it directly. Where neither works (a container
that forbids both) available() is false, and the story has to say that it was skipped.
"""
import contextlib
import ctypes
import os
import pathlib

from harness import Failed

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 0x4000, 0x40000, 2
LIBC = ctypes.CDLL(None, use_errno=True)
SKIPPED = 77  # the exit code that ctest shows as a test skipped


def _own_mounts():
    """A mount namespace for this process and its children; with a user namespace where that is needed."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0 and LIBC.unshare(CLONE_NEWNS) == 0:
        return True
    if LIBC.unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0:
        return False
    try:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    except OSError:
        return False
    return True


def _mount(source, target, kind, flags, data):
    return LIBC.mount(*(None if text is None else os.fsencode(text) for text in (source, target, kind)),
                      ctypes.c_ulong(flags), None if data is None else os.fsencode(data)) == 0


def available():
    """Enters a mount namespace; true if disks can be made. Once a process, before any thread."""
    return _own_mounts() and _mount("none", "/", None, MS_REC | MS_PRIVATE, None)


class Disk:
    """A folder on a file system of its own, of `size` bytes, that can be filled and emptied."""

    def __init__(self, folder, size):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _mount("none", self.folder, "tmpfs", 0, f"size={size},mode=700"):
            raise Failed(f"{self.folder}: cannot mount: {os.strerror(ctypes.get_errno())}")
        self.ballast = self.folder / "ballast"

    def room(self):
        room = os.statvfs(self.folder)
        return room.f_bavail * room.f_frsize

    def fill(self, left):
        """Leaves so many bytes free, to a page; the daemons may be writing meanwhile."""
        with contextlib.suppress(OSError), open(self.ballast, "ab", buffering=0) as ballast:
            for size in (1 << 20, 4096):
                while self.room() >= left + size:
                    ballast.write(bytes(size))

    def empty(self):
        self.ballast.unlink(missing_ok=True)

    def close(self):
        LIBC.umount2(os.fsencode(self.folder), MNT_DETACH)
