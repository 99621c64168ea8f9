"""gitops-tk config."""

import typer

from gitops_tk.cli import options as opt
from gitops_tk.cli.run import run
from gitops_tk.model.result import Result

app = typer.Typer(help="gitops-tk.yaml as it is understood, and its JSON Schema.", no_args_is_help=True)


@app.command("schema")
def schema(output: opt.Output = "text") -> None:
    """Print the JSON Schema of gitops-tk.yaml.

    Example: gitops-tk config schema > gitops-tk.schema.json
    """

    def action() -> Result:
        from gitops_tk.config.schema import json_schema

        # The document of `--output json` is a schema as well: validators pass over keywords that they do not know.
        return Result(command="config schema", outcome="unchanged", details=json_schema())

    def text(result: Result) -> str:
        import json

        return json.dumps(result.details, indent=2) + "\n"

    run("config schema", output, action, text)


@app.command("show")
def show(repo: opt.Repo = None, branch: opt.Branch = None, output: opt.Output = "text") -> None:
    """Print the configuration with its defaults filled in.

    Example: gitops-tk config show
    """

    def action() -> Result:
        from gitops_tk.config.load import load
        from gitops_tk.config.show import to_builtins
        from gitops_tk.workflows.views import look

        with look(opt.shared(repo, branch)) as snapshot:
            config = to_builtins(load(snapshot))
        return Result(command="config show", outcome="unchanged", details={"config": config})

    def text(result: Result) -> str:
        from gitops_tk.reports import text as reports

        return reports.value(result.details["config"])

    run("config show", output, action, text)
