"""One service in one environment, before and after a pull request: what differs, by what the layers merge to."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gitops_tk.config.model import Config
from gitops_tk.config.patterns import Segments
from gitops_tk.errors import EditRefused
from gitops_tk.model.image import Image
from gitops_tk.policy.keys import changed, leaves
from gitops_tk.policy.order import older_by
from gitops_tk.policy.review.model import Blind, Key, Move, Unreadable
from gitops_tk.values.image import ambiguous, image_leaves, read_image, without_images
from gitops_tk.values.keys import KeyPath, format_key
from gitops_tk.values.merge import Merged
from gitops_tk.values.strays import only_white, stray_lines
from gitops_tk.workflows.gating.places import moved
from gitops_tk.workflows.layers import Layers


class Seen(Struct, frozen=True, kw_only=True):
    """What differs in one service's values in one environment.

    Attributes:
        old: its layers on the base.
        new: the same with the pull request.
        moves: the images that change.
        keys: the values that change, images apart, as the layers merge.
        own: those that change in its own file; empty where the file comes or goes.
        protected: those of the keys that are protected.
        places: what says where its images are pulled from, and changes: what it will be.
        lower: whether the images change though its own file keeps what it says of them.
    """

    old: Layers
    new: Layers
    moves: tuple[Move, ...]
    keys: tuple[Key, ...]
    own: tuple[Key, ...]
    protected: tuple[Key, ...]
    places: Mapping[KeyPath, str | None]
    lower: bool

    @property
    def comes(self) -> bool:
        """Whether the service is new in the environment."""
        return self.old.own is None

    @property
    def goes(self) -> bool:
        """Whether it is in the environment no longer."""
        return self.new.own is None

    @property
    def differs(self) -> bool:
        """Whether anything does, be it the bytes of its own file."""
        return bool(self.moves or self.keys or self.places) or self.old.own != self.new.own

    @property
    def images(self) -> dict[str, Image]:
        """The images that come, by their names."""
        return {move.name: move.after for move in self.moves if move.after is not None and move.after.version}


def seen(config: Config, old: Layers, new: Layers) -> Seen | None:
    """What differs; None where nothing can be said: it is not there, or cannot be read.

    Args:
        config: the base's configuration.
    """
    # What nobody could read below its own file says nothing; what mends it comes new.
    before, after = _legible(old), _merged(new)
    if (before is None and after is None) or (new.own is not None and after is None):
        return None
    ours, theirs = (_plain(config, old.service, merged.data if merged else {}) for merged in (before, after))
    moves = _moves(config, old.service, before, after)
    both = old.own is not None and new.own is not None and before is not None
    patterns = config.environment(old.env).policy.protected if both else ()
    return Seen(
        old=old,
        new=new,
        moves=moves,
        keys=_keys(ours, theirs, after, before),
        own=_own_keys(config, old, new) if both else (),
        protected=tuple(_key(key, ours, theirs, after, before) for key in changed(patterns, ours, theirs)),
        places=moved(config, old, new),
        lower=bool(moves) and both and _own_images(config, old) == _own_images(config, new),
    )


def blind(config: Config, new: Layers) -> Blind | None:
    """Why nothing can be told of what a service's values will be; None where it can, or where the service goes.

    Args:
        config: the base's configuration.
        new: its layers with the pull request.
    """
    if new.own is None:
        return None
    try:
        twice = ambiguous(new.merged, config.image_keys(new.service).values())
    except EditRefused as error:
        fault = Unreadable(error.message, error.line)
        return Blind(service=new.service, env=new.env, path=error.file or new.own_path, fault=fault)
    if twice is None:
        return None
    origin = new.merged.nearest(twice)
    fault = Unreadable(
        f"{format_key(twice)} is there twice: readers differ on which counts", origin.line if origin else None
    )
    return Blind(service=new.service, env=new.env, path=origin.file if origin else new.own_path, fault=fault)


def placed(one: Seen, path: KeyPath, after: str | None) -> Key:
    """What says where an image is pulled from, as a key that changes."""
    new, old = _merged(one.new), _legible(one.old)
    origin = (new.nearest(path) if new else None) or (old.nearest(path) if old else None)
    return Key(
        key=format_key(path),
        segments=(),
        before=old.get(path) if old else None,
        after=after,
        file=origin.file if origin else None,
        line=origin.line if origin else None,
    )


def strays(one: Seen, *, delivered: bool) -> tuple[int, ...]:
    """The lines of its own file that change for nothing.

    Args:
        delivered: images come, and so nothing but what is new may change; else only white space is looked at.
    """
    before, after = one.old.own, one.new.own
    if before is None or after is None or before == after:
        return ()
    try:
        _ = one.old.document
    except EditRefused:
        # Of what nobody could read, no line can be told to say the same.
        return ()
    found = stray_lines(before, after, one.new.own_path)
    return found if delivered or (only_white(before, after) and not one.own) else ()


def _merged(layers: Layers) -> Merged | None:
    if layers.own is None:
        return None
    try:
        return layers.merged
    except EditRefused:
        return None


def _legible(layers: Layers) -> Merged | None:
    if layers.own is None:
        return None
    try:
        return layers.legible
    except EditRefused:
        return None


def _moves(config: Config, service: str, before: Merged | None, after: Merged | None) -> tuple[Move, ...]:
    found = []
    for name, keys in config.image_keys(service).items():
        one = read_image(before, keys) if before else None
        other = read_image(after, keys) if after else None
        if one != other:
            older = older_by(one, other) if one and other else None
            found.append(Move(name=name, before=one, after=other, older=older))
    return tuple(found)


def _plain(config: Config, service: str, data: dict[str, Any]) -> dict[str, Any]:
    return without_images(data, config.image_keys(service).values())


def _own(config: Config, layers: Layers) -> dict[str, Any]:
    return _plain(config, layers.service, layers.document.data)


def _own_keys(config: Config, old: Layers, new: Layers) -> tuple[Key, ...]:
    found = []
    for key in _keys(_own(config, old), _own(config, new), None, None):
        place = new.document.find(key.segments) or old.document.find(key.segments)
        found.append(replace(key, file=new.own_path, line=place.line if place else None))
    return tuple(found)


def _own_images(config: Config, layers: Layers) -> list[str]:
    paths = {leaf for keys in config.image_keys(layers.service).values() for leaf in image_leaves(keys)}
    found = (layers.document.find(path) for path in sorted(paths))
    return [repr(one.value) if one else "" for one in found]


def _keys(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    new: Merged | None,
    old: Merged | None,
) -> tuple[Key, ...]:
    ours, theirs = dict(leaves(before)), dict(leaves(after))
    every = dict.fromkeys((*ours, *theirs))
    differ = dict.fromkeys(key for key in every if repr(ours.get(key)) != repr(theirs.get(key)))
    differ |= dict.fromkeys(key for key in every if (key in ours) != (key in theirs))
    # A map that becomes empty, or comes so, is told by what was or will be in it.
    empty = {key for key in differ if ours.get(key) == {} or theirs.get(key) == {}}
    above = {key[:length] for key in differ for length in range(1, len(key))}
    told = [key for key in differ if key not in empty or key not in above]
    return tuple(_key(key, before, after, new, old) for key in told)


def _key(
    key: Segments,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    new: Merged | None,
    old: Merged | None,
) -> Key:
    origin = (new.nearest(key) if new else None) or (old.nearest(key) if old else None)
    return Key(
        key=format_key(key),
        segments=key,
        before=_at(before, key),
        after=_at(after, key),
        file=origin.file if origin else None,
        line=origin.line if origin else None,
    )


def _at(data: Any, key: Segments) -> Any:
    for step in key:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
