{{/* The memory that the chart's own Redis needs for the load in redis.internal.expected. charts/redis_memory.py has the
same formula, with a word on each number, and a test compares the two. */}}

{{/* The bytes of a stream: call it with (dict "columns" C "rows" W "replicas" R). */}}
{{- define "driftgauge.redis.streamBytes" -}}
{{- $rows := mulf .rows (addf 84.0 (mulf 9.5 .columns)) -}}
{{- addf $rows (mulf 5870.0 .columns) (mulf 120.0 .replicas) 3500.0 -}}
{{- end -}}

{{/* The bytes of the pairs of one slot: call it with their number. */}}
{{- define "driftgauge.redis.slotBytes" -}}
{{- if gt . 1900000.0 -}}
{{- mulf 96.0 . -}}
{{- else -}}
{{- addf (mulf 37.0 .) (mulf 105.0 (minf . 1024.0)) (mulf 105.0 (minf (maxf (subf . 125000.0) 0.0) 16384.0)) -}}
{{- end -}}
{{- end -}}

{{/* What `used_memory` of Redis will be, in bytes. */}}
{{- define "driftgauge.redis.usedBytes" -}}
{{- $load := .Values.redis.internal.expected -}}
{{- $rows := .Values.config.window_rows | default 2000 | float64 -}}
{{- $ttl := .Values.config.pair_ttl_seconds | default 300 | float64 -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas .Values.replicaCount .Values.autoscaling.enabled | float64 -}}
{{- $features := float64 $load.features -}}
{{- $predictions := float64 $load.predictions -}}
{{- $requests := include "driftgauge.redis.streamBytes" (dict "columns" $features "rows" $rows "replicas" $replicas) | float64 -}}
{{- $responses := include "driftgauge.redis.streamBytes" (dict "columns" $predictions "rows" $rows "replicas" $replicas) | float64 -}}
{{- $labels := 0.0 -}}
{{- if .Values.labels.enabled -}}
{{- $outcomes := include "driftgauge.redis.streamBytes" (dict "columns" (addf $predictions 1.0) "rows" (mulf 10.0 $rows) "replicas" $replicas) | float64 -}}
{{- $pending := .Values.config.label_pending | default 100000 | float64 -}}
{{- $labels = addf $outcomes (mulf 10.0 $rows (addf 18.0 $predictions)) (mulf $pending (addf 339.0 (mulf 8.2 $predictions))) -}}
{{- end -}}
{{- $model := addf $requests $responses (mulf 9.5 $rows $predictions) 3500.0 $labels -}}
{{- $slot := include "driftgauge.redis.slotBytes" (mulf (float64 $load.requestsPerSecond) $ttl 0.5) | float64 -}}
{{- addf (mulf (float64 $load.models) $model) (mulf 3.9 $slot) 2000000.0 (mulf 400000.0 $replicas) -}}
{{- end -}}

{{/* `maxmemory` of Redis, such as 192mb: a quarter more than is used, and never less than that. */}}
{{- define "driftgauge.redis.maxmemory" -}}
{{- if eq .Values.redis.internal.maxmemory "auto" -}}
{{- $bytes := mulf 1.25 (include "driftgauge.redis.usedBytes" . | float64) -}}
{{- printf "%.0fmb" (maxf (ceil (divf $bytes 1048576.0)) 192.0) -}}
{{- else -}}
{{- .Values.redis.internal.maxmemory -}}
{{- end -}}
{{- end -}}

{{/* The limit of the container's memory, such as 256Mi; empty: none. It follows the load, not a maxmemory that is set. */}}
{{- define "driftgauge.redis.limit" -}}
{{- $limit := dig "limits" "memory" nil .Values.redis.internal.resources -}}
{{- if not (kindIs "invalid" $limit) -}}
{{- $limit = include "driftgauge.text" $limit -}}
{{- if eq $limit "auto" -}}
{{- $bytes := mulf 1.25 1.35 (include "driftgauge.redis.usedBytes" . | float64) -}}
{{- $limit = printf "%.0fMi" (maxf (ceil (divf $bytes 1048576.0)) 256.0) -}}
{{- end -}}
{{- $limit -}}
{{- end -}}
{{- end -}}

{{/* The resources of the container, with the limit computed. */}}
{{- define "driftgauge.redis.resources" -}}
{{- $resources := deepCopy .Values.redis.internal.resources -}}
{{- $limit := include "driftgauge.redis.limit" . -}}
{{- if $limit }}{{ $_ := set $resources.limits "memory" $limit }}{{ end -}}
{{- toYaml $resources -}}
{{- end -}}
