"""render: a service's manifests in one environment, as Helm renders them."""

from gitops_tk.config.load import load
from gitops_tk.model import names
from gitops_tk.model.result import Result
from gitops_tk.model.snapshot import Snapshot
from gitops_tk.workflows.options import Options
from gitops_tk.workflows.releases import Charts, Renderer, Target


def render(snapshot: Snapshot, service: str, env: str, target: Target, options: Options) -> Result:
    """Renders one release.

    Raises:
        ChartError: the chart is missing, or does not render.
        ToolMissing: there is no Helm engine.
    """
    names.service(service)
    config = load(snapshot)
    environment = config.environment(env)
    release = Renderer(snapshot, config, Charts(options.environ)).release(service, environment)
    return Result(
        command="render",
        outcome="unchanged",
        details={"service": service, "env": env, "manifest": release.manifest(target)},
    )
