"""Programs that documents have people run, and that cannot run where the tests do: what each is missing is told here.

When a document is played, `python -m tests.docs.elsewhere PROGRAM ARGUMENT...` stands in the place of each. It looks at
everything that can be looked at without what is missing, and ends with 1 and the reason where something is wrong.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

_ROOT = Path(__file__).resolve().parents[2]


class Program(NamedTuple):
    """A program that is not run.

    Attributes:
        missing: why not.
        proved: what is looked at in its place, here and in other tests.
        look: takes its arguments.
    """

    missing: str
    proved: str
    look: Callable[[Sequence[str]], None]


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(message)


def _kubectl(arguments: Sequence[str]) -> None:
    parser = _Parser("kubectl", allow_abbrev=False)
    verbs = parser.add_subparsers(required=True)
    create = verbs.add_parser("create", allow_abbrev=False)
    create.add_argument("kind", choices=["namespace"])
    create.add_argument("name", type=_label)
    apply = verbs.add_parser("apply", allow_abbrev=False)
    apply.add_argument("--server-side", action="store_true")
    apply.add_argument("-n", "--namespace", type=_label)
    apply.add_argument("-f", "--filename", type=_manifest, required=True)
    get = verbs.add_parser("get", allow_abbrev=False)
    get.add_argument("kind", choices=["pods"])
    get.add_argument("-n", "--namespace", type=_label)
    config = verbs.add_parser("config").add_subparsers(required=True)
    context = config.add_parser("set-context", allow_abbrev=False)
    context.add_argument("--current", action="store_true", required=True)
    context.add_argument("--namespace", type=_label)
    parser.parse_args(arguments)


def _argocd(arguments: Sequence[str]) -> None:
    parser = _Parser("argocd", allow_abbrev=False)
    kinds = parser.add_subparsers(required=True)
    add = kinds.add_parser("repo").add_subparsers(required=True).add_parser("add", allow_abbrev=False)
    add.add_argument("url", type=_read_by_argocd)
    add.add_argument("--ssh-private-key-path", type=_private_key)
    kinds.add_parser("login", allow_abbrev=False).add_argument("--core", action="store_true", required=True)
    get = kinds.add_parser("app").add_subparsers(required=True).add_parser("get", allow_abbrev=False)
    get.add_argument("name", type=_application)
    parser.parse_args(arguments)


def _pipx(arguments: Sequence[str]) -> None:
    verb, package = arguments
    match = re.fullmatch(r"(gitops-tk|\.)(?:\[(\w+)\])?", package)
    _must(verb == "install" and match is not None, f"no package is called {package}")
    project = _project()["project"]
    extra = match[2] if match else None
    _must(project["name"] == "gitops-tk" and (extra is None or extra in project["optional-dependencies"]), package)


def _make(arguments: Sequence[str]) -> None:
    # The first place of PATH has this program itself.
    environ = {**os.environ, "PATH": os.environ["PATH"].partition(":")[2]}
    done = subprocess.run(["make", "-n", *arguments], cwd=_ROOT, env=environ, capture_output=True, text=True)
    _must(done.returncode == 0, done.stderr)


def _python(arguments: Sequence[str]) -> None:
    _must(list(arguments) == ["-m", "build"] and "build-backend" in _project()["build-system"], "nothing is built so")


PROGRAMS = {
    "kubectl": Program("a cluster", "arguments; a file is there, and keeps to the custom resources' schemas", _kubectl),
    "argocd": Program("its own program", "arguments; that the repository and the Application are so called", _argocd),
    "pipx": Program("an index that has the package", "the extra; tests/packaging installs the wheel with pipx", _pipx),
    "make": Program("an end: it runs the tests", "the target; test_documents plays the demo", _make),
    "python": Program("half a minute", "that it can be built; tests/packaging builds it twice", _python),
}


def _label(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text):
        raise ArgumentTypeError(f"{text} is no name")
    return text


def _manifest(text: str) -> str:
    if text.startswith("https://raw.githubusercontent.com/argoproj/argo-cd/"):
        # The release that the manifests are checked against, see tests/support/argocd.py.
        release = re.search(r"Argo CD (\d+\.\d+) or newer", (_ROOT / "docs/argocd.md").read_text(encoding="utf-8"))
        found = re.fullmatch(r"v(\d+\.\d+)\.\d+/manifests/install\.yaml", text.split("/argo-cd/")[1])
        known = release and found and _version(found[1]) >= _version(release[1])
        if not known:
            raise ArgumentTypeError(f"{text} is not Argo CD as it is needed")
        return text
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is not there")
    from tests.support import charts

    objects = charts.Objects(path.read_text(encoding="utf-8"))
    faults = charts.custom_resource_faults(objects)
    if faults or not objects.all:
        raise ArgumentTypeError(f"{text}: {faults or 'it is empty'}")
    return text


def _private_key(text: str) -> str:
    if "PRIVATE KEY" not in Path(text).read_text(encoding="utf-8"):
        raise ArgumentTypeError(f"{text} is no key")
    return text


def _read_by_argocd(text: str) -> str:
    if f"repository: {text}\n" not in Path("gitops-tk.yaml").read_text(encoding="utf-8"):
        raise ArgumentTypeError(f"gitops-tk.yaml does not name {text}")
    return text


def _application(text: str) -> str:
    command = [sys.executable, "-m", "gitops_tk", "argocd", "apps", "-o", "json"]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    if text not in {one["name"] for one in json.loads(told)["applications"]}:
        raise ArgumentTypeError(f"there is no Application {text}: {told.decode()}")
    return text


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _project() -> dict[str, dict[str, object]]:
    return tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _must(holds: bool, message: str) -> None:
    if not holds:
        raise SystemExit(message)


if __name__ == "__main__":
    PROGRAMS[sys.argv[1]].look(sys.argv[2:])
