"""Authoring: files written into a checkout, committed with --commit; a URL is published to, like delivery."""

from gitops_tk.model.result import Result
from gitops_tk.repository.checkout import Checkout
from gitops_tk.repository.location import CheckoutLocation, locate
from gitops_tk.repository.remote import Remote
from gitops_tk.workflows.deliver import Planner, in_checkout, on_remote
from gitops_tk.workflows.options import Options


def author(command: str, planner: Planner, options: Options) -> Result:
    """Plans from the checkout's files and writes there, or publishes on the remote that `--repo` names.

    Raises:
        GitopsTkError: the plan was refused, or could not be written.
    """
    location = locate(options.repo, options.cwd, options.environ)
    if isinstance(location, CheckoutLocation):
        return in_checkout(command, planner, Checkout(location.root, options.environ), options, commit=options.commit)
    with Remote(location, options.branch, options.environ) as remote:
        return on_remote(command, planner, remote, options)
