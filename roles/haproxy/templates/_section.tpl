{{- /* The body of a frontend, backend or listen section, in the order haproxy evaluates it. */}}
{{- define "section" }}
{{- $s := .section }}
{{- with $s.mode | default "" }}
    mode {{ . }}
{{- end }}
{{- range flatten (list ($s.bind | default list)) }}
    bind {{ . }}
{{- end }}
{{- with $s.maxconn | default "" }}
    maxconn {{ . }}
{{- end }}
{{- with $s.balance | default "" }}
    balance {{ . }}
{{- end }}
{{- range $s.options | default list }}
    option {{ . }}
{{- end }}
{{- range $name, $time := $s.timeouts | default dict }}
    timeout {{ $name }} {{ $time }}
{{- end }}
{{- with $s.log_format | default "" }}
    log-format {{ dquote . }}
{{- end }}
{{- range $s.acls | default list }}
    acl {{ . }}
{{- end }}
{{- range $s.stick | default list }}
    {{ . }}
{{- end }}
{{- range $s.tcp_request | default list }}
    tcp-request {{ . }}
{{- end }}
{{- range $s.http_request | default list }}
    http-request {{ . }}
{{- end }}
{{- range $s.http_response | default list }}
    http-response {{ . }}
{{- end }}
{{- range $s.http_check | default list }}
    http-check {{ . }}
{{- end }}
{{- with $s.extra | default "" }}
{{ trim . | indent 4 }}
{{- end }}
{{- range $s.use_backend | default list }}
    use_backend {{ . }}
{{- end }}
{{- with $s.default_backend | default "" }}
    default_backend {{ . }}
{{- end }}
{{- with $s.default_server | default "" }}
    default-server {{ . }}
{{- end }}
{{- range $s.servers | default list }}
    server {{ .name }} {{ .address }}{{ with .port | default "" }}:{{ . }}{{ end }}{{ with .options | default "" }} {{ . }}{{ end }}
{{- end }}
{{- with $s.servers_group | default dict }}
{{- range $name := dig .group (list) $.root.groups }}
    server {{ $name }} {{ template "address" (dict "name" $name "root" $.root) }}:{{ $s.servers_group.port }}{{ with $s.servers_group.options | default "" }} {{ . }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Where another host is reached, as the roles know hosts. */}}
{{- define "address" }}
{{- $h := index .root.hostvars .name }}{{ coalesce $h.peer_address $h.ansible_host .name }}
{{- end }}
