{{- define "aiagent.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a Service, a policy or a budget selects by. Takes root and component. */}}
{{- define "aiagent.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "aiagent.labels" -}}
{{ include "aiagent.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* All pods that run the host; Redis and tests are not among them. */}}
{{- define "aiagent.hosts" -}}
{{ include "aiagent.selector" (dict "root" .) }}
aiagent-host: "true"
{{- end -}}

{{/* The component that answers the API. */}}
{{- define "aiagent.front" -}}
{{ ternary "all" "dashboard" (eq .Values.mode "single") }}
{{- end -}}

{{- define "aiagent.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "aiagent.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "aiagent.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{- define "aiagent.ownRedis" -}}
{{- if and (eq .Values.mode "split") .Values.redis.enabled }}true{{ end -}}
{{- end -}}

{{- define "aiagent.tokenSecret" -}}
{{ default (include "aiagent.fullname" .) .Values.token.existingSecret }}
{{- end -}}

{{- define "aiagent.redisSecret" -}}
{{ default (include "aiagent.fullname" .) .Values.redis.existingSecret }}
{{- end -}}

{{/* A secret's value: the given one, else the one in the cluster, else a new one. Takes root, key, value. */}}
{{- define "aiagent.keptSecret" -}}
{{- $kept := get (default dict (lookup "v1" "Secret" .root.Release.Namespace (include "aiagent.fullname" .root)).data) .key -}}
{{- if .value -}}
{{ .value | b64enc }}
{{- else if $kept -}}
{{ $kept }}
{{- else -}}
{{ randAlphaNum 40 | b64enc }}
{{- end -}}
{{- end -}}

{{/* A table of aiagent.toml: its own keys first, then its tables. Takes table and path. */}}
{{- define "aiagent.toml" -}}
{{- $path := .path -}}
{{- range $key, $value := .table }}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ toJson $key }} = {{ include "aiagent.tomlValue" $value }}
{{- end }}
{{- end }}
{{- range $key, $value := .table }}
{{- if kindIs "map" $value }}
{{- $inner := toJson $key }}
{{- if $path }}{{ $inner = printf "%s.%s" $path $inner }}{{ end }}

[{{ $inner }}]
{{- include "aiagent.toml" (dict "table" $value "path" $inner) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Helm reads every number as a float; the host wants whole ones written as such. */}}
{{- define "aiagent.tomlValue" -}}
{{- if kindIs "slice" . -}}
[{{ range $index, $item := . }}{{ if $index }}, {{ end }}{{ include "aiagent.tomlValue" $item }}{{ end }}]
{{- else if kindIs "string" . -}}
{{ toJson . }}
{{- else if kindIs "map" . -}}
{{- fail "config: a list may hold strings, numbers and booleans only" -}}
{{- else if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* Rules towards the models that the values name. A policy knows no names: of a public one it takes every public address. */}}
{{- define "aiagent.modelEgress" -}}
{{- $urls := list -}}
{{- with .Values.model.url }}{{ $urls = append $urls . }}{{ end -}}
{{- range .Values.config.models }}{{ $urls = append $urls (default "https://" .base_url) }}{{ end -}}
{{- range $urls | default (list "https://") | uniq }}
{{- $url := urlParse . }}
{{- $host := $url.hostname }}
- ports:
    - {port: {{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "80" "443" (eq $url.scheme "http")) }}, protocol: TCP}
  to:
  {{- if regexMatch "^[0-9.]+$" $host }}
    - ipBlock: {cidr: {{ $host }}/32}
  {{- else if contains ":" $host }}
    - ipBlock: {cidr: "{{ $host }}/128"}
  {{- else if regexMatch "^[a-z0-9-]+[.][a-z0-9-]+[.]svc([.]|$)" $host }}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ index (splitList "." $host) 1 }}}}
  {{- else if regexMatch "^[a-z0-9-]+$" $host }}
    - podSelector: {}
  {{- else }}
    - ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]}
    - ipBlock: {cidr: "::/0", except: ["fc00::/7", "fe80::/10"]}
  {{- end }}
{{- end }}
{{- end -}}

{{/* What no schema can say. */}}
{{- define "aiagent.check" -}}
{{- range list "listen" "log_format" "metrics_listen" "plugins_dir" "role" "state_dir" "store" "token" -}}
{{- if hasKey $.Values.config . -}}
{{- fail (printf "config.%s: the chart sets this one itself; see token, plugins, mode, redis and metrics in the README" .) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "split") (not .Values.redis.enabled) (not .Values.externalRedis.url) -}}
{{- fail "mode split needs a queue that all pods share: set redis.enabled, or externalRedis.url" -}}
{{- end -}}
{{- if and (eq .Values.mode "split") .Values.redis.enabled .Values.externalRedis.url -}}
{{- fail "redis.enabled and externalRedis.url: only one of them can hold the queue" -}}
{{- end -}}
{{- if and (eq .Values.mode "single") (ne .Values.worker.autoscaling.type "none") -}}
{{- fail "worker.autoscaling: several pods need mode split; one SQLite file serves one pod" -}}
{{- end -}}
{{- if and (or .Values.metrics.serviceMonitor.enabled .Values.metrics.prometheusRule.enabled) (not .Values.metrics.enabled) -}}
{{- fail "metrics.serviceMonitor and metrics.prometheusRule need metrics.enabled" -}}
{{- end -}}
{{- if and .Values.plugins.images (semverCompare "<1.35.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "plugins.images: image volumes need Kubernetes 1.35, and this is %s; use plugins.initImages" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
