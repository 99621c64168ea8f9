"""Every released version of the built-in skeleton: what a chart was made from, for bringing it to a newer one."""

import io
import lzma
import tarfile

from gitops_tk import resources
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.errors import ChartError

FOLDER = "released"


def versions() -> list[str]:
    """The versions that the package carries."""
    folder = resources.folder("chart-skeleton") / FOLDER
    return sorted(path.name.removesuffix(".tar.xz") for path in folder.glob("*.tar.xz"))


def skeleton(version: str) -> Skeleton:
    """The skeleton of a version.

    Raises:
        ChartError: the package carries no such version (code `unknown-skeleton`).
    """
    if version not in versions():
        raise ChartError(
            f"there is no version {version!r} of the skeleton in this gitops-tk",
            code="unknown-skeleton",
            hint=f"it carries {', '.join(versions())}; a newer gitops-tk may carry more",
        )
    packed = (resources.folder("chart-skeleton") / FOLDER / f"{version}.tar.xz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(packed))) as archive:
        members = [member for member in archive if member.isfile()]
        read = {member.name: archive.extractfile(member) for member in members}
        return Skeleton({name: file.read() for name, file in read.items() if file is not None}, trusted=True)
