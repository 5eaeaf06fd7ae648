{{- define "oz-agent-worker.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "oz-agent-worker.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "oz-agent-worker.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "oz-agent-worker.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "oz-agent-worker.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oz-agent-worker.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oz-agent-worker.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "oz-agent-worker.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: worker
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "oz-agent-worker.serviceAccountName" -}}
{{- default (ternary (include "oz-agent-worker.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "oz-agent-worker.secretName" -}}
{{- default (printf "%s-api-key" (include "oz-agent-worker.fullname" .)) .Values.warp.apiKeySecret.name }}
{{- end }}

{{- /* Namespace of the Jobs. */}}
{{- define "oz-agent-worker.taskNamespace" -}}
{{- default .Release.Namespace .Values.kubernetesBackend.namespace }}
{{- end }}

{{- define "oz-agent-worker.image" -}}
{{- $tag := required "image.tag is required: the version of the worker's image, such as --set-string image.tag=0.1.0" .Values.image.tag }}
{{- printf "%s:%s" .Values.image.repository $tag }}
{{- end }}

{{- /* Not empty when the worker answers on the metrics port. */}}
{{- define "oz-agent-worker.scraped" -}}
{{- if and .Values.metrics.enabled (eq .Values.metrics.exporter "prometheus") }}true{{ end }}
{{- end }}

{{- /* Empty when the worker is to derive it from the control plane's address. */}}
{{- define "oz-agent-worker.webSocketURL" -}}
{{- if .Values.warp.webSocketURL }}
{{- .Values.warp.webSocketURL }}
{{- else if eq (trimSuffix "/" .Values.warp.serverRootURL) "https://app.warp.dev" -}}
wss://oz.warp.dev/api/v1/selfhosted/worker/ws
{{- end }}
{{- end }}
