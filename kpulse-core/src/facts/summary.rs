//! A kubelet's summary (`/stats/summary`): how full the disks of its node are, and the volumes of its Pods.
//!
//! The format is `Summary` of `k8s.io/kubelet/pkg/apis/stats/v1alpha1`. It speaks of other objects, the node and claims,
//! and knows them by name only. The names of devices are not in it.

use serde::Deserialize;

use super::lenient;
use crate::Name;

/// What kpulse reads of a summary.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "Summary")]
pub struct SummaryFacts {
    /// The node's name.
    pub node: Name,
    /// The node's root file system: logs, emptyDirs, and on most nodes images and containers too.
    pub root: Usage,
    /// Where the container runtime keeps images.
    pub images: Usage,
    /// Where the container runtime keeps the writable layers of containers (Kubernetes 1.29), often the same.
    pub containers: Usage,
    /// The volumes of Pods that are claims; a claim comes once for each Pod that uses it.
    pub claims: Vec<ClaimUsage>,
}

/// How full a claim's volume is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClaimUsage {
    /// The claim's namespace.
    pub namespace: Name,
    /// The claim's name.
    pub name: Name,
    /// What is in use.
    pub usage: Usage,
}

/// How full a file system is, as far as its kubelet knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Usage {
    /// Its size in bytes.
    #[serde(rename = "capacityBytes", deserialize_with = "lenient::number_opt")]
    pub capacity: Option<i64>,
    /// The bytes that can still be written. Less than what is not used, where others write there or root has a reserve.
    #[serde(rename = "availableBytes", deserialize_with = "lenient::number_opt")]
    pub available: Option<i64>,
    /// The bytes written by whom it is asked of: of a disk, not all that is on it.
    #[serde(rename = "usedBytes", deserialize_with = "lenient::number_opt")]
    pub used: Option<i64>,
    /// How many files there can be; 0 where there is no limit.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub inodes: Option<i64>,
    /// How many more files there can be.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub inodes_free: Option<i64>,
}

/// How much there is of something, and how much of that is left: never more than there is, and never of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// How much there is.
    pub total: i64,
    /// How much is left.
    pub left: i64,
}

impl Usage {
    /// The bytes; nothing where the kubelet does not know.
    ///
    /// A volume without a file system (`volumeMode: Block`) has a capacity, and 0 for all that its driver cannot know
    /// (the CSI specification on `NodeGetVolumeStats`: used and available "MAY be omitted"). It is not full.
    #[must_use]
    pub fn space(&self) -> Option<Fill> {
        let is_unknown = self.used == Some(0) && self.available == Some(0);
        Fill::new(self.capacity, self.available).filter(|_| !is_unknown)
    }

    /// The files; nothing where there is no limit, or the kubelet does not know it.
    #[must_use]
    pub fn files(&self) -> Option<Fill> {
        Fill::new(self.inodes, self.inodes_free)
    }
}

impl Fill {
    fn new(total: Option<i64>, left: Option<i64>) -> Option<Self> {
        let (total, left) = (total?, left?);
        (total > 0 && (0..=total).contains(&left)).then_some(Self { total, left })
    }

    /// How much is used.
    #[must_use]
    pub fn used(self) -> i64 {
        self.total - self.left
    }

    /// How much is used, in whole per cent, rounded down: 100 is full to the last byte.
    #[must_use]
    pub fn percent(self) -> i64 {
        // Within 0 to 100: nothing is cut off.
        i64::try_from(i128::from(self.used()) * 100 / i128::from(self.total)).unwrap_or(100)
    }
}

/// A summary as it is sent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Summary {
    #[serde(deserialize_with = "lenient::object")]
    node: Node,
    #[serde(deserialize_with = "lenient::list")]
    pods: Vec<Pod>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Node {
    #[serde(deserialize_with = "lenient::text")]
    node_name: Name,
    #[serde(deserialize_with = "lenient::object")]
    fs: Usage,
    #[serde(deserialize_with = "lenient::object")]
    runtime: Runtime,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Runtime {
    #[serde(deserialize_with = "lenient::object")]
    image_fs: Usage,
    #[serde(deserialize_with = "lenient::object")]
    container_fs: Usage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pod {
    #[serde(rename = "volume", deserialize_with = "lenient::list")]
    volumes: Vec<Volume>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Volume {
    #[serde(rename = "pvcRef", deserialize_with = "lenient::object")]
    claim: Claim,
    // A volume is a `FsStats` with a name and a claim.
    #[serde(flatten)]
    usage: Usage,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claim {
    #[serde(deserialize_with = "lenient::text")]
    namespace: Name,
    #[serde(deserialize_with = "lenient::text")]
    name: Name,
}

impl From<Summary> for SummaryFacts {
    fn from(Summary { node, pods }: Summary) -> Self {
        let volumes = pods.into_iter().flat_map(|pod| pod.volumes);
        let claims = volumes.filter(|volume| !volume.claim.name.is_empty() && !volume.claim.namespace.is_empty());
        let claims =
            claims.map(|Volume { claim: Claim { namespace, name }, usage }| ClaimUsage { namespace, name, usage });
        Self {
            node: node.node_name,
            root: node.fs,
            images: node.runtime.image_fs,
            containers: node.runtime.container_fs,
            claims: claims.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: i64 = 1 << 30;

    #[test]
    fn a_summary_is_reduced_to_disks_and_claims() {
        let json = r#"{
            "node": {"nodeName": "worker-1", "cpu": {"usageNanoCores": 1}, "startTime": "2026-11-22T15:32:02Z",
                "fs": {"time": "2026-11-22T16:58:05Z", "availableBytes": 78077366272, "capacityBytes": 270553174016,
                       "usedBytes": 19495383040, "inodesFree": 16191690, "inodes": 16777216, "inodesUsed": 585526},
                "runtime": {"imageFs": {"availableBytes": 1, "capacityBytes": 2}}},
            "pods": [
                {"podRef": {"name": "db-0"}, "volume": [
                    {"name": "data", "pvcRef": {"name": "data-db-0", "namespace": "shop"},
                     "availableBytes": 5, "capacityBytes": 10, "inodes": 7, "inodesFree": 3},
                    {"name": "kube-api-access", "availableBytes": 5, "capacityBytes": 10}]},
                {"podRef": {"name": "none"}}]
        }"#;
        let facts: SummaryFacts = serde_json::from_str(json).unwrap();
        assert_eq!(facts.node, "worker-1");
        assert_eq!(facts.root.space().map(Fill::percent), Some(71));
        assert_eq!(facts.images, Usage { capacity: Some(2), available: Some(1), ..Usage::default() });
        assert_eq!(facts.containers, Usage::default());
        let [claim] = facts.claims.as_slice() else { panic!("{:?}", facts.claims) };
        assert_eq!((claim.namespace.as_str(), claim.name.as_str()), ("shop", "data-db-0"));
        assert_eq!(claim.usage.space(), Some(Fill { total: 10, left: 5 }));
        assert_eq!(claim.usage.files(), Some(Fill { total: 7, left: 3 }));
    }

    #[test]
    fn odd_values_are_as_good_as_absent() {
        let odd = ["null", "7", "\"x\"", "[]", "[null, 1, {}]", "{}", "{\"volume\": {}}", "{\"name\": []}"];
        for value in odd {
            let volume = format!(r#"{{"pvcRef": {value}, "availableBytes": {value}, "capacityBytes": "10Gi"}}"#);
            for json in [
                format!(r#"{{"node": {value}, "pods": {value}}}"#),
                format!(r#"{{"node": {{"nodeName": {value}, "fs": {value}, "runtime": {value}}}, "pods": [{value}]}}"#),
                format!(r#"{{"pods": [{{"volume": {value}}}, {{"volume": [{value}, {volume}]}}]}}"#),
            ] {
                let facts: SummaryFacts = serde_json::from_str(&json).unwrap();
                assert_eq!((facts.root.space(), facts.claims.as_slice()), (None, &[][..]), "{json}");
            }
        }
        assert!(serde_json::from_str::<SummaryFacts>("\"unauthorized\"").is_err());
    }

    #[track_caller]
    fn check(capacity: i64, available: i64, used: i64, percent: Option<i64>) {
        let usage =
            Usage { capacity: Some(capacity), available: Some(available), used: Some(used), ..Usage::default() };
        assert_eq!(usage.space().map(Fill::percent), percent);
    }

    #[test]
    fn per_cent_is_of_what_cannot_be_written_any_more() {
        check(10 * GIB, 9 * GIB, GIB, Some(10));
        check(10 * GIB, GIB, 0, Some(90));
        check(10 * GIB, 1, 0, Some(99));
        check(10 * GIB, 0, 10 * GIB, Some(100));
        // Elastic file systems.
        check(9_223_372_036_853_727_232, 9_223_372_036_853_727_232, 0, Some(0));
    }

    #[test]
    fn what_cannot_be_is_not_known() {
        check(10 * GIB, 0, 0, None);
        check(0, 0, 0, None);
        check(10, 11, 1, None);
        check(10, -1, 1, None);
        assert_eq!(Usage { available: Some(1), ..Usage::default() }.space(), None);
        assert_eq!(Usage { inodes: Some(0), inodes_free: Some(0), ..Usage::default() }.files(), None);
    }
}
