"""File systems that reach over a network: there locks and syncs are promises of somebody else, and ledgers break."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTINFO = Path("/proc/self/mountinfo")
_REMOTE = {
    *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "9p", "virtiofs", "vboxsf", "drvfs", "prl_fs"),
    *("afs", "coda", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "davfs"),
}
_REMOTE_FUSE = {
    *("sshfs", "glusterfs", "ceph", "ceph-fuse", "davfs2", "s3fs", "rclone", "gcsfuse", "goofys", "juicefs"),
    *("moosefs", "mfs", "seaweedfs", "curlftpfs", "smbnetfs", "gvfsd-fuse", "vmhgfs-fuse", "blobfuse", "blobfuse2"),
}


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a path lies: the mount point, the file system's type (`nfs4`, `fuse.sshfs`) and what is mounted."""

    point: str
    kind: str
    source: str

    @property
    def remote(self) -> bool:
        fuse, _, kind = self.kind.partition(".")
        return self.kind in _REMOTE or (fuse == "fuse" and kind in _REMOTE_FUSE)


def mount_of(path: Path, mountinfo: str | None = None) -> Mount | None:
    """The mount that `path` lies on, by the longest mount point (proc(5)); None where the system does not tell."""
    if mountinfo is None:
        if not MOUNTINFO.exists():
            return None
        mountinfo = MOUNTINFO.read_text(errors="surrogateescape")
        path = Path(os.path.realpath(path))
    mounts = [mount for line in mountinfo.splitlines() if (mount := _mount(line)) is not None]
    above = [mount for mount in mounts if PurePosixPath(path).is_relative_to(mount.point)]
    return max(reversed(above), key=lambda mount: len(mount.point), default=None)  # of two on one point the last


def _mount(line: str) -> Mount | None:
    """`36 35 98:0 / /mnt rw,noatime shared:1 - ext3 /dev/root rw`: optional fields end at a lone hyphen."""
    before, found, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not found or len(fields) < 6 or len(rest) < 2:
        return None
    return Mount(_plain(fields[4]), rest[0], _plain(rest[1]))


def _plain(text: str) -> str:
    r"""Space, tab, newline and backslash stand in it as \040, \011, \012 and \134."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
