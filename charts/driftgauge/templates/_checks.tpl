{{/* What the schema cannot check: values that are valid each and impossible together. Each check fails with one sentence. */}}

{{- define "driftgauge.checks" -}}
{{- include "driftgauge.checks.names" . -}}
{{- include "driftgauge.checks.logger" . -}}
{{- include "driftgauge.checks.references" . -}}
{{- include "driftgauge.checks.redis" . -}}
{{- include "driftgauge.checks.redisSecret" . -}}
{{- include "driftgauge.checks.replicas" . -}}
{{- include "driftgauge.checks.disruption" . -}}
{{- include "driftgauge.checks.config" . -}}
{{- include "driftgauge.checks.alerts" . -}}
{{- include "driftgauge.checks.pods" . -}}
{{- include "driftgauge.checks.monitors" . -}}
{{- include "driftgauge.checks.service" . -}}
{{- include "driftgauge.checks.redisMemory" . -}}
{{- include "driftgauge.checks.trust" . -}}
{{- include "driftgauge.checks.forwarding" . -}}
{{- include "driftgauge.checks.changes" . -}}
{{- end -}}

{{- define "driftgauge.checks.names" -}}
{{- $name := include "driftgauge.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "the full name %q cannot name a Service, which starts with a letter and has a-z, 0-9 and - alone: set fullnameOverride." $name) -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.references" -}}
{{- $references := .Values.references -}}
{{- $given := list -}}
{{- range list "inline" "existingConfigMap" "existingClaim" "volume" -}}
{{- if index $references . }}{{ $given = append $given (printf "references.%s" .) }}{{ end -}}
{{- end -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "%s exclude each other: references come from one place." (join " and " $given)) -}}
{{- end -}}
{{- if and $references.directory (not (or $references.existingClaim $references.volume)) -}}
{{- fail "references.directory: needs references.existingClaim or references.volume, since a ConfigMap has no directories." -}}
{{- end -}}
{{- if and $references.restartOnChange (not $references.inline) -}}
{{- fail "references.restartOnChange: needs references.inline, since the chart sees no change of other references." -}}
{{- end -}}
{{- if gt (len (toJson $references.inline)) 1000000 -}}
{{- fail "references.inline: a ConfigMap holds 1 MiB at most; put larger files into a volume (references.existingClaim)." -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.redis" -}}
{{- $redis := .Values.redis -}}
{{- if and $redis.url $redis.internal.enabled -}}
{{- fail "redis.url and redis.internal.enabled exclude each other: there is one Redis." -}}
{{- end -}}
{{- if and $redis.existingSecret.urlKey (or $redis.url $redis.internal.enabled) -}}
{{- fail "redis.existingSecret.urlKey excludes redis.url and redis.internal.enabled: there is one Redis." -}}
{{- end -}}
{{- if or (regexMatch "^rediss?([+][a-z]+)?://[^/?#@]*:[^/?#]*@" $redis.url) (regexMatch "[?&]password=" $redis.url) -}}
{{- fail "redis.url: must hold no password, since values are kept in plain text; put it into redis.existingSecret." -}}
{{- end -}}
{{- if and $redis.tls.caSecret (not (regexMatch "^rediss([+][a-z]+)?://" $redis.url)) -}}
{{- fail "redis.tls.caSecret: needs a rediss:// address in redis.url; a URL in a Secret names its own file by ?ssl_ca_certs=." -}}
{{- end -}}
{{- if and $redis.tls.certSecret (not $redis.existingSecret.urlKey) (not (regexMatch "^rediss([+][a-z]+)?://" $redis.url)) -}}
{{- fail "redis.tls.certSecret: needs a rediss:// address in redis.url or in the Secret." -}}
{{- end -}}
{{- $sentinel := or $redis.existingSecret.urlKey (regexMatch "^rediss?[+]sentinel://" $redis.url) -}}
{{- if and (or $redis.sentinelUsername $redis.existingSecret.sentinelPasswordKey) (not $sentinel) -}}
{{- fail "redis.sentinelUsername, redis.existingSecret.sentinelPasswordKey: need a redis+sentinel:// address in redis.url or in the Secret." -}}
{{- end -}}
{{- if and $redis.username (or $redis.internal.enabled (regexMatch "^[a-z+]+://[^/?#]*@" $redis.url)) -}}
{{- fail "redis.username: the URL has a user already, or the Redis of this chart has none; give one of them." -}}
{{- end -}}
{{- if and $redis.username (not (include "driftgauge.hasRedis" .)) -}}
{{- fail "redis.username: needs redis.url or redis.existingSecret.urlKey, or there is no Redis to log in to." -}}
{{- end -}}
{{- if and $redis.existingSecret.asFiles (not $redis.existingSecret.name) -}}
{{- fail "redis.existingSecret.asFiles: needs redis.existingSecret.name, the Secret to mount." -}}
{{- end -}}
{{- if and $redis.internal.persistence.enabled (not $redis.internal.enabled) -}}
{{- fail "redis.internal.persistence.enabled: needs redis.internal.enabled; nothing of an external Redis is kept by this chart." -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.redisSecret" -}}
{{- $secret := .Values.redis.existingSecret -}}
{{- if and $secret.urlKey (not $secret.name) -}}
{{- fail "redis.existingSecret.urlKey: needs redis.existingSecret.name, the Secret that has this key." -}}
{{- end -}}
{{- $policy := .Values.networkPolicy -}}
{{- if and $secret.urlKey $policy.enabled (kindIs "invalid" $policy.redisPort) (not (has dict (default list $policy.egress))) -}}
{{- fail "redis.existingSecret.urlKey: needs networkPolicy.redisPort, since the chart cannot read the port in a Secret and the policy would drop others." -}}
{{- end -}}
{{- if and $secret.name (not $secret.urlKey) (not $secret.passwordKey) -}}
{{- fail "redis.existingSecret.name: needs passwordKey or urlKey, or nothing of the Secret is used." -}}
{{- end -}}
{{- if and $secret.name (not (include "driftgauge.hasRedis" .)) -}}
{{- fail "redis.existingSecret.name: needs redis.url, redis.existingSecret.urlKey or redis.internal.enabled, or there is no Redis to log in to." -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.replicas" -}}
{{- $scale := .Values.autoscaling -}}
{{- if not (include "driftgauge.hasRedis" .) -}}
{{- if $scale.enabled -}}
{{- fail "autoscaling.enabled: needs Redis (redis.url, redis.existingSecret.urlKey or redis.internal.enabled), since replicas share windows and pairs through it." -}}
{{- else if gt (int .Values.replicaCount) 1 -}}
{{- fail "replicaCount: more than 1 needs Redis (redis.url, redis.existingSecret.urlKey or redis.internal.enabled), since replicas share windows and pairs through it." -}}
{{- end -}}
{{- end -}}
{{- if and $scale.enabled (gt (int $scale.minReplicas) (int $scale.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas: must not be more than autoscaling.maxReplicas." -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.disruption" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if $budget.enabled -}}
{{- if not (ne (kindIs "invalid" $budget.maxUnavailable) (kindIs "invalid" $budget.minAvailable)) -}}
{{- fail "podDisruptionBudget: give one of maxUnavailable and minAvailable, and null for the other." -}}
{{- end -}}
{{- $least := ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- $kept := $budget.minAvailable -}}
{{- if and (kindIs "string" $kept) (ne "100%" (toString $kept)) -}}
{{- $kept = divf (mulf (trimSuffix "%" $kept) $least) 100 | ceil -}}{{/* Kubernetes rounds up too */}}
{{- end -}}
{{- if and (not (kindIs "invalid" $kept)) (not (kindIs "string" $kept)) (ge (int $kept) (int $least)) -}}
{{- fail (printf "podDisruptionBudget.minAvailable: must be less than the %d replicas that there are at least, or no node could be drained." (int $least)) -}}
{{- end -}}
{{- if or (eq "100%" (toString $kept)) (has (toString $budget.maxUnavailable) (list "0" "0%")) -}}
{{- fail "podDisruptionBudget: a budget that never spares a pod would let no node be drained." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The numbers are the defaults of `driftgauge options`; a test compares them. */}}
{{- define "driftgauge.checks.config" -}}
{{- $config := .Values.config -}}
{{- if gt (int (dig "min_rows" 200 $config)) (int (dig "window_rows" 2000 $config)) -}}
{{- fail "config.min_rows: must not be more than config.window_rows, or no window would ever be tested." -}}
{{- end -}}
{{- $drain := addf (dig "drain_delay_seconds" 5.0 $config) (mulf 2 (dig "drain_timeout_seconds" 20.0 $config)) -}}
{{- if le (float64 .Values.terminationGracePeriodSeconds) $drain -}}
{{- fail (printf "terminationGracePeriodSeconds: must be more than config.drain_delay_seconds + 2 * config.drain_timeout_seconds (%v), or the logger is killed before its rows are written." $drain) -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.alerts" -}}
{{- $rule := .Values.prometheusRule -}}
{{- $interval := dig "evaluation_interval_seconds" 30.0 .Values.config -}}
{{- $stale := and $rule.enabled (not (has "DriftgaugeEvaluationStale" $rule.disabled)) -}}
{{- if and $stale (gt (mulf 3 $interval) (float64 $rule.thresholds.DriftgaugeEvaluationStale)) -}}
{{- fail (printf "prometheusRule.thresholds.DriftgaugeEvaluationStale: must be at least three times config.evaluation_interval_seconds (%v), or the alert fires between two evaluations." (mulf 3 $interval)) -}}
{{- end -}}
{{- $known := list -}}
{{- range (.Files.Get "files/alerts.yaml" | fromYaml).groups -}}
{{- range .rules -}}
{{- with .alert }}{{ $known = append $known . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- range $key, $names := dict "disabled" .Values.prometheusRule.disabled "severities" (keys .Values.prometheusRule.severities) -}}
{{- range $names -}}
{{- if not (has . $known) -}}
{{- fail (printf "prometheusRule.%s: there is no alert %q; there are %s." $key . (join ", " $known)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Without a logger nothing of these has an effect; whoever set one of them expects it. */}}
{{- define "driftgauge.checks.logger" -}}
{{- if not .Values.logger.enabled -}}
{{- $references := .Values.references -}}
{{- $redis := .Values.redis -}}
{{- $service := .Values.service -}}
{{- $policy := .Values.networkPolicy -}}
{{- $set := dict
  "config" .Values.config
  "references" (or $references.inline $references.existingConfigMap $references.existingClaim $references.volume)
  "redis" (or $redis.url $redis.existingSecret.name $redis.internal.enabled)
  "tls.secret" .Values.tls.secret
  "tokens.events.secret" .Values.tokens.events.secret
  "tokens.admin.secret" .Values.tokens.admin.secret
  "labels.enabled" .Values.labels.enabled
  "replicaCount" (ne 1 (int .Values.replicaCount))
  "podLabels" .Values.podLabels
  "podAnnotations" .Values.podAnnotations
  "service.type" (ne "ClusterIP" $service.type)
  "service.port" (ne 80 (int $service.port))
  "service.nodePort" $service.nodePort
  "service.loadBalancerSourceRanges" $service.loadBalancerSourceRanges
  "networkPolicy.eventsFrom" $policy.eventsFrom
  "networkPolicy.metricsFrom" $policy.metricsFrom
  "networkPolicy.redisPort" $policy.redisPort
  "networkPolicy.egress" (not (kindIs "invalid" $policy.egress))
  "autoscaling.enabled" .Values.autoscaling.enabled
  "podDisruptionBudget.enabled" .Values.podDisruptionBudget.enabled
  "serviceMonitor.enabled" .Values.serviceMonitor.enabled
  "extraEnv" .Values.extraEnv
  "extraArgs" .Values.extraArgs
  "initContainers" .Values.initContainers
  "extraVolumes" .Values.extraVolumes
  "extraVolumeMounts" .Values.extraVolumeMounts
-}}
{{- range $key, $value := $set -}}
{{- if $value -}}
{{- fail (printf "%s: needs logger.enabled, since it is about the logger; proxies have options and references of their own, in their InferenceServices." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.pods" -}}
{{- $own := list -}}
{{- range include "driftgauge.env" . | fromYamlArray -}}
{{- $own = append $own .name -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has (upper .name) $own -}}
{{- fail (printf "extraEnv: the chart sets %s already; options are in config, references and redis." (upper .name)) -}}
{{- end -}}
{{- if has (upper .name) (list "DRIFTGAUGE_REDIS_URL" "DRIFTGAUGE_REDIS_PASSWORD" "DRIFTGAUGE_REDIS_PASSWORD_FILE" "DRIFTGAUGE_REDIS_SENTINEL_PASSWORD") -}}
{{- fail (printf "extraEnv: %s belongs in redis.url or redis.existingSecret, since the NetworkPolicy lets the logger reach the Redis of these values alone." .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- if regexMatch "^--redis-(url|password)(=|$)" (replace "_" "-" (toString .)) -}}
{{- fail "extraArgs: --redis-url belongs in redis.url or redis.existingSecret, since the NetworkPolicy lets the logger reach the Redis of these values alone." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.initContainers .Values.networkPolicy.enabled (kindIs "invalid" .Values.networkPolicy.egress) -}}
{{- fail "initContainers: need networkPolicy.egress, such as [{ports: [{port: 443}]}], or [] if they reach nothing; else they would wait for connections that the policy drops." -}}
{{- end -}}
{{- if and (hasKey .Values.references.volume "emptyDir") (not .Values.initContainers) -}}
{{- fail "references.volume.emptyDir: needs initContainers, one of which writes the references into the volume `reference`." -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.monitors" -}}
{{- range $key, $monitor := dict "serviceMonitor" .Values.serviceMonitor "podMonitor" .Values.podMonitor -}}
{{- with $monitor.scrapeTimeout -}}
{{- if gt (include "driftgauge.milliseconds" . | int64) (include "driftgauge.milliseconds" $monitor.interval | int64) -}}
{{- fail (printf "%s.scrapeTimeout: must not be more than %s.interval, or Prometheus refuses its whole configuration." $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.checks.service" -}}
{{- $service := .Values.service -}}
{{- if and (eq $service.type "ClusterIP") (or $service.nodePort $service.loadBalancerSourceRanges) -}}
{{- fail "service.nodePort and service.loadBalancerSourceRanges: need service.type NodePort or LoadBalancer." -}}
{{- end -}}
{{- if and $service.loadBalancerSourceRanges (ne $service.type "LoadBalancer") -}}
{{- fail "service.loadBalancerSourceRanges: needs service.type LoadBalancer." -}}
{{- end -}}
{{- if and (ne $service.type "ClusterIP") .Values.networkPolicy.enabled (not .Values.networkPolicy.eventsFrom) -}}
{{- fail (printf "service.type %s: needs the senders in networkPolicy.eventsFrom, such as {ipBlock: {cidr: 10.0.0.0/8}}, since the policy admits only pods of InferenceServices." $service.type) -}}
{{- end -}}
{{- end -}}

{{/* Redis drops rows only once it has `maxmemory`; above the limit, or at it, its container is killed before. */}}
{{- define "driftgauge.checks.redisMemory" -}}
{{- $limit := include "driftgauge.redis.limit" . -}}
{{- if and .Values.redis.internal.enabled $limit -}}
{{- if ge (include "driftgauge.bytes" (include "driftgauge.redis.maxmemory" .) | float64) (include "driftgauge.bytes" $limit | float64) -}}
{{- fail (printf "redis.internal.maxmemory: must be less than redis.internal.resources.limits.memory (%s), or Redis is killed before it drops rows." $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A size of Redis such as 192mb, or a quantity of Kubernetes such as 256Mi, in bytes. */}}
{{- define "driftgauge.bytes" -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- $kilo := ternary 1000.0 1024.0 (has $unit (list "k" "M" "G" "T")) -}}
{{- $bytes := trimSuffix $unit . | float64 -}}
{{- $power := get (dict "k" 1 "m" 2 "g" 3 "t" 4) (lower $unit | trunc 1) | int -}}
{{- if eq $unit "m" }}{{ $bytes = divf $bytes 1000.0 }}{{ $power = 0 }}{{ end -}}{{/* a thousandth in Kubernetes */}}
{{- range until $power }}{{ $bytes = mulf $bytes $kilo }}{{ end -}}
{{- $bytes -}}
{{- end -}}

{{- define "driftgauge.checks.trust" -}}
{{- if and .Values.tls.clientCaSecret (not .Values.tls.secret) -}}
{{- fail "tls.clientCaSecret: needs tls.secret, since certificates of clients are part of TLS." -}}
{{- end -}}
{{- if and (not .Values.labels.enabled) (or .Values.labels.existingSecret .Values.labels.from) -}}
{{- fail "labels.existingSecret and labels.from: need labels.enabled, without which there is no port for labels." -}}
{{- end -}}
{{- if and .Values.tokens.admin.scrapeKey (not .Values.tokens.admin.secret) -}}
{{- fail "tokens.admin.scrapeKey: needs tokens.admin.secret, the Secret that has this key." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.tlsConfig (not .Values.tls.secret) -}}
{{- fail "serviceMonitor.tlsConfig: needs tls.secret, or there is no TLS." -}}
{{- end -}}
{{- end -}}

{{/* The policy drops what it does not name: events for other loggers would be lost, and counted as unreachable. */}}
{{- define "driftgauge.checks.forwarding" -}}
{{- $urls := dig "forward_url" "" .Values.config | toJson -}}
{{- if or (contains "@" $urls) (contains "?" $urls) -}}
{{- fail "config.forward_url: must hold no password and no query, since values are kept in plain text; put it into a Secret, and DRIFTGAUGE_FORWARD_URL with valueFrom into extraEnv." -}}
{{- end -}}
{{- $sends := ne $urls "\"\"" -}}
{{- range .Values.extraEnv -}}
{{- if eq (upper .name) "DRIFTGAUGE_FORWARD_URL" }}{{ $sends = true }}{{ end -}}
{{- end -}}
{{- if and $sends .Values.networkPolicy.enabled (kindIs "invalid" .Values.networkPolicy.egress) -}}
{{- fail "forward_url: needs networkPolicy.egress with a rule for the other loggers, since the policy would drop the connections." -}}
{{- end -}}
{{- end -}}

{{/* As above. A K_SINK that a SinkBinding adds to the pods is not seen here. */}}
{{- define "driftgauge.checks.changes" -}}
{{- $url := dig "event_url" "" .Values.config | toJson -}}
{{- if or (contains "@" $url) (contains "?" $url) -}}
{{- fail "config.event_url: must hold no password and no query, since values are kept in plain text; put it into a Secret, and DRIFTGAUGE_EVENT_URL with valueFrom into extraEnv." -}}
{{- end -}}
{{- $sends := not (has $url (list "\"\"" "null")) -}}
{{- range .Values.extraEnv -}}
{{- if has (upper .name) (list "DRIFTGAUGE_EVENT_URL" "K_SINK") }}{{ $sends = true }}{{ end -}}
{{- end -}}
{{- if and $sends .Values.networkPolicy.enabled (kindIs "invalid" .Values.networkPolicy.egress) -}}
{{- fail "event_url: needs networkPolicy.egress with a rule for the receiver, since the policy would drop the connections." -}}
{{- end -}}
{{- end -}}
