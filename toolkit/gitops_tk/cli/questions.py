"""What new-service asks in a terminal, where it was not told enough."""

import os
import sys

import typer

from gitops_tk.charts.answers import Given
from gitops_tk.workflows.starting.suggestions import Suggested


def may_ask() -> bool:
    """Whether a person sits at both ends: never in CI."""
    return sys.stdin.isatty() and sys.stderr.isatty() and "CI" not in os.environ


def ask(given: Given, suggested: Suggested) -> Given:
    """Asks for what was not said, on standard error; an empty answer takes what is in brackets.

    Args:
        suggested: what is offered.
    """
    offered = suggested.answers
    kinds = f" ({', '.join(suggested.profiles)})" if suggested.profiles else ""
    service = given.service or _text("Service name", offered.service)
    hosts = given.hosts
    answered = Given(
        service=service,
        image=given.image or _text("Image repository, without a tag", _for(service, offered.image)),
        profile=given.profile or _text(f"Profile{kinds}", offered.profile or "http"),
        port=given.port or typer.prompt("Port", default=offered.port or 8080, type=int, err=True),
        hosts=hosts if hosts is not None else _hosts(service, offered.hosts or ()),
        owner=given.owner or _text("Team that owns it", offered.owner or "") or None,
    )
    return answered.over(given)


def _hosts(service: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    default = ",".join(host.replace("{service}", service) for host in offered)
    return tuple(_text("Host names, separated by commas", default).replace(",", " ").split())


def _text(question: str, default: str | None) -> str:
    answer: str = typer.prompt(question, default=default, show_default=bool(default), err=True)
    return answer.strip()


def _for(service: str, text: str | None) -> str | None:
    return text.replace("{service}", service) if text else text
