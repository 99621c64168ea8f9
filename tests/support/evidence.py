"""A change that has some of everything, and its pages: `python -m tests.support.evidence` writes them anew."""

from collections.abc import Callable
from pathlib import Path

from gitops_tk.model.changes import Answer, Gate, Skipped
from gitops_tk.model.dialect import DIALECTS
from gitops_tk.model.evidence import (
    Caution,
    Evidence,
    FieldChange,
    ImageChange,
    ObjectChange,
    ReleaseChange,
    SourceCommit,
)
from gitops_tk.model.image import Image
from gitops_tk.reports import evidence as terminal
from gitops_tk.reports.markdown import body

GOLDEN = Path(__file__).resolve().parents[1] / "reports/golden"
_OLD, _NEW = "1f0e" * 10, "2e9b" * 10


def moved(service: str, before: str = "v1.2.3", after: str = "v1.3.0", **more: object) -> ReleaseChange:
    """A release of which only the image changes, and a label with it."""
    image = ImageChange(image="default", before=Image(tag=before), after=Image(tag=after), since=1_790_000_000)
    label = FieldChange(path='metadata.labels."app.kubernetes.io/version"', before=before, after=after, because="image")
    objects = tuple(
        ObjectChange(change="changed", api_version="v1", kind=kind, name=service, fields=(label,))
        for kind in ("Deployment", "Service")
    )
    return ReleaseChange(**{"service": service, "env": "prod", "images": (image,), "objects": objects, **more})  # type: ignore[arg-type]


def gate(name: str, service: str, answer: Answer, message: str, **more: str) -> Gate:
    """A gate's answer."""
    return Gate(gate=name, service=service, env="prod", answer=answer, message=message, **more)


def _with_everything(text: Callable[[str], str]) -> ReleaseChange:
    """A release of which an image, values and objects change."""
    image = ImageChange(
        image="default",
        before=Image(tag=text("v2.0.0"), build=56, revision=text(_OLD)),
        after=Image(tag=text("v2.1.0"), digest=text("sha256:" + "9c" * 32), build=57, revision=text(_NEW)),
        since=1_790_000_000,
        compare=f"https://github.com/shop/order-service/compare/{_OLD}...{_NEW}",
        commits=(
            SourceCommit(_NEW, text("Orders of a day are summed up once")),
            SourceCommit("3a" * 20, text("Tests for the sums")),
        ),
    )
    return moved(
        "order-service",
        images=(image,),
        values=(
            FieldChange(path=text("config.LEVEL"), before=text("info"), after=text("debug")),
            FieldChange(path=text("config.API_TOKEN"), before="(hidden)", after="(hidden)", hidden=True),
            FieldChange(path=text("hosts"), after=[text("a.example.com"), text("b.example.com")]),
        ),
        objects=(
            ObjectChange(
                change="removed", api_version="policy/v1", kind="PodDisruptionBudget", name=text("order-service")
            ),
            ObjectChange(
                change="added",
                api_version="v1",
                kind="ConfigMap",
                name=text("order-files"),
                text=text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: order-files"),
            ),
            ObjectChange(
                change="changed",
                api_version="apps/v1",
                kind="Deployment",
                name="order-service",
                fields=(
                    FieldChange(path="spec.replicas", before=5, after=3),
                    FieldChange(path="spec.template.metadata.annotations.checksum/config", because="checksum"),
                    FieldChange(path=text("spec.template.spec.containers[web].image"), because="image"),
                    FieldChange(path=text('data."app.yaml"'), diff=text(" a: 1\n-log: info\n+log: debug")),
                ),
            ),
        ),
        cautions=(
            Caution(
                code="object-deleted", message=text("is deleted"), object=text("PodDisruptionBudget order-service")
            ),
            Caution(code="replicas-cut", message=text("replicas 5 -> 3"), object=text("Deployment order-service")),
        ),
    )


def some_of_everything(text: Callable[[str], str] = lambda plain: plain) -> Evidence:
    """The evidence of a promotion of a few services.

    Args:
        text: makes another text of each that comes from a repository or a forge.
    """
    broken = moved("user-service", objects=(), not_rendered=text("the chart depends on redis, which is not there"))
    return Evidence(
        subject="promote: 5 services from staging to prod",
        source="staging",
        releases=(_with_everything(text), broken, moved("cart"), moved("mail"), moved("search")),
        skipped=(Skipped(service="stock", env="prod", code="held", message=text("it is held: stocktaking")),),
        gates=(
            *(gate("soak", one, "passed", text("staging has held it for 1 d or longer")) for one in ("cart", "mail")),
            gate("soak", "order-service", "waiting", text("3 h of 1 d"), until="2026-09-22T14:13:20Z"),
            gate("freeze", "cart", "waiting", text("prod is frozen: stocktaking"), until="2026-10-01T06:00:00Z"),
            gate("freeze", "mail", "waiting", text("prod is frozen: stocktaking"), until="2026-10-01T06:00:00Z"),
            gate("commands: smoke", "search", "refused", text("exit 1"), override=text("the test itself is broken")),
        ),
        rollback=("gitops-tk rollback order-service user-service cart mail search -e prod",),
        command="gitops-tk diff staging prod",
    )


def pages() -> dict[str, str]:
    """The page of each forge, and what a terminal shows, by their files' names."""
    evidence = some_of_everything()
    found = {f"{kind}.md": body(evidence, dialect) for kind, dialect in DIALECTS.items()}
    return {**found, "terminal.txt": terminal.text(evidence)}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in pages().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")
