{{- /* What sends requests to the Service needs it, and the port, from a dict: `root`, `by`, `port`. */}}
{{- define "service.reachable" -}}
{{- if not .root.Values.service.enabled }}
{{- fail (printf "%s.enabled needs service.enabled: it sends its requests to the Service" .by) }}
{{- end }}
{{- if not (index .root.Values.ports .port).enabled }}
{{- fail (printf "%s.enabled needs ports.%s.enabled: it sends its requests there" .by .port) }}
{{- end }}
{{- end }}

{{- /* A Gateway API route's spec, from a dict: `root`, `by`, `port`. A rule without backends leads to the Service. */}}
{{- define "service.routeSpec" -}}
{{- $port := index .root.Values.ports .port }}
{{- $backend := dict "name" (include "service.fullname" .root) "port" (int64 $port.servicePort) }}
{{- $by := .by }}
{{- with index .root.Values .by }}
{{- if not .parentRefs }}
{{- fail (printf "%s.enabled needs the Gateway in %s.parentRefs" $by $by) }}
{{- end -}}
parentRefs:
  {{- toYaml .parentRefs | nindent 2 }}
{{- with .hostnames }}
hostnames:
  {{- toYaml . | nindent 2 }}
{{- end }}
rules:
  {{- range .rules }}
  {{- $rule := deepCopy . }}
  {{- if not (hasKey . "backendRefs") }}
  {{- $_ := set $rule "backendRefs" (list $backend) }}
  {{- end }}
  - {{ toYaml $rule | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}
