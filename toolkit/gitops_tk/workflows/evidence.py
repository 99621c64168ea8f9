"""The evidence of a plan: what it does to every release that it reaches, before and after."""

from collections.abc import Mapping

from gitops_tk.config.load import load
from gitops_tk.model.changes import Plan
from gitops_tk.model.evidence import Evidence, ImageChange, ReleaseChange
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.repository.overlay import Overlay
from gitops_tk.values.image import read_image
from gitops_tk.workflows.layers import read_layers
from gitops_tk.workflows.views import Views


def evidence(views: Views, plan: Plan, environ: Mapping[str, str]) -> Evidence:  # noqa: ARG001
    """What a plan does.

    Args:
        views: what the plan was made from.
        plan: the whole of a change, or a part of it that is proposed alone.
        environ: the process's environment, which may name a Helm engine.

    Raises:
        GitopsTkError: the repository cannot be read.
    """
    told = dict(plan.trailers)
    return Evidence(
        subject=plan.subject,
        source=told.get("Gitops-Tk-Source"),
        releases=_releases(views.snapshot, Overlay(views.snapshot, plan.changeset), plan),
        skipped=plan.skipped,
        gates=plan.gates,
    )


def _releases(before: Snapshot, after: Snapshot, plan: Plan) -> tuple[ReleaseChange, ...]:
    config = load(before)
    pairs = dict.fromkeys((one.service, one.env) for one in plan.changeset.changes if one.service and one.env)
    known, new = (read_layers(one, config, pairs) for one in (before, after))
    return tuple(
        ReleaseChange(
            service=service,
            env=env,
            images=tuple(
                ImageChange(image=name, before=old, after=now)
                for name, keys in config.image_keys(service).items()
                if (old := read_image(known[service, env].merged, keys))
                != (now := read_image(new[service, env].merged, keys))
            ),
        )
        for service, env in pairs
    )
