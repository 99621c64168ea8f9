"""pipeline add: CI files that call the tool, for the GitOps repository or for an application's.

`pipelines/steps.yaml` describes the steps once; below `pipelines/SYSTEM/` are the templates of a system's files, at the
paths that the files get. GitLab's components, which this project's own `templates/` holds, are a third side.
Delimiters are `<{ }>`, `<% %>` and `<# #>`, which no CI system uses.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from gitops_tk import __version__, resources
from gitops_tk.config.load import load
from gitops_tk.config.model import Config
from gitops_tk.errors import GitopsTkError, UsageError
from gitops_tk.model import names
from gitops_tk.model.changes import Change, ChangeSet, Plan, Write
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.diff import unified
from gitops_tk.repository.location import CheckoutLocation, locate
from gitops_tk.repository.remote import Remote
from gitops_tk.repository.worktree import WorktreeSnapshot, check_target, write
from gitops_tk.values.keys import parse_key
from gitops_tk.workflows.affected import publish_by
from gitops_tk.workflows.author import author
from gitops_tk.workflows.layers import read_layers, require
from gitops_tk.workflows.messages import proposal_branch, trailers
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.starting.application import address_of
from gitops_tk.workflows.views import Views, look_back

SYSTEMS = ("github", "gitlab", "jenkins", "tekton")
Side = Literal["gitops", "application", "component"]
# A repository of images, as registries name them (OCI distribution specification, "Pulling manifests"), with its host.
_IMAGE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+")
# What CI systems would take for an expression of their own is in no address.
_ADDRESS = re.compile(r"[\w.~:/@%+-]+")
_COMMAND = "pipeline add"
_MAIN = "main"


class PipelineExists(GitopsTkError):
    """A pipeline's file is there already and says something else."""

    default_code = "pipeline-exists"


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A step: its commands, and the variables of the environment that they use."""

    run: str
    variables: tuple[str, ...] = ()


class Description(Struct, frozen=True, forbid_unknown_fields=True):
    """What `pipelines/steps.yaml` says.

    Attributes:
        images: the containers of programs, pinned.
        actions: GitHub's actions, pinned by commit.
        schedules: when things run by themselves.
        constants: variables that are the same on every system.
    """

    images: dict[str, str]
    actions: dict[str, str]
    schedules: dict[str, str]
    constants: dict[str, str]
    steps: dict[str, Step]


class PipelineRequest(Struct, frozen=True, kw_only=True):
    """Which files are asked for.

    Attributes:
        app_dir: the application's folder, for its side; None for the GitOps repository's.
        service: the service that the application is, for its side.
        env: the environment that builds go to; None for the first one that takes them.
    """

    system: str
    app_dir: Path | None = None
    service: str | None = None
    env: str | None = None

    def check(self) -> None:
        """Refuses a system that there is not, and options without the one that they belong to.

        Raises:
            UsageError: with what there is.
        """
        if self.system not in SYSTEMS:
            raise UsageError(
                f"there are no pipelines for {self.system!r}",
                code="unknown-system",
                hint=f"there are {', '.join(SYSTEMS)}",
            )
        if (self.app_dir is None) != (self.service is None):
            raise UsageError(
                "--app-dir and --service go together", hint="--app-dir ../user-service --service user-service"
            )
        if self.env is not None and self.app_dir is None:
            raise UsageError("--env is for the application's pipeline", hint="add --app-dir and --service")


def add(request: PipelineRequest, options: Options) -> Result:
    """Writes a system's files: into the GitOps repository, or into the application's folder.

    Raises:
        UsageError: the request is not one, or names what there is not.
        PipelineExists: a file is there and differs; nothing is ever overwritten.
        GitopsTkError: the repository cannot be read or written.
    """
    request.check()
    if request.app_dir is None:
        branch = _main_branch(options)
        return author(_COMMAND, lambda views, intent: plan(request, views, intent, branch), options)
    if options.commit:
        raise UsageError("--commit is for the GitOps repository", hint="commit the application's files yourself")
    with look_back(options) as views:
        files = render(request.system, "application", _application(request, views))
    return _outside(request.app_dir, files, dry_run=options.dry_run)


def plan(request: PipelineRequest, views: Views, intent: Any, branch: str) -> Plan:
    """Plans the files of the GitOps repository; those that are there already with the same bytes are left alone.

    Args:
        branch: what pull requests are merged into.

    Raises:
        PipelineExists: a file is there and differs.
    """
    config = load(views.snapshot)
    changeset = _missing(views.snapshot, render(request.system, "gitops", _repository(config, branch)))
    return Plan(
        changeset=changeset,
        intent=intent,
        subject=f"{_COMMAND}: {request.system}",
        body="Checks of pull requests, promotions, and waiting for Argo CD.",
        trailers=trailers(_COMMAND, changeset.changes),
        publish=publish_by(config, changeset.operations),
        proposal=proposal_branch("_", [f"pipeline-{request.system}"]),
    )


def describe(text: str) -> Description:
    """Reads the common description.

    Raises:
        GitopsTkError: it is not one (code `pipelines`).
    """
    import yaml

    try:
        return msgspec.convert(yaml.safe_load(text), Description)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise GitopsTkError(f"pipelines/steps.yaml: {error}", code="pipelines") from error


def render(
    system: str, side: Side, context: Mapping[str, Any], description: Description | None = None
) -> dict[str, bytes]:
    """The files of one side on one system, by their paths.

    Args:
        context: what the repository and the service are called.
        description: the steps; None for the built-in ones.

    Raises:
        GitopsTkError: a template does not know a variable that a step uses (code `pipelines`).
    """
    root = resources.folder("pipelines")
    said = description or describe((root / "steps.yaml").read_text(encoding="utf-8"))

    def given(step: str, where: Mapping[str, str], constant: str = "{}") -> dict[str, str]:
        known = {**{name: constant.replace("{}", value) for name, value in said.constants.items()}, **where}
        missing = [name for name in said.steps[step].variables if name not in known]
        if missing:
            raise GitopsTkError(f"{system} does not say where {step} has {missing[0]} from", code="pipelines")
        return {name: known[name] for name in said.steps[step].variables}

    environment = _environment(root / system)
    known = {**msgspec.structs.asdict(said), **context, "given": given, "package": f"gitops-tk[all]=={__version__}"}
    folder = root / system / side
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = environment.from_string(path.read_text(encoding="utf-8")).render(known)
        files[path.relative_to(folder).as_posix()] = (text.strip("\n") + "\n").encode()
    return files


def _environment(folder: Path) -> Any:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        variable_start_string="<{",
        variable_end_string="}>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    # JSON in ASCII is YAML that every reader takes for the same string.
    environment.filters["yaml"] = lambda text: json.dumps(str(text))
    environment.filters["groovy"] = lambda text: "'" + _in_groovy(str(text)) + "'"
    environment.filters["script"] = lambda text: _in_groovy(str(text))
    return environment


def _in_groovy(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _main_branch(options: Options) -> str:
    if options.branch:
        return options.branch
    location = locate(options.repo, options.cwd, options.environ)
    if isinstance(location, CheckoutLocation):
        return Checkout(location.root, options.environ).main_branch or _MAIN
    with Remote(location, None, options.environ) as remote:
        remote.snapshot()
        return remote.branch


def _repository(config: Config, branch: str) -> dict[str, Any]:
    return {
        "environments": [environment.name for environment in config.environments],
        "promotions": [
            {"source": source, "target": environment.name}
            for environment in config.environments
            for source in environment.from_
        ],
        "branch": branch,
    }


def _application(request: PipelineRequest, views: Views) -> dict[str, Any]:
    config = load(views.snapshot)
    service = names.service(request.service or "")
    entries = [environment for environment in config.environments if "bump" in environment.accepted]
    environment = config.environment(request.env) if request.env else (entries or config.environments)[0]
    layers = read_layers(views.snapshot, config, [(service, environment.name)])[service, environment.name]
    require(layers, views.snapshot, config, environment)
    image = layers.merged.get(parse_key("image.repository"))
    if not isinstance(image, str) or not _IMAGE.fullmatch(image):
        raise UsageError(
            f"the values of {service} in {environment.name} do not say where its images are",
            code="no-image-repository",
            hint=f"gitops-tk values set {service} -e {environment.name} image.repository=REPOSITORY",
        )
    url = views.home()
    if url is None:
        raise UsageError(
            "the GitOps repository has no remote, to which builds could be brought",
            code="no-remote",
            hint="add one: git remote add origin URL; or give --repo URL",
        )
    place = address_of(url)
    # Tokens are for HTTPS.
    address = f"https://{place}.git" if place and not url.startswith(("http://", "https://")) else url
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"the GitOps repository's address {address!r} has no place in a pipeline", code="bad-remote")
    owner, _, name = address.removesuffix(".git").rpartition("/")
    return {
        "service": service,
        "environment": environment.name,
        "image": image,
        "registry": image.split("/")[0],
        "repository": address,
        "owner": owner.rpartition("/")[2],
        "name": name,
        "branch": (request.app_dir and Checkout(request.app_dir).main_branch) or _MAIN,
    }


def _missing(snapshot: Snapshot, files: Mapping[str, bytes], folder: Path | None = None) -> ChangeSet:
    entries = snapshot.entries(files)
    there = snapshot.read([path for path, entry in entries.items() if entry.is_file])
    shown = {path: str(folder / path) if folder else path for path in files}
    for path in entries:
        if there.get(path) != files[path]:
            raise PipelineExists(
                f"{shown[path]} is there already, and is not what would be written",
                hint="move it away and compare the two: nothing is overwritten",
                file=shown[path],
            )
    missing = [path for path in files if path not in entries]
    return ChangeSet(
        tuple(Write(path, files[path]) for path in missing),
        tuple(Change(kind="pipeline", file=shown[path], to="added") for path in missing),
    )


def _outside(folder: Path, files: Mapping[str, bytes], *, dry_run: bool) -> Result:
    snapshot = WorktreeSnapshot(folder)
    changeset = _missing(snapshot, files, folder)
    if not changeset.operations:
        return Result(command=_COMMAND, outcome="unchanged")
    for operation in changeset.operations:
        check_target(folder, operation)
    if dry_run:
        diff = unified(snapshot, changeset)
        return Result(command=_COMMAND, outcome="planned", changes=changeset.changes, diff=diff)
    write(folder, changeset)
    return Result(command=_COMMAND, outcome="written", changes=changeset.changes)
