//! `blindness`: what kpulse itself is not able to see, told once per cause, so that silence is never mistaken for health.

use crate::finding::{Finding, Findings, Severity, TroubleKey};
use crate::{Kind, ObjectRef, Scope};

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
