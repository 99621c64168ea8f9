"""The body of a pull request."""

from gitops_tk.model.dialect import DIALECTS, GITHUB
from gitops_tk.model.evidence import Evidence, ImageChange, ReleaseChange
from gitops_tk.model.image import Image
from gitops_tk.reports.markdown import body


def _moved(service: str, before: str, after: str) -> ReleaseChange:
    image = ImageChange(image="default", before=Image(tag=before), after=Image(tag=after), since=0)
    return ReleaseChange(service=service, env="prod", images=(image,))


def test_a_promotion_is_a_table_of_images() -> None:
    evidence = Evidence(subject="promote: a", source="staging", releases=(_moved("a", "v1", "v2"),))
    assert body(evidence, GITHUB).splitlines() == [
        "| service | from | to | digest | built from | in staging since |",
        "| --- | --- | --- | --- | --- | --- |",
        "| `a` | `v1` | `v2` |  |  | 1970-01-01 00:00 UTC |",
    ]


def test_a_body_keeps_to_the_limit_of_every_forge() -> None:
    many = Evidence(subject="promote: many", releases=tuple(_moved(f"s{at}", "v1", "v2") for at in range(3000)))
    for dialect in DIALECTS.values():
        assert len(body(many, dialect).encode()) <= dialect.limit
