//! What a scan shows, as data: what `--output json` prints, and what the table is made of.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use kpulse_core::monitors::MonitorName;
use kpulse_core::{Course, KubeletSight, LeftAlone, Severity, Standing};
use serde::Serialize;

use super::{End, List, Scan};

/// Everything there is to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Picture {
    /// The cluster's name: the configuration's, else the kubeconfig's context, else its address.
    pub(crate) cluster: String,
    /// Where the API server is.
    pub(crate) server: String,
    pub(crate) at: Timestamp,
    /// How many objects of each kind were looked at.
    pub(crate) looked_at: BTreeMap<&'static str, usize>,
    /// How many groups are broken now, by severity.
    pub(crate) counts: Counts,
    /// What is broken now.
    pub(crate) firing: Vec<Row>,
    /// What happened in the last quarter of an hour, and has no end.
    pub(crate) recent: Vec<Row>,
    /// What is not as it should be, and would be told if it lasts.
    pub(crate) pending: Vec<Row>,
    /// Namespaces that were not looked at, and how many troubles are in them.
    pub(crate) excluded: Vec<Excluded>,
    /// Troubles that an annotation says to leave alone.
    pub(crate) ignored: Vec<Ignored>,
    /// What could not be seen.
    pub(crate) not_seen: Vec<NotSeen>,
    /// Monitors that cannot judge by one look.
    pub(crate) need_time: Vec<&'static str>,
}

/// One trouble of one workload. The keys are those of the webhook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) monitor: &'static str,
    pub(crate) severity: Severity,
    pub(crate) cluster: String,
    pub(crate) namespace: String,
    /// `pod/api-1`, as the earlier program writes it.
    pub(crate) object: String,
    pub(crate) reason: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) fingerprint: String,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) container: Option<String>,
    /// `Deployment/api`.
    pub(crate) workload: Option<String>,
    pub(crate) node: Option<String>,
    pub(crate) trouble: String,
    pub(crate) started_at: Timestamp,
    /// When it would be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) count: usize,
    pub(crate) members: Vec<String>,
    /// Who was told of it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Vec<Told>>,
    #[serde(skip)]
    pub(crate) what: String,
    #[serde(skip)]
    pub(crate) cause: String,
    #[serde(skip)]
    pub(crate) command: Option<String>,
}

/// What one channel was told of a trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    pub(crate) channel: String,
    pub(crate) at: Timestamp,
}

/// How many groups are broken, by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) critical: usize,
    pub(crate) warning: usize,
    pub(crate) info: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Excluded {
    pub(crate) namespace: String,
    pub(crate) troubles: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ignored {
    pub(crate) namespace: String,
    pub(crate) object: String,
    pub(crate) monitor: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NotSeen {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Scan {
    /// How it looks now.
    pub(crate) fn picture(&self, now: Timestamp, cluster: &str, server: &str) -> Picture {
        let (mut firing, mut recent, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        for standing in self.engine.standing(now, |alert| self.wish.wants(alert)) {
            let row = Row::of(&standing, cluster);
            match standing.course {
                Course::Lasts => firing.push(row),
                Course::Happened => recent.push(row),
                Course::Pending { .. } => pending.push(row),
            }
        }
        by_workload(&mut firing);
        recent.sort_by_key(|row| (Reverse(row.severity), Reverse(row.started_at), row.fingerprint.clone()));
        pending.sort_by_key(|row| (row.due_at, row.fingerprint.clone()));
        let (excluded, ignored) = self.left_alone();
        Picture {
            cluster: cluster.to_owned(),
            server: server.to_owned(),
            at: whole(now),
            looked_at: self.looked_at(),
            counts: Counts::of(&firing),
            firing,
            recent,
            pending,
            excluded,
            ignored,
            not_seen: self.not_seen(),
            need_time: self.need_time(),
        }
    }

    fn looked_at(&self) -> BTreeMap<&'static str, usize> {
        let mut looked_at = BTreeMap::new();
        for (scope, list) in &self.lists {
            if list.end == Some(End::Complete) {
                *looked_at.entry(scope.resource.plural()).or_default() += list.objects;
            }
        }
        looked_at
    }

    fn left_alone(&self) -> (Vec<Excluded>, Vec<Ignored>) {
        let mut troubles: BTreeMap<&str, usize> = self.excluded.iter().map(|name| (name.as_str(), 0)).collect();
        let mut ignored = Vec::new();
        let unwatched: Vec<_> = self.engine.unwatched().collect();
        for (key, why) in &unwatched {
            let namespace = key.object.namespace.as_str();
            match why {
                LeftAlone::Namespace => *troubles.entry(namespace).or_default() += 1,
                LeftAlone::Annotation => ignored.push(Ignored {
                    namespace: namespace.to_owned(),
                    object: object(key.object.kind.as_str(), &key.object.name),
                    monitor: key.monitor.as_str(),
                }),
            }
        }
        let excluded =
            troubles.into_iter().map(|(namespace, troubles)| Excluded { namespace: namespace.to_owned(), troubles });
        (excluded.collect(), ignored)
    }

    fn not_seen(&self) -> Vec<NotSeen> {
        let lists = self.lists.iter().filter_map(|(scope, List { end, .. })| match end {
            Some(End::Refused(why) | End::Away(why)) => Some(NotSeen { what: scope.to_string(), why: why.clone() }),
            _ => None,
        });
        let kubelets = self.kubelets.iter().filter(|sight| !sight.why.is_empty());
        let kubelets = kubelets.map(|KubeletSight { nodes, unreadable, why, .. }| NotSeen {
            what: match nodes {
                0 => "how full disks and volumes are".to_owned(),
                nodes => format!("how full the disks and volumes of {unreadable} of {nodes} nodes are"),
            },
            why: why.clone(),
        });
        lists.chain(kubelets).collect()
    }

    fn need_time(&self) -> Vec<&'static str> {
        let monitors = &self.wish.settings.monitors;
        let restarts = MonitorName::PodRestarts;
        if monitors.enabled(restarts) { vec![restarts.as_str()] } else { Vec::new() }
    }
}

impl Row {
    pub(crate) fn of(Standing { report, what, course }: &Standing, cluster: &str) -> Self {
        Self {
            monitor: report.monitor.as_str(),
            severity: report.severity,
            cluster: cluster.to_owned(),
            namespace: report.object.namespace.to_string(),
            object: object(report.object.kind.as_str(), &report.object.name),
            reason: report.reason.to_string(),
            title: report.title.clone(),
            body: report.body.clone(),
            fingerprint: report.fingerprint.to_string(),
            kind: report.object.kind.as_str(),
            name: report.object.name.to_string(),
            container: report.trouble.container.as_ref().map(ToString::to_string),
            workload: report.workload.as_ref().map(ToString::to_string),
            node: report.node.as_ref().map(ToString::to_string),
            trouble: report.trouble.trouble.to_string(),
            started_at: whole(report.started_at),
            due_at: if let Course::Pending { due_at } = course { Some(whole(*due_at)) } else { None },
            count: report.count,
            members: report.members.iter().map(ToString::to_string).collect(),
            told: None,
            what: what.clone(),
            cause: report.cause.clone(),
            command: report.command.clone(),
        }
    }

    /// The workload that it is the trouble of: its namespace, kind and name.
    pub(crate) fn place(&self) -> (&str, &str, &str) {
        let of_workload = self.workload.as_deref().and_then(|workload| workload.split_once('/'));
        let (kind, name) = of_workload.unwrap_or((self.kind, &self.name));
        (&self.namespace, kind, name)
    }
}

/// In whole seconds, as the API writes times.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn object(kind: &str, name: &str) -> String {
    format!("{}/{name}", kind.to_lowercase())
}

impl Counts {
    fn of(rows: &[Row]) -> Self {
        let count = |severity| rows.iter().filter(|row| row.severity == severity).count();
        Self { critical: count(Severity::Critical), warning: count(Severity::Warning), info: count(Severity::Info) }
    }

    /// How many are this bad, or worse.
    pub(crate) fn at_least(self, severity: Severity) -> usize {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.critical + self.warning,
            Severity::Info => self.critical + self.warning + self.info,
        }
    }
}

/// Puts rows of one workload together: the workload with the worst trouble first, of these the one that has had it
/// longest.
pub(crate) fn by_workload(rows: &mut [Row]) {
    type Rank = (Reverse<Severity>, Timestamp);
    let mut ranks: BTreeMap<(String, String, String), Rank> = BTreeMap::new();
    let key = |row: &Row| {
        let (namespace, kind, name) = row.place();
        (namespace.to_owned(), kind.to_owned(), name.to_owned())
    };
    for row in rows.iter() {
        let rank = (Reverse(row.severity), row.started_at);
        ranks.entry(key(row)).and_modify(|known| *known = rank.min(*known)).or_insert(rank);
    }
    rows.sort_by_cached_key(|row| {
        let key = key(row);
        (ranks.get(&key).copied(), key, Reverse(row.severity), row.started_at)
    });
}
