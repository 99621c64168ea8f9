"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from gitops_tk.charts.rules.objects import Container, Object, Objects, Path, Pod
from gitops_tk.model.result import Severity


class Fault(Struct, frozen=True):
    """What a rule saw.

    Attributes:
        object: the object that has it.
        path: where in the object; what is missing has the path that it would have.
        message: what is wrong there.
    """

    object: Object
    path: Path
    message: str


Check = Callable[[Objects], Iterator[Fault]]


class Rule(Struct, frozen=True, kw_only=True):
    """A rule: a pure function over the objects of one release, and what people want to know about it.

    Attributes:
        name: stable, in kebab-case.
        summary: what holds where the rule is kept.
        reason: what happens where it is not.
        source: the document that says so.
        fix: what to do about a finding.
        check: finds the faults.
    """

    name: str
    severity: Severity
    summary: str
    reason: str
    source: str
    fix: str
    check: Check


class Finding(Struct, frozen=True, kw_only=True):
    """A fault with its rule.

    Attributes:
        rule: the rule's name.
        object: what the object is called, such as `Deployment user-service`.
        position: which of the release's objects it is, from 0.
        path: where in the object.
        template: the template it was rendered from, as Helm names it, or None.
    """

    rule: str
    severity: Severity
    object: str
    position: int
    path: Path
    message: str
    fix: str
    template: str | None


def rule(name: str, severity: Severity, *, summary: str, reason: str, source: str, fix: str) -> Callable[[Check], Rule]:
    """Makes a function a Rule."""

    def made(check: Check) -> Rule:
        return Rule(name=name, severity=severity, summary=summary, reason=reason, source=source, fix=fix, check=check)

    return made


def in_pod(pod: Pod, path: Path, message: str) -> Fault:
    """A fault in a pod's spec."""
    return Fault(pod.owner, (*pod.path, *path), message)


def in_container(container: Container, path: Path, message: str) -> Fault:
    """A fault in a container."""
    return Fault(container.pod.owner, (*container.path, *path), f"container {container.name}: {message}")


def findings(rules: Iterable[Rule], objects: Objects) -> list[Finding]:
    """What rules find in a release: in the order of its objects, then of the rules."""
    positions = {id(one): at for at, one in enumerate(objects.items)}
    found = [_finding(rule, fault, positions) for rule in rules for fault in rule.check(objects)]
    return sorted(found, key=lambda one: one.position)


def _finding(rule: Rule, fault: Fault, positions: dict[int, int]) -> Finding:
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        object=_printable(fault.object.label),
        position=positions[id(fault.object)],
        path=fault.path,
        message=_printable(fault.message),
        fix=rule.fix,
        template=fault.object.template,
    )


def _printable(message: str) -> str:
    # What a chart renders must not steer the terminal.
    return "".join(char if char.isprintable() else " " for char in message)[:400]
