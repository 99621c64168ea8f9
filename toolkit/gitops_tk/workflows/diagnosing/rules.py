"""The rules of `doctor`: their stable names, in the order in which they are told, and what each looks at."""

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "git": "git is on PATH, new enough, and starts",
    "helm": "the Helm engine that render, validate and diff use renders a chart",
    "config": "gitops-tk.yaml is there and understood by this version",
    "identity": "git knows who commits",
    "credentials": "the environment's token goes to the remote's host, and is sent encrypted",
    "shallow": "the checkout has all of its history",
    "hooks": "no git hook of the checkout changes or refuses what `--local` and `--commit` commit",
    "filters": "no git attribute turns values files into something else than git keeps",
    "argocd-repository": "the manifests in `argocd/` read and allow the repository that gitops-tk.yaml names",
    "remote": "the remote answers, takes the login, and has the branch",
    "push": "the remote lets the login push, as far as a dry run tells",
    "clock": "this machine's clock agrees with the remote's",
    "forge": "the forge's API is known, and answers",
    "forge-token": "there is a token for the forge's API, and it is accepted",
    "forge-expiry": "the token does not expire within two weeks",
    "forge-rights": "the token may push and open pull requests",
    "direct-push": "where `publish` is push, the branch's protection lets the token push",
    "unprotected": "where `publish` is pull-request, not everybody may push to the branch",
    "required-check": "where `publish` is pull-request, verify-pr has to pass before a merge",
    "argocd": "Argo CD answers, takes the token, and shows the project's Applications",
}

# What cannot be known without asking somebody else.
NETWORK = tuple(RULES)[tuple(RULES).index("remote") :]
FORGE = ("forge", "forge-token", "forge-expiry", "forge-rights", "direct-push", "unprotected", "required-check")
