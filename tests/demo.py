"""The story that `make demo` plays: from an empty folder to a release proposed for prod, without any network.

Everything happens in `.demo/`, which git ignores and each run starts anew: `gitops.git` is the
GitOps remote, `gitops` a developer's checkout of it. A pipeline needs only the remote's URL.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent / ".demo"
_TOOL = Path(sys.executable).parent / "gitops-tk"
_KEPT = ("PATH", "LANG", "TERM", "COLUMNS", "TMPDIR", "SYSTEMROOT")


def main() -> None:
    """Plays the story; stops with the failing command's exit code if one fails."""
    shutil.rmtree(_ROOT, ignore_errors=True)
    (_ROOT / "home").mkdir(parents=True)
    remote = f"file://{_ROOT}/gitops.git"
    checkout = _ROOT / "gitops"

    say("A platform team starts a GitOps repository.")
    run("git init --quiet --bare --initial-branch main gitops.git", _ROOT)
    run("git clone --quiet gitops.git gitops", _ROOT)
    argocd = "--argocd-repository https://git.example.com/shop/gitops.git"
    run(f"gitops-tk init --env dev --env staging --env prod --propose prod {argocd} --commit", checkout)

    say("Developers scaffold two services: a chart, and values for every environment.")
    for service, port in (("user-service", 8080), ("order-service", 8081)):
        image = f"registry.example.com/shop/{service}"
        run(f"gitops-tk new-service {service} --image {image} --port {port} --commit", checkout)
    run("gitops-tk validate", checkout)
    run("git push --quiet origin main", checkout)

    say("A pipeline has built user-service, and knows nothing but the remote.")
    bump = "gitops-tk bump user-service -e dev --tag v1.3.0 --build 57 --revision 4f2a91c"
    run(f"{bump} --repo {remote}", _ROOT)
    run(f"gitops-tk bump order-service -e dev --tag v2.0.1 --repo {remote}", _ROOT)

    say("What runs in dev goes to staging (pushed), and from there to prod (proposed on a branch).")
    run(f"gitops-tk promote dev staging --repo {remote}", _ROOT)
    run(f"gitops-tk promote staging prod user-service --repo {remote}", _ROOT)
    run("git --git-dir gitops.git log -1 gitops-tk/prod/user-service", _ROOT)

    say("What is where.")
    run(f"gitops-tk status --repo {remote}", _ROOT)
    say(
        "Now look at:\n"
        f"  {_relative(checkout)}/services/user-service   the chart and the values that were scaffolded\n"
        f"  git -C {_relative(checkout)} pull && git -C {_relative(checkout)} log --stat   the commits\n"
        f"  git -C {_relative(checkout)} diff origin/main origin/gitops-tk/prod/user-service   the proposal"
    )


def say(text: str) -> None:
    """Prints a line of the story."""
    print(f"\n# {text}", flush=True)


def run(command: str, folder: Path) -> None:
    """Prints a command, runs it in a folder of the demo, and stops the story if it fails."""
    print(f"\n$ {command}", flush=True)
    program, *arguments = command.split()
    if program == "gitops-tk":
        program = str(_TOOL)
    done = subprocess.run([program, *arguments], cwd=folder, env=_environment(), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _environment() -> dict[str, str]:
    # A person's own configuration, tokens and CI settings have no part in the story.
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Demo Pipeline"), ("EMAIL", "pipeline@example.com"))
    }
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | identity | {"HOME": str(_ROOT / "home"), "GIT_CONFIG_NOSYSTEM": "1"}


def _relative(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    main()
