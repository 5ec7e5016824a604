//! `blindness`: what kpulse itself is not able to see or to say, told once per cause, so that silence is never mistaken
//! for health.

use jiff::{SignedDuration, Timestamp};

use crate::finding::{Finding, Findings, Severity, TroubleKey};
use crate::settings::Settings;
use crate::{Kind, KubeletSight, Name, ObjectRef, Scope};

/// An API server that is away for less than this is not told.
const AWAY_FOR: SignedDuration = SignedDuration::from_mins(3);
/// Clocks that differ by more than this are told.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(30);

/// The troubles, as words are chosen by them.
const REFUSED: &str = "refused";
pub(crate) const AWAY: &str = "away";
pub(crate) const REFUSING: &str = "refusing";
pub(crate) const CLOCK: &str = "clock";
pub(crate) const CONFIG: &str = "config";

/// How long a refused message is remembered.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(1);

const CHANNEL: &str = "channel ";
const MESSAGES: &str = "messages of channel ";

/// Which of kpulse's watches this is.
pub(crate) fn watch(scope: &Scope) -> ObjectRef {
    itself(&scope.to_string())
}

/// A watch that the API server refuses: the right is missing, or the server does not have the kind.
pub(crate) fn refused(why: &str) -> Findings {
    // All of them are one matter: whoever grants rights does it at once.
    one(Finding { cause: why.to_owned(), ..trouble(REFUSED, "Refused", "cannot see") })
}

/// A watch that sees nothing for now. Whatever keeps it from seeing keeps the others from it as well.
pub(crate) fn away(why: &str) -> Findings {
    let mut findings = one(Finding { cause: why.to_owned(), wait: AWAY_FOR, ..trouble(AWAY, "Away", "is blind") });
    findings.unknown(TroubleKey::object(REFUSED));
    findings
}

/// Whether this is something that kpulse looks at, or speaks to, with these settings.
pub(crate) fn is_looked_at(object: &ObjectRef, settings: &Settings) -> bool {
    if let Some(channel) = channel_of(object) {
        return settings.channel(&channel).is_some();
    }
    let surveyed = settings.monitors.survey_interval().is_some().then(kubelets);
    let own = [clock(), config()].into_iter().chain(surveyed);
    settings.scopes().iter().map(watch).chain(own).any(|looked_at| looked_at == *object)
}

/// The kubelets, as something that kpulse reads.
pub(crate) fn kubelets() -> ObjectRef {
    itself("kubelet summaries")
}

/// Kubelets that cannot be read, if there are any.
pub(crate) fn unreadable(sight: &KubeletSight) -> Findings {
    if sight.refused {
        return refused(&sight.why);
    }
    if sight.unreadable == 0 {
        return Findings::default();
    }
    let cause = format!("{} of {}: {}", sight.unreadable, sight.nodes, sight.why);
    one(Finding { cause, ..trouble("unreadable", "Unreadable", "cannot see") })
}

/// A channel, as something that kpulse tells things.
pub(crate) fn channel(name: &Name) -> ObjectRef {
    itself(&format!("{CHANNEL}{name}"))
}

/// What a channel was told, as something that it may not take.
pub(crate) fn messages_of(channel: &Name) -> ObjectRef {
    itself(&format!("{MESSAGES}{channel}"))
}

/// The channel that such an object is about.
pub(crate) fn channel_of(object: &ObjectRef) -> Option<Name> {
    let about = object.name.strip_prefix(MESSAGES).or_else(|| object.name.strip_prefix(CHANNEL));
    about.filter(|_| object.kind == Kind::Watch).map(Name::from)
}

/// What people call that which such an object stands for.
pub(crate) fn said(name: &str) -> String {
    name.strip_prefix(MESSAGES).map_or_else(|| name.to_owned(), |channel| format!("{CHANNEL}{channel}"))
}

/// A channel that takes nothing from us.
pub(crate) fn refusing(why: &str) -> Findings {
    let severity = Severity::Critical;
    one(Finding { severity, cause: why.to_owned(), ..trouble(REFUSING, "ChannelRefuses", "cannot tell") })
}

/// A message that a channel would not take; `count` of them so far.
pub(crate) fn refused_message(now: Timestamp, why: &str, about: &[String], count: i64) -> Findings {
    let cause = format!("{}: {why}", about.join(", "));
    let what = "lost a message to";
    let told = trouble("message_refused", "MessageRefused", what);
    one(Finding { cause, occurrences: count, well_since: Some(now), hold: REFUSED_FOR, ..told })
}

/// The clock of the machine that kpulse runs on.
pub(crate) fn clock() -> ObjectRef {
    itself("clock")
}

/// A clock that differs from the API server's, if it does by much. `offset` is what the API server's is ahead.
pub(crate) fn apart(offset: SignedDuration) -> Findings {
    if offset.abs() <= CLOCKS_APART {
        return Findings::default();
    }
    let (by, which) = (offset.abs().as_secs(), if offset.is_negative() { "ahead of" } else { "behind" });
    let cause = format!("kpulse goes by the API server's; this machine's is {by}s {which} it: is NTP running?");
    one(Finding { cause, ..trouble(CLOCK, "ClockSkew", "does not trust its machine's") })
}

/// The configuration, as something that kpulse reads anew.
pub(crate) fn config() -> ObjectRef {
    itself("configuration")
}

/// A configuration that could not be taken over.
pub(crate) fn bad_config(why: &str) -> Findings {
    one(Finding { cause: why.to_owned(), ..trouble(CONFIG, "ConfigRefused", "goes on with its earlier") })
}

fn itself(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::Watch, "", name)
}

fn trouble(name: &str, reason: &str, what: &str) -> Finding {
    Finding {
        what: what.to_owned(),
        shared: Some(name.into()),
        ..Finding::new(TroubleKey::object(name), reason, Severity::Warning)
    }
}

fn one(finding: Finding) -> Findings {
    Findings { present: vec![finding], ..Findings::default() }
}
