{{/* What ServiceMonitor, PodMonitor and PrometheusRule share, and how values change the alerts of files/alerts.yaml. */}}

{{/* dict "root" $ "component" "logger" "labels" (those of the kind, which win over monitoring.release) */}}
{{- define "driftgauge.monitoringLabels" -}}
{{- $more := dict -}}
{{- with .root.Values.monitoring.release }}{{ $_ := set $more "release" . }}{{ end -}}
{{- include "driftgauge.labels" (dict "root" .root "component" .component "more" (merge (dict) .labels $more)) -}}
{{- end -}}

{{/* A duration such as 30s, in milliseconds. */}}
{{- define "driftgauge.milliseconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000) $unit) -}}
{{- end -}}

{{/* The address of the runbooks, with {name} for the page; empty if there is none. */}}
{{- define "driftgauge.runbooks" -}}
{{- $given := .Values.prometheusRule.runbookBaseUrl | trimSuffix "/" -}}
{{- if contains "{name}" $given -}}
{{- $given -}}
{{- else if or $given .Values.logger.enabled -}}
{{- default (printf "%s://%s:9464/runbooks" (include "driftgauge.scheme" .) (include "driftgauge.serviceHost" .)) $given -}}/{name}
{{- end -}}
{{- end -}}

{{/* dict "root" $ "rule" (a rule of the file), which it changes */}}
{{- define "driftgauge.adaptRule" -}}
{{- $values := .root.Values.prometheusRule -}}
{{- $rule := .rule -}}
{{- with index $values.severities $rule.alert -}}
{{- $_ := set $rule.labels "severity" . -}}
{{- end -}}
{{- with index $values.thresholds $rule.alert -}}
{{- $written := regexFind "> [0-9.]+" $rule.expr -}}{{/* the first comparison is the threshold, those after it are guards */}}
{{- $_ := set $rule "expr" (replace $written (printf "> %s" (include "driftgauge.text" .)) $rule.expr) -}}
{{- end -}}
{{- $page := urlParse $rule.annotations.runbook_url -}}
{{- with include "driftgauge.runbooks" .root -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s#%s" (replace "{name}" (base $page.path) .) $page.fragment) -}}
{{- else -}}
{{- $_ := unset $rule.annotations "runbook_url" -}}
{{- end -}}
{{- end -}}
