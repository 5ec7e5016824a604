//! The least rights for a configuration: what is watched, and what else is asked once in a while. What only some want
//! kpulse to see (certificates, kubelets) is granted apart, so that it can be taken away without touching the rest.

#[cfg(test)]
mod tests;
mod text;

use kpulse_core::{Name, Resource};
use kpulse_watch::access::Attempt;
use kpulse_watch::state;

use crate::config::Config;

const WATCH: &[&str] = &["list", "watch"];

/// Who is granted rights.
#[derive(Debug)]
pub(crate) struct Account {
    /// Where kpulse runs, and keeps its state.
    pub(crate) namespace: String,
    /// Its service account. Roles and bindings are named after it.
    pub(crate) name: String,
}

/// Everything kpulse must be allowed to do with one configuration.
#[derive(Debug)]
pub(crate) struct Rights {
    grants: Vec<Grant>,
    /// What would be looked at if namespaces were not named, and cannot be: it lives in none.
    beyond: Vec<&'static str>,
}

/// A role and the binding that gives it to kpulse.
#[derive(Debug)]
struct Grant {
    /// What is appended to the account's name.
    suffix: &'static str,
    /// What it is for, in a comment.
    purpose: &'static str,
    reach: Reach,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
enum Reach {
    Cluster,
    Namespace(Name),
    /// The namespace kpulse runs in.
    Own,
}

/// Verbs on resources of one API group; on all objects where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    group: &'static str,
    resources: Vec<&'static str>,
    names: Vec<&'static str>,
    verbs: &'static [&'static str],
}

impl Rule {
    fn core(verbs: &'static [&'static str], resources: &[&'static str]) -> Self {
        Self { group: "", resources: resources.to_vec(), names: Vec::new(), verbs }
    }

    fn attempts(&self, namespace: Option<&str>) -> impl Iterator<Item = Attempt> {
        let names: Vec<Option<String>> = match self.names.as_slice() {
            [] => vec![None],
            names => names.iter().map(|name| Some((*name).to_owned())).collect(),
        };
        let group = self.group;
        let pairs = self.resources.iter().flat_map(|resource| self.verbs.iter().map(move |verb| (*resource, *verb)));
        pairs.flat_map(move |(resource, verb)| {
            names.clone().into_iter().map(move |name| Attempt {
                verb: verb.to_owned(),
                group: group.to_owned(),
                resource: resource.to_owned(),
                name,
                namespace: namespace.map(str::to_owned),
            })
        })
    }
}

impl Rights {
    /// Those that `run` needs with these settings.
    pub(crate) fn of(config: &Config) -> Self {
        let settings = config.settings();
        let (namespaced, whole): (Vec<_>, Vec<_>) =
            settings.resources().partition(|resource| resource.kind().is_namespaced());
        let mut grants = Vec::new();
        let mut beyond = Vec::new();
        match settings.namespaces.named() {
            Some(named) => {
                for namespace in named {
                    let reach = Reach::Namespace(namespace);
                    grants.extend([sight(config, &reach, &namespaced), certificates(&reach, &namespaced)]);
                }
                beyond.extend(whole.iter().map(|resource| resource.plural()));
                beyond.extend(kubelet_right(config));
            }
            None => {
                let all: Vec<Resource> = settings.resources().collect();
                grants.extend([sight(config, &Reach::Cluster, &all), certificates(&Reach::Cluster, &all)]);
                grants.push(kubelets(config));
            }
        }
        grants.push(Grant {
            suffix: "-state",
            purpose: "What kpulse keeps: what it told, so that a restart is silent.",
            reach: Reach::Own,
            rules: own(),
        });
        grants.retain(|grant| !grant.rules.is_empty());
        Self { grants, beyond }
    }
}

impl Rights {
    /// Each right by itself, as the API server can be asked for it. `own` is the namespace kpulse runs in.
    pub(crate) fn attempts(&self, own: &str) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for Grant { reach, rules, .. } in &self.grants {
            let namespace = match reach {
                Reach::Cluster => None,
                Reach::Namespace(namespace) => Some(namespace.to_string()),
                Reach::Own => Some(own.to_owned()),
            };
            for rule in rules {
                attempts.extend(rule.attempts(namespace.as_deref()));
            }
        }
        attempts
    }
}

/// Everything that is watched, but for certificates.
fn sight(config: &Config, reach: &Reach, resources: &[Resource]) -> Grant {
    let mut rules: Vec<Rule> = Vec::new();
    for resource in resources.iter().filter(|resource| **resource != Resource::TlsSecrets) {
        let group = resource.api_version().split_once('/').map_or("", |(group, _)| group);
        let plural = resource.plural();
        match rules.iter_mut().find(|rule| rule.group == group) {
            // Several watches of Events are one right.
            Some(rule) if rule.resources.contains(&plural) => {}
            Some(rule) => rule.resources.push(plural),
            None => rules.push(Rule { group, ..Rule::core(WATCH, &[plural]) }),
        }
    }
    rules.sort_by_key(|rule| rule.group);
    let crashes = &config.monitors.pod_crashes;
    if crashes.enabled && crashes.include_recent_logs && crashes.max_log_lines > 0 {
        rules.push(Rule::core(&["get"], &["pods/log"]));
    }
    Grant { suffix: "", purpose: "What kpulse looks at.", reach: reach.clone(), rules }
}

fn certificates(reach: &Reach, resources: &[Resource]) -> Grant {
    let wanted = resources.contains(&Resource::TlsSecrets);
    Grant {
        suffix: "-tls",
        purpose: "For tls_cert_expiry. A right to Secrets cannot be narrowed to those of type kubernetes.io/tls, which are all\n\
                  that kpulse asks for. Delete this binding, and kpulse says that it does not see certificates.",
        reach: reach.clone(),
        rules: if wanted { vec![Rule::core(WATCH, &[Resource::TlsSecrets.plural()])] } else { Vec::new() },
    }
}

fn kubelets(config: &Config) -> Grant {
    let rules = kubelet_right(config)
        .map(|right| vec![Rule::core(&["list"], &["nodes"]), Rule::core(&["get"], &[right])])
        .unwrap_or_default();
    Grant {
        suffix: "-kubelet",
        purpose: "For node_disk and pvc_usage: what kubelets say of their disks and volumes. Delete this binding, and kpulse\n\
                  says that it does not see them.",
        reach: Reach::Cluster,
        rules,
    }
}

/// What it takes to read summaries, where anybody wants them.
fn kubelet_right(config: &Config) -> Option<&'static str> {
    let right = if config.kubelet.via_api_server { "nodes/proxy" } else { "nodes/stats" };
    config.monitors.survey_interval().map(|_| right)
}

/// What kpulse writes, all of it in its own namespace. The name of what is created cannot be narrowed.
fn own() -> Vec<Rule> {
    vec![
        Rule::core(&["create"], &["configmaps"]),
        Rule { names: vec![state::NAME], ..Rule::core(&["get", "update"], &["configmaps"]) },
    ]
}
