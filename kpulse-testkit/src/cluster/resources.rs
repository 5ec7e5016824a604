//! Which kinds the server knows: a table, one row each.

/// One kind the server serves: its names, its scope and what can be selected on it.
///
/// Rows for kinds that are not built in are given by
/// [`ClusterSettings::extra_resources`](super::ClusterSettings::extra_resources):
///
/// ```
/// use kpulse_testkit::cluster::{ClusterSettings, FakeCluster, Resource};
///
/// const WIDGET: Resource = Resource::namespaced("example.com", "v1", "Widget", "widgets")
///     .with_status()
///     .selectable(&["spec.size"]);
/// let cluster = FakeCluster::with(ClusterSettings { extra_resources: vec![WIDGET], ..Default::default() });
/// # drop(cluster);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version inside the group, such as `v1`.
    pub version: &'static str,
    /// The name objects carry in `kind`.
    pub kind: &'static str,
    /// The name in paths, such as `pods`.
    pub plural: &'static str,
    /// What `kubectl get` takes besides the plural.
    pub short_names: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether there is a `/status` subresource, so that writes to the object leave its status alone.
    pub status: bool,
    /// Field selectors beyond `metadata.name` and `metadata.namespace`.
    pub fields: &'static [&'static str],
}

impl Resource {
    /// A kind whose objects live in a namespace.
    pub const fn namespaced(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Self { group, version, kind, plural, short_names: &[], namespaced: true, status: false, fields: &[] }
    }

    /// A kind whose objects live outside any namespace.
    pub const fn cluster_wide(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Self { group, version, kind, plural, short_names: &[], namespaced: false, status: false, fields: &[] }
    }

    /// With a `/status` subresource.
    pub const fn with_status(mut self) -> Self {
        self.status = true;
        self
    }

    /// With field selectors beyond name and namespace, as dotted paths.
    pub const fn selectable(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    /// With names `kubectl get` takes besides the plural.
    pub const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short_names = names;
        self
    }

    /// What objects carry in `apiVersion`: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `pods`, `deployments.apps`: the name in error messages.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    fn is_called(&self, name: &str) -> bool {
        self.kind.eq_ignore_ascii_case(name) || self.plural == name || self.qualified() == name
    }
}

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.resourceVersion",
    "involvedObject.uid",
    "reason",
    "reportingComponent",
    "source.component",
    "type",
];

const POD_FIELDS: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.nominatedNodeName",
    "status.phase",
    "status.podIP",
];

#[rustfmt::skip]
const BUILT_IN: &[Resource] = &[
    Resource::namespaced("", "v1", "ConfigMap", "configmaps").short(&["cm"]),
    Resource::namespaced("", "v1", "Event", "events").short(&["ev"]).selectable(EVENT_FIELDS),
    Resource::cluster_wide("", "v1", "Namespace", "namespaces").short(&["ns"]).with_status().selectable(&["status.phase"]),
    Resource::cluster_wide("", "v1", "Node", "nodes").short(&["no"]).with_status().selectable(&["spec.unschedulable"]),
    Resource::namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims").short(&["pvc"]).with_status(),
    Resource::cluster_wide("", "v1", "PersistentVolume", "persistentvolumes").short(&["pv"]).with_status(),
    Resource::namespaced("", "v1", "Pod", "pods").short(&["po"]).with_status().selectable(POD_FIELDS),
    Resource::namespaced("", "v1", "Secret", "secrets").selectable(&["type"]),
    Resource::namespaced("", "v1", "Service", "services").short(&["svc"]).with_status().selectable(&["spec.clusterIP", "spec.type"]),
    Resource::namespaced("", "v1", "ServiceAccount", "serviceaccounts").short(&["sa"]),
    Resource::namespaced("apps", "v1", "DaemonSet", "daemonsets").short(&["ds"]).with_status(),
    Resource::namespaced("apps", "v1", "Deployment", "deployments").short(&["deploy"]).with_status(),
    Resource::namespaced("apps", "v1", "ReplicaSet", "replicasets").short(&["rs"]).with_status().selectable(&["status.replicas"]),
    Resource::namespaced("apps", "v1", "StatefulSet", "statefulsets").short(&["sts"]).with_status(),
    Resource::namespaced("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers").short(&["hpa"]).with_status(),
    Resource::namespaced("batch", "v1", "CronJob", "cronjobs").short(&["cj"]).with_status(),
    Resource::namespaced("batch", "v1", "Job", "jobs").with_status().selectable(&["status.successful"]),
    Resource::namespaced("coordination.k8s.io", "v1", "Lease", "leases"),
    Resource::namespaced("events.k8s.io", "v1", "Event", "events").short(&["ev"]).selectable(EVENT_FIELDS),
    Resource::namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets").short(&["pdb"]).with_status(),
    Resource::cluster_wide("storage.k8s.io", "v1", "StorageClass", "storageclasses").short(&["sc"]),
];

/// A row of the catalogue, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row(usize);

/// All kinds of one cluster.
#[derive(Debug)]
pub(crate) struct Catalogue {
    rows: Vec<Resource>,
}

impl Catalogue {
    pub(crate) fn new(extra: Vec<Resource>) -> Self {
        let mut rows = BUILT_IN.to_vec();
        rows.extend(extra);
        Self { rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.rows.iter()
    }

    pub(crate) fn row(&self, row: Row) -> &Resource {
        &self.rows[row.0]
    }

    pub(crate) fn by_path(&self, group: &str, version: &str, plural: &str) -> Option<Row> {
        self.position(|r| r.group == group && r.version == version && r.plural == plural)
    }

    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Row> {
        self.position(|r| r.kind == kind && r.api_version() == api_version)
    }

    /// By kind, plural or `plural.group`; where several groups have it, the first.
    pub(crate) fn by_name(&self, name: &str) -> Option<Row> {
        self.position(|r| r.is_called(name))
    }

    /// Where objects of this row are kept: Events of both groups are the same objects.
    pub(crate) fn table(&self, row: Row) -> usize {
        let this = self.row(row);
        if this.is_events_view() {
            self.rows.iter().position(|r| r.group.is_empty() && r.kind == "Event").unwrap_or(row.0)
        } else {
            row.0
        }
    }

    fn position(&self, wanted: impl Fn(&Resource) -> bool) -> Option<Row> {
        self.rows.iter().position(wanted).map(Row)
    }
}

impl Resource {
    /// Whether these are core Events in the field names of `events.k8s.io`.
    pub(crate) fn is_events_view(&self) -> bool {
        self.group == "events.k8s.io" && self.kind == "Event"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expect: &str) {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.by_name(name).unwrap();
        assert_eq!(catalogue.row(row).qualified(), expect);
    }

    #[test]
    fn a_kind_is_found_by_any_of_its_names() {
        check("Pod", "pods");
        check("pods", "pods");
        check("Event", "events");
        check("events.events.k8s.io", "events.events.k8s.io");
        check("deployments.apps", "deployments.apps");
    }

    #[test]
    fn events_of_both_groups_share_a_table() {
        let catalogue = Catalogue::new(Vec::new());
        let core = catalogue.by_path("", "v1", "events").unwrap();
        let view = catalogue.by_path("events.k8s.io", "v1", "events").unwrap();
        assert_eq!(catalogue.table(core), catalogue.table(view));
    }
}
