"""Which mounts reach over a network, read off the table of mounts as Linux writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.networks import mount_of

MOUNTS = r"""22 28 0:20 / /proc rw,nosuid shared:5 - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 28 0:35 / /var/lib rw,relatime shared:2 master:7 - xfs /dev/vdb rw
41 40 0:36 / /var/lib/nines rw,relatime - nfs4 filer:/export/nines rw,vers=4.2,addr=192.0.2.1
42 28 0:37 / /mnt/two\040words rw - cifs //filer/share rw
43 28 0:38 / /home/a/remote rw shared:9 - fuse.sshfs a@example.org:/ rw
44 28 0:39 / /home/a/archive rw - fuse.archivemount a.zip rw
45 28 0:40 / /srv rw - 9p host rw,trans=virtio
46 28 0:41 / /srv rw - tmpfs none rw
47 28 0:42 / /data rw - ceph 192.0.2.2:6789:/ rw
48 28 0:43 / /vols rw - fuse.glusterfs filer:vol rw
a line of another kind
"""


@pytest.mark.parametrize(
    ("path", "kind", "remote"),
    [
        ("/opt/nines.db", "ext4", False),
        ("/var/lib/other/nines.db", "xfs", False),
        ("/var/lib/nines/nines.db", "nfs4", True),
        ("/var/lib/nines-old/nines.db", "xfs", False),
        ("/mnt/two words/nines.db", "cifs", True),
        ("/home/a/remote/x/nines.db", "fuse.sshfs", True),
        ("/home/a/archive/nines.db", "fuse.archivemount", False),
        ("/srv/nines.db", "tmpfs", False),  # what is mounted last over a point is seen
        ("/data/nines.db", "ceph", True),
        ("/vols/nines.db", "fuse.glusterfs", True),
    ],
)
def test_the_longest_mount_point_says_where_a_ledger_lies(path: str, kind: str, remote: bool) -> None:
    mount = mount_of(Path(path), MOUNTS)
    assert mount is not None
    assert (mount.kind, mount.remote) == (kind, remote)


def test_a_path_on_no_mount_and_a_table_without_lines_say_nothing() -> None:
    assert mount_of(Path("/x"), "") is None
    assert mount_of(Path("/x"), "22 28 0:20 / /proc rw - proc proc rw\n") is None


def test_this_machine_s_own_table_is_read(tmp_path: Path) -> None:
    mount = mount_of(tmp_path / "nines.db")
    assert mount is not None
    assert str(tmp_path).startswith(mount.point)
