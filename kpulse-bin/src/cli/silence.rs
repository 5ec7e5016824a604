//! What `kpulse silence` and `kpulse unsilence` can be told.

use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;
use kpulse_core::settings::Span;
use kpulse_core::{Kind, ObjectRef};

use super::ClusterArgs;

pub(super) const SILENCE: &str = "\
Examples:
  kpulse silence deploy/api -n checkout 2h --reason \"moving the database\"
  kpulse silence node/worker-3 --until 2026-12-01T08:00:00Z
  kpulse silence namespace/sandbox 90m --dry-run     only show what it would hide
  kpulse silence --list";

pub(super) const UNSILENCE: &str = "\
Examples:
  kpulse unsilence deploy/api -n checkout";

#[derive(Debug, Args)]
pub(crate) struct SilenceArgs {
    /// What: deploy/api, sts/db, pod/api-1, node/worker-3, namespace/shop
    #[arg(value_name = "KIND/NAME", required_unless_present = "list")]
    pub(crate) object: Option<ObjectArg>,
    /// How long: 90m, 2h, 1h30m
    #[arg(value_name = "DURATION", required_unless_present_any = ["list", "until"], conflicts_with = "until")]
    pub(crate) length: Option<Span>,
    /// Until when, instead
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Why, for whoever finds it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
    /// Show what it would hide, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show every silence there is in the cluster, or in the namespace
    #[arg(long, conflicts_with_all = ["object", "length", "until", "reason", "dry_run"])]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UnsilenceArgs {
    /// What: deploy/api, sts/db, pod/api-1, node/worker-3, namespace/shop
    #[arg(value_name = "KIND/NAME")]
    pub(crate) object: ObjectArg,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// Where an object is.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// The namespace; the context's if nothing is said
    #[arg(long, short, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// An object as kubectl writes it: `deploy/api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectArg {
    kind: Kind,
    name: String,
}

/// Why a text names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ObjectArgError {
    #[error("write it as KIND/NAME: deploy/api")]
    Shape,
    #[error(
        "kpulse does not know `{0}`; it knows pod, deploy, sts, ds, job, cronjob, node, namespace, hpa, pvc, pdb, secret"
    )]
    Kind(String),
}

impl ObjectArg {
    /// The object, in this namespace if it lives in one.
    pub(crate) fn within(&self, namespace: &str) -> ObjectRef {
        let namespace = if self.kind.is_namespaced() { namespace } else { "" };
        ObjectRef::new(self.kind, namespace, self.name.as_str())
    }
}

impl FromStr for ObjectArg {
    type Err = ObjectArgError;

    fn from_str(text: &str) -> Result<Self, ObjectArgError> {
        let parts = text.split_once('/').filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
        let (kind, name) = parts.filter(|(_, name)| !name.contains('/')).ok_or(ObjectArgError::Shape)?;
        let known = kind_of(kind).ok_or_else(|| ObjectArgError::Kind(kind.to_owned()))?;
        Ok(Self { kind: known, name: name.to_owned() })
    }
}

/// A kind by any of the names that kubectl has for it.
fn kind_of(word: &str) -> Option<Kind> {
    // `deployments.apps`, `deployment.v1.apps`
    let word = word.split('.').next().unwrap_or_default().to_ascii_lowercase();
    Some(match word.as_str() {
        "pod" | "pods" | "po" => Kind::Pod,
        "deployment" | "deployments" | "deploy" => Kind::Deployment,
        "statefulset" | "statefulsets" | "sts" => Kind::StatefulSet,
        "daemonset" | "daemonsets" | "ds" => Kind::DaemonSet,
        "job" | "jobs" => Kind::Job,
        "cronjob" | "cronjobs" | "cj" => Kind::CronJob,
        "node" | "nodes" | "no" => Kind::Node,
        "namespace" | "namespaces" | "ns" => Kind::Namespace,
        "horizontalpodautoscaler" | "horizontalpodautoscalers" | "hpa" => Kind::HorizontalPodAutoscaler,
        "persistentvolumeclaim" | "persistentvolumeclaims" | "pvc" => Kind::PersistentVolumeClaim,
        "poddisruptionbudget" | "poddisruptionbudgets" | "pdb" => Kind::PodDisruptionBudget,
        "secret" | "secrets" => Kind::Secret,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_for_kubectl() {
        let object = |text: &str| text.parse::<ObjectArg>().map(|object| object.within("shop"));
        assert_eq!(object("deploy/api"), Ok(ObjectRef::new(Kind::Deployment, "shop", "api")));
        assert_eq!(object("Deployments.apps/api"), Ok(ObjectRef::new(Kind::Deployment, "shop", "api")));
        assert_eq!(object("no/worker-3"), Ok(ObjectRef::new(Kind::Node, "", "worker-3")));
        for bad in ["api", "deploy/", "/api", "deploy/a/b", ""] {
            assert_eq!(object(bad), Err(ObjectArgError::Shape), "{bad}");
        }
        assert_eq!(object("rs/api"), Err(ObjectArgError::Kind("rs".to_owned())));
    }
}
