"""Archives of charts, taken apart in memory: what an archive says of places and links decides nothing."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable

from gitops_tk.errors import ChartError

_MOST_BYTES = 100 * 1024 * 1024
# With the names of its files, and what fills up its blocks.
_MOST_UNPACKED = 2 * _MOST_BYTES


class Room:
    """How much archives may unfold to together: archives inside of archives multiply.

    Attributes:
        left: the bytes that the next ones may have.
    """

    def __init__(self) -> None:
        self.left = _MOST_UNPACKED


def unpacked(
    data: bytes, path: str, wanted: Callable[[str], bool] = lambda _: True, room: Room | None = None
) -> dict[str, bytes]:
    """The regular files of an archive, by the names that it gives them.

    Args:
        path: where the archive is, for messages.
        wanted: which of the names to read.
        room: what it shares with others; None for an archive of its own.

    Raises:
        ChartError: it is no archive, or larger than Helm takes.
    """
    found = {}
    size = 0
    room = room or Room()
    try:
        # What it unfolds to is limited before anything in it is believed.
        plain = gzip.GzipFile(fileobj=io.BytesIO(data)).read(room.left + 1)
        if len(plain) > room.left:
            raise _too_large(path)
        room.left -= len(plain)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for member in archive:
                size += member.size
                if size > _MOST_BYTES:
                    raise _too_large(path)
                content = archive.extractfile(member) if member.isfile() and wanted(member.name) else None
                if content:
                    found[member.name] = content.read()
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise ChartError(f"{path} is not a chart's archive: {error}", code="chart-load", file=path) from error
    return found


def chart(data: bytes, path: str) -> dict[str, bytes]:
    """The files of a packed chart, by their paths inside it: as Helm, without the folder that they are all in.

    Raises:
        ChartError: it is no chart's archive.
    """
    inside = ((name.partition("/")[2], content) for name, content in unpacked(data, path).items())
    files = {name: content for name, content in inside if name}
    if "Chart.yaml" not in files:
        raise ChartError(f"{path} is not a chart's archive: it has no Chart.yaml", code="no-chart", file=path)
    return files


def _too_large(path: str) -> ChartError:
    message = f"{path} is larger than 100 MiB, or what the archives of its chart hold together is"
    return ChartError(message, code="chart-too-large", file=path)
