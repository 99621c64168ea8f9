"""What a remote answered to a push: taken, lost the race, refused, or nobody knows.

The texts are git's own (`git push --porcelain`, send-pack, receive-pack) and those of GitHub, GitLab,
Gitea and Bitbucket as their users report them.
"""

import re
from typing import Literal

from msgspec import Struct

from gitops_tk.logins import redact
from gitops_tk.process import Completed

Answer = Literal["accepted", "raced", "refused", "unknown"]
_ATTENTION: tuple[Answer, ...] = ("refused", "unknown", "raced", "accepted")

_REFUSED = re.compile(
    r"hook declined|protected branch|gh0\d\d|gl-hook|not allowed to (?:push|force)|you are not allowed"
    r"|denied by|deny (?:updating|deleting)|refusing to (?:update|delete)|denynonfastforwards|denycurrentbranch"
    r"|exists; cannot create|branch is currently checked out|policy|permission|read-only|archived|unpacker error|quota"
)
_RACED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to (?:update|lock)|unable to (?:lock|create)"
    r"|incorrect old value provided|already exists|remote ref updated since checkout|is at [0-9a-f]+ but expected"
)


class Pushed(Struct, frozen=True):
    """A remote's answer, with what it said."""

    answer: Answer
    said: str = ""


def classify(done: Completed) -> Pushed:
    """Reads git's exit status, its porcelain lines and what the remote said.

    A refusal wins over a race: a hook that says "cannot lock ref" is still a hook. Without a line for a
    ref the push may have arrived all the same: its answer is unknown. Of several refs, the answer of the one that
    asks for most attention counts.
    """
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    failed = [line.rpartition("\t")[2] for line in lines if line.startswith("!\t")]
    # Git fills them with spaces up to the end of a progress line.
    remote = "\n".join(
        line.rstrip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.startswith("remote:")
    )
    if done.status == 0:
        return Pushed("accepted", redact(remote))
    if not failed:
        return Pushed("unknown", redact(done.stderr.decode("utf-8", "replace")).strip())
    return min((_classify(reason, remote) for reason in failed), key=lambda one: _ATTENTION.index(one.answer))


def _classify(reason: str, remote: str) -> Pushed:
    said = redact("\n".join(part for part in (reason, remote) if part))
    text = f"{reason}\n{remote}".lower()
    if "[remote rejected]" in reason and _REFUSED.search(text):
        return Pushed("refused", said)
    if _RACED.search(text):
        return Pushed("raced", said)
    if "[remote failure]" in reason:
        return Pushed("unknown", said)
    return Pushed("refused", said)
