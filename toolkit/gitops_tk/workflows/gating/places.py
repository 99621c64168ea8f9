"""Where images are pulled from: what an environment says of it comes from the environments that it is promoted from.

It is judged on what the layers merge to, so that a shared file, a chart's default or a new service is no way around.
What stays as it was may differ from the source for good: an environment may pull from a registry of its own.
"""

from collections.abc import Callable, Iterable, Mapping

from gitops_tk.config.model import Config, Environment
from gitops_tk.errors import EditRefused, RefusedByPolicy
from gitops_tk.model.changes import Gate
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.values.image import image_places
from gitops_tk.values.keys import KeyPath, format_key
from gitops_tk.values.merge import Merged
from gitops_tk.workflows.gating.gates import Judge
from gitops_tk.workflows.layers import Layers, read_layers
from gitops_tk.workflows.looking_back.past import Look
from gitops_tk.workflows.views import Views

_ALLOWED = "foreign-repository"
# What a service's values in an environment merge to, or have merged to.
Held = Callable[[str, str], Iterable[Merged]]


def moved(config: Config, old: Layers, new: Layers) -> dict[KeyPath, str | None]:
    """What says where a service's images are pulled from and changes: what it will be, by its keys; None for nothing.

    Args:
        old: its values in an environment, before the change.
        new: the same after it.
    """
    before = _places(config, old) if old.own is not None else {}
    after = _places(config, new) if new.own is not None else before
    return {key: after.get(key) for key in {**before, **after} if before.get(key) != after.get(key)}


class Places:
    """Looks for places that images were never pulled from in a source.

    Args:
        base: the repository before the change.
        held: what the environments hold and have held before the change.
    """

    def __init__(self, base: Snapshot, config: Config, held: Held) -> None:
        self._base = base
        self._config = config
        self._held = held

    def foreign(self, old: Layers, wanted: Mapping[KeyPath, str | None]) -> dict[KeyPath, str | None]:
        """Those of the places that change which no source, nor the environment itself, has had.

        Args:
            old: the service's values in an environment, before the change.
            wanted: see `moved`.
        """
        environment = self._config.environment(old.env)
        if not environment.from_:
            return {}
        known = (*environment.from_, *([old.env] if old.own is not None else []))
        left = {key: value for key, value in wanted.items() if not self._is_held(old.service, known, key, value)}
        return self._not_shared(environment, old, left) if left and old.own is None else left

    def _is_held(self, service: str, envs: Iterable[str], key: KeyPath, value: str | None) -> bool:
        images = self._config.image_keys(service).values()
        return any(image_places(one, images).get(key) == value for env in envs for one in self._held(service, env))

    def _not_shared(
        self, environment: Environment, old: Layers, wanted: Mapping[KeyPath, str | None]
    ) -> dict[KeyPath, str | None]:
        """Of a new service, what is not what the environment's services share, and have."""
        shared = _places(self._config, old)
        services = self._config.layout.find_services(self._base, [environment])
        layers = read_layers(self._base, self._config, [(service, environment.name) for service in services])
        there = [_places(self._config, one) for one in layers.values()]
        return {
            key: value
            for key, value in wanted.items()
            if shared.get(key) != value or not any(one.get(key) == value for one in there)
        }


def _places(config: Config, layers: Layers) -> dict[KeyPath, str]:
    try:
        return image_places(layers.merged, config.image_keys(layers.service).values())
    except EditRefused:
        return {}


def keep_places(judge: Judge, views: Views, config: Config, layers: Layers, changed_layers: Layers) -> tuple[Gate, ...]:
    """Refuses to pull images from where no source has pulled them from.

    Args:
        layers: a service's values in an environment, before the change.
        changed_layers: the same after it.

    Returns:
        An answer for what is changed because a person has overridden it.

    Raises:
        RefusedByPolicy: code `foreign-repository`.
    """

    def held(service: str, env: str) -> Iterable[Merged]:
        return Look(views, [service], [env]).values(service, env)

    environment = config.environment(layers.env)
    keys = Places(views.snapshot, config, held).foreign(layers, moved(config, layers, changed_layers))
    if not keys:
        return ()
    names, sources = ", ".join(map(format_key, keys)), " or ".join(environment.from_)
    error = RefusedByPolicy(
        f"{names} of {layers.service} would be in {layers.env} what it was never in {sources}",
        code="foreign-repository",
        hint="set it in the source first"
        + ("; --override foreign-repository --reason TEXT" if _ALLOWED in environment.policy.override else ""),
        file=layers.own_path,
    )
    return judge.drop(error, layers.service, layers.env)
