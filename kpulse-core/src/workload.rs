//! Which workload answers for an object: from its owner reference, its labels and its name, without asking the API.

use jiff::Timestamp;

use crate::facts::Meta;
use crate::{Kind, Workload};

/// The label a Deployment puts on its ReplicaSets and their Pods.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// The workload that answers for an object of this kind; nothing for a bare object.
///
/// A ReplicaSet whose name ends in its Pods' template hash is a Deployment's; a Job whose name ends in a plausible
/// minute number is a CronJob's. Static Pods, whose owner is their Node, are bare, and so are Secrets: what made one
/// does not run it.
#[must_use]
pub fn workload_of(kind: Kind, meta: &Meta) -> Option<Workload> {
    let owner = meta.owner.as_ref()?;
    match (kind, owner.kind.as_str()) {
        (_, "Node") | (Kind::Secret, _) => None,
        (Kind::Pod, "ReplicaSet") => {
            let deployment = meta
                .label(TEMPLATE_HASH)
                .and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'))
                .filter(|name| !name.is_empty());
            Some(match deployment {
                Some(name) => Workload::new("Deployment", name),
                None => Workload::new(&*owner.kind, &*owner.name),
            })
        }
        (Kind::Pod, "Job") => Some(match cron_job_of(&owner.name, meta.created) {
            Some(name) => Workload::new("CronJob", name),
            None => Workload::new("Job", &*owner.name),
        }),
        _ => Some(Workload::new(&*owner.kind, &*owner.name)),
    }
}

/// The CronJob controller names a Job after its CronJob and the minute it was scheduled for, counted from the epoch
/// (`getJobName` in `pkg/controller/cronjob`). A number that is no recent minute belongs to somebody else's naming.
fn cron_job_of(job: &str, pod_created: Option<Timestamp>) -> Option<&str> {
    const WEEK: i64 = 7 * 24 * 60;
    let (name, number) = job.rsplit_once('-')?;
    let minute: i64 = number.parse().ok().filter(|_| number.bytes().all(|digit| digit.is_ascii_digit()))?;
    let created = pod_created?.as_second() / 60;
    (!name.is_empty() && (created - WEEK..=created + 1).contains(&minute)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, json: &str, expect: Option<&str>) {
        let meta: Meta = serde_json::from_str(json).unwrap();
        assert_eq!(workload_of(kind, &meta).map(|workload| workload.to_string()).as_deref(), expect);
    }

    fn owned(kind: &str, name: &str, more: &str) -> String {
        format!(
            r#"{{"creationTimestamp":"2026-11-22T17:00:05Z","ownerReferences":[{{"kind":"{kind}","name":"{name}","controller":true}}]{more}}}"#
        )
    }

    #[test]
    fn a_pod_of_a_deployment_is_the_deployments() {
        let hash = r#","labels":{"pod-template-hash":"655556db6"}"#;
        check(Kind::Pod, &owned("ReplicaSet", "api-655556db6", hash), Some("Deployment/api"));
        check(Kind::Pod, &owned("ReplicaSet", "api-655556db6", ""), Some("ReplicaSet/api-655556db6"));
        check(Kind::Pod, &owned("ReplicaSet", "655556db6", hash), Some("ReplicaSet/655556db6"));
        check(Kind::Pod, &owned("ReplicaSet", "api-v655556db6", hash), Some("ReplicaSet/api-v655556db6"));
    }

    #[test]
    fn a_pod_of_a_cron_jobs_job_is_the_cron_jobs() {
        // 2026-11-22T17:00:00Z is minute 29922780.
        check(Kind::Pod, &owned("Job", "report-29922780", ""), Some("CronJob/report"));
        check(Kind::Pod, &owned("Job", "report-29922770", ""), Some("CronJob/report"));
        check(Kind::Pod, &owned("Job", "import-2024", ""), Some("Job/import-2024"));
        check(Kind::Pod, &owned("Job", "report-29999999", ""), Some("Job/report-29999999"));
        check(Kind::Pod, &owned("Job", "-29922780", ""), Some("Job/-29922780"));
        check(Kind::Pod, &owned("Job", "migrate-0x1c", ""), Some("Job/migrate-0x1c"));
    }

    #[test]
    fn other_owners_answer_themselves_and_bare_objects_have_none() {
        check(Kind::Pod, &owned("StatefulSet", "db", ""), Some("StatefulSet/db"));
        check(Kind::Pod, &owned("Kafka", "events", ""), Some("Kafka/events"));
        check(Kind::Job, &owned("CronJob", "report", ""), Some("CronJob/report"));
        check(Kind::Pod, &owned("Node", "worker-1", ""), None);
        check(Kind::Secret, &owned("Certificate", "web", ""), None);
        check(Kind::Pod, "{}", None);
        check(Kind::Pod, r#"{"ownerReferences":[{"kind":"ReplicaSet","name":"x","controller":false}]}"#, None);
        check(Kind::Pod, r#"{"ownerReferences":[{"kind":7,"name":null}, 4, "x"], "labels": []}"#, None);
    }
}
