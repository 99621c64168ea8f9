"""The Dockerfile: what hadolint and Kubernetes' "restricted" ask of an image, and nothing in it but the program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import starters


@pytest.fixture(params=starters.PROFILES)
def dockerfile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return starters.write(tmp_path, request.param) / "Dockerfile"


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], " ".join(line.split()[1:])) for line in text.splitlines() if line.strip()]


def last_stage(dockerfile: Path) -> list[tuple[str, str]]:
    found = instructions(dockerfile)
    start = max(at for at, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([str(program), "--no-color", str(dockerfile)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_bases_are_pinned_and_the_last_holds_the_program_alone(dockerfile: Path) -> None:
    bases = [rest for name, rest in instructions(dockerfile) if name == "FROM"]
    assert len(bases) == 2
    assert all(":" in base and "latest" not in base for base in bases)
    assert "distroless/static" in bases[-1]
    assert [rest for name, rest in last_stage(dockerfile) if name in ("COPY", "ADD", "RUN")] == [
        "--from=build /out/service /service"
    ]


def test_the_process_is_pid_1_and_a_user_that_is_not_root_by_number(dockerfile: Path) -> None:
    stage = dict(last_stage(dockerfile))
    assert stage["USER"] == "65532:65532"
    assert stage["ENTRYPOINT"] == '["/service"]'
    assert "HEALTHCHECK" not in stage


def test_the_program_is_static_stripped_and_stamped(dockerfile: Path) -> None:
    (build,) = [rest for name, rest in instructions(dockerfile) if name == "RUN" and "go build" in rest]
    for part in ("CGO_ENABLED=0", "GOOS=${TARGETOS}", "-trimpath", "-X main.version=${VERSION}", "--mount=type=cache"):
        assert part in build


def test_dependencies_are_a_layer_of_their_own(dockerfile: Path) -> None:
    order = [f"{name} {rest}" for name, rest in instructions(dockerfile)]
    download = next(at for at, line in enumerate(order) if "go mod download" in line)
    assert order[download - 1].startswith("COPY go.mod")
    assert order.index("COPY . .") > download


def test_what_has_no_place_in_a_build_is_left_out(dockerfile: Path) -> None:
    ignored = (dockerfile.parent / ".dockerignore").read_text().splitlines()
    assert {".git", ".env*", "*.pem", "**/*_test.go", "charts/"} <= set(ignored)


def test_the_readme_has_it_built_with_arguments_that_it_takes(dockerfile: Path) -> None:
    (line,) = re.findall(r"^docker build .*", dockerfile.with_name("README.md").read_text(), re.MULTILINE)
    taken = {rest.partition("=")[0] for name, rest in instructions(dockerfile) if name == "ARG"}
    given = re.findall(r" --build-arg (\w+)=", line)
    assert given == ["VERSION"]
    assert taken >= set(given)
    assert line.endswith(" .")
