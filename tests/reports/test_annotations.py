"""Problems as GitHub reads them."""

from gitops_tk.model.result import Problem, Result
from gitops_tk.reports.annotations import annotations


def test_a_problem_is_one_workflow_command() -> None:
    problems = (
        Problem(
            code="pdb-drain", message="a in prod: no, 100% of it\r\nnever", hint="do: this", file="a,b:c.yaml", line=3
        ),
        Problem(code="image-latest", message="plain", severity="warning"),
    )
    assert annotations(Result(command="validate", outcome="invalid", problems=problems)) == (
        "::error file=a%2Cb%3Ac.yaml,line=3,title=pdb-drain::a in prod: no, 100%25 of it%0D%0Anever%0Ado: this\n"
        "::warning title=image-latest::plain\n"
    )


def test_no_message_can_begin_a_command_of_its_own() -> None:
    problem = Problem(code="x", message="a\n::set-output name=b::c", file="f\n::add-mask::d")
    (line,) = annotations(Result(command="validate", outcome="invalid", problems=(problem,))).splitlines()
    assert line.startswith("::error file=f%0A%3A%3Aadd-mask%3A%3Ad,")
