"""The files that the package carries: the chart skeleton, environment presets, pipelines."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Returns the folder `chart-skeleton`, `envs` or `pipelines`, from the wheel or the project's checkout."""
    packed = _PACKAGE / "data" / name
    return packed if packed.is_dir() else _PACKAGE.parents[1] / name
