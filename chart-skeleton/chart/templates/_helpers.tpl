{{- define "service.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "service.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "service.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "service.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* A selector can never change: it holds nothing that does. */}}
{{- define "service.selectorLabels" -}}
app.kubernetes.io/name: {{ include "service.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "service.podLabels" -}}
{{ include "service.selectorLabels" . }}
app.kubernetes.io/component: server
{{- with .Values.owner }}
app.kubernetes.io/owner: {{ . | quote }}
{{- end }}
{{- with .Values.partOf }}
app.kubernetes.io/part-of: {{ . | quote }}
{{- end }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The chart's version stays off the pods, or every new chart would restart them. */}}
{{- define "service.labels" -}}
{{ include "service.podLabels" . }}
app.kubernetes.io/version: {{ include "service.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* A label is shorter than a tag may be, and does not end in a separator. */}}
{{- define "service.version" -}}
{{- .Values.image.tag | default "unset" | trunc 63 | trimAll "-_." }}
{{- end }}

{{- /* A service that was never deployed has no tag yet: the placeholder renders, and cannot be pulled. */}}
{{- define "service.image" -}}
{{- if eq .Values.image.tag "latest" }}
{{- fail "image.tag is latest, which does not say what runs: set a version" }}
{{- end }}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default "never-deployed" }}
{{- end }}
{{- end }}

{{- define "service.buildAnnotations" -}}
{{- with .Values.image.build }}
gitops-tk/build: {{ . | int64 | toString | quote }}
{{- end }}
{{- with .Values.image.revision }}
gitops-tk/revision: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "service.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
periodSeconds: {{ .periodSeconds }}
timeoutSeconds: {{ .timeoutSeconds }}
failureThreshold: {{ .failureThreshold }}
{{- end }}
