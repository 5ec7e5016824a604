//! `tls_cert_expiry`: certificates in TLS Secrets that end soon, have ended, are not valid yet, or cannot be read.
//!
//! Of a chain the certificate that ends first decides: without it the others are of no use. Every time is known
//! beforehand, so whatever is said becomes due, grows worse and turns into something else with no further look.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Monitor, MonitorName};
use crate::facts::{Certificate, CertificateFault, Certificates, SecretFacts};
use crate::finding::{Finding, Findings, Severity, Since, Stage, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- settings

/// What `tls_cert_expiry` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsCertExpiry {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; if nothing is said, as bad as the time that is left.
    pub severity: Option<SeverityRule>,
    /// How many days before its end a certificate is told of.
    pub warn_days: u16,
    /// How many days before its end it is critical.
    pub crit_days: u16,
    /// How often the earlier program looked. Accepted, and without effect: a watch sees every change at once.
    pub interval: Span,
    /// Whether certificates that live shortly are told of later: at a sixth of their lifetime before the end, and
    /// critical at a thirtieth, where that is less than the days above.
    pub by_lifetime: bool,
}

impl Default for TlsCertExpiry {
    fn default() -> Self {
        Self {
            enabled: true,
            severity: None,
            warn_days: 14,
            crit_days: 3,
            interval: Span::hours(6),
            by_lifetime: false,
        }
    }
}

// ---- meaning

const EXPIRY: &str = "expiry";
const NOT_YET_VALID: &str = "not_yet_valid";
const UNREADABLE: &str = "unreadable";

const EXPIRING: &str = "CertificateExpiring";
const EXPIRED: &str = "CertificateExpired";

/// A certificate that ended longer ago than this when it is first seen is nobody's any more.
const OLD: SignedDuration = SignedDuration::from_hours(14 * 24);
/// What becomes valid sooner than this was issued by a clock that runs ahead of ours.
const SOON: SignedDuration = SignedDuration::from_mins(5);
/// So many names are said of those a certificate is for.
const NAMED: usize = 3;

// ---- inspect

impl Monitor<SecretFacts> for TlsCertExpiry {
    const NAME: MonitorName = MonitorName::TlsCertExpiry;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, secret: &SecretFacts, findings: &mut Findings) {
        if secret.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        if !secret.is_tls() {
            return;
        }
        match &secret.data.certificates {
            Certificates::Chain(chain) => {
                findings.present.extend(self.expiry(chain));
                findings.present.extend(not_yet_valid(chain));
            }
            // What was in it may come back or be renewed; that it is well was not seen.
            Certificates::Empty => unknown(findings),
            Certificates::Unreadable(fault) => {
                unknown(findings);
                findings.present(unreadable(fault));
            }
        }
    }
}

impl TlsCertExpiry {
    fn expiry(&self, chain: &[Certificate]) -> Option<Finding> {
        let first = chain.iter().min_by_key(|certificate| certificate.not_after)?;
        let end = first.not_after;
        if end == Timestamp::MAX {
            return None;
        }
        let (warn, critical) = self.before_the_end(first);
        let (warn_at, critical_at) = (earlier(end, warn), earlier(end, critical));
        let what = format!("ends {}", moment(end));
        let stage = |at, reason: &str, what| Stage { at, reason: reason.into(), severity: Severity::Critical, what };
        Some(Finding {
            // A short life may begin within those days.
            since: Since::NotBefore(warn_at.min(critical_at).max(first.not_before).min(end)),
            until: end.checked_add(OLD).ok(),
            stages: vec![
                stage(critical_at, EXPIRING, what.clone()),
                stage(end, EXPIRED, format!("expired {}", moment(end))),
            ],
            what,
            ..of(first, chain, EXPIRY, EXPIRING)
        })
    }

    /// How long before its end a certificate is told of, and how long before it is critical.
    fn before_the_end(&self, certificate: &Certificate) -> (SignedDuration, SignedDuration) {
        let days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
        let (warn, critical) = (days(self.warn_days), days(self.crit_days));
        if !self.by_lifetime {
            return (warn, critical);
        }
        let lifetime = certificate.not_after.duration_since(certificate.not_before).max(SignedDuration::ZERO);
        (warn.min(lifetime / 6), critical.min(lifetime / 30))
    }
}

/// No client takes it before its time. It is over by itself when that comes.
fn not_yet_valid(chain: &[Certificate]) -> Option<Finding> {
    let last = chain.iter().min_by_key(|certificate| Reverse(certificate.not_before))?;
    Some(Finding {
        what: format!("is not valid before {}", moment(last.not_before)),
        wait: SOON,
        well_since: Some(last.not_before),
        ..of(last, chain, NOT_YET_VALID, "CertificateNotYetValid")
    })
}

fn unreadable(fault: &CertificateFault) -> Finding {
    Finding {
        what: "certificate cannot be read".to_owned(),
        cause: fault.to_string(),
        ..Finding::new(TroubleKey::object(UNREADABLE), "CertificateUnreadable", Severity::Warning)
    }
}

fn unknown(findings: &mut Findings) {
    for trouble in [EXPIRY, NOT_YET_VALID] {
        findings.unknown(TroubleKey::object(trouble));
    }
}

/// A trouble of one certificate. Copies of it in other Secrets are the same trouble.
fn of(certificate: &Certificate, chain: &[Certificate], trouble: &str, reason: &str) -> Finding {
    Finding {
        cause: cause(certificate, chain),
        shared: Some(certificate.fingerprint.clone()),
        title_name: Some(format!("Certificate {}", certificate.name())),
        ..Finding::new(TroubleKey::object(trouble), reason, Severity::Warning)
    }
}

/// Who issued it, whom it is for, and all of its dates: true whenever it is read.
fn cause(certificate: &Certificate, chain: &[Certificate]) -> String {
    let Certificate { issuer, names, name_count, not_before, not_after, .. } = certificate;
    let mut parts = vec![format!("issuer {issuer}")];
    match chain.first() {
        Some(own) if own != certificate => parts.push(format!("in the chain of {}", own.name())),
        _ if names.is_empty() => {}
        _ => {
            let some = names.iter().take(NAMED).map(|name| &**name).collect::<Vec<_>>().join(", ");
            let more = match name_count.saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" (+{more})"),
            };
            parts.push(format!("for {some}{more}"));
        }
    }
    parts.push(format!("valid {} to {}", day(*not_before), day(*not_after)));
    parts.join(" · ")
}

fn moment(time: Timestamp) -> String {
    time.strftime("%-d %b %H:%M UTC").to_string()
}

fn day(time: Timestamp) -> String {
    time.strftime("%-d %b %Y").to_string()
}

/// `span` before `at`, or the beginning of time.
fn earlier(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}
