{{- /* What [[ "the CronJob" if profile == "cronjob" else "the Deployment" ]] runs. */}}
{{- define "service.podTemplate" -}}
{{- if eq .Values.image.tag "latest" }}
{{- fail "image.tag is latest, which does not say what runs: set a version" }}
{{- end -}}
metadata:
  labels:
    {{- include "service.podLabels" . | nindent 4 }}
  annotations:
    {{- include "service.podAnnotations" . | nindent 4 }}
spec:
[% if profile == "cronjob" %]
  restartPolicy: {{ .Values.cronJob.restartPolicy }}
[% endif %]
  {{- include "service.podSpec" . | nindent 2 }}
[% if profile != "cronjob" %]
  {{- if .Values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range .Values.topologySpread.topologyKeys }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "service.selectorLabels" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
[% endif %]
  {{- with .Values.initContainers }}
  initContainers:
    {{- include "service.furtherContainers" (dict "root" $ "containers" .) | nindent 4 }}
  {{- end }}
  containers:
    - {{ include "service.container" (dict "root" . "command" .Values.command "args" .Values.args) | nindent 6 | trim }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
[% if profile == "cronjob" %]
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
[% else %]
      ports:
        {{- range $name, $port := .Values.ports }}
        {{- if $port.enabled }}
        - name: {{ $name }}
          containerPort: {{ $port.port }}
          protocol: TCP
        {{- end }}
        {{- end }}
      {{- range $name, $probe := .Values.probes }}
      {{- if $probe.enabled }}
      {{ $name }}Probe:
        {{- include "service.probe" (dict "root" $ "name" $name "probe" $probe) | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- with include "service.lifecycle" . }}
      lifecycle:
        {{- . | nindent 8 }}
      {{- end }}
    {{- with .Values.sidecars }}
    {{- include "service.furtherContainers" (dict "root" $ "containers" .) | nindent 4 }}
    {{- end }}
[% endif %]
{{- end }}

{{- define "service.podAnnotations" -}}
{{- $annotations := dict "kubectl.kubernetes.io/default-container" (include "service.name" .) }}
{{- if or .Values.config.data .Values.config.files }}
{{- $_ := set $annotations "checksum/config" (pick .Values.config "data" "files" | toJson | sha256sum) }}
{{- end }}
{{- with .Values.secrets.create }}
{{- $_ := set $annotations "checksum/secrets" (toJson . | sha256sum) }}
{{- end }}
{{- merge $annotations .Values.podAnnotations | toYaml }}
{{- end }}

{{- /* What every pod of this chart has, the migration's too, beside its containers. */}}
{{- define "service.podSpec" -}}
serviceAccountName: {{ include "service.serviceAccountName" . }}
automountServiceAccountToken: {{ or .Values.serviceAccount.automountToken .Values.rbac.enabled }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "service.gracePeriod" . }}
{{- with include "service.imagePullSecrets" . }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraPodSpec }}
{{- toYaml . | nindent 0 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with include "service.volumes" . | trim }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "service.gracePeriod" -}}
{{- with .Values.shutdown }}
{{- $needed := add (.preStopSeconds | default 0) (.drainSeconds | default 0) }}
{{- if lt (int .gracePeriodSeconds) (int $needed) }}
{{- fail (printf "shutdown.gracePeriodSeconds is %v, and preStopSeconds + drainSeconds are %v: the process would be killed while it drains" .gracePeriodSeconds $needed) }}
{{- end }}
{{- .gracePeriodSeconds | int64 }}
{{- end }}
{{- end }}

{{- /* A container of the service's own image, from a dict: `root`, `name`, `command`, `args`. */}}
{{- define "service.container" -}}
name: {{ .name | default (include "service.name" .root) }}
image: {{ include "service.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{- with .command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "service.env" .root | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with include "service.envFrom" .root | trim }}
envFrom:
  {{- . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
{{- with include "service.volumeMounts" .root | trim }}
volumeMounts:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Containers as they are written, with the service's image and security context where they say nothing else. */}}
{{- define "service.furtherContainers" -}}
{{- $containers := list }}
{{- range .containers }}
{{- $container := deepCopy . }}
{{- if not (hasKey . "image") }}
{{- $_ := set $container "image" (include "service.image" $.root) }}
{{- end }}
{{- if not (hasKey . "securityContext") }}
{{- $_ := set $container "securityContext" $.root.Values.securityContext }}
{{- end }}
{{- $containers = append $containers $container }}
{{- end }}
{{- toYaml $containers }}
{{- end }}

{{- define "service.env" -}}
[% if profile != "cronjob" %]
{{- range $name, $variable := dict "http" "PORT" "grpc" "GRPC_PORT" "metrics" "METRICS_PORT" }}
{{- with index $.Values.ports $name }}
{{- if .enabled }}
- name: {{ $variable }}
  value: {{ .port | int64 | toString | quote }}
{{- end }}
{{- end }}
{{- end }}
[% endif %]
{{- if not (kindIs "invalid" .Values.shutdown.drainSeconds) }}
- name: DRAIN_SECONDS
  value: {{ .Values.shutdown.drainSeconds | int64 | toString | quote }}
{{- end }}
{{- if .Values.config.files }}
- name: CONFIG_DIR
  value: {{ .Values.config.mountPath | quote }}
{{- end }}
{{- /* Without a limit Kubernetes would answer with the node's memory or cores. */}}
{{- if and .Values.goRuntime.memoryLimit (dig "limits" "memory" "" .Values.resources) }}
{{ include "service.limit" (dict "name" "MEMORY_LIMIT" "resource" "limits.memory") }}
{{- end }}
{{- if and .Values.goRuntime.gomemlimit (dig "limits" "memory" "" .Values.resources) }}
{{ include "service.limit" (dict "name" "GOMEMLIMIT" "resource" "limits.memory") }}
{{- end }}
{{- if and .Values.goRuntime.gomaxprocs (dig "limits" "cpu" "" .Values.resources) }}
{{ include "service.limit" (dict "name" "GOMAXPROCS" "resource" "limits.cpu") }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "service.limit" -}}
- name: {{ .name }}
  valueFrom:
    resourceFieldRef:
      resource: {{ .resource }}
      divisor: "1"
{{- end }}

{{- define "service.envFrom" -}}
{{- if .Values.config.data }}
- configMapRef:
    name: {{ include "service.fullname" . }}
{{- end }}
{{- with .Values.extraEnvFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "service.volumeMounts" -}}
{{- if .Values.tmp.enabled }}
- name: tmp
  mountPath: /tmp
{{- end }}
{{- if .Values.config.files }}
- name: config
  mountPath: {{ .Values.config.mountPath }}
  readOnly: true
{{- end }}
{{- range include "service.mountedSecrets" . | fromJsonArray }}
- name: {{ include "service.secretVolume" .name }}
  mountPath: {{ .mountPath }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "service.volumes" -}}
{{- if .Values.tmp.enabled }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit }}
{{- end }}
{{- if .Values.config.files }}
- name: config
  configMap:
    name: {{ include "service.fullname" . }}-files
{{- end }}
{{- range include "service.mountedSecrets" . | fromJsonArray }}
- name: {{ include "service.secretVolume" .name }}
  secret:
    secretName: {{ .name }}
    # 0440: the owner and the pod's group may read it.
    defaultMode: 288
    optional: {{ .optional | default false }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* A volume's name is a DNS label; a secret's name may be longer, and have dots. */}}
{{- define "service.secretVolume" -}}
{{- printf "secret-%s" (. | replace "." "-") | trunc 63 | trimSuffix "-" }}
{{- end }}
[% if profile != "cronjob" %]

{{- define "service.lifecycle" -}}
{{- $lifecycle := deepCopy .Values.lifecycle }}
{{- if and (not $lifecycle.preStop) (gt (int .Values.shutdown.preStopSeconds) 0) }}
{{- $_ := set $lifecycle "preStop" (dict "sleep" (dict "seconds" (int64 .Values.shutdown.preStopSeconds))) }}
{{- end }}
{{- with $lifecycle }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /* A probe from a dict: `root`, `name`, `probe`. */}}
{{- define "service.probe" -}}
{{- $type := .probe.type }}
{{- $name := .probe.port | default (ternary "grpc" "http" (eq $type "grpc")) }}
{{- $port := index .root.Values.ports $name | default dict }}
{{- if and (ne $type "exec") (not $port.enabled) }}
{{- fail (printf "probes.%s asks the port %s, which ports.%s.enabled leaves out" .name $name $name) }}
{{- end }}
{{- with .probe }}
{{- if eq $type "exec" -}}
exec:
  command:
    {{- required "a probe of type exec needs a command" .command | toYaml | nindent 4 }}
{{- else if eq $type "grpc" -}}
grpc:
  port: {{ $port.port }}
  service: {{ .service | default "" | quote }}
{{- else if eq $type "tcp" -}}
tcpSocket:
  port: {{ $name }}
{{- else -}}
httpGet:
  path: {{ .path | default "/" | quote }}
  port: {{ $name }}
  {{- with .scheme }}
  scheme: {{ . }}
  {{- end }}
  {{- with .httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with .initialDelaySeconds }}
initialDelaySeconds: {{ . }}
{{- end }}
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end }}
{{- end }}
[% endif %]
