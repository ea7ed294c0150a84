{{/* Names, labels and images that the objects of the chart share. */}}

{{- define "driftgauge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{/* 46 characters: with "-redis" a StatefulSet's name may have 52, since its pods carry it in a label with a hash. */}}
{{- define "driftgauge.fullname" -}}
{{- $name := include "driftgauge.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | replace "." "-" | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "driftgauge.redis.name" -}}
{{- include "driftgauge.fullname" . -}}-redis
{{- end -}}

{{- define "driftgauge.serviceAccountName" -}}
{{- default (ternary (include "driftgauge.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* dict "root" $ "component" "logger" */}}
{{- define "driftgauge.selectorLabels" -}}
app.kubernetes.io/name: {{ include "driftgauge.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* dict "root" $ "component" "logger" "more" (optional map); the chart's own labels win over commonLabels. */}}
{{- define "driftgauge.labels" -}}
{{- $own := fromYaml (include "driftgauge.selectorLabels" .) -}}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $own (default dict .more) .root.Values.commonLabels) -}}
{{- end -}}

{{/*
Labels of a pod; arguments as above. They have no version: a changed pod template replaces the pods, which empties
windows in memory, and a new chart with the same image must not do that.
*/}}
{{- define "driftgauge.podLabels" -}}
{{- toYaml (merge (fromYaml (include "driftgauge.selectorLabels" .)) (default dict .more) .root.Values.commonLabels) -}}
{{- end -}}

{{/* dict "image" (map) "tag" (used where the map has neither tag nor digest) */}}
{{- define "driftgauge.image" -}}
{{- .image.repository -}}
{{- with default (ternary "" .tag (ne .image.digest "")) .image.tag }}:{{ . }}{{ end -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "driftgauge.serviceHost" -}}
{{- printf "%s.%s.svc.%s" (include "driftgauge.fullname" .) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}

{{/* The value of KServe's `logger.url`. */}}
{{- define "driftgauge.url" -}}
{{- $usual := ternary 443 80 (not (empty .Values.tls.secret)) -}}
{{ include "driftgauge.scheme" . }}://{{ include "driftgauge.serviceHost" . }}{{ if ne (int .Values.service.port) $usual }}:{{ .Values.service.port }}{{ end }}/
{{- end -}}

{{/* The scheme of both ports. */}}
{{- define "driftgauge.scheme" -}}
{{- ternary "https" "http" (not (empty .Values.tls.secret)) -}}
{{- end -}}

{{- define "driftgauge.pullSecrets" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The container's part of the restricted pod security standard. */}}
{{- define "driftgauge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The pod's half; dict "user" "group" "fsGroup", each left out where it is null. */}}
{{- define "driftgauge.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- with .user }}
runAsUser: {{ int . }}
{{- end }}
{{- with .group }}
runAsGroup: {{ int . }}
{{- end }}
{{- with .fsGroup }}
fsGroup: {{ int . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end -}}
