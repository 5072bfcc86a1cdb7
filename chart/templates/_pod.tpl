{{/* The folders of plugins, first those that may replace the image's. One a line. */}}
{{- define "aiagent.pluginDirs" -}}
{{- with .Values.plugins }}
{{- if .inline }}
/plugins/inline
{{- end }}
{{- range .configMaps }}
/plugins/configmap-{{ . }}
{{- end }}
{{- range .images }}
/plugins/image-{{ .name }}{{ with .path }}/{{ trimPrefix "/" . }}{{ end }}
{{- end }}
{{- range .initImages }}
/plugins/init/{{ .name }}
{{- end }}
{{- if .existingClaim }}
/plugins/claim
{{- end }}
{{- with .imageDir }}
{{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes root and role. */}}
{{- define "aiagent.env" -}}
{{- $v := .root.Values -}}
- name: AIAGENT_CONFIG
  value: /etc/ai-agent/aiagent.toml
- name: AIAGENT_ROLE
  value: {{ .role }}
- name: AIAGENT_LISTEN
  value: {{ printf "%s:8080" $v.listenHost | quote }}
- name: AIAGENT_LOG_FORMAT
  value: {{ $v.logFormat }}
- name: AIAGENT_STATE_DIR
  value: /var/lib/ai-agent/state
- name: AIAGENT_PLUGINS_DIR
  value: {{ include "aiagent.pluginDirs" .root | trim | replace "\n" ":" }}
- name: AIAGENT_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ include "aiagent.tokenSecret" .root }}, key: {{ $v.token.secretKey }}}
{{- if and $v.tokens.existingSecret (ne .role "worker") }}
- name: AIAGENT_TOKENS_FILE
  value: /etc/ai-agent-tokens/{{ $v.tokens.secretKey }}
{{- end }}
- name: AIAGENT_WORKER_NAME
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: AIAGENT_WORKER_GRACE_S
  value: {{ $v.worker.graceSeconds | int | quote }}
{{- if $v.metrics.enabled }}
- name: AIAGENT_METRICS_LISTEN
  value: {{ printf "%s:%d" $v.listenHost (int $v.metrics.port) | quote }}
{{- end }}
{{- if eq $v.mode "split" }}
- name: AIAGENT_STORE
  value: {{ ternary (printf "redis://%s-redis:6379" (include "aiagent.fullname" .root)) $v.externalRedis.url $v.redis.enabled | quote }}
{{- if $v.redis.enabled }}
- name: AIAGENT_REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ include "aiagent.redisSecret" .root }}, key: {{ $v.redis.secretKey }}}
{{- else }}
{{- $keys := dict "USERNAME" $v.externalRedis.usernameKey "PASSWORD" $v.externalRedis.passwordKey "SENTINEL_PASSWORD" $v.externalRedis.sentinelPasswordKey }}
{{- range $name, $key := $keys }}
{{- if $key }}
- name: AIAGENT_REDIS_{{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ required "externalRedis.existingSecret: names the Secret that the keys are in" $v.externalRedis.existingSecret }}, key: {{ $key }}}
{{- end }}
{{- end }}
{{- if $v.externalRedis.caSecret }}
- name: AIAGENT_REDIS_CA_FILE
  value: /etc/ai-agent-redis/{{ $v.externalRedis.caKey }}
{{- end }}
{{- end }}
{{- end }}
{{- with $v.model }}
{{- if .url }}
- name: AIAGENT_MODEL_URL
  value: {{ .url | quote }}
{{- end }}
{{- if .name }}
- name: AIAGENT_MODEL_NAME
  value: {{ .name | quote }}
{{- end }}
{{- if .adapter }}
- name: AIAGENT_MODEL_ADAPTER
  value: {{ .adapter | quote }}
{{- end }}
{{- if and .existingSecret (ne $.role "dashboard") }}
- name: AIAGENT_MODEL_KEY
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret }}, key: {{ .secretKey }}}
{{- end }}
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The pod of a role. Takes root, role and values (the dashboard's or the worker's). */}}
{{- define "aiagent.pod" -}}
{{- $root := .root -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "aiagent.labels" (dict "root" $root "component" .role) | nindent 4 }}
    aiagent-host: "true"
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print $root.Template.BasePath "/config.yaml") $root | sha256sum }}
    checksum/secrets: {{ list $v.token $v.redis.password | toJson | sha256sum }}
    {{- if and $v.plugins.inline $v.plugins.rollOnChange }}
    checksum/plugins: {{ toJson $v.plugins.inline | sha256sum }}
    {{- end }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "aiagent.serviceAccount" $root }}
  automountServiceAccountToken: false
  # Variables of Services called aiagent would look like settings.
  enableServiceLinks: false
  # The grace of its steps, and the connections' after them.
  terminationGracePeriodSeconds: {{ add (int $v.worker.graceSeconds) 20 }}
  securityContext:
    {{- toYaml $v.podSecurityContext | nindent 4 }}
  {{- with $v.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (ne .role "all") (ne .values.topologySpread "none") }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" (eq $.values.topologySpread "required") }}
      labelSelector:
        matchLabels:
          {{- include "aiagent.selector" (dict "root" $root "component" $.role) | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with $v.plugins.initImages }}
  initContainers:
    {{- range . }}
    - name: plugins-{{ .name }}
      image: {{ .image }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      command: {{ default (list "sh" "-c" (printf "cp %s/*.wasm /plugins/%s/" (default "/plugins-src" .path) .name)) .command | toJson }}
      securityContext:
        {{- toYaml $v.securityContext | nindent 8 }}
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {memory: 128Mi}
      volumeMounts:
        - {name: plugins-init, mountPath: {{ printf "/plugins/%s" .name }}, subPath: {{ .name }}}
    {{- end }}
  {{- end }}
  containers:
    - name: host
      image: {{ include "aiagent.image" $root }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args: [serve]
      env:
        {{- include "aiagent.env" . | nindent 8 }}
      {{- with $v.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: http, containerPort: 8080}
        {{- if $v.metrics.enabled }}
        - {name: metrics, containerPort: {{ int $v.metrics.port }}}
        {{- end }}
      # Plugins that are not in the compile cache are compiled before anything is served.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 90
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
      {{- if eq .role "dashboard" }}
      # Until no proxy sends anything here any more.
      lifecycle:
        preStop:
          sleep: {seconds: 5}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      securityContext:
        {{- toYaml $v.securityContext | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/ai-agent, readOnly: true}
        - {name: state, mountPath: /var/lib/ai-agent}
        - {name: tmp, mountPath: /tmp}
        {{- if and (eq $v.mode "split") $v.externalRedis.caSecret }}
        - {name: redis-ca, mountPath: /etc/ai-agent-redis, readOnly: true}
        {{- end }}
        {{- if and $v.tokens.existingSecret (ne .role "worker") }}
        - {name: tokens, mountPath: /etc/ai-agent-tokens, readOnly: true}
        {{- end }}
        {{- if $v.plugins.inline }}
        - {name: plugins-inline, mountPath: /plugins/inline, readOnly: true}
        {{- end }}
        {{- range $v.plugins.configMaps }}
        - {name: {{ printf "configmap-%s" . | trunc 63 }}, mountPath: {{ printf "/plugins/configmap-%s" . }}, readOnly: true}
        {{- end }}
        {{- range $v.plugins.images }}
        - {name: image-{{ .name }}, mountPath: /plugins/image-{{ .name }}, readOnly: true}
        {{- end }}
        {{- if $v.plugins.initImages }}
        - {name: plugins-init, mountPath: /plugins/init, readOnly: true}
        {{- end }}
        {{- if $v.plugins.existingClaim }}
        - {name: plugins-claim, mountPath: /plugins/claim, readOnly: true}
        {{- end }}
        {{- with $v.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "aiagent.fullname" $root }}}
    - name: tmp
      emptyDir: {}
    {{- if or (ne .role "all") (not $v.persistence.enabled) }}
    - name: state
      emptyDir: {}
    {{- else if $v.persistence.existingClaim }}
    - name: state
      persistentVolumeClaim: {claimName: {{ $v.persistence.existingClaim }}}
    {{- end }}
    {{- if and (eq $v.mode "split") $v.externalRedis.caSecret }}
    - name: redis-ca
      secret: {secretName: {{ $v.externalRedis.caSecret }}}
    {{- end }}
    {{- if and $v.tokens.existingSecret (ne .role "worker") }}
    - name: tokens
      secret: {secretName: {{ $v.tokens.existingSecret }}}
    {{- end }}
    {{- if $v.plugins.inline }}
    - name: plugins-inline
      configMap: {name: {{ include "aiagent.fullname" $root }}-plugins}
    {{- end }}
    {{- range $v.plugins.configMaps }}
    - name: {{ printf "configmap-%s" . | trunc 63 }}
      configMap: {name: {{ . }}}
    {{- end }}
    {{- range $v.plugins.images }}
    - name: image-{{ .name }}
      image: {reference: {{ .reference | quote }}, pullPolicy: {{ default "IfNotPresent" .pullPolicy }}}
    {{- end }}
    {{- if $v.plugins.initImages }}
    - name: plugins-init
      emptyDir: {}
    {{- end }}
    {{- with $v.plugins.existingClaim }}
    - name: plugins-claim
      persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
    {{- end }}
    {{- with $v.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
