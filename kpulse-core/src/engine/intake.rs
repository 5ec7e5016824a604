//! What is seen goes in: facts to the monitors, their findings to the tracker, and what holds for other objects to
//! where it is remembered.

use jiff::Timestamp;

use super::{Engine, READY_AT_MOST};
use crate::facts::{EventFacts, Facts, PodFacts};
use crate::group::Group;
use crate::monitors::{MonitorName, blindness};
use crate::tracker::Subject;
use crate::{Blindness, Findings, Kind, ObjectRef, Observation, Resource, Scope};

impl Engine {
    /// Takes in one thing seen of the cluster.
    pub fn observe(&mut self, now: Timestamp, observation: Observation) {
        self.clock = self.clock.max(now);
        self.tracker.advance(now);
        match observation {
            Observation::Opened(scopes) => {
                self.readiness.waiting = scopes.iter().cloned().collect();
                self.readiness.scopes = scopes;
                self.readiness.deadline = now.checked_add(READY_AT_MOST).ok();
            }
            Observation::Applied(Facts::Event(event)) => self.hear(now, &event),
            Observation::Applied(facts) => self.see(now, &facts),
            Observation::Deleted { object, uid } => {
                if self.surroundings.delete(now, &object) {
                    self.review(now);
                }
                self.lose_workload(now, |group| group.is_of(&object));
                self.restarts.forget(&object);
                self.cron_runs.forget(&object);
                self.drains.forget(&object);
                self.judge_drains(now);
                self.tracker.delete(now, &object, &uid);
            }
            Observation::ListingBegun(scope) => {
                self.live.remove(&scope);
                self.tracker.lose_sight(&scope);
                self.surroundings.begin_listing(&scope);
                self.cron_runs.begin_listing(&scope);
                self.drains.begin_listing(&scope);
                for group in self.groups.values_mut().filter(|group| answers_for(&scope, group)) {
                    group.workload_unseen = true;
                }
            }
            Observation::Listed(scope) => {
                self.readiness.waiting.remove(&scope);
                if self.surroundings.listed(now, &scope) {
                    self.review(now);
                }
                self.lose_workload(now, |group| group.workload_unseen && answers_for(&scope, group));
                self.tracker.listed(now, &scope);
                self.cron_runs.listed(&scope);
                self.drains.listed(&scope);
                self.judge_drains(now);
                self.tracker.report(now, &blindness::watch(&scope), MonitorName::Blindness, Findings::default());
                self.live.insert(scope);
            }
            Observation::SightLost(scope, blindness) => {
                self.live.remove(&scope);
                self.tracker.lose_sight(&scope);
                let findings = match blindness {
                    Blindness::Refused(why) => {
                        self.readiness.waiting.remove(&scope);
                        blindness::refused(&why)
                    }
                    Blindness::Away(why) => blindness::away(&why),
                };
                if self.live.is_empty() {
                    self.meanwhile.begin();
                }
                self.tracker.report(now, &blindness::watch(&scope), MonitorName::Blindness, findings);
            }
            Observation::Surveyed(summary) => self.survey(now, &summary),
            Observation::KubeletSight(sight) => {
                let findings = blindness::unreadable(&sight);
                self.tracker.report(now, &blindness::kubelets(), MonitorName::Blindness, findings);
                // What they show belongs to what was broken before.
                self.first_look = self.first_look.map(|until| until.min(now));
            }
            Observation::ClockOffset(offset) => {
                let findings = blindness::apart(offset);
                self.tracker.report(now, &blindness::clock(), MonitorName::Blindness, findings);
            }
            Observation::ConfigRefused(why) => {
                let findings = why.map_or_else(Findings::default, |why| blindness::bad_config(&why));
                self.tracker.report(now, &blindness::config(), MonitorName::Blindness, findings);
            }
        }
        self.settle(now);
    }

    fn see(&mut self, now: Timestamp, facts: &Facts) {
        let object = facts.object();
        // Claims and nodes too: what is said of them comes from elsewhere, often when they were last seen to be well.
        if matches!(object.kind, Kind::Namespace | Kind::Node | Kind::PersistentVolumeClaim) || is_workload(object.kind)
        {
            for group in self.groups.values_mut() {
                if group.is_of(&object) {
                    group.see_workload();
                }
            }
            if self.surroundings.see(facts, &self.settings.namespaces) {
                if object.kind == Kind::Namespace && self.surroundings.is_terminating(&object.name) {
                    self.tracker.give_up(&object.name);
                }
                self.review(now);
            }
        }
        if let Facts::Node(node) = facts {
            self.tracker.see_node(now, &object.name, node.is_ready());
        }
        let terminating = self.surroundings.is_terminating(&object.namespace);
        let mut said = Vec::new();
        self.settings.monitors.inspect(facts, |monitor, mut findings| {
            if terminating {
                findings = crate::Findings { all_unknown: true, ..Default::default() };
            }
            said.push((monitor, findings));
        });
        let node = match facts {
            Facts::Pod(pod) => {
                if !terminating {
                    said.extend(self.restarts_of(now, &object, pod));
                }
                pod.spec.node_name.as_ref()
            }
            _ => None,
        };
        let meta = facts.meta();
        let subject = || Subject::new(&object, facts, node);
        self.tracker.see(now, &object, subject, &meta.uid, said);
        self.see_run(now, &object, facts);
        self.see_drain(now, &object, facts);
        self.settle(now);
        for key in self.tracker.firing_of(&object) {
            self.review_alert(now, &key);
        }
    }

    /// What a Job, or the CronJob itself, says of how a CronJob's runs go.
    fn see_run(&mut self, now: Timestamp, object: &ObjectRef, facts: &Facts) {
        let monitor = &self.settings.monitors.job_failed;
        let said = match facts {
            Facts::Job(job) => self.cron_runs.take_job(job, monitor),
            Facts::CronJob(cron_job) => {
                let failing_since = self.tracker.failing_since(object, MonitorName::JobFailed);
                let findings = self.cron_runs.take_cron_job(object, cron_job, failing_since);
                findings.map(|findings| (object.clone(), findings))
            }
            _ => None,
        };
        let enabled = monitor.enabled && !self.surroundings.is_terminating(&object.namespace);
        if let Some((cron_job, findings)) = said.filter(|_| enabled) {
            self.tracker.report(now, &cron_job, MonitorName::JobFailed, findings);
        }
    }

    /// What `pod_restarts` says; it is held back while a container has a crash alert, which says more.
    fn restarts_of(&mut self, now: Timestamp, object: &ObjectRef, pod: &PodFacts) -> Option<(MonitorName, Findings)> {
        let monitor = &self.settings.monitors.pod_restarts;
        if !monitor.enabled {
            return None;
        }
        let mut findings = monitor.inspect(now, object, pod, &mut self.restarts);
        let crashes = self.tracker.firing_of(object);
        findings.present.retain(|finding| {
            let crashing = crashes.iter().any(|alert| {
                alert.monitor == MonitorName::PodCrashes && alert.trouble.container == finding.key.container
            });
            if crashing {
                findings.unknown.push(finding.key.clone());
            }
            !crashing
        });
        Some((MonitorName::PodRestarts, findings))
    }

    /// An Event: evidence about its object, and perhaps told itself.
    fn hear(&mut self, now: Timestamp, event: &EventFacts) {
        let about = &event.involved_object;
        if let (Some(evidence), true) = (event.evidence(), about.kind == "Pod") {
            let object = ObjectRef::new(Kind::Pod, &about.namespace, &about.name);
            self.tracker.prove(now, &object, evidence);
        }
        let at = event.last_seen().unwrap_or(now);
        let is_live = self.live.iter().any(|scope| {
            let here = scope.namespace.as_ref().is_none_or(|namespace| *namespace == event.meta.namespace);
            scope.resource == Resource::WarningEvents && here
        });
        if event.kind == "Warning" && (is_live || at > self.newest_event) {
            self.newest_event = self.newest_event.max(at.min(now));
            self.see(now, &Facts::Event(Box::new(event.clone())));
        }
    }
}

fn answers_for(scope: &Scope, group: &Group) -> bool {
    let key = &group.key;
    key.workload.kind == scope.resource.kind().as_str()
        && scope.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
}

fn is_workload(kind: Kind) -> bool {
    matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob)
}
