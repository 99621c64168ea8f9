{{- define "service.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "service.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "service.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "service.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- /* A selector can never change: it holds nothing that does. */}}
{{- define "service.selectorLabels" -}}
app.kubernetes.io/name: {{ include "service.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The labels that every object and every pod has. The standard ones win, or a selector would find nothing. */}}
{{- define "service.commonLabels" -}}
{{- $labels := include "service.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/component" "[[ {"worker": "worker", "cronjob": "job"}.get(profile, "server") ]]" }}
{{- with .Values.owner }}
{{- $_ := set $labels "app.kubernetes.io/owner" . }}
{{- end }}
{{- with .Values.partOf }}
{{- $_ := set $labels "app.kubernetes.io/part-of" . }}
{{- end }}
{{- merge $labels .Values.commonLabels | toYaml }}
{{- end }}

{{- /* The chart's version stays off the pods, or every new chart would restart them. */}}
{{- define "service.podLabels" -}}
{{- merge (include "service.commonLabels" . | fromYaml) .Values.podLabels | toYaml }}
{{- end }}

{{- define "service.labels" -}}
{{ include "service.commonLabels" . }}
app.kubernetes.io/version: {{ include "service.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /*
The metadata of an object, from a dict: `root`; its `name`, or a `suffix` of the usual one; `labels` and `annotations`
of its own; `early` for what a migration needs, which Argo CD brings before the migration's Job.
*/}}
{{- define "service.metadata" -}}
{{- $annotations := merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
{{- if and .early .root.Values.migration.enabled }}
{{- $_ := set $annotations "argocd.argoproj.io/sync-wave" "-10" }}
{{- end -}}
name: {{ .name | default (include "service.fullname" .root) }}{{ .suffix }}
labels:
  {{- include "service.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* A label is shorter than a tag may be, and does not end in a separator. */}}
{{- define "service.version" -}}
{{- .Values.image.tag | default "unset" | trunc 63 | trimAll "-_." }}
{{- end }}

{{- /* A service that was never deployed has no tag yet: the placeholder renders, and cannot be pulled. */}}
{{- define "service.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default "never-deployed" }}
{{- end }}
{{- end }}

{{- /* On the workload, not on its pods: a new build of the same image does not restart them. */}}
{{- define "service.workloadAnnotations" -}}
{{- $annotations := dict }}
{{- with .Values.image.build }}
{{- $_ := set $annotations "gitops-tk/build" (. | int64 | toString) }}
{{- end }}
{{- with .Values.image.revision }}
{{- $_ := set $annotations "gitops-tk/revision" . }}
{{- end }}
{{- merge $annotations .Values.workloadAnnotations | toYaml }}
{{- end }}

{{- define "service.externalSecretName" -}}
{{- .Values.secrets.external.name | default (printf "%s-external" (include "service.fullname" .)) }}
{{- end }}

{{- /* Every secret that is mounted, as JSON: those that exist, those that this chart makes, the external one. */}}
{{- define "service.mountedSecrets" -}}
{{- $mounted := .Values.secrets.existing }}
{{- range .Values.secrets.create }}
{{- if .mountPath }}
{{- $name := printf "%s-%s" (include "service.fullname" $) .name }}
{{- $mounted = append $mounted (dict "name" $name "mountPath" .mountPath) }}
{{- end }}
{{- end }}
{{- with .Values.secrets.external }}
{{- if and .enabled .mountPath }}
{{- $mounted = append $mounted (dict "name" (include "service.externalSecretName" $) "mountPath" .mountPath) }}
{{- end }}
{{- end }}
{{- $mounted | toJson }}
{{- end }}

{{- define "service.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets }}
{{- range .Values.secrets.create }}
{{- if eq .type "kubernetes.io/dockerconfigjson" }}
{{- $secrets = append $secrets (dict "name" (printf "%s-%s" (include "service.fullname" $) .name)) }}
{{- end }}
{{- end }}
{{- with $secrets }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /* How Prometheus reads the metrics, from the values of a ServiceMonitor or PodMonitor. */}}
{{- define "service.scrape" -}}
port: metrics
path: {{ .path }}
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
