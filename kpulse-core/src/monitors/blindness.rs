//! `blindness`: what kpulse itself is not able to see, told once per cause, so that silence is never mistaken for health.

use crate::finding::{Finding, Findings, Severity, TroubleKey};
use crate::settings::Settings;
use crate::{Kind, KubeletSight, ObjectRef, Scope};

/// Which of kpulse's watches this is.
pub(crate) fn watch(scope: &Scope) -> ObjectRef {
    ObjectRef::new(Kind::Watch, "", scope.to_string())
}

/// A watch that the API server refuses: the right is missing, or the server does not have the kind.
pub(crate) fn refused(why: &str) -> Findings {
    let mut findings = Findings::default();
    findings.present(Finding {
        what: "not seen".to_owned(),
        cause: why.to_owned(),
        // All of them are one matter: whoever grants rights does it at once.
        shared: Some("refused".into()),
        ..Finding::new(TroubleKey::object("refused"), "Refused", Severity::Warning)
    });
    findings
}

/// Whether this is something that kpulse looks at with these settings.
pub(crate) fn is_looked_at(object: &ObjectRef, settings: &Settings) -> bool {
    let surveyed = settings.monitors.survey_interval().is_some().then(kubelets);
    settings.scopes().iter().map(watch).chain(surveyed).any(|looked_at| looked_at == *object)
}

/// The kubelets, as something that kpulse reads.
pub(crate) fn kubelets() -> ObjectRef {
    ObjectRef::new(Kind::Watch, "", "kubelet summaries")
}

/// Kubelets that cannot be read, if there are any.
pub(crate) fn unreadable(sight: &KubeletSight) -> Findings {
    if sight.refused {
        return refused(&sight.why);
    }
    let mut findings = Findings::default();
    if sight.unreadable > 0 {
        findings.present(Finding {
            what: "not read".to_owned(),
            cause: format!("{} of {}: {}", sight.unreadable, sight.nodes, sight.why),
            shared: Some("unreadable".into()),
            ..Finding::new(TroubleKey::object("unreadable"), "Unreadable", Severity::Warning)
        });
    }
    findings
}
