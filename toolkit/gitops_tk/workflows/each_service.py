"""Services planned one after the other: what policy holds back is told together, or left behind."""

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from gitops_tk.errors import GitopsTkError, RefusedByPolicy
from gitops_tk.model.changes import Skipped
from gitops_tk.model.refusals import SeveralRefusals

T = TypeVar("T")


def plan_each(
    services: Iterable[str], env: str, plan: Callable[[str], T], skips: Collection[str], *, named: bool
) -> tuple[dict[str, T], list[Skipped]]:
    """Plans each service by itself.

    Args:
        env: the environment's name.
        plan: plans one service.
        skips: the codes of errors that do not end it at once.
        named: the services were named, and it is all or nothing; else those that are held back are left behind.

    Returns:
        The plans by service, and the services that are left behind.

    Raises:
        RefusedByPolicy: of services that were named, all that policy has against them.
        GitopsTkError: what a plan raises beside that.
    """
    planned: dict[str, T] = {}
    held_back: dict[str, GitopsTkError] = {}
    for service in services:
        try:
            planned[service] = plan(service)
        except GitopsTkError as error:
            if error.code not in skips or (named and not isinstance(error, RefusedByPolicy)):
                raise
            held_back[service] = error
    if named and held_back:
        refusals = list(held_back.values())
        raise refusals[0] if len(refusals) == 1 else SeveralRefusals(refusals)
    return planned, [skipped(service, env, error) for service, error in held_back.items()]


def skipped(service: str, env: str, error: GitopsTkError) -> Skipped:
    """What is told of a service that is left behind."""
    return Skipped(service=service, env=env, code=error.code, message=error.message)
