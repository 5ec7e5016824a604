{{/* The name of everything: that of the release, with the chart's where it does not say it already. */}}
{{- define "kpulse.name" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "kpulse.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "kpulse.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "kpulse.secret" -}}
{{- default (printf "%s-secrets" (include "kpulse.name" .)) .Values.existingSecret -}}
{{- end -}}

{{- define "kpulse.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kpulse.labels" -}}
{{ include "kpulse.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The whole configuration: the shipped one as it is, comments and all, if nothing is laid over it. */}}
{{- define "kpulse.config" -}}
{{- $shipped := .Files.Get "files/config.yaml" -}}
{{- if .Values.config -}}
{{- $config := fromYaml $shipped -}}
{{- range $key := list "channels" "routing" -}}
{{- if hasKey $.Values.config $key -}}{{- $_ := unset $config $key -}}{{- end -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $config (deepCopy .Values.config)) -}}
{{- else -}}
{{- $shipped -}}
{{- end -}}
{{- end -}}

{{/* The namespaces that are watched one by one, as a list in JSON; empty text where the whole cluster is. */}}
{{- define "kpulse.named" -}}
{{- $config := fromYaml (include "kpulse.config" .) -}}
{{- $include := dig "namespaces" "include" (list "*") $config -}}
{{- $plain := not (empty $include) -}}
{{- range $include -}}
{{- if regexMatch "[*?]" . -}}{{- $plain = false -}}{{- end -}}
{{- end -}}
{{- if $plain -}}
{{- $named := list -}}
{{- range $namespace := $include | sortAlpha | uniq -}}
{{- $excluded := false -}}
{{- range $glob := dig "namespaces" "exclude" (list) $config -}}
{{- $pattern := $glob | replace "." "\\." | replace "*" ".*" | replace "?" "." -}}
{{- if regexMatch (printf "^%s$" $pattern) $namespace -}}{{- $excluded = true -}}{{- end -}}
{{- end -}}
{{- if not $excluded -}}{{- $named = append $named $namespace -}}{{- end -}}
{{- end -}}
{{- if le (len $named) 50 -}}{{- dict "namespaces" $named | toJson -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* "yes" if any of these monitors is on, or none is named. */}}
{{- define "kpulse.wanted" -}}
{{- $config := .config -}}
{{- $wanted := empty .monitors -}}
{{- range .monitors -}}
{{- if dig "monitors" . "enabled" true $config -}}{{- $wanted = true -}}{{- end -}}
{{- end -}}
{{- if $wanted -}}yes{{- end -}}
{{- end -}}
