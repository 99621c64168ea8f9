{{- define "x" }}1{{ end }}
