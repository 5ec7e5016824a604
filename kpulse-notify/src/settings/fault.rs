//! Why a channel cannot be set up.

use crate::secrets::MissingSecret;

/// Why a channel cannot be set up. Its text holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A secret is not there. It may still appear: the channel is in fault until then.
    #[error("{setting}: {missing}", missing = MissingSecret { key: key.clone() })]
    MissingSecret {
        /// Which setting names it, as a dotted path below the channel.
        setting: String,
        /// The secret's key.
        key: String,
    },
    /// A setting cannot be.
    #[error("{setting}: {fault}: {remedy}")]
    Invalid {
        /// Which setting, as a dotted path below the channel.
        setting: String,
        /// What is wrong.
        fault: String,
        /// What to do.
        remedy: String,
    },
}

impl SetupError {
    pub(crate) fn missing(setting: impl Into<String>, MissingSecret { key }: MissingSecret) -> Self {
        Self::MissingSecret { setting: setting.into(), key }
    }

    pub(crate) fn invalid(setting: impl Into<String>, fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Invalid { setting: setting.into(), fault: fault.into(), remedy: remedy.into() }
    }
}

/// All faults there are: what somebody must mend comes before what may mend itself.
pub(crate) fn worst_first(faults: impl IntoIterator<Item = Option<SetupError>>) -> Vec<SetupError> {
    let mut faults: Vec<_> = faults.into_iter().flatten().collect();
    faults.sort_by_key(|fault| matches!(fault, SetupError::MissingSecret { .. }));
    faults
}

/// One thing that is wrong with a channel's settings, for a person to mend. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which setting, as a dotted path below the channel: `headers.Authorization`.
    pub key: String,
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub remedy: String,
    /// The secret that is missing, if that is what is wrong: the only problem that may go away by itself.
    pub missing_secret: Option<String>,
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::MissingSecret { setting, key } => Self {
                key: setting,
                fault: format!("secret {key} is missing"),
                remedy: format!("add the key {key} to the Secret that is mounted as the secrets directory"),
                missing_secret: Some(key),
            },
            SetupError::Invalid { setting, fault, remedy } => {
                Self { key: setting, fault, remedy, missing_secret: None }
            }
        }
    }
}
