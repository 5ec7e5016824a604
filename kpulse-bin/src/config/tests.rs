//! What is accepted, what is refused and in which words. Lists of keys are asked of the types, so that a new monitor
//! or channel changes nothing here.

mod layering;
mod messages;
mod places;
mod printing;
mod sense;
mod shapes;

use super::*;

/// The error for a text, as a person reads it.
#[track_caller]
fn refused(text: &str, environment: &[(&str, &str)], purpose: Purpose<'_>) -> String {
    let environment = environment.iter().copied().collect();
    match Config::parse("kpulse.yaml", text, &environment, purpose) {
        Ok(loaded) => panic!("accepted: {:?}", loaded.config),
        Err(error) => error.to_string(),
    }
}

/// Puts the keys of a block where the text says `<monitors>`.
fn with_keys(text: &str) -> String {
    let mut parts = text.split('<');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (block, rest) = part.split_once('>').expect("a block between < and >");
        let steps = block.split('.').filter(|step| !step.is_empty());
        let words = match block {
            "severity" => read::words_of::<kpulse_core::Severity>(),
            "monitor" => read::words_of::<kpulse_core::monitors::MonitorName>(),
            _ => read::keys_at::<Config>(&KeyPath::new(steps)).expect(block),
        };
        whole += &words.join(", ");
        whole += rest;
    }
    whole
}
