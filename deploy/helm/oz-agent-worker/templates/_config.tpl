{{- /* The worker's configuration file. What is empty is left to the worker. */}}
{{- define "oz-agent-worker.config" -}}
{{- $worker := .Values.worker }}
{{- $backend := .Values.kubernetesBackend }}
{{- $id := required "worker.workerId is required: the name by which runs choose this worker, such as --set worker.workerId=build-1" $worker.workerId }}
{{- if hasPrefix "warp" $id }}
{{- fail (printf "worker.workerId: '%s': ids that begin with 'warp' are the control plane's own; choose another" $id) }}
{{- end }}
{{- $kubernetes := dict
  "namespace" (include "oz-agent-worker.taskNamespace" .)
  "image_pull_policy" $backend.imagePullPolicy
  "unschedulable_timeout" $backend.unschedulableTimeout
  "agent_image" (default (include "oz-agent-worker.image" .) $backend.agentImage)
  "credentials" $backend.credentials }}
{{- range $key, $value := dict
  "default_image" $backend.defaultImage
  "use_image_volumes" $backend.useImageVolumes
  "preflight_image" $backend.preflightImage
  "preflight_resources" $backend.preflightResources
  "sidecar_image" $backend.sidecarImage
  "coding_cli_sidecars" $backend.codingCliSidecars
  "setup_command" $backend.setupCommand
  "teardown_command" $backend.teardownCommand
  "extra_labels" $backend.extraLabels
  "extra_annotations" $backend.extraAnnotations
  "active_deadline_seconds" $backend.activeDeadlineSeconds
  "workspace_size_limit" $backend.workspaceSizeLimit
  "pod_template" $backend.podTemplate }}
{{- if $value }}
{{- $_ := set $kubernetes $key $value }}
{{- end }}
{{- end }}
{{- /* 0 is a time, too: at once. */}}
{{- if and $worker.cleanup (not (kindIs "invalid" $backend.ttlSecondsAfterFinished)) }}
{{- $_ := set $kubernetes "ttl_seconds_after_finished" $backend.ttlSecondsAfterFinished }}
{{- end }}
{{- $config := dict
  "worker_id" $id
  "cleanup" $worker.cleanup
  "max_concurrent_tasks" $worker.maxConcurrentTasks
  "backend" (dict "kubernetes" $kubernetes) }}
{{- range $key, $value := dict
  "idle_on_complete" $worker.idleOnComplete
  "drain_timeout" $worker.drainTimeout
  "labels" $worker.labels }}
{{- if $value }}
{{- $_ := set $config $key $value }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}
