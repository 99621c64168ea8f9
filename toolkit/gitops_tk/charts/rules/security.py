"""Rules of Pod Security "restricted", one for each control of the standard, and of rights in the cluster.

Source: Kubernetes, "Pod Security Standards", the tables "Baseline" and "Restricted".
"""

from collections.abc import Iterator
from typing import Any

from gitops_tk.charts.rules.model import Fault, in_container, in_pod, rule
from gitops_tk.charts.rules.objects import Container, Object, Objects, Path, entries, mapping, sequence, text

_STANDARD = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_BASELINE, _RESTRICTED = f"{_STANDARD}#baseline", f"{_STANDARD}#restricted"
_REFUSED = 'A namespace with pod-security.kubernetes.io/enforce "restricted" takes no such pod.'
_VOLUMES = (
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected"),
    "secret",
)
_SYSCTLS = (
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
    *("net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
)
_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


@rule(
    "pod-security-privileged",
    "error",
    summary="No container is privileged",
    reason=f"A privileged container is root on its node. {_REFUSED}",
    source=_BASELINE,
    fix="leave privileged out",
)
def privileged(objects: Objects) -> Iterator[Fault]:
    """Privileged containers."""
    for container in objects.containers:
        if container.security.get("privileged") is True:
            yield in_container(container, ("securityContext", "privileged"), "it is privileged")


@rule(
    "pod-security-host",
    "error",
    summary="Pods do not share the node's network, processes or IPC, and take no port of the node",
    reason=f"The pod sees the node's traffic and processes, and two pods cannot be on one node. {_REFUSED}",
    source=_BASELINE,
    fix="leave hostNetwork, hostPID, hostIPC and hostPort out",
)
def host(objects: Objects) -> Iterator[Fault]:
    """Pods that share what is the node's."""
    for pod in objects.pods:
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(key) is True:
                yield in_pod(pod, (key,), f"{key} is on")
    for container in objects.containers:
        for at, port in container.ports:
            if port.get("hostPort"):
                yield in_container(container, ("ports", at, "hostPort"), f"it takes the node's port {port['hostPort']}")


@rule(
    "pod-security-host-process",
    "error",
    summary="No container is a HostProcess of Windows",
    reason=f"Such a container has the rights of its node. {_REFUSED}",
    source=_BASELINE,
    fix="leave windowsOptions.hostProcess out",
)
def host_process(objects: Objects) -> Iterator[Fault]:
    """HostProcess containers."""
    for one, path, context in _contexts(objects):
        if mapping(context.get("windowsOptions")).get("hostProcess") is True:
            yield Fault(one, (*path, "windowsOptions", "hostProcess"), "hostProcess is on")


@rule(
    "pod-security-volumes",
    "error",
    summary="Pods mount only volumes that give no access to the node",
    reason=f"A hostPath reads, and may write, the files of the node. {_REFUSED}",
    source=_RESTRICTED,
    fix="use emptyDir, configMap, secret, projected, persistentVolumeClaim, csi or ephemeral",
)
def volumes(objects: Objects) -> Iterator[Fault]:
    """Volumes of other kinds."""
    for pod in objects.pods:
        for at, volume in entries(pod.spec.get("volumes")):
            for kind in volume:
                if kind != "name" and kind not in _VOLUMES:
                    yield in_pod(pod, ("volumes", at, kind), f"the volume {volume.get('name')} is a {kind}")


@rule(
    "pod-security-capabilities",
    "error",
    summary="Containers drop all capabilities, and add at most NET_BIND_SERVICE",
    reason=f"What a process may not do, somebody who takes it over may not do either. {_REFUSED}",
    source=_RESTRICTED,
    fix="set securityContext.capabilities.drop to [ALL]",
)
def capabilities(objects: Objects) -> Iterator[Fault]:
    """Containers with capabilities."""
    for container in objects.containers:
        if container.pod.is_windows:
            continue
        written = mapping(container.security.get("capabilities"))
        path: Path = ("securityContext", "capabilities")
        if "ALL" not in sequence(written.get("drop")):
            yield in_container(container, (*path, "drop"), "it does not drop all capabilities")
        for at, added in enumerate(sequence(written.get("add"))):
            if added != "NET_BIND_SERVICE":
                yield in_container(container, (*path, "add", at), f"it adds the capability {added}")


@rule(
    "pod-security-escalation",
    "error",
    summary="Containers cannot gain rights",
    reason=f"A set-uid program in the image makes its caller root. {_REFUSED}",
    source=_RESTRICTED,
    fix="set securityContext.allowPrivilegeEscalation to false in every container",
)
def escalation(objects: Objects) -> Iterator[Fault]:
    """Containers that may gain rights."""
    for container in objects.containers:
        if not container.pod.is_windows and container.security.get("allowPrivilegeEscalation") is not False:
            path: Path = ("securityContext", "allowPrivilegeEscalation")
            yield in_container(container, path, "allowPrivilegeEscalation is not false")


@rule(
    "pod-security-non-root",
    "error",
    summary="Containers run as a user other than root, and say so",
    reason=f"Root in a container is root on the node, once it gets out. {_REFUSED}",
    source=_RESTRICTED,
    fix="set runAsNonRoot to true, and runAsUser to a number that is not 0",
)
def non_root(objects: Objects) -> Iterator[Fault]:
    """Containers that may run as root."""
    for container in objects.containers:
        if _in_force(container, "runAsNonRoot") is not True:
            yield in_container(container, ("securityContext", "runAsNonRoot"), "runAsNonRoot is not true")
    for one, path, context in _contexts(objects):
        if context.get("runAsUser") == 0:
            yield Fault(one, (*path, "runAsUser"), "runAsUser is 0, which is root")


@rule(
    "pod-security-seccomp",
    "error",
    summary="Containers have a seccomp profile",
    reason=f"Without one every system call of the kernel is open. {_REFUSED}",
    source=_RESTRICTED,
    fix="set securityContext.seccompProfile.type to RuntimeDefault in the pod",
)
def seccomp(objects: Objects) -> Iterator[Fault]:
    """Containers without a profile."""
    for container in objects.containers:
        profile = mapping(_in_force(container, "seccompProfile")).get("type")
        if not container.pod.is_windows and profile not in ("RuntimeDefault", "Localhost"):
            said = f"seccompProfile is {profile}" if profile else "it has no seccompProfile"
            yield in_container(container, ("securityContext", "seccompProfile"), said)


@rule(
    "pod-security-kernel",
    "error",
    summary="Pods keep the runtime's masks of /proc, AppArmor and SELinux, and set only safe sysctls",
    reason=f"These take away what separates the pod from its node. {_REFUSED}",
    source=_BASELINE,
    fix="leave procMount, appArmorProfile, seLinuxOptions and sysctls out",
)
def kernel(objects: Objects) -> Iterator[Fault]:
    """Settings that open the kernel."""
    for one, path, context in _contexts(objects):
        if context.get("procMount") not in (None, "Default"):
            yield Fault(one, (*path, "procMount"), f"procMount is {context['procMount']}")
        if mapping(context.get("appArmorProfile")).get("type") == "Unconfined":
            yield Fault(one, (*path, "appArmorProfile", "type"), "appArmorProfile is Unconfined")
        options = mapping(context.get("seLinuxOptions"))
        if options.get("user") or options.get("role") or text(options.get("type")) not in _SELINUX:
            yield Fault(one, (*path, "seLinuxOptions"), "seLinuxOptions sets a user, a role or another type")
        for at, sysctl in entries(context.get("sysctls")):
            if sysctl.get("name") not in _SYSCTLS:
                yield Fault(one, (*path, "sysctls", at, "name"), f"the sysctl {sysctl.get('name')} is not a safe one")


@rule(
    "read-only-root",
    "warning",
    summary="Containers cannot write to their root filesystem",
    reason="What cannot be written cannot be replaced by somebody who got in, and does not fill the node's disk.",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    fix="set securityContext.readOnlyRootFilesystem to true, and mount an emptyDir at /tmp",
)
def read_only_root(objects: Objects) -> Iterator[Fault]:
    """Containers that can write everywhere."""
    for container in objects.containers:
        if not container.pod.is_windows and container.security.get("readOnlyRootFilesystem") is not True:
            path: Path = ("securityContext", "readOnlyRootFilesystem")
            yield in_container(container, path, "it can write to its root filesystem")


@rule(
    "service-account-token",
    "warning",
    summary="A pod without rights in the cluster has no token for it",
    reason="The token is mounted by default, and whoever gets into the pod can ask the API server with it.",
    source="https://kubernetes.io/docs/concepts/security/service-accounts/#opt-out-of-api-credential-automounting",
    fix="set automountServiceAccountToken to false in the pod; a RoleBinding of the release shows that it is needed",
)
def service_account_token(objects: Objects) -> Iterator[Fault]:
    """Pods with a token that nothing gives rights to."""
    bound = {
        text(subject.get("name"))
        for binding in objects.of("RoleBinding", "ClusterRoleBinding")
        for _, subject in entries(binding.data.get("subjects"))
        if subject.get("kind") == "ServiceAccount"
    }
    for pod in objects.pods:
        account = text(pod.spec.get("serviceAccountName")) or "default"
        one = objects.named("ServiceAccount", account)
        says = pod.spec.get("automountServiceAccountToken")
        if says is None and one is not None:
            says = one.data.get("automountServiceAccountToken")
        if says is not False and account not in bound:
            yield in_pod(pod, ("automountServiceAccountToken",), f"the token of {account} is mounted")


@rule(
    "rbac-wildcard",
    "warning",
    summary="Roles name what they allow",
    reason="With * a role allows what nobody thought of, and what does not exist yet: Secrets, for instance.",
    source="https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",
    fix="list apiGroups, resources and verbs",
)
def rbac_wildcard(objects: Objects) -> Iterator[Fault]:
    """Roles with wildcards."""
    for role in objects.of("Role", "ClusterRole"):
        for at, written in entries(role.data.get("rules")):
            for key in ("apiGroups", "resources", "verbs"):
                if "*" in sequence(written.get(key)):
                    yield Fault(role, ("rules", at, key), f"it allows all {key}")


def _in_force(container: Container, key: str) -> Any:
    """What holds for a container: its own setting, else the pod's."""
    own = container.security.get(key)
    return container.pod.security.get(key) if own is None else own


def _contexts(objects: Objects) -> Iterator[tuple[Object, Path, dict[str, Any]]]:
    for pod in objects.pods:
        yield pod.owner, (*pod.path, "securityContext"), pod.security
    for container in objects.containers:
        yield container.pod.owner, (*container.path, "securityContext"), container.security
