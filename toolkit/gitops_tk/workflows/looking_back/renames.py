"""Services that were renamed: one comes and another goes in the same commit, with files that are much alike."""

from difflib import SequenceMatcher

from gitops_tk.config.load import load
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.snapshot import Snapshot

# As git's own rename detection has it (git-diff(1), `--find-renames`).
_ALIKE = 0.5


def renamed_from(before: Snapshot, after: Snapshot, service: str, env: str) -> str | None:
    """The name that a service had in the commit before, or None where it is a new one.

    Args:
        before: the repository before the commit with which the service came to the environment.
        after: the repository at that commit.
    """
    try:
        then, now = load(before), load(after)
        old, new = then.environment(env), now.environment(env)
    except GitopsTkError:
        return None
    gone = then.layout.find_gone(before, after, old)
    there = {one: then.layout.values_path(one, old) for one in gone}
    path = now.layout.values_path(service, new)
    text = after.read([path]).get(path)
    if text is None:
        return None
    # What has left its place because the layout moved is there under the new one.
    still = after.entries(now.layout.values_path(one, new) for one in gone)
    texts = before.read(place for one, place in there.items() if now.layout.values_path(one, new) not in still)
    likeness = {one: _likeness(texts[place], text) for one, place in there.items() if place in texts}
    best = max(likeness, key=lambda one: likeness[one], default=None)
    return best if best is not None and likeness[best] >= _ALIKE else None


def _likeness(one: bytes, other: bytes) -> float:
    return 1.0 if one == other else SequenceMatcher(None, one.splitlines(), other.splitlines(), autojunk=False).ratio()
