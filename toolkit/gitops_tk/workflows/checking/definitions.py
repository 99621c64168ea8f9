"""Custom resource definitions from where the configuration and the command line say."""

from collections.abc import Sequence
from pathlib import Path

from gitops_tk.charts import crds
from gitops_tk.charts.crds import Definitions
from gitops_tk.config.load import CONFIG_FILE
from gitops_tk.config.model import Config
from gitops_tk.errors import ConfigError, MissingFile
from gitops_tk.model.snapshot import Snapshot

_ENDINGS = (".yaml", ".yml", ".json")


def configured(snapshot: Snapshot, config: Config) -> Definitions:
    """Those of `validate.crds`.

    Raises:
        ConfigError: a path is not there.
        ChartError: a file cannot be read.
    """
    paths: list[str] = []
    for path, line in config.validate.crds:
        entry = snapshot.entries([path]).get(path)
        if entry is None:
            raise ConfigError(
                f"validate.crds: {path} is not in the repository",
                code="config-value",
                file=CONFIG_FILE,
                line=line,
            )
        below = [one.path for one in snapshot.tree(path) if one.is_file and one.path.endswith(_ENDINGS)]
        paths += [path] if entry.is_file else below
    return crds.definitions(snapshot.read(paths))


def given(paths: Sequence[Path]) -> Definitions:
    """Those of files and folders on this machine.

    Raises:
        MissingFile: there is no such file or folder, or it cannot be read.
        ChartError: a file cannot be read as YAML.
    """
    files: dict[str, bytes] = {}
    for path in paths:
        found = sorted(one for one in path.rglob("*") if one.suffix in _ENDINGS) if path.is_dir() else [path]
        try:
            files |= {str(one): one.read_bytes() for one in found if not one.is_dir()}
        except OSError as error:
            raise MissingFile(
                f"{path} cannot be read: {error.strerror}", code="missing-crds", file=str(path)
            ) from error
    return crds.definitions(files)
