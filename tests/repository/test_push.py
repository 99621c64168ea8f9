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
        (_rejected("[rejected] (stale info)", "this repository has a policy: see CONTRIBUTING"), "raced"),
        (_rejected("[remote rejected] (unpacker error)"), "refused"),
        (_rejected("[remote failure] (remote failed to report status)"), "unknown"),
        (Completed(128, b"", b"fatal: the remote end hung up unexpectedly\n"), "unknown"),
        (Completed(128, b"", b"error: RPC failed; curl 52 Empty reply from server\n"), "unknown"),
    ],
)
def test_a_race_is_told_apart_from_a_refusal_and_from_a_lost_answer(done: Completed, answer: str) -> None:
    assert classify(done).answer == answer


@pytest.mark.parametrize(
    ("reasons", "answer"),
    [
        (["[rejected] (stale info)", "[remote rejected] (pre-receive hook declined)"], "refused"),
        (["[rejected] (stale info)", "[remote failure] (remote failed to report status)"], "unknown"),
        (["[rejected] (stale info)", "[rejected] (fetch first)"], "raced"),
    ],
)
def test_of_several_branches_the_answer_that_asks_for_most_attention_counts(reasons: list[str], answer: str) -> None:
    for order in (reasons, reasons[::-1]):
        lines = "".join(f"!\t{_OURS}\t{reason}\n" for reason in order)
        assert classify(Completed(1, f"To x\n{lines}Done\n".encode(), b"")).answer == answer


def test_what_is_said_of_other_pushes_is_kept_without_logins() -> None:
    lost = classify(Completed(128, b"", b"fatal: unable to access 'https://user:s3cret@example.com/x/'\n"))
    taken = classify(Completed(0, b"", b"remote: open it at https://user:s3cret@example.com/x/pulls/new\n"))
    assert "unable to access" in lost.said
    padded = classify(Completed(1, b"!\tx:y\t[remote rejected] (pre-receive hook declined)\n", b"remote: no        \n"))
    assert padded.said.endswith("remote: no")
    assert "pulls/new" in taken.said
    assert "s3cret" not in lost.said + taken.said


def test_what_the_remote_said_is_kept_without_logins() -> None:
    pushed = classify(
        _rejected("[remote rejected] (pre-receive hook declined)", "see https://user:s3cret@example.com/x")
    )
    assert "pre-receive hook declined" in pushed.said
    assert "s3cret" not in pushed.said
