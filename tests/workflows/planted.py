"""Pull requests that a repository has to refuse, each by one rule, and good ones."""

from collections.abc import Sequence
from pathlib import Path

from tests.support import repositories as repo
from tests.workflows.planted_beside import BESIDE, BESIDE_GOOD
from tests.workflows.planted_past import (
    CHART,
    CONFIG,
    D1,
    D2,
    D3,
    D9,
    NEW,
    PER_ENVIRONMENT,
    PROMOTED,
    WHOLE,
    Case,
    charts,
    own,
    path,
    says,
    shared,
)
from tests.workflows.planted_places import PLACES, PLACES_GOOD

_A, _B = path("a", "staging"), path("b", "staging")
_LONE = {path("lone", "asked"): own("v1.0.0", D1, "trace")}
_ASKED = {"envs/asked.yaml": b"region: us\nimage: {registry: mirror.example.com}\n"}
_EXTRA = "services/few/chart/templates/y.yaml"

_REFUSED = [
    # What travels.
    Case("extra-key", "extra-key", {_A: own("v1.2.0", D3, "debug", "team: shop\n")}),
    Case("extra-key-hidden-default", "extra-key", {_A: own("v1.2.0", D3, "debug", "service: {port: 80}\n")}),
    Case("extra-key-in-a-rollback", "extra-key", {_A: own("v1.0.0", D1, "info", "team: shop\n")}),
    Case("key-with-a-value-of-its-own", "key-not-in-source", {_A: own("v1.2.0", D3, "trace")}),
    Case("tag-that-never-ran", "not-in-source", {_A: own("v9.9.9", D9, "debug")}),
    Case("tag-that-ran-elsewhere-alone", "not-in-source", {path("a", "strict"): own("v1.2.0", D3)}),
    Case("new-service-with-a-tag", "not-in-source", {path("c", "staging"): own("v1.0.0")}),
    Case("digest-of-another-image", "digest", {_A: own("v1.2.0", D9, "debug")}),
    Case("digest-taken-away", "digest", {_A: own("v1.2.0", "''", "debug")}),
    Case("older-build", "older-build", {path("few", "staging"): own("v1.1.0", D2)}),
    Case("held", "held", {path("held", "staging"): own("v1.1.0", D2)}),
    # What else comes with it.
    Case("other-environment", "mixed", {**PROMOTED, path("a", "dev"): own("v1.2.0", D3, "trace")}),
    Case("other-services-file", "mixed", {**PROMOTED, _B: own("v2.0.0", D3, "trace")}),
    Case("two-environments", "mixed", {**PROMOTED, path("a", "strict"): own("v1.1.0", D2, "debug")}),
    Case("new-service-and-something-else", "mixed", {path("few", "prod"): own("v2.0.0", D3), "README.md": b"hi\n"}),
    Case(
        "new-service-and-values-of-another",
        "mixed",
        {path("few", "prod"): own("v2.0.0", D3), path("b", "prod"): own("v1.1.0", D2, "trace")},
    ),
    Case("something-else", "mixed", {**PROMOTED, "README.md": b"hello, world\n"}),
    Case("chart-along", "mixed", {**PROMOTED, "services/few/chart/templates/x.yaml": b"kind: Secret\n"}),
    Case(
        "service-that-the-message-leaves-out",
        "undeclared",
        {**PROMOTED, path("few", "staging"): own("v2.1.0", D9)},
        message=says("staging/a image.tag v1.1.0 -> v1.2.0", "staging/a image.digest a -> b"),
    ),
    Case(
        "key-that-the-message-leaves-out",
        "undeclared",
        {_A: own("v1.1.0", D2, "info")},
        message=says("staging/a config.LEVE debug -> info", command="values set"),
    ),
    Case(
        "reference-that-the-message-leaves-out",
        "undeclared",
        {path("whole", "staging"): WHOLE.replace(b"v1.0.0", b"v1.1.0")},
        message=says("staging/whole app.tag v1.0.0 -> v1.1.0"),
    ),
    # What may not change at all.
    Case("protected-key", "protected", {_A: own("v1.1.0", D2, "debug").replace(b"replicas: 2", b"replicas: 3")}),
    Case("protected-key-by-a-shared-file", "protected", {"envs/staging.yaml": b"region: eu\nconfig:\n  DB_PORT: 1\n"}),
    Case(
        "protected-key-by-a-charts-default",
        "protected",
        {"services/few/chart/values.yaml": CHART + b"  DB_NAME: shop\n"},
    ),
    Case(
        "digest-by-a-shared-file",
        "lower-layer",
        {"envs/staging.yaml": f"region: eu\nimage: {{digest: {D9}}}\n".encode()},
    ),
    Case("build-by-a-shared-file", "lower-layer", {"envs/dev.yaml": b"image:\n  build: 7\n"}),
    Case(
        "image-by-a-charts-default",
        "lower-layer",
        {"services/few/chart/values.yaml": CHART.replace(b"digest: ''", b"digest: ''\n  revision: abc")},
    ),
    # What an environment accepts.
    Case("values-where-none-are-accepted", "accepts", {path("a", "strict"): own("v1.0.0", D1, "trace")}),
    Case("chart-where-none-is-accepted", "accepts", {"services/two/chart/templates/x.yaml": b"kind: Secret\n"}),
    Case("shared-values-where-none-are-accepted", "accepts", {"envs/strict.yaml": b"region: us\n"}),
    Case("chart-behind-values", "accepts", {"services/lone/chart/templates/x.yaml": b"kind: Role\n", **_LONE}),
    Case("chart-behind-shared-values", "accepts", {"services/lone/chart/templates/x.yaml": b"kind: Role\n", **_ASKED}),
    Case("library-of-a-chart", "accepts", {"common/templates/x.yaml": b"kind: Role\n"}),
    Case("library-of-a-chart-behind-values", "accepts", {"common/templates/x.yaml": b"kind: Role\n", **_LONE}),
    Case("library-of-a-chart-behind-shared-values", "accepts", {"common/templates/x.yaml": b"kind: Role\n", **_ASKED}),
    Case(
        "chart-that-was-not-in-the-source",
        "chart-not-in-source",
        {"services/a/staging/chart/templates/x.yaml": b"kind: Role\n"},
        past="charts",
    ),
    # Files.
    Case("mode", "mode", {_A: own("v1.1.0", D2, "trace")}, modes={_A: "100755"}),
    Case("executable-template", "mode", {_EXTRA: b"a: 1\n"}, modes={_EXTRA: "100755"}),
    Case("link-in-place-of-values", "not-a-file", {_A: b"dev.yaml"}, modes={_A: "120000"}),
    Case("link-to-elsewhere", "not-a-file", {"docs": b"/etc"}, modes={"docs": "120000"}),
    Case("rename", "rename", {path("empty", "staging"): None, path("other", "staging"): own("''", "''")}),
    Case("deletion", "deletion", {_A: None}),
    Case("folder-in-place-of-values", "deletion", {f"{_A}/x.yaml": b"a: 1\n"}),
    Case("folder-in-place-of-configuration", "deletion", {"gitops-tk.yaml/x": b"a: 1\n"}),
    Case("deleted-shared-file", "deletion", {"envs/dev.yaml": None}),
    Case("deleted-chart", "deletion", {"services/few/chart/Chart.yaml": None}),
    Case("deleted-configuration", "deletion", {"gitops-tk.yaml": None}),
    Case("image-taken-away", "deletion", {_A: own("''", "''", "debug")}),
    Case("carriage-returns", "stray-edit", {_A: NEW.replace(b"\n", b"\r\n")}),
    Case("indentation", "stray-edit", {_A: NEW.replace(b"  LEVEL: debug\n  DB", b"    LEVEL: debug\n    DB")}),
    Case("comment-taken-out", "stray-edit", {_A: NEW.replace(b"# what it runs\n", b"")}),
    Case(
        "order-of-lines",
        "stray-edit",
        {_A: NEW.replace(b"replicas: 2\n", b"").replace(b"config:", b"replicas: 2\nconfig:")},
    ),
    Case("white-space-alone", "stray-edit", {_A: own("v1.1.0", D2, "debug").replace(b"\n\n", b"\n   \n\n")}),
    Case("text-turned-around", "hidden-characters", {_A: NEW.replace(b"# by CI", "# by \u202eCI".encode())}),
    Case("space-that-is-none", "hidden-characters", {"envs/staging.yaml": "region: eu # a\u200bb\n".encode()}),
    Case("two-values-for-a-key", "unreadable", {_A: own("v1.1.0", D2, "debug", "replicas: 9\n")}),
    Case("hold-without-a-reason", "unreadable", {".gitops-tk/holds/staging/a.yaml": b"until: 2030-01-01\n"}),
    Case("configuration-that-does-not-work", "unreadable", {"gitops-tk.yaml": CONFIG + b"polcy: {}\n"}),
    Case(
        "changed-on-both-sides",
        "stale",
        {_A: own("v1.1.0", D2, "trace")},
        base={_A: own("v1.1.0", D2, "warn")},
    ),
    # The policy itself.
    Case(
        "policy-weakened-and-used",
        "policy-weakened",
        {"gitops-tk.yaml": CONFIG.replace(b"soak: 24h", b"soak: 1m"), _A: own("v1.1.0", D2, "info")},
    ),
    Case(
        "pushed-from-now-on",
        "policy-weakened",
        {
            "gitops-tk.yaml": CONFIG.replace(b"staging\n    publish: pull-request", b"staging"),
            path("a", "dev"): own("v1.3.0", D9, "debug"),
        },
    ),
    Case(
        "environment-renamed-and-used",
        "policy-weakened",
        {
            "gitops-tk.yaml": PER_ENVIRONMENT.replace(b"name: staging", b"name: stage\n    path: staging"),
            _A: b"image:\n  tag: v9.9.9\n",
        },
        past="charts",
    ),
    # When.
    Case("not-soaked", "soak", {path("b", "prod"): own("v2.0.0", D3)}),
    Case("frozen", "freeze", {path("a", "frozen"): own("v1.1.0", D2, "debug")}),
    Case("values-while-frozen", "freeze", {path("a", "frozen"): own("v1.0.0", D1, "trace")}),
    Case("removal-while-frozen", "freeze", {path("a", "frozen"): None}),
    Case("never-in-dev", "order", {path("b", "prod"): own("v3.0.0", D9)}),
    Case("argo-cd-cannot-be-asked", "healthy", {path("a", "watched"): own("v1.1.0", D2, "debug")}),
    Case("program-refuses", "commands", {path("a", "asked"): own("v1.1.0", D2, "debug")}),
]

_GOOD = [
    Case("promotion", None, PROMOTED),
    Case("promotion-of-an-image-that-dev-had", None, {path("b", "strict"): own("v1.1.0", D2)}),
    Case("promotion-to-prod", None, {path("a", "prod"): own("v1.1.0", D2, "debug")}),
    Case("promotion-of-keys-alone", None, {path("a", "strict"): own("v1.0.0", D1, "debug")}),
    Case("rollback", None, {_A: own("v1.0.0", D1, "info")}),
    Case("rollback-in-a-freeze-or-past-a-program", None, {path("b", "asked"): own("v0.9.0", D9)}),
    Case("rollback-to-what-ran-under-an-older-name", None, {path("renamed", "staging"): own("v1.0.0")}),
    Case("bump", None, {path("a", "dev"): own("v1.3.0", D9, "debug")}),
    Case("bump-with-values", None, {path("a", "dev"): own("v1.3.0", D9, "trace", "team: shop\n")}),
    Case("hold", None, {".gitops-tk/holds/staging/a.yaml": b"reason: it leaks\nuntil: 2030-01-01\n"}),
    Case("unhold", None, {".gitops-tk/holds/staging/held.yaml": None}),
    Case("values", None, {_A: own("v1.1.0", D2, "debug", "team: shop\n")}),
    Case("values-with-comments", None, {path("a", "prod"): own("v1.0.0", D1, "trace", "# why\nteam: shop\n")}),
    Case(
        "protected-key-overridden",
        None,
        {_A: own("v1.1.0", D2, "debug").replace(b"replicas: 2", b"replicas: 3")},
        message="more traffic\n\nGitops-Tk-Override: protected Black Friday\n",
    ),
    Case(
        "soak-overridden",
        None,
        {path("b", "prod"): own("v2.0.0", D3)},
        message=says("prod/b image.tag v1.1.0 -> v2.0.0", "prod/b image.digest a -> b")
        + "Gitops-Tk-Override: soak fixes incident 4711\n",
    ),
    Case("service-added", None, {path("c", "dev"): own("v1.0.0"), path("c", "staging"): own("''", "''")}),
    Case("values-and-shared-values", None, {**_LONE, **_ASKED}),
    Case("shared-values", None, {"envs/dev.yaml": b"region: us\n"}),
    Case("chart-of-one-environment", None, {"services/a/dev/chart/values.yaml": b"replicas: 3\n"}, past="charts"),
    Case(
        "chart-promoted-with-the-image",
        None,
        {
            _A: b"image:\n  tag: v1.1.0\n",
            "services/a/staging/chart/templates/x.yaml": b"kind: Secret\n",
            "services/a/staging/chart/values.yaml": b"replicas: 2\n",
        },
        past="charts",
    ),
    Case("policy-strengthened", None, {"gitops-tk.yaml": CONFIG.replace(b"soak: 24h", b"soak: 48h")}),
    Case("policy-weakened-alone", None, {"gitops-tk.yaml": CONFIG.replace(b"soak: 24h", b"soak: 12h")}),
    Case("something-else-alone", None, {"README.md": b"hello, world\n", "docs/a.md": b"a\n"}),
    Case("nothing-that-the-base-has-not", None, PROMOTED, base=PROMOTED),
]
REFUSED = [*_REFUSED, *BESIDE, *PLACES]
GOOD = [*_GOOD, *BESIDE_GOOD, *PLACES_GOOD]
CASES = [*REFUSED, *GOOD]


def make(folder: Path, cases: Sequence[Case]) -> dict[str, Path]:
    """The repositories, with each case on a branch of its name, and its base on another."""
    made = {"shared": shared(folder / "shared.git"), "charts": charts(folder / "charts.git")}
    streams: dict[str, list[bytes]] = {name: [] for name in made}
    for case in cases:
        stream = streams[case.past]
        stream += repo.stream(case.first, case.name, parent="main") if case.first else []
        parent = None if case.first else "main"
        stream += repo.stream(case.files, case.name, case.message, case.modes, parent=parent)
        base = f"base-{case.name}"
        stream += repo.stream(case.base, base, parent="main") if case.base else [repo.at(base, "main")]
    for name, stream in streams.items():
        repo.git(made[name], "fast-import", "--quiet", data=b"".join(stream))
    return made
