//! `pod_crashes`: containers that fail again and again or do not start, and Pods that cannot be placed or were evicted.
//!
//! Crash looping is a fact about restarts, not a string: kubelets since 1.34 keep such a container in `terminated`
//! and show `waiting: CrashLoopBackOff` late, for an instant, or never. What counts is how the last run ended.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::words::first_line;
use super::{Monitor, MonitorName};
use crate::Name;
use crate::facts::{ConditionStatus, ContainerStatus, Evidence, PodFacts, RestartPolicy, Terminated};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- settings

/// What `pod_crashes` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PodCrashes {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; critical if nothing is said.
    pub severity: Option<SeverityRule>,
    /// The reasons that count.
    pub reasons: Vec<Name>,
    /// How long a Pod may wait for a node or for its volumes.
    pub pending_grace: Span,
    /// How long a crash loop in a Pod younger than five minutes is waited for: programs that exit until their
    /// database is up.
    pub settle: Span,
    /// How long a container must run before it counts as recovered; doubles with each relapse, to 15 minutes.
    pub stable_for: Span,
    /// Whether a message about a crash quotes the container's log.
    pub include_recent_logs: bool,
    /// How many lines of it are fetched.
    pub max_log_lines: u32,
}

impl Default for PodCrashes {
    fn default() -> Self {
        Self {
            enabled: true,
            severity: None,
            reasons: REASONS.iter().map(|(_, reason)| Name::from(*reason)).collect(),
            pending_grace: Span::minutes(2),
            settle: Span::ZERO,
            stable_for: Span::minutes(2),
            include_recent_logs: true,
            max_log_lines: 50,
        }
    }
}

// ---- meaning

const CRASH: &str = "crash";
const IMAGE: &str = "image";
const CONFIG: &str = "config";
const SCHEDULING: &str = "scheduling";
const MOUNT: &str = "mount";
const EVICTED: &str = "evicted";
/// What a dead node left behind. It is never told itself, but counted in what is told of the node.
pub(crate) const LOST: &str = "lost";

/// Every reason that counts by default, with its trouble. Within a trouble the later reason is the sharper one.
/// The names are the kubelet's (`pkg/kubelet/container/sync_result.go`, `pkg/kubelet/images/types.go`).
const REASONS: [(&str, &str); 15] = [
    (CRASH, "CrashLoopBackOff"),
    (CRASH, "RunContainerError"),
    (CRASH, "OOMKilled"),
    (IMAGE, "ErrImagePull"),
    (IMAGE, "ImagePullBackOff"),
    (IMAGE, "ImageInspectError"),
    (IMAGE, "RegistryUnavailable"),
    (IMAGE, "SignatureValidationFailed"),
    (IMAGE, "ErrImageNeverPull"),
    (IMAGE, "InvalidImageName"),
    (CONFIG, "CreateContainerError"),
    (CONFIG, "CreateContainerConfigError"),
    (SCHEDULING, "FailedScheduling"),
    (MOUNT, "FailedMount"),
    (EVICTED, "Evicted"),
];

/// A run shorter than this that failed is part of a crash loop; the kubelet resets its back-off after as much.
const SHORT_RUN: SignedDuration = SignedDuration::from_mins(10);
/// A Pod younger than this is still settling.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);
/// How long a Pod waits for a node that is being made for it.
const NODE_COMING: SignedDuration = SignedDuration::from_mins(10);

// ---- inspect

impl Monitor<PodFacts> for PodCrashes {
    const NAME: MonitorName = MonitorName::PodCrashes;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, pod: &PodFacts, findings: &mut Findings) {
        if pod.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        match (pod.status.phase.as_str(), pod.status.reason.as_str()) {
            ("Succeeded", _) => {}
            ("Failed", "Evicted") => self.evicted(pod, findings),
            // Ended by its node (shutdown, preemption, lost): not the program's doing, and it will not run again.
            ("Failed", reason) if !reason.is_empty() => findings.all_unknown(),
            _ => {
                lost(pod, findings);
                self.scheduling(pod, findings);
                self.mount(pod, findings);
                for container in pod.containers() {
                    self.container(pod, container, findings);
                }
            }
        }
    }
}

impl PodCrashes {
    fn counts(&self, reason: &str) -> bool {
        self.reasons.iter().any(|counted| counted == reason)
    }

    fn finding(&self, key: TroubleKey, reason: &str) -> Finding {
        let sharpness = REASONS.iter().position(|(_, known)| *known == reason).unwrap_or_default();
        Finding {
            sharpness: u8::try_from(sharpness).unwrap_or_default(),
            hold: self.stable_for.get(),
            ..Finding::new(key, reason, Severity::Critical)
        }
    }

    fn evicted(&self, pod: &PodFacts, findings: &mut Findings) {
        for container in pod.containers() {
            findings.unknown(TroubleKey::container(CRASH, &container.name));
        }
        if self.counts("Evicted") {
            findings.present(Finding {
                what: "evicted".to_owned(),
                cause: first_line(&pod.status.message),
                ..self.finding(TroubleKey::object(EVICTED), "Evicted")
            });
        }
    }

    /// Unschedulable only: a Pod held back by a scheduling gate waits because somebody wants it to.
    fn scheduling(&self, pod: &PodFacts, findings: &mut Findings) {
        let key = || TroubleKey::object(SCHEDULING);
        let Some(scheduled) = pod.condition("PodScheduled") else {
            if pod.spec.node_name.is_none() {
                findings.unknown(key());
            }
            return;
        };
        if scheduled.status != ConditionStatus::False
            || scheduled.reason != "Unschedulable"
            || !self.counts("FailedScheduling")
        {
            return;
        }
        let preempting = pod.status.nominated_node_name.is_some();
        findings.present(Finding {
            what: "unschedulable".to_owned(),
            cause: first_line(&scheduled.message),
            since: scheduled.last_transition_time.map_or(Since::FirstSeen, Since::At),
            wait: if preempting { NODE_COMING } else { self.pending_grace.get() },
            patience: Some((Evidence::NodeComing, NODE_COMING)),
            hold: SignedDuration::ZERO,
            ..self.finding(key(), "FailedScheduling")
        });
    }

    /// Containers not created long after the Pod was bound. `PodReadyToStartContainers` (Kubernetes 1.29) turns True
    /// once volumes are mounted and the network is there: from then on the wait is for an image.
    fn mount(&self, pod: &PodFacts, findings: &mut Findings) {
        let creating = pod.containers().all(|container| {
            let waits = container.state.waiting.as_ref();
            container.last_state.terminated.is_none()
                && waits
                    .is_some_and(|waiting| matches!(waiting.reason.as_str(), "ContainerCreating" | "PodInitializing"))
        });
        let bound = pod.spec.node_name.is_some() && pod.containers().next().is_some();
        if !bound || !creating || pod.status.phase != "Pending" || !self.counts("FailedMount") {
            return;
        }
        let ready = pod.condition("PodReadyToStartContainers");
        if ready.is_some_and(|condition| condition.status == ConditionStatus::True) {
            return;
        }
        let bound_at = pod.condition("PodScheduled").and_then(|condition| condition.last_transition_time);
        findings.present(Finding {
            what: "stuck: volumes not mounted".to_owned(),
            cause: "its volumes or its network are not ready".to_owned(),
            since: bound_at.or(pod.status.start_time).map_or(Since::FirstSeen, Since::At),
            wait: self.pending_grace.get(),
            needs: ready.is_none().then_some(Evidence::MountFailed),
            hold: SignedDuration::ZERO,
            ..self.finding(TroubleKey::object(MOUNT), "FailedMount")
        });
    }

    fn container(&self, pod: &PodFacts, container: &ContainerStatus, findings: &mut Findings) {
        if let Some(waiting) = &container.state.waiting {
            match REASONS.iter().find(|(_, reason)| waiting.reason == *reason) {
                Some((trouble @ (IMAGE | CONFIG), reason)) => {
                    self.not_created(pod, container, trouble, reason, findings)
                }
                Some((CRASH, _)) => self.crash(pod, container, findings),
                // Between two attempts: nothing is known of this container until one shows how it goes.
                _ => {
                    for trouble in [CRASH, IMAGE, CONFIG] {
                        findings.unknown(TroubleKey::container(trouble, &container.name));
                    }
                }
            }
        } else {
            self.crash(pod, container, findings);
        }
    }

    /// It counts from when the kubelet could first have started the container: the API says no more.
    fn not_created(
        &self,
        pod: &PodFacts,
        container: &ContainerStatus,
        trouble: &str,
        reason: &str,
        findings: &mut Findings,
    ) {
        for other in [CRASH, IMAGE, CONFIG].into_iter().filter(|other| *other != trouble) {
            findings.unknown(TroubleKey::container(other, &container.name));
        }
        let message = container.state.waiting.as_ref().map_or("", |waiting| &waiting.message);
        let ended = container.last_state.terminated.as_ref().and_then(|run| run.finished_at);
        if self.counts(reason) {
            findings.present(Finding {
                what: what(reason).to_owned(),
                cause: first_line(message),
                since: ended.or(pod.status.start_time).or(pod.meta.created).map_or(Since::FirstSeen, Since::At),
                ..self.finding(TroubleKey::container(trouble, &container.name), reason)
            });
        }
    }

    /// The last ended run decides: a short one that failed and was not the first is a crash loop, whatever string is
    /// shown; a single kill for memory is told even if the next run goes well.
    fn crash(&self, pod: &PodFacts, container: &ContainerStatus, findings: &mut Findings) {
        let jobs_matter = pod.meta.owner.as_ref().is_some_and(|owner| owner.kind == "Job");
        if jobs_matter {
            return;
        }
        let shown = container.state.waiting.as_ref().map_or("", |waiting| waiting.reason.as_str());
        let run = EndedRun::of(container);
        let looping = shown == "CrashLoopBackOff"
            || run.as_ref().is_some_and(|run| run.fails_again() || run.ends_again(pod.restart_policy(&container.name)));
        let killed = run.as_ref().is_some_and(|run| run.end.reason == "OOMKilled");
        let not_run = shown == "RunContainerError"
            || looping
                && run.as_ref().is_some_and(|run| matches!(&*run.end.reason, "StartError" | "ContainerCannotRun"));
        let reason = [(killed, "OOMKilled"), (not_run, "RunContainerError"), (looping, "CrashLoopBackOff")]
            .into_iter()
            .find_map(|(holds, reason)| (holds && self.counts(reason)).then_some(reason));
        let Some(reason) = reason else { return };
        let finished = run.as_ref().and_then(|run| run.end.finished_at);
        let young = pod.meta.created.zip(finished).is_some_and(|(created, end)| end.duration_since(created) < YOUNG);
        findings.present(Finding {
            what: if killed && looping { "OOM-killed in a loop" } else { what(reason) }.to_owned(),
            cause: cause(container, run.as_ref()),
            since: finished.map_or(Since::FirstSeen, Since::At),
            wait: if looping && young { self.settle.get() } else { SignedDuration::ZERO },
            until: finished
                .filter(|_| !looping && !not_run)
                .and_then(|end| end.checked_add(self.stable_for.get()).ok()),
            well_since: container.state.running.as_ref().and_then(|running| running.started_at.or(finished)),
            ..self.finding(TroubleKey::container(CRASH, &container.name), reason)
        });
    }
}

/// The last run of a container that ended.
struct EndedRun<'a> {
    end: &'a Terminated,
    /// How its predecessor ended, where that is still shown.
    before: Option<&'a Terminated>,
    /// Which run it was; the first is number 0.
    number: i32,
    /// Whether it is what the container shows now.
    is_current: bool,
}

impl<'a> EndedRun<'a> {
    fn of(container: &'a ContainerStatus) -> Option<Self> {
        let last = container.last_state.terminated.as_ref();
        if let Some(end) = &container.state.terminated {
            return Some(Self { end, before: last, number: container.restart_count, is_current: true });
        }
        let running = i32::from(container.state.running.is_some());
        Some(Self {
            end: last?,
            before: None,
            number: container.restart_count.saturating_sub(running),
            is_current: false,
        })
    }

    fn fails_again(&self) -> bool {
        self.end.failed() && self.number >= 1 && is_short(self.end)
    }

    /// A program that ends well but is started again each time: it was not meant to end.
    fn ends_again(&self, policy: RestartPolicy) -> bool {
        policy == RestartPolicy::Always
            && self.is_current
            && !self.end.failed()
            && self.number >= 2
            && is_short(self.end)
            && self.before.is_none_or(is_short)
    }
}

/// A run whose begin is not known could not be started, and so was short.
fn is_short(run: &Terminated) -> bool {
    run.lasted().is_none_or(|lasted| lasted < SHORT_RUN)
}

/// The node controller writes the condition of Pods whose kubelet is silent, and leaves that of their containers as the
/// kubelet wrote it (`MarkPodsNotReady` in `pkg/controller/util/node`).
fn lost(pod: &PodFacts, findings: &mut Findings) {
    let is = |kind, status| pod.condition(kind).is_some_and(|condition| condition.status == status);
    if is("Ready", ConditionStatus::False) && is("ContainersReady", ConditionStatus::True) {
        findings.present(Finding {
            what: "lost with its node".to_owned(),
            since: Since::NotBefore(Timestamp::MAX),
            ..Finding::new(TroubleKey::object(LOST), "NodeLost", Severity::Info)
        });
    }
}

fn what(reason: &str) -> &'static str {
    match reason {
        "CrashLoopBackOff" => "crash-looping",
        "OOMKilled" => "OOM-killed",
        "RunContainerError" => "stuck: container cannot be started",
        "InvalidImageName" => "stuck: image name is invalid",
        "ErrImageNeverPull" => "stuck: image is not on the node and may not be pulled",
        "CreateContainerError" => "stuck: container cannot be created",
        "CreateContainerConfigError" => "stuck: configuration is missing",
        _ => "stuck: image cannot be pulled",
    }
}

fn cause(container: &ContainerStatus, run: Option<&EndedRun<'_>>) -> String {
    let name = &container.name;
    let restarts = match container.restart_count {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        count => format!(", {count} restarts"),
    };
    let Some(run) = run else {
        let message = container.state.waiting.as_ref().map_or("", |waiting| &waiting.message);
        return format!("{name}: {}{restarts}", first_line(message));
    };
    let how = match (run.end.reason.as_str(), run.end.exit_code) {
        ("OOMKilled", _) => "was killed for using more memory than its limit".to_owned(),
        (_, code) => format!("exits {code}"),
    };
    let after = run.end.lasted().map_or(String::new(), |lasted| format!(" after {}", Span::seconds(lasted.as_secs())));
    let said = first_line(&run.end.message);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    format!("{name} {how}{after}{restarts}{said}")
}
