{{- define "config" -}}
extensions:
  health_check:
    endpoint: {{ toJson .sumologic_health_endpoint }}
{{- if .sumologic_with_queue.persistent }}
  file_storage:
    directory: {{ .sumologic_state_dir }}/queue
    create_directory: true
    compaction:
      directory: {{ .sumologic_state_dir }}/queue
      on_rebound: true
{{- end }}
{{- if eq .sumologic_mode "otel_sumo" }}
  sumologic:
    installation_token: "${env:SUMOLOGIC_INSTALLATION_TOKEN}"
    collector_name: {{ toJson .sumologic_collector_name }}
    collector_category: {{ toJson .sumologic_category }}
    collector_fields: {{ toJson .sumologic_fields }}
    collector_description: {{ toJson .sumologic_description }}
    collector_credentials_directory: {{ .sumologic_state_dir }}/credentials
    ephemeral: {{ .sumologic_ephemeral }}
    clobber: {{ .sumologic_clobber }}
{{- with .sumologic_timezone }}
    time_zone: {{ toJson . }}
{{- end }}
{{- with .sumologic_api_base_url }}
    api_base_url: {{ toJson . }}
{{- end }}
{{- if not (empty .sumologic_proxy) }}
    proxy_url: "${env:SUMOLOGIC_PROXY}"
{{- end }}
{{- end }}

receivers:
{{ include "metrics" . | trim | indent 2 }}
{{ include "logs" . | trim | indent 2 }}

processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: {{ .sumologic_memory_limit_mib }}
  resource:
    attributes:
      - {key: _sourceCategory, value: {{ toJson .sumologic_source_category }}, action: insert}
      - {key: _sourceHost, value: {{ toJson .sumologic_source_host }}, action: upsert}
      - {key: _sourceName, value: {{ toJson .sumologic_source_name }}, action: insert}
      - {key: host.name, value: {{ toJson .sumologic_source_host }}, action: upsert}
{{- range $key, $value := combine .sumologic_fields .sumologic_resource_attributes }}
      - {key: {{ toJson $key }}, value: {{ toJson $value }}, action: upsert}
{{- end }}
  batch:
    timeout: 2s
    send_batch_size: 1024
    send_batch_max_size: 2048

exporters:
  sumologic:
{{- if eq .sumologic_mode "otel_http" }}
    endpoint: "${env:SUMOLOGIC_HTTP_SOURCE_URL}"
{{- end }}
{{- if not (empty .sumologic_proxy) }}
    proxy_url: "${env:SUMOLOGIC_PROXY}"
{{- end }}
    metric_format: {{ .sumologic_metric_format }}
    log_format: {{ .sumologic_log_format }}
    compression: {{ .sumologic_compression }}
    retry_on_failure:
      enabled: true
      initial_interval: 2s
      max_interval: 30s
      max_elapsed_time: {{ .sumologic_retry_max_elapsed }}s
    sending_queue:
      enabled: true
      queue_size: {{ .sumologic_with_queue.size }}
{{- if .sumologic_with_queue.persistent }}
      storage: file_storage
{{- end }}

service:
  extensions:
    - health_check
{{- if .sumologic_with_queue.persistent }}
    - file_storage
{{- end }}
{{- if eq .sumologic_mode "otel_sumo" }}
    - sumologic
{{- end }}
  telemetry:
    # What it says at the level info holds the address of the HTTP source.
    logs:
      level: warn
    metrics:
      level: none
  pipelines:
    metrics:
      receivers: {{ include "metrics" . | fromYaml | keys | toJson }}
      processors: [memory_limiter, resource, batch]
      exporters: [sumologic]
{{- with include "logs" . | trim }}
    logs:
      receivers: {{ fromYaml . | keys | toJson }}
      processors: [memory_limiter, resource, batch]
      exporters: [sumologic]
{{- end }}
{{- end -}}

{{- define "metrics" -}}
hostmetrics:
  collection_interval: {{ .sumologic_with_hostmetrics.interval }}
  scrapers:
{{- range .sumologic_with_hostmetrics.scrapers }}
    {{ . }}:
{{- if eq . "cpu" }}
      metrics: {system.cpu.utilization: {enabled: true}}
{{- else if eq . "memory" }}
      metrics: {system.memory.utilization: {enabled: true}}
{{- else if eq . "paging" }}
      metrics: {system.paging.utilization: {enabled: true}}
{{- else if eq . "filesystem" }}
      metrics: {system.filesystem.utilization: {enabled: true}}
      # Containers have their root on an overlay, which counts as virtual.
      include_virtual_filesystems: true
      exclude_fs_types:
        match_type: strict
        fs_types: [autofs, binfmt_misc, bpf, cgroup, cgroup2, configfs, debugfs, devpts, devtmpfs, efivarfs, fuse.lxcfs, fusectl,
          hugetlbfs, iso9660, mqueue, nsfs, proc, pstore, ramfs, rpc_pipefs, securityfs, selinuxfs, squashfs, sysfs, tmpfs, tracefs]
      # The last is the collector's own folder, mounted anew inside its sandbox.
      exclude_mount_points:
        match_type: regexp
        mount_points: ["/(dev|proc|run|sys)(/.*)?", "/var/lib/(docker|containers|kubelet)/.+", {{ printf "%s(/.*)?" $.sumologic_state_dir | toJson }}]
{{- else if eq . "process" }}
      mute_process_all_errors: true
{{- else }} {}
{{- end }}
{{- end }}
{{- if bool .sumologic_has_nginx }}
nginx:
  endpoint: {{ toJson .sumologic_with_nginx.url }}
  collection_interval: {{ .sumologic_with_nginx.interval }}
{{- end }}
{{- if bool .sumologic_has_haproxy }}
haproxy:
  endpoint: {{ toJson .sumologic_with_haproxy.endpoint }}
  collection_interval: {{ .sumologic_with_haproxy.interval }}
  metrics:
    haproxy.connections.total: {enabled: true}
    haproxy.downtime: {enabled: true}
    haproxy.failed_checks: {enabled: true}
    haproxy.sessions.total: {enabled: true}
{{- end }}
{{- if bool .sumologic_has_mysql }}
mysql:
  endpoint: {{ toJson .sumologic_with_mysql.endpoint }}
  transport: {{ hasPrefix "/" .sumologic_with_mysql.endpoint | ternary "unix" "tcp" }}
  username: {{ toJson .sumologic_with_mysql.user }}
  password: "${env:SUMOLOGIC_MYSQL_PASSWORD}"
  tls: {{ toJson .sumologic_with_mysql.tls }}
  collection_interval: {{ .sumologic_with_mysql.interval }}
  metrics:
    mysql.connection.count: {enabled: true}
    mysql.query.count: {enabled: true}
    mysql.query.slow.count: {enabled: true}
{{- if .sumologic_with_mysql.replica_metrics }}
    mysql.replica.time_behind_source: {enabled: true}
    mysql.replica.sql_delay: {enabled: true}
{{- end }}
{{- end }}
{{- end -}}

{{- define "logs" -}}
{{- range fromYamlArray .sumologic_logs }}
filelog/{{ .name }}:
  include: {{ toJson .paths }}
  start_at: {{ .start_at | default "end" }}
  include_file_path: true
  retry_on_failure: {enabled: true}
{{- if $.sumologic_with_queue.persistent }}
  storage: file_storage
{{- end }}
{{- with .multiline | default "" }}
  multiline: {line_start_pattern: {{ toJson . }}}
{{- end }}
{{- with .category | default "" }}
  resource: {_sourceCategory: {{ toJson . }}}
{{- end }}
{{- end }}
{{- if .sumologic_journald }}
journald: {}
{{- end }}
{{- end -}}
