{{- define "oz-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "oz-server.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "oz-server.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "oz-server.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "oz-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oz-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "oz-server.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "oz-server.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: server
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "oz-server.serviceAccountName" -}}
{{- default (ternary (include "oz-server.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- define "oz-server.image" -}}
{{- $tag := required "image.tag is required: the version of the server's image, such as --set-string image.tag=0.1.0" .Values.image.tag }}
{{- printf "%s:%s" .Values.image.repository $tag }}
{{- end }}

{{- /* Where files lie; empty for the data directory. */}}
{{- define "oz-server.blobURL" -}}
{{- if .Values.blobURL }}
{{- .Values.blobURL }}
{{- else if .Values.database.existingSecret -}}
file:///var/lib/oz/blobs
{{- end }}
{{- end }}

{{- /* Not empty when there is something for a volume to keep. */}}
{{- define "oz-server.durable" -}}
{{- $elsewhere := and .Values.database.existingSecret (hasPrefix "s3://" .Values.blobURL) }}
{{- if and .Values.persistence.enabled (not $elsewhere) }}true{{ end }}
{{- end }}

{{- /* Refuses what would lose data or not start. */}}
{{- define "oz-server.check" -}}
{{- $shared := or (hasPrefix "s3://" .Values.blobURL) (and .Values.persistence.enabled (has "ReadWriteMany" .Values.persistence.accessModes)) }}
{{- if gt (int .Values.replicas) 1 }}
{{- if not .Values.database.existingSecret }}
{{- fail (printf "replicas: %v: several servers share a PostgreSQL database; name its Secret in database.existingSecret, or set replicas to 1" .Values.replicas) }}
{{- end }}
{{- if not $shared }}
{{- fail (printf "replicas: %v: several servers share their files; set blobURL to s3://BUCKET/PREFIX, or persistence.accessModes to [ReadWriteMany]" .Values.replicas) }}
{{- end }}
{{- end }}
{{- end }}
