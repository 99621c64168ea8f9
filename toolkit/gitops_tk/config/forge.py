"""The `forge` section of gitops-tk.yaml: where pull requests are opened, and what they come with."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

ForgeKind = Literal["git", "github", "gitlab", "gitea", "bitbucket", "bitbucket-dc", "azure"]
MergeMethod = Literal["merge", "squash", "rebase"]


def _text(description: str) -> Any:
    return Meta(description=description)


class FileForge(
    Struct,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"auto_merge": "auto-merge", "merge_method": "merge-method"},
):
    """The forge that holds the repository, and what its pull requests come with."""

    kind: Annotated[ForgeKind | None, _text("Its kind; default: told from the remote.")] = None
    repository: Annotated[
        str | None, _text("The repository's name there, such as team/gitops; default: told from the remote.")
    ] = None
    labels: Annotated[list[str], _text("The labels of a new pull request.")] = []
    reviewers: Annotated[
        list[str], _text("Who is asked to review a new pull request: user names, and team:NAME for a team.")
    ] = []
    draft: Annotated[bool, _text("Whether pull requests are opened as drafts.")] = False
    auto_merge: Annotated[bool, _text("Whether the forge merges a pull request once its own conditions are met.")] = (
        False
    )
    merge_method: Annotated[MergeMethod, _text("How a pull request is merged.")] = "merge"
