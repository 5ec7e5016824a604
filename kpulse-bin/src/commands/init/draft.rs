//! What `kpulse init` writes: a short configuration, each choice with its reason, and what to do next.

use std::fmt::Write;
use std::path::Path;

use serde_saphyr::FlowSeq;

use super::interview::{Answers, Setting};

/// What differs from the defaults, as in the configuration that is shipped.
const CHOICES: &str = "
namespaces:
  # By default kube-system is left out as well; what breaks there breaks everything else.
  exclude: [kube-public, kpulse]

monitors:
  pod_crashes:
    # 2m by default. Nodes that are made on demand take longer than that to come.
    pending_grace: 5m
    # 0s by default. Programs that exit until their database is up would be told at each deployment.
    settle: 60s
  tls_cert_expiry:
    # false by default. Certificates that live for days are told later.
    by_lifetime: true
";

/// The configuration.
pub(super) fn text(answers: &Answers) -> String {
    let Answers { cluster, kind, settings, .. } = answers;
    let mut text = String::from(
        "# Written by `kpulse init`. What is not here has its default: `kpulse check --print` shows all that is in force.\n",
    );
    let block = if settings.is_empty() { " {}".to_owned() } else { settings.iter().map(line).collect() };
    // Writing to a String cannot fail.
    let _infallible = write!(text, "cluster:\n  name: {}\n\nchannels:\n  {kind}:{block}\n", scalar(cluster));
    text.push_str(CHOICES);
    if matches!(kind.as_str(), "pagerduty" | "alertmanager") {
        let _infallible = write!(
            text,
            "\n# {kind} is told only what a route leads to it.\nrouting:\n  - match: {{severity: critical}}\n    channels: [{kind}]\n"
        );
    }
    text
}

fn line(Setting { name, values, is_list }: &Setting) -> String {
    let value = match values.as_slice() {
        [value] if !is_list => scalar(value),
        values => yaml(&FlowSeq(values)),
    };
    format!("\n    {name}: {value}")
}

fn scalar(text: &str) -> String {
    yaml(&text)
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(value).unwrap_or_default().trim_end().to_owned()
}

/// What to do next.
pub(super) fn next_steps(config: &Path, secrets: &Path, has_secrets: bool) -> String {
    let (config, secrets) = (config.display(), secrets.display());
    let create = format!("kubectl -n kpulse create secret generic kpulse-secrets --from-file={secrets}");
    let secret_step = if has_secrets { format!("\n  {create}") } else { String::new() };
    format!(
        "
Next, from here:
  kpulse run --config {config} --secrets {secrets} --namespace default
Or in the cluster, after deploy/install.sh:
  kubectl -n kpulse create configmap kpulse-config --from-file=config.yaml={config} --dry-run=client -o yaml | kubectl apply -f -{secret_step}"
    )
}

#[cfg(test)]
mod tests {
    use kpulse_notify::ChannelSettings;
    use kpulse_notify::starter::questions;

    use super::*;
    use crate::config::{Config, Environment, Purpose};

    #[test]
    fn what_is_written_is_a_configuration_for_every_kind() {
        for kind in ChannelSettings::KINDS {
            let settings = questions(kind).iter().map(|question| Setting {
                name: question.setting.to_owned(),
                values: vec![match question.secret {
                    Some(key) => key.to_owned(),
                    None if question.setting.contains("url") => "https://example.com".to_owned(),
                    None => "a@example.com".to_owned(),
                }],
                is_list: question.several,
            });
            let answers = Answers {
                cluster: "0123: prod".to_owned(),
                kind: (*kind).to_owned(),
                settings: settings.collect(),
                secrets: Vec::new(),
            };
            let text = text(&answers);
            let file = std::env::temp_dir().join(format!("kpulse-init-{}-{kind}.yaml", std::process::id()));
            std::fs::write(&file, &text).unwrap();
            let loaded = Config::load(&file, &Environment::default(), Purpose::Telling);
            std::fs::remove_file(&file).unwrap();
            let loaded = loaded.unwrap_or_else(|error| panic!("{error}\nin\n{text}"));
            assert_eq!(loaded.config.cluster.name, "0123: prod");
            assert_eq!(loaded.config.channels.iter().count(), 1, "{text}");
            let routed = loaded.config.routing.iter().any(|route| route.channels.iter().any(|name| name == kind));
            assert!(
                routed || loaded.config.settings().default_channel().is_some(),
                "{kind} would never be told anything"
            );
        }
    }
}
