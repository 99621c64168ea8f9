"""The rules that the wiring is held to: what Argo CD's own definitions cannot say."""

from msgspec import Struct

from gitops_tk.model.result import Severity

_DOCS = "https://argo-cd.readthedocs.io/en/stable"
_APPSETS = f"{_DOCS}/operator-manual/applicationset"


class Rule(Struct, frozen=True, kw_only=True):
    """What people want to know about a rule.

    Attributes:
        name: stable, in kebab-case.
        summary: what holds where the rule is kept.
        reason: what happens where it is not.
        source: the document that says so.
        fix: what to do about a finding.
    """

    name: str
    severity: Severity
    summary: str
    reason: str
    source: str
    fix: str


RULES = (
    Rule(
        name="argocd-repository",
        severity="warning",
        summary="argocd.repository is filled in, and the manifests read and allow the repository that it names",
        reason="Argo CD reads another repository than the one that is reviewed, or may read none.",
        source=f"{_DOCS}/user-guide/projects/",
        fix="set argocd.repository in gitops-tk.yaml to the URL by which Argo CD reads this repository, then run "
        "gitops-tk argocd write",
    ),
    Rule(
        name="argocd-placeholder",
        severity="error",
        summary="No manifest has the URL that stands for the repository's until that is filled in",
        reason="Argo CD reads nothing, and generates nothing.",
        source=f"{_DOCS}/user-guide/private-repositories/",
        fix="set argocd.repository in gitops-tk.yaml, then run gitops-tk argocd write, which writes the manifests anew",
    ),
    Rule(
        name="argocd-manifest",
        severity="error",
        summary="There is an ApplicationSet for each environment, and the project, and Argo CD can read them",
        reason="Nothing is generated: new services do not appear, and nothing says why.",
        source=f"{_APPSETS}/Generators-Git/",
        fix="gitops-tk argocd write, or correct the manifest",
    ),
    Rule(
        name="argocd-not-evaluated",
        severity="warning",
        summary="Generators and templates are of a kind that gitops-tk evaluates",
        reason="What is generated cannot be told, and no other rule of Argo CD is looked at.",
        source=f"{_APPSETS}/GoTemplate/",
        fix="use git's files, fields of the path, index, trimPrefix and trimSuffix; or switch the rule off",
    ),
    Rule(
        name="argocd-globbing",
        severity="error",
        summary="Patterns take the same files in both of Argo CD's globbing modes",
        reason="By default `*` crosses `/`: values of charts and subcharts make Applications, and stop all others.",
        source=f"{_APPSETS}/Generators-Git-File-Globbing/",
        fix="leave out with `exclude: true` what is deeper; gitops-tk argocd write does",
    ),
    Rule(
        name="argocd-missing",
        severity="error",
        summary="There is an Application for every service whose image is set",
        reason="The service is promoted, and never deployed.",
        source=f"{_APPSETS}/Generators-Post-Selector/",
        fix="look at the generator's files and selector; the image has to be in the service's own values file",
    ),
    Rule(
        name="argocd-unexpected",
        severity="error",
        summary="There is no Application for anything else",
        reason="What nobody has promoted is deployed, or fails, and stops the whole ApplicationSet.",
        source=f"{_APPSETS}/Generators-Git-File-Globbing/",
        fix="look at the generator's files and selector, or move the file out of the pattern's way",
    ),
    Rule(
        name="argocd-name",
        severity="error",
        summary="Names fit: 63 characters of an Application, namespace or label, 53 of a release",
        reason="Argo CD or Helm refuses the name once it is templated: the service is not deployed.",
        source="https://helm.sh/docs/chart_best_practices/conventions/",
        fix="shorten the service's name, or argocd.application or argocd.namespace in gitops-tk.yaml",
    ),
    Rule(
        name="argocd-duplicate",
        severity="error",
        summary="No two Applications have the same name, and no two releases the same place",
        reason="The ApplicationSet ends in an error, or two Applications undo each other for ever.",
        source=f"{_DOCS}/user-guide/sync-options/#fail-the-sync-if-a-shared-resource-is-found",
        fix="put {service} and {env} into argocd.application, and the environments into namespaces of their own",
    ),
    Rule(
        name="argocd-path",
        severity="error",
        summary="The chart and the value files that an Application names are there",
        reason="Argo CD cannot render: the Application stays at what it had, in the state Unknown.",
        source=f"{_DOCS}/user-guide/helm/#values-files",
        fix="gitops-tk argocd write, or bring the chart or the file back",
    ),
    Rule(
        name="argocd-render",
        severity="error",
        summary="An Application has the chart, value files, release and namespace that gitops-tk renders",
        reason="What was reviewed is not what is deployed.",
        source=f"{_DOCS}/user-guide/helm/",
        fix="gitops-tk argocd write, or say in gitops-tk.yaml what is meant",
    ),
    Rule(
        name="argocd-project",
        severity="error",
        summary="The project is there, and allows an Application's repository, cluster and namespace",
        reason="Argo CD refuses the Application: InvalidSpecError.",
        source=f"{_DOCS}/user-guide/projects/",
        fix="add the repository or destination to argocd/project.yaml; gitops-tk argocd write does",
    ),
    Rule(
        name="argocd-refresh",
        severity="warning",
        summary="manifest-generate-paths covers all that an Application's chart is made from",
        reason="A commit that changes a library chart alone refreshes nothing: it is deployed with the next change.",
        source=f"{_DOCS}/operator-manual/high_availability/#manifest-paths-annotation",
        fix="add the folder to argocd.reads in gitops-tk.yaml, then run gitops-tk argocd write",
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
NAMES = tuple(BY_NAME)
