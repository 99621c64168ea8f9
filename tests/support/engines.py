"""Both Helm engines: the embedded one, and a `helm` executable."""

import os
import sys
from pathlib import Path

from gitops_tk.charts import engine
from gitops_tk.charts.engine import Engine

NAMES = ("embedded", "executable")
# `helm template` and `helm pull`, spoken by the embedded engine: the real engine behind the real command line.
_PROGRAM = f"""#!{sys.executable}
import json, sys
from pathlib import Path
from gitops_tk.charts.embedded import EmbeddedEngine
from gitops_tk.charts.engine import Dependency
from gitops_tk.errors import ChartError
arguments = sys.argv[1:]
try:
    if arguments[0] == "pull":
        options = dict(zip(arguments[2::2], arguments[3::2]))
        name = arguments[1].rpartition("/")[2]
        where = options.get("--repo") or arguments[1].rpartition("/")[0]
        archive = EmbeddedEngine().pull(Dependency(name, options["--version"], where))
        Path(options["--destination"], name + ".tgz").write_bytes(archive)
        sys.exit()
    assert arguments[0] == "template" and arguments[3] == "--values", arguments
    folder = Path(arguments[2])
    files = {{path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}}
    options = dict(zip(arguments[5::2], arguments[6::2]))
    chart = EmbeddedEngine().load(files, root=str(folder))
    print(chart.render(json.loads(Path(arguments[4]).read_text()), release=arguments[1],
        namespace=options.get("--namespace", "default"), kube_version=options.get("--kube-version"),
        api_versions=[options["--api-versions"]] if "--api-versions" in options else []), end="")
except ChartError as error:
    said = error.message
    if error.code == "values-schema":
        said = "values don't meet the specifications of the schema(s) in these chart(s):\\na:\\n- (root): x"
    sys.exit("Error: " + said)
"""


def find(name: str, folder: Path) -> Engine:
    """The engine of one of the NAMES; an executable is written into the folder."""
    if name == "embedded":
        return engine.find({"GITOPS_TK_HELM": "embedded"})
    program = folder / "helm"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    return engine.find({**os.environ, "GITOPS_TK_HELM": str(program)})
