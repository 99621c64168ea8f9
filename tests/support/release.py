"""Packs the current skeleton for `toolkit/gitops_tk/charts/released.py`: `python -m tests.support.release`.

Once a version of the package was published, the skeleton of its version stays as it is: a change needs a new version
in `skeleton.yaml`.
"""

import io
import lzma
import tarfile
from pathlib import Path

from gitops_tk import resources
from gitops_tk.charts.released import FOLDER
from gitops_tk.charts.skeleton import Skeleton


def current() -> Skeleton:
    """The skeleton as it is in the checkout."""
    return Skeleton.in_folder(resources.folder("chart-skeleton"))


def archive(skeleton: Skeleton) -> bytes:
    """A skeleton's files, packed; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as packed:
        for name in sorted(skeleton.files):
            member = tarfile.TarInfo(name)
            member.size = len(skeleton.files[name])
            packed.addfile(member, io.BytesIO(skeleton.files[name]))
    return lzma.compress(buffer.getvalue(), preset=9)


def place(skeleton: Skeleton) -> Path:
    """Where the archive of the skeleton's version is."""
    return resources.folder("chart-skeleton") / FOLDER / f"{skeleton.about.version}.tar.xz"


if __name__ == "__main__":
    place(current()).parent.mkdir(exist_ok=True)
    place(current()).write_bytes(archive(current()))
