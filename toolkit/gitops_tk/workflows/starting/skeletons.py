"""What new services of a repository are made from: its own skeleton and answers, or the built-in ones."""

from msgspec.structs import asdict

from gitops_tk import resources
from gitops_tk.charts.answers import Given
from gitops_tk.charts.skeleton import Skeleton
from gitops_tk.config.model import Config
from gitops_tk.repository.elsewhere import files_in
from gitops_tk.workflows.views import Views


def skeleton_of(config: Config, views: Views) -> Skeleton:
    """The skeleton that gitops-tk.yaml names, or the built-in one.

    Raises:
        ChartError: it is broken.
        GitopsTkError: it cannot be read.
    """
    named = config.skeleton
    if named.url is not None and named.ref is not None:
        return Skeleton(views.elsewhere(named.url, named.ref, named.path or ""))
    if named.path is not None:
        return Skeleton(files_in(views.snapshot, named.path))
    return Skeleton.in_folder(resources.folder("chart-skeleton"))


def of_repository(config: Config) -> Given:
    """The answers that gitops-tk.yaml gives for every new service."""
    answers = asdict(config.skeleton.answers)
    hosts = answers.pop("hosts")
    return Given(**answers, hosts=None if hosts is None else tuple(hosts))
