"""The forge of a repository that has no gitops-tk.yaml yet."""

from gitops_tk.config.model import ForgeKind
from gitops_tk.errors import GitopsTkError
from gitops_tk.forges import place


def forge_of(home: str | None) -> ForgeKind | None:
    """The kind of forge that a remote's URL tells for certain; None where it may be told later.

    Args:
        home: the remote's URL; None where there is no remote.
    """
    if home is None:
        return None
    try:
        kind = place.find(home, {}).kind
    except GitopsTkError:
        return None
    # A host that is not known by its name may be any forge's; a folder is none's.
    return None if kind == "git" and not home.startswith("file://") else kind
