"""What remotes answer to a push, in the words that git and the forges use."""

import pytest

from gitops_tk.process import Completed
from gitops_tk.repository.push import classify

_OURS = "abc:refs/heads/main"


def _rejected(reason: str, remote: str = "") -> Completed:
    said = "".join(f"remote: {line}\n" for line in remote.splitlines())
    return Completed(1, f"To x\n!\t{_OURS}\t{reason}\nDone\n".encode(), f"{said}error: failed to push\n".encode())


@pytest.mark.parametrize(
    ("done", "answer"),
    [
        (Completed(0, b"To x\n \tabc:refs/heads/main\ta..b\nDone\n", b""), "accepted"),
        (Completed(0, b"To x\n*\tabc:refs/heads/x\t[new branch]\nDone\n", b""), "accepted"),
        (Completed(0, b"To x\n=\tabc:refs/heads/x\t[up to date]\nDone\n", b""), "accepted"),
        (_rejected("[rejected] (fetch first)"), "raced"),
        (_rejected("[rejected] (non-fast-forward)"), "raced"),
        (_rejected("[rejected] (stale info)"), "raced"),
        (_rejected("[remote rejected] (cannot lock ref 'refs/heads/main': is at aaaa but expected bbbb)"), "raced"),
        (_rejected("[remote rejected] (failed to update ref)"), "raced"),
        (_rejected("[remote rejected] (incorrect old value provided)"), "raced"),
        (_rejected("[remote rejected] (reference already exists)"), "raced"),
        (_rejected("[remote rejected] (pre-receive hook declined)"), "refused"),
        (_rejected("[remote rejected] (pre-receive hook declined)", "cannot lock ref, says the hook"), "refused"),
        (
            _rejected("[remote rejected] (protected branch hook declined)", "error: GH006: Protected branch update"),
            "refused",
        ),
        (
            _rejected(
                "[remote rejected] (push declined due to repository rule violations)", "error: GH013: denied by rule"
            ),
            "refused",
        ),
        (
            _rejected(
                "[remote rejected] (pre-receive hook declined)",
                "GitLab: You are not allowed to push code to protected branches",
            ),
            "refused",
        ),
        (
            _rejected("[remote rejected] (hook declined)", "Gitea: Not allowed to push to protected branch main"),
            "refused",
        ),
        (_rejected("[remote rejected] (unpacker error)"), "refused"),
        (_rejected("[remote failure] (remote failed to report status)"), "unknown"),
        (Completed(128, b"", b"fatal: the remote end hung up unexpectedly\n"), "unknown"),
        (Completed(128, b"", b"error: RPC failed; curl 52 Empty reply from server\n"), "unknown"),
    ],
)
def test_a_race_is_told_apart_from_a_refusal_and_from_a_lost_answer(done: Completed, answer: str) -> None:
    assert classify(done).answer == answer


def test_what_the_remote_said_is_kept_without_logins() -> None:
    pushed = classify(
        _rejected("[remote rejected] (pre-receive hook declined)", "see https://user:s3cret@example.com/x")
    )
    assert "pre-receive hook declined" in pushed.said
    assert "s3cret" not in pushed.said
