//! Where the channels of a configuration stand in it.

use kpulse_core::Name;
use kpulse_notify::{ChannelSettings, Channels, Problem, Secrets};

use super::document::Part;
use super::fault::Fault;
use super::key_path::KeyPath;
use super::layers::Layers;

/// The channels' names as the file has them, then those that only the environment has.
pub(super) fn order(channels: &Channels, layers: &Layers) -> Vec<Name> {
    let mut names: Vec<_> = channels.iter().map(|(name, _)| name.clone()).collect();
    let place = |name: &Name| {
        let (_, settings) = channels.iter().find(|(other, _)| *other == name)?;
        layers.document.place(&path(name, settings, layers), Part::Key)
    };
    names.sort_by_cached_key(|name| place(name).map_or((true, None), |place| (false, Some(place))));
    names
}

/// What keeps channels from being set up with these secrets.
pub(super) fn faults(channels: &Channels, layers: &Layers, secrets: &Secrets) -> Vec<(Fault, Option<String>)> {
    let mut faults = Vec::new();
    for (name, settings) in channels.iter() {
        let block = path(name, settings, layers);
        for Problem { key, fault, remedy, missing_secret } in settings.problems(secrets) {
            let steps = key.split('.').filter(|step| !step.is_empty());
            let path = steps.fold(block.clone(), |path, step| path.child(step));
            faults.push((Fault::of_value(path, fault, remedy), missing_secret));
        }
    }
    faults
}

/// Where a channel stands: a kind has one block, or several by name.
fn path(name: &Name, settings: &ChannelSettings, layers: &Layers) -> KeyPath {
    let kind = KeyPath::new(["channels", settings.kind()]);
    let named = kind.child(name.as_str());
    if layers.mentions(&named) { named } else { kind }
}
