//! `severity:` of a monitor: one value, or one by reason.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Serialize, de};

use crate::{Name, Severity};

/// How bad the user wants a monitor's troubles to be. Written as `critical`, or as `{NotReady: warning}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SeverityRule {
    /// The same for all of them.
    Always(Severity),
    /// By reason; those not named keep the monitor's own.
    ByReason(BTreeMap<Name, Severity>),
}

impl SeverityRule {
    /// The severity of a trouble with this reason; nothing where the monitor's own holds.
    #[must_use]
    pub fn severity_of(&self, reason: &Name) -> Option<Severity> {
        match self {
            Self::Always(severity) => Some(*severity),
            Self::ByReason(reasons) => reasons.get(reason).copied(),
        }
    }
}

impl<'de> Deserialize<'de> for SeverityRule {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct OneOrByReason;
        impl<'de> Visitor<'de> for OneOrByReason {
            type Value = SeverityRule;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("info, warning or critical, or one of them for each reason: {NotReady: warning}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SeverityRule, E> {
                Severity::deserialize(text.into_deserializer()).map(SeverityRule::Always)
            }
            fn visit_map<A: MapAccess<'de>>(self, reasons: A) -> Result<SeverityRule, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(reasons)).map(SeverityRule::ByReason)
            }
        }
        value.deserialize_any(OneOrByReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, reason: &str, expect: Option<Severity>) {
        let rule: SeverityRule = serde_json::from_str(json).unwrap();
        assert_eq!(rule.severity_of(&Name::from(reason)), expect, "{reason} in {json}");
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
    }

    #[test]
    fn one_value_holds_for_every_reason_and_a_map_for_those_it_names() {
        check(r#""info""#, "NotReady", Some(Severity::Info));
        check(r#"{"DiskPressure":"critical","NotReady":"warning"}"#, "NotReady", Some(Severity::Warning));
        check(r#"{"DiskPressure":"critical","NotReady":"warning"}"#, "MemoryPressure", None);
        check("{}", "NotReady", None);
    }

    #[test]
    fn what_is_no_severity_is_said() {
        for odd in [r#""fatal""#, "3", "[]", "null", r#"{"NotReady":"fatal"}"#] {
            assert!(serde_json::from_str::<SeverityRule>(odd).is_err(), "{odd}");
        }
    }
}
