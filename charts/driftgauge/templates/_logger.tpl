{{/* The environment and the volumes of the logger's container. */}}

{{/* Helm reads every number as a float and would write 67108864 as 6.7108864e+07; JSON writes it out. */}}
{{- define "driftgauge.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{- define "driftgauge.hasRedis" -}}
{{- with .Values.redis }}{{ if or .url .existingSecret.urlKey .internal.enabled }}yes{{ end }}{{ end -}}
{{- end -}}

{{/* The Redis URL, if it is not in a Secret. */}}
{{- define "driftgauge.redis.url" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.internal.enabled -}}
redis://{{ include "driftgauge.redis.name" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:6379/0
{{- else -}}
{{- $redis.url -}}
{{- if $redis.tls.caSecret -}}
{{- ternary "&" "?" (contains "?" $redis.url) -}}ssl_ca_certs=/etc/driftgauge/redis-ca/{{ $redis.tls.caKey }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "driftgauge.redis.env" -}}
{{- $secret := .Values.redis.existingSecret -}}
{{- if include "driftgauge.hasRedis" . -}}
- name: DRIFTGAUGE_REDIS_URL
  {{- if $secret.urlKey }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name | quote }}, key: {{ $secret.urlKey | quote }}}
  {{- else }}
  value: {{ include "driftgauge.redis.url" . | quote }}
  {{- end }}
{{- $redis := .Values.redis }}
{{- with $redis.username }}
- {name: DRIFTGAUGE_REDIS_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- with $redis.sentinelUsername }}
- {name: DRIFTGAUGE_REDIS_SENTINEL_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- range $name, $key := dict "REDIS_PASSWORD" $secret.passwordKey "REDIS_SENTINEL_PASSWORD" $secret.sentinelPasswordKey }}
{{- if and $secret.name $key $secret.asFiles }}
- {name: DRIFTGAUGE_{{ $name }}_FILE, value: {{ printf "/etc/driftgauge/redis-login/%s" $key | quote }}}
{{- else if and $secret.name $key }}
- name: DRIFTGAUGE_{{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name | quote }}, key: {{ $key | quote }}}
{{- end }}
{{- end }}
{{- if $redis.tls.certSecret }}
- {name: DRIFTGAUGE_REDIS_CERT_FILE, value: /etc/driftgauge/redis-cert/tls.crt}
- {name: DRIFTGAUGE_REDIS_KEY_FILE, value: /etc/driftgauge/redis-cert/tls.key}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The ports of Redis, one a line: those of the hosts in the URL, and that of the servers behind Sentinels. */}}
{{- define "driftgauge.redis.ports" -}}
{{- $url := .Values.redis.url -}}
{{- $port := .Values.networkPolicy.redisPort -}}
{{- $sentinel := regexMatch "^rediss?[+]sentinel:" $url -}}
{{- $cluster := regexMatch "^rediss?[+]cluster:" $url -}}
{{- $hosts := regexFind "^[^/?#]*" (regexReplaceAll "^[a-z+]*://" $url "") -}}
{{- $ports := list -}}
{{- range splitList "," (regexReplaceAll "^.*@" $hosts "") -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default (ternary "26379" "6379" $sentinel) | int) -}}
{{- end -}}
{{- if and $port (not $sentinel) (not $cluster) -}}
{{- $ports = list (int $port) -}}
{{- else if or $port $sentinel -}}
{{- $ports = append $ports (default 6379 $port | int) -}}
{{- end -}}
{{- range uniq $ports }}
- {port: {{ . }}, protocol: TCP}
{{- end -}}
{{- end -}}

{{- define "driftgauge.hasReferences" -}}
{{- with .Values.references }}{{ if or .inline .existingConfigMap .existingClaim .volume }}yes{{ end }}{{ end -}}
{{- end -}}

{{/* Whether nothing that this chart installs or scrapes is meant to have a reference, so that a missing one is normal. */}}
{{- define "driftgauge.needsNoReferences" -}}
{{- if not (or (include "driftgauge.hasReferences" .) .Values.podMonitor.enabled (not .Values.logger.enabled)) }}yes{{ end -}}
{{- end -}}

{{/* The files of certificates and tokens. They are read again when a Secret changes, so they are mounted whole. */}}
{{- define "driftgauge.trust.env" -}}
{{- with .Values.tls }}
{{- if .secret }}
- {name: DRIFTGAUGE_TLS_CERT_FILE, value: /etc/driftgauge/tls/tls.crt}
- {name: DRIFTGAUGE_TLS_KEY_FILE, value: /etc/driftgauge/tls/tls.key}
{{- end }}
{{- if .clientCaSecret }}
- {name: DRIFTGAUGE_TLS_CLIENT_CA_FILE, value: /etc/driftgauge/client-ca/ca.crt}
{{- end }}
{{- end }}
{{- with .Values.tokens.events }}
{{- if .secret }}
- {name: DRIFTGAUGE_TOKEN_FILE, value: {{ printf "/etc/driftgauge/token/%s" .key | quote }}}
{{- end }}
{{- end }}
{{- with .Values.tokens.admin }}
{{- if .secret }}
- {name: DRIFTGAUGE_ADMIN_TOKEN_FILE, value: {{ printf "/etc/driftgauge/admin-token/%s" .key | quote }}}
{{- end }}
{{- end }}
{{- with .Values.labels }}
{{- if .existingSecret }}
- {name: DRIFTGAUGE_LABELS_TOKEN_FILE, value: {{ printf "/etc/driftgauge/labels-token/%s" .key | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* Volumes of Secrets by name, each mounted at /etc/driftgauge/<name>. */}}
{{- define "driftgauge.trust.secrets" -}}
{{- with .Values.tls.secret }}
tls: {{ . | quote }}
{{- end }}
{{- with .Values.tls.clientCaSecret }}
client-ca: {{ . | quote }}
{{- end }}
{{- with .Values.tokens.events.secret }}
token: {{ . | quote }}
{{- end }}
{{- with .Values.tokens.admin.secret }}
admin-token: {{ . | quote }}
{{- end }}
{{- with .Values.labels.existingSecret }}
labels-token: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "driftgauge.env" -}}
- {name: DRIFTGAUGE_PORT, value: "8080"}
- {name: DRIFTGAUGE_ADMIN_PORT, value: "9464"}
{{- if .Values.labels.enabled }}
- {name: DRIFTGAUGE_LABELS_PORT, value: "9465"}
{{- end }}
{{- with include "driftgauge.trust.env" . | trim }}
{{ . }}
{{- end }}
{{- if include "driftgauge.hasReferences" . }}
- name: DRIFTGAUGE_REFERENCE_DIR
  value: {{ printf "/mnt/reference/%s" .Values.references.directory | trimSuffix "/" | quote }}
{{- end }}
{{- range $option, $value := .Values.config }}
- name: DRIFTGAUGE_{{ upper $option }}
  value: {{ include "driftgauge.text" $value | quote }}
{{- end }}
{{- with include "driftgauge.redis.env" . }}
{{ . }}
{{- end }}
{{- end -}}

{{/* The variables of the chart, then those of the values. */}}
{{- define "driftgauge.allEnv" -}}
{{ include "driftgauge.env" . }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A key of a ConfigMap cannot have "/". Names in Kubernetes have no "_", so no two files share a key. */}}
{{- define "driftgauge.references.key" -}}
{{- replace "/" "_" . -}}
{{- end -}}

{{- define "driftgauge.references.volume" -}}
{{- $references := .Values.references -}}
{{- if $references.inline -}}
configMap:
  name: {{ include "driftgauge.fullname" . }}-references
  {{- if contains "/" (keys $references.inline | join "") }}
  items:
    {{- range $file, $_ := $references.inline }}
    - {key: {{ include "driftgauge.references.key" $file }}, path: {{ $file }}}
    {{- end }}
  {{- end }}
{{- else if $references.existingConfigMap -}}
# Optional: the logger must accept events whether or not its references exist.
configMap: {name: {{ $references.existingConfigMap | quote }}, optional: true}
{{- else if $references.existingClaim -}}
persistentVolumeClaim: {claimName: {{ $references.existingClaim | quote }}, readOnly: true}
{{- else -}}
{{ toYaml $references.volume }}
{{- end -}}
{{- end -}}

{{- define "driftgauge.volumes" -}}
{{- if include "driftgauge.hasReferences" . }}
- name: reference
  {{- include "driftgauge.references.volume" . | nindent 2 }}
{{- end }}
{{- if .Values.redis.tls.caSecret }}
- name: redis-ca
  secret: {secretName: {{ .Values.redis.tls.caSecret | quote }}}
{{- end }}
{{- if .Values.redis.tls.certSecret }}
- name: redis-cert
  secret: {secretName: {{ .Values.redis.tls.certSecret | quote }}}
{{- end }}
{{- if .Values.redis.existingSecret.asFiles }}
- name: redis-login
  secret: {secretName: {{ .Values.redis.existingSecret.name | quote }}}
{{- end }}
{{- range $name, $secret := include "driftgauge.trust.secrets" . | fromYaml }}
- name: {{ $name }}
  secret: {secretName: {{ $secret | quote }}}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "driftgauge.volumeMounts" -}}
{{- if include "driftgauge.hasReferences" . }}
- {name: reference, mountPath: /mnt/reference, readOnly: true}
{{- end }}
{{- if .Values.redis.tls.caSecret }}
- {name: redis-ca, mountPath: /etc/driftgauge/redis-ca, readOnly: true}
{{- end }}
{{- if .Values.redis.tls.certSecret }}
- {name: redis-cert, mountPath: /etc/driftgauge/redis-cert, readOnly: true}
{{- end }}
{{- if .Values.redis.existingSecret.asFiles }}
- {name: redis-login, mountPath: /etc/driftgauge/redis-login, readOnly: true}
{{- end }}
{{- range $name, $_ := include "driftgauge.trust.secrets" . | fromYaml }}
- {name: {{ $name }}, mountPath: /etc/driftgauge/{{ $name }}, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
