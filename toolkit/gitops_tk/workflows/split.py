"""--split: the same change, as one commit or one proposal a service."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from gitops_tk.model.changes import ChangeSet, Plan


def split_by_service(whole: Plan, said: Callable[[ChangeSet, Sequence[str]], Plan]) -> Plan:
    """The plan with a plan for each of its services, in the order in which they come, with what gates say of it.

    Args:
        said: makes the plan of a change, with its message, for the services that it is about.
    """
    services = dict.fromkeys(change.service for change in whole.changeset.changes if change.service)

    def part(service: str) -> Plan:
        gates = tuple(gate for gate in whole.gates if gate.service == service)
        return replace(said(whole.changeset.of(service), [service]), gates=gates)

    return replace(whole, split=tuple(part(service) for service in services))
