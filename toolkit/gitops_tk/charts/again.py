"""Charts whose renders may differ from each other, and the same chart at another moment."""

import re
from collections.abc import Mapping

from gitops_tk.charts.engine import ChartFiles

# Functions of Helm (Sprig) with random results, or with the time in them.
_DIFFERING = re.compile(
    rb"\b(?:rand\w+|gen(?:CA|PrivateKey|SelfSigned|Signed)\w*|uuidv4|htpasswd|bcrypt|encryptAES|shuffle|now|ago)\b"
)
_ACTION = re.compile(rb"\{\{.*?\}\}", re.DOTALL)
_TOKEN = re.compile(rb'"(?:\\.|[^"\\])*"|`[^`]*`|/\*.*?\*/|(?<![.$\w])now(?!\w)', re.DOTALL)
_ANOTHER_TIME = b'(toDate "2006-01-02T15:04:05Z07:00" "2001-02-03T04:05:06Z")'


def may_differ(chart: ChartFiles) -> bool:
    """Whether a chart has a function whose result differs from call to call; an archive in it may have any."""
    return any(
        bool(_DIFFERING.search(data)) if "templates/" in path else path.endswith(".tgz") and path.startswith("charts/")
        for path, data in chart.items()
    )


def at_another_moment(chart: ChartFiles) -> Mapping[str, bytes]:
    """The chart with another time in place of `now`: what shows the day alone differs as well then."""
    return {
        path: _ACTION.sub(lambda action: _TOKEN.sub(_moved, action[0]), data) if "templates/" in path else data
        for path, data in chart.items()
    }


def _moved(token: re.Match[bytes]) -> bytes:
    return _ANOTHER_TIME if token[0] == b"now" else token[0]
