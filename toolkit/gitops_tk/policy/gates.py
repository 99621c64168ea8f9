"""Gates: whether an image may come to an environment now, and else when.

Pure: the clock and the past are given. Each gate answers `passed`, `waiting` (with the time when it will pass, if
nothing else happens), `refused`, or `not-evaluated`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from gitops_tk.config.policy import Gates
from gitops_tk.model.changes import Answer, Gate
from gitops_tk.model.durations import rough
from gitops_tk.policy.past import Holding, Images, Past


class Arrival(Struct, frozen=True, kw_only=True):
    """Images that are to come to an environment.

    Attributes:
        sources: the environments that they may come from; of a promotion the one that it names.
        before: for each environment, those that it is promoted from.
        chart: the version of a published chart that comes along; empty where none does.
        here: what the environment holds now, for whoever could ask for another image; None where nobody could.
    """

    service: str
    env: str
    sources: Sequence[str]
    images: Images
    before: Mapping[str, Sequence[str]]
    chart: str = ""
    here: Images | None = None

    @property
    def version(self) -> str:
        """What people call the images, or the chart that comes without any."""
        none = f"chart {self.chart}" if self.chart else "no image"
        return " and ".join(dict.fromkeys(image.version for image in self.images.values())) or none

    def answer(self, gate: str, answer: Answer, message: str, until: float | None = None) -> Gate:
        """A gate's answer about these images."""
        moment = None if until is None else timestamp(until)
        return Gate(gate=gate, service=self.service, env=self.env, answer=answer, message=message, until=moment)


def judge(gates: Gates, arrival: Arrival, past: Past) -> list[Gate]:
    """The answers of all gates but commands, which are judged by running them."""
    answers = []
    if gates.order:
        answers.append(order(arrival, past))
    if gates.soak is not None:
        answers.append(soak(gates.soak, arrival, past))
    if gates.freeze:
        answers.append(freeze(gates, arrival, past.now))
    if gates.approvals is not None:
        asked = f"{gates.approvals} approval{'s' if gates.approvals != 1 else ''}"
        answers.append(arrival.answer("approvals", "not-evaluated", f"{asked}, which the forge counts"))
    return answers


def order(arrival: Arrival, past: Past) -> Gate:
    """Whether the images have been in every environment on some way to this one."""
    if not arrival.images:
        return arrival.answer("order", "passed", "no image comes")
    missing = [_missing(source, arrival, past) for source in arrival.sources]
    if None in missing:
        return arrival.answer("order", "passed", f"{arrival.version} has been in every environment before")
    never = " and ".join(dict.fromkeys(one for one in missing if one))
    return arrival.answer("order", "refused", f"{arrival.version} was never in {never}")


def soak(length: float, arrival: Arrival, past: Past) -> Gate:
    """Whether a source environment has held exactly these images for long enough, without a change."""
    if not arrival.images:
        return arrival.answer("soak", "passed", "no image comes")
    asked = rough(length)
    found = [(source, one) for source in arrival.sources for one in past.of(source, arrival.images)]
    if not found:
        sources = " or ".join(arrival.sources)
        return arrival.answer("soak", "refused", f"{sources} has never held {arrival.version}, and {asked} are asked")
    source, longest = max(found, key=lambda one: one[1].length(past.now))
    said = f"{source} has held {arrival.version} for {rough(longest.length(past.now))} of {asked}"
    if longest.length(past.now) >= length:
        return arrival.answer("soak", "passed", f"{source} has held {arrival.version} for {asked} or longer")
    running = [(name, one) for name, one in found if one.until is None]
    if not running:
        return arrival.answer("soak", "refused", f"{said}, and has something else now")
    source, one = max(running, key=lambda one: one[1].length(past.now))
    said = f"{source} has held {arrival.version} for {rough(one.length(past.now))} of {asked}"
    return arrival.answer("soak", "waiting", said, one.since + length)


def freeze(gates: Gates, arrival: Arrival, now: float) -> Gate:
    """Whether no window holds now."""
    from gitops_tk.config.windows import thaw

    holding = [one for one in gates.freeze if one.until(now) is not None]
    if not holding:
        return arrival.answer("freeze", "passed", f"no freeze of {arrival.env} holds now")
    reasons = "; ".join(dict.fromkeys(one.reason for one in holding))
    return arrival.answer("freeze", "waiting", f"{arrival.env} is frozen: {reasons}", thaw(gates.freeze, now))


def earliest(gates: Gates, closed: Sequence[Gate], now: float) -> float | None:
    """The earliest time when none of these answers stands in the way any more; None where nobody knows.

    A soak may end within a freeze, which then counts to its end.
    """
    times = [moment(one.until) for one in closed if one.answer == "waiting" and one.until]
    if not times or len(times) < len(closed):
        return None
    if not gates.freeze:
        return max(times)
    from gitops_tk.config.windows import thaw

    return thaw(gates.freeze, max(now, *times))


def soaked(length: float, env: str, past: Past) -> Holding | None:
    """The newest images that an environment has held for long enough, or None."""
    return next((one for one in past.environments.get(env, ()) if one.length(past.now) >= length), None)


def timestamp(at: float) -> str:
    """A time as programs read it: RFC 3339 in UTC, to the second that is not before it."""
    return datetime.fromtimestamp(-(-at // 1), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """The time that `timestamp` wrote."""
    return datetime.fromisoformat(text).timestamp()


def _missing(env: str, arrival: Arrival, past: Past) -> str | None:
    """The environment that the images have not been in, on the way that leads through `env`; None if there is none."""
    if not past.of(env, arrival.images):
        return env
    before = [_missing(one, arrival, past) for one in arrival.before.get(env, ())]
    return None if not before or None in before else before[0]
