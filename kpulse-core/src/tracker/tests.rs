//! What others say of an object, beside what its own monitors say.

use super::*;
use crate::{Finding, Kind, Resource, Severity};

const OTHERS: MonitorName = MonitorName::JobFailed;
const OWN: MonitorName = MonitorName::CronjobMissed;

fn minute(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1_000_000 + minutes)
}

fn object() -> ObjectRef {
    ObjectRef::new(Kind::CronJob, "shop", "report")
}

fn findings(is_well: bool) -> Findings {
    let finding = Finding::new(TroubleKey::object("trouble"), "Trouble", Severity::Warning);
    let present = if is_well { Vec::new() } else { vec![finding] };
    Findings { present, ..Findings::default() }
}

/// A tracker, and what happened to it: `fires job_failed`, `gone job_failed`.
struct Story(Tracker);

impl Story {
    fn begin() -> Self {
        Self(Tracker::new(SignedDuration::from_mins(30), TrackerState::default()))
    }

    /// Others say that it is in trouble, or well.
    #[track_caller]
    fn report(mut self, at: i64, is_well: bool, expect: &[&str]) -> Self {
        self.0.report(minute(at), &object(), OTHERS, findings(is_well));
        self.expect(expect)
    }

    /// It is seen under this uid, and its own monitor finds it in trouble or well.
    #[track_caller]
    fn see(mut self, at: i64, uid: &str, is_well: bool, expect: &[&str]) -> Self {
        let uid = Name::from(uid);
        let subject = || Subject { uid: uid.clone(), node: Some("seen".into()), ..Subject::default() };
        self.0.see(minute(at), &object(), subject, &uid, vec![(OWN, findings(is_well))]);
        self.expect(expect)
    }

    #[track_caller]
    fn delete(mut self, at: i64, uid: &str, expect: &[&str]) -> Self {
        self.0.delete(minute(at), &object(), &uid.into());
        self.expect(expect)
    }

    #[track_caller]
    fn listed(mut self, expect: &[&str]) -> Self {
        self.0.listed(minute(0), &Scope::cluster(Resource::CronJobs));
        self.expect(expect)
    }

    fn lose_sight(mut self) -> Self {
        self.0.lose_sight(&Scope::cluster(Resource::CronJobs));
        self
    }

    fn restart(mut self) -> Self {
        let saved = serde_json::to_string(&self.0.state()).unwrap();
        self.0 = Tracker::new(SignedDuration::from_mins(30), serde_json::from_str(&saved).unwrap());
        self
    }

    #[track_caller]
    fn expect(mut self, expect: &[&str]) -> Self {
        let line = |change: Change| match change.what {
            Turn::Fires => format!("fires {}", change.key.monitor),
            Turn::Ended(ending) => format!("{} {}", ending.as_str(), change.key.monitor),
        };
        let changes: Vec<String> = self.0.take_changes().into_iter().map(line).collect();
        assert_eq!(changes, expect);
        self
    }
}

#[test]
fn what_others_say_begins_and_ends_without_the_object() {
    let story = Story::begin().report(0, true, &[]).report(1, false, &["fires job_failed"]).report(2, false, &[]);
    story.report(3, true, &["recovered job_failed"]);
}

#[test]
fn an_object_that_is_seen_later_is_the_same_one() {
    let story = Story::begin().report(0, false, &["fires job_failed"]).see(1, "u1", true, &[]);
    assert_eq!(story.0.objects[&object()].subject.node.as_deref(), Some("seen"));
    story.report(2, false, &[]).see(3, "u2", true, &["gone job_failed"]);
}

#[test]
fn what_others_say_does_not_change_what_the_object_is() {
    let story = Story::begin().see(0, "u1", false, &["fires cronjob_missed"]).report(1, false, &["fires job_failed"]);
    story.report(2, true, &["recovered job_failed"]).see(3, "u1", true, &["recovered cronjob_missed"]);
}

#[test]
fn neither_ends_what_the_other_said() {
    let story = Story::begin().report(0, false, &["fires job_failed"]).see(1, "u1", false, &["fires cronjob_missed"]);
    story.see(2, "u1", true, &["recovered cronjob_missed"]).report(3, true, &["recovered job_failed"]);
}

#[test]
fn it_goes_with_its_object_and_does_not_come_back() {
    let story = Story::begin().report(0, false, &["fires job_failed"]).delete(1, "u1", &["gone job_failed"]);
    // Whoever says so saw it before it was deleted.
    let story = story.report(2, false, &[]).report(15, false, &[]);
    let story = story.see(16, "u2", true, &[]).report(16, false, &["fires job_failed"]);
    story.delete(17, "u2", &["gone job_failed"]).report(33, false, &["fires job_failed"]);
}

#[test]
fn it_goes_if_its_object_is_missing_after_a_gap() {
    let firing = || Story::begin().report(0, false, &["fires job_failed"]);
    firing().lose_sight().listed(&["gone job_failed"]);
    firing().lose_sight().see(1, "u1", true, &[]).listed(&[]).report(2, true, &["recovered job_failed"]);
    // The list had passed the object, which was well, when this was said.
    Story::begin().lose_sight().see(0, "u1", true, &[]).report(1, false, &["fires job_failed"]).listed(&[]);
}

#[test]
fn it_outlasts_a_restart() {
    let story = Story::begin().report(0, false, &["fires job_failed"]).restart();
    story.see(1, "u1", true, &[]).listed(&[]).report(2, false, &[]).report(3, true, &["recovered job_failed"]);
    let story = Story::begin().see(0, "u1", true, &[]).report(1, false, &["fires job_failed"]).restart();
    story.listed(&["gone job_failed"]);
}
