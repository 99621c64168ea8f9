"""What is worth a look before a change goes on: told of one object, before and after."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_tk.charts.masks import revealed
from gitops_tk.charts.rules.objects import (
    Container,
    Object,
    Objects,
    Pod,
    entries,
    mapping,
    number,
    sequence,
    step,
    text,
)
from gitops_tk.charts.rules.quantities import amount
from gitops_tk.model.evidence import Caution, ObjectChange

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CLUSTER_WIDE = frozenset(
    (
        *("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "PersistentVolume"),
        *("StorageClass", "VolumeSnapshotClass", "PriorityClass", "IngressClass", "GatewayClass", "RuntimeClass"),
        *("APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "CSIDriver", "Node"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "FlowSchema"),
        *("MutatingAdmissionPolicyBinding", "PriorityLevelConfiguration", "ClusterIssuer", "ClusterSecretStore"),
        *("ClusterExternalSecret", "ClusterPolicy", "CertificateSigningRequest", "ClusterTrustBundle"),
    )
)
# Whose deletion takes data along.
_WITH_DATA = {
    "PersistentVolumeClaim": "its volume may go with it",
    "PersistentVolume": "what it holds may go with it",
    "StatefulSet": "its pods go at once",
    "Namespace": "everything in it goes with it",
    "CustomResourceDefinition": "every object of this kind goes with it, in all namespaces",
    "Secret": "whoever reads it fails at the next start",
}
# By kind: what of the spec cannot be changed (the API server's own validation, pkg/apis/*/validation).
_IMMUTABLE: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("Deployment", "DaemonSet", "ReplicaSet"), re.compile(r"spec\.selector\b")),
    "StatefulSet": re.compile(
        r"spec\.(?!(?:replicas|template|updateStrategy|ordinals|minReadySeconds|revisionHistoryLimit|"
        r"persistentVolumeClaimRetentionPolicy)\b)"
    ),
    "Job": re.compile(r"spec\.(?:template|selector|completions|completionMode|podFailurePolicy|successPolicy)\b"),
    "Service": re.compile(r"spec\.clusterIPs?\b"),
    "PersistentVolumeClaim": re.compile(r"spec\.(?!resources\b|volumeAttributesClassName\b)"),
    "PersistentVolume": re.compile(r"spec\.(?:csi|nfs|hostPath|local|volumeMode|nodeAffinity)\b"),
    "StorageClass": re.compile(r"(?:provisioner|parameters|reclaimPolicy|volumeBindingMode)\b"),
    "PriorityClass": re.compile(r"(?:value|preemptionPolicy)\b"),
    **dict.fromkeys(("RoleBinding", "ClusterRoleBinding"), re.compile(r"roleRef\b")),
    "Secret": re.compile(r"type\b"),
    "CustomResourceDefinition": re.compile(r"spec\.(?:scope|group|names\.(?:kind|plural))\b"),
    "Pod": re.compile(
        r"spec\.(?!activeDeadlineSeconds\b|tolerations\b|(?:initContainers|containers)\[[^\]]*\]\.image\b)"
    ),
}
_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_REPLACED = re.compile(r"(?:Replace|Force)=true")


def cautions(before: Object | None, after: Object | None, change: ObjectChange) -> Iterator[Caution]:
    """What is worth a look about an object that comes, goes or changes.

    Args:
        before: the object, masked; None where it comes.
        after: the same; None where it goes.
        change: how they differ.
    """
    one = after or before
    if one is not None and one.kind in _CLUSTER_WIDE:
        verb = {"added": "comes", "removed": "goes", "changed": "changes"}[change.change]
        yield _caution("cluster-wide", change, f"{verb}: it belongs to the whole cluster")
    if before is None:
        return
    if after is None:
        if not any(hook in before.annotations for hook in _HOOKS):
            why = _WITH_DATA.get(before.kind)
            yield _caution("object-deleted", change, f"is deleted: {why}" if why else "is deleted")
        return
    yield from _immutable(before, after, change)
    yield from _fewer(before, after, change)
    if _gets_token(before.data, after.data):
        yield _caution("security-removed", change, "automountServiceAccountToken is no longer false")
    for old, new in zip(*(Objects([side], "").pods for side in (before, after)), strict=False):
        yield from (_caution(code, change, message) for code, message in _pods(old, new))


def _immutable(before: Object, after: Object, change: ObjectChange) -> Iterator[Caution]:
    if any(hook in after.annotations for hook in _HOOKS) or change.was is not None:
        # It is deleted before it comes again.
        return
    if _REPLACED.search(text(after.annotations.get("argocd.argoproj.io/sync-options"))):
        return
    rule = _IMMUTABLE.get(after.kind)
    fixed = [field.path for field in change.fields if rule and rule.match(field.path)]
    if after.kind in ("Secret", "ConfigMap") and before.data.get("immutable") is True:
        fixed += [field.path for field in change.fields if not field.path.startswith("metadata.")]
    for path in dict.fromkeys(_top(path) for path in fixed):
        yield _caution("immutable-field", change, f"{path} cannot be changed: the cluster refuses it")
    if after.kind == "PersistentVolumeClaim":
        old, new = (amount(step(one.data, ("spec", "resources", "requests", "storage"))) for one in (before, after))
        if old is not None and new is not None and new < old:
            yield _caution("immutable-field", change, "a volume cannot become smaller: the cluster refuses it")


def _fewer(before: Object, after: Object, change: ObjectChange) -> Iterator[Caution]:
    for name in ("replicas", "minReplicas", "maxReplicas"):
        old, new = number(before.spec.get(name)), number(after.spec.get(name))
        if old is not None and new is not None and new < old:
            yield _caution("replicas-cut", change, f"{name} {old} -> {new}")


def _pods(before: Pod, after: Pod) -> Iterator[tuple[str, str]]:
    for switch in ("hostNetwork", "hostPID", "hostIPC"):
        if after.spec.get(switch) is True and before.spec.get(switch) is not True:
            yield "security-removed", f"{switch} is true"
    if _gets_token(before.spec, after.spec):
        yield "security-removed", "automountServiceAccountToken is no longer false"
    paths = [_host_paths(pod) for pod in (before, after)]
    for path in sorted(paths[1] - paths[0]):
        yield "security-removed", f"{revealed(path)} of the node is mounted"
    known = {(one.init, one.name): one for one in before.containers}
    for container in after.containers:
        old = known.get((container.init, container.name))
        if old is None:
            if container.security.get("privileged") is True:
                yield "security-removed", f"container {revealed(container.name)}: it is privileged"
            continue
        found = (*_probes(old, container), *_resources(old, container), *_security(old, container))
        yield from ((code, f"container {revealed(container.name)}: {message}") for code, message in found)


def _gets_token(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    name = "automountServiceAccountToken"
    return before.get(name) is False and after.get(name) is not False


def _probes(before: Container, after: Container) -> Iterator[tuple[str, str]]:
    for probe in _PROBES:
        if mapping(before.data.get(probe)) and not mapping(after.data.get(probe)):
            yield "probe-removed", f"{probe} is removed"


def _resources(before: Container, after: Container) -> Iterator[tuple[str, str]]:
    for part in ("requests", "limits"):
        old, new = (mapping(one.resources.get(part)) for one in (before, after))
        for name, value in old.items():
            most, less = amount(value), amount(new.get(name))
            if name not in new:
                # A limit without a request is the request as well.
                if part == "limits" or name not in mapping(after.resources.get("limits")):
                    yield "resources-cut", f"{part}.{name} {value} is removed"
            elif most is not None and less is not None and less < most:
                yield "resources-cut", f"{part}.{name} {value} -> {new[name]}"


def _security(before: Container, after: Container) -> Iterator[tuple[str, str]]:
    for name, safe in (("runAsNonRoot", True), ("readOnlyRootFilesystem", True), ("allowPrivilegeEscalation", False)):
        if _effective(before, name) is safe and _effective(after, name) is not safe:
            yield "security-removed", f"{name} is no longer {str(safe).lower()}"
    if after.security.get("privileged") is True and before.security.get("privileged") is not True:
        yield "security-removed", "it is privileged"
    if _effective(after, "runAsUser") == 0 and _effective(before, "runAsUser") != 0:
        yield "security-removed", "it runs as root"
    profiles = [mapping(_effective(one, "seccompProfile")).get("type") for one in (before, after)]
    if profiles[0] in ("RuntimeDefault", "Localhost") and profiles[1] not in ("RuntimeDefault", "Localhost"):
        yield "security-removed", "it has no seccomp profile any more"
    dropped, added = ([_capabilities(one, part) for one in (before, after)] for part in ("drop", "add"))
    for name in sorted(dropped[0] - dropped[1] if "ALL" not in dropped[1] else ()):
        yield "security-removed", f"capability {revealed(name)} is no longer dropped"
    for name in sorted(added[1] - added[0]):
        yield "security-removed", f"capability {revealed(name)} is added"


def _effective(container: Container, name: str) -> Any:
    """What holds for a container: its own setting, or its pod's."""
    return container.security.get(name, container.pod.security.get(name))


def _capabilities(container: Container, part: str) -> set[str]:
    listed = sequence(mapping(container.security.get("capabilities")).get(part))
    return {one for one in listed if isinstance(one, str)}


def _host_paths(pod: Pod) -> set[str]:
    volumes = (volume for _, volume in entries(pod.spec.get("volumes")))
    return {text(mapping(volume.get("hostPath")).get("path")) for volume in volumes} - {""}


def _top(path: str) -> str:
    """The first two names of a path, which is what people know the rule by."""
    return ".".join(re.split(r"[.\[]", path)[:2])


def _caution(code: str, change: ObjectChange, message: str) -> Caution:
    return Caution(code=code, message=message, object=change.label)
