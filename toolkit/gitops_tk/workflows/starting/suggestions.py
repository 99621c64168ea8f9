"""What a person who starts a service is offered: out of the Go module, the git remote and gitops-tk.yaml."""

from pathlib import Path

from msgspec import Struct

from gitops_tk import resources
from gitops_tk.charts.answers import Given
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import CheckoutLocation, locate
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.starting.application import module_of, repository_of
from gitops_tk.workflows.starting.skeletons import of_repository

# Where a forge keeps the images of its repositories; any other host is offered as it is.
_REGISTRIES = {"github.com": "ghcr.io", "gitlab.com": "registry.gitlab.com"}


class Suggested(Struct, frozen=True):
    """What is likely meant; a person may still say otherwise.

    Attributes:
        profiles: the kinds of services that there are; empty where that is not known yet.
    """

    answers: Given
    profiles: tuple[str, ...]


def suggested(options: Options, app_dir: Path | None) -> Suggested:
    """What is offered where nothing was said.

    Args:
        app_dir: the application's folder; None for none.
    """
    config = _config(options)
    own = config is not None and (config.skeleton.url or config.skeleton.path)
    profiles = () if own else tuple(Skeleton.in_folder(resources.folder("chart-skeleton")).about.profiles)
    answers = of_repository(config) if config is not None else Given()
    return Suggested(answers.over(_of_application(app_dir)) if app_dir else answers, profiles)


def _of_application(folder: Path) -> Given:
    module, remote = module_of(folder), repository_of(folder)
    host, _, path = (remote or "").partition("/")
    return Given(
        service=module.rpartition("/")[2] if module else None,
        image=f"{_REGISTRIES.get(host, host)}/{path}".lower() if remote else None,
    )


def _config(options: Options) -> Config | None:
    # A remote is read when the service is planned, and not twice; what is broken is told then.
    try:
        location = locate(options.repo, options.cwd, options.environ)
        return load(Checkout(location.root).snapshot()) if isinstance(location, CheckoutLocation) else None
    except GitopsTkError:
        return None
