"""Since when an environment holds the images that it holds, told from the history of its values files."""

from collections.abc import Mapping, Sequence

from gitops_tk.config.model import Config, ImageKeys
from gitops_tk.errors import GitopsTkError
from gitops_tk.model.history import Version
from gitops_tk.model.image import Image
from gitops_tk.values.document import Document
from gitops_tk.values.image import read_image
from gitops_tk.values.merge import merge
from gitops_tk.workflows.views import Views


def since(
    views: Views, config: Config, env: str, images: Mapping[tuple[str, str], Image]
) -> dict[tuple[str, str], int]:
    """Since when, in seconds since 1970 (UTC), the services' own files in an environment say so, without a break.

    Args:
        images: by service and image.

    Returns:
        Nothing about an image that the file does not hold now, and nothing at all where there is no history to read.
    """
    environment = config.environment(env)
    paths = {service: config.layout.values_path(service, environment) for service, _ in images}
    places = [f"{env}/{service}" for service in paths]
    try:
        # The commits' own words say which are looked at: a page does not wait for every tree of ten years.
        versions = list(views.history(list(paths.values()), places=places, quick=True))
    except GitopsTkError:
        return {}
    found = {
        (service, name): _since(versions, paths[service], config.image_keys(service)[name], image)
        for (service, name), image in images.items()
        if name in config.image_keys(service)
    }
    return {key: time for key, time in found.items() if time is not None}


def _since(versions: Sequence[Version], path: str, keys: ImageKeys, image: Image) -> int | None:
    time = None
    seen: bytes | None = None
    for version in versions:
        data = version.files.get(path)
        if data is None:
            break
        if data != seen:
            seen = data
            held = _image(data, path, keys)
            # Build and revision tell about an image; they do not make it another one.
            if held is None or (held.tag, held.digest) != (image.tag, image.digest):
                break
        time = version.time
    return time


def _image(data: bytes, path: str, keys: ImageKeys) -> Image | None:
    try:
        return read_image(merge([Document.read(data, path)]), keys)
    except GitopsTkError:
        return None
