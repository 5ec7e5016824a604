//! Asking before trying: with rights in single namespaces, a watch of the whole cluster would only be refused, again and
//! again, and each refusal stands in the audit log.

use kpulse_core::{Blindness, Observation, Scope};
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::SessionSettings;
use super::backoff::{Backoff, Jitter};
use crate::access::{AccessError, may};

/// Waits until we may watch this; says once if we may not. Ends also when nobody wants to know any more.
pub(super) async fn granted(
    client: &Client,
    scope: &Scope,
    out: &mpsc::Sender<Observation>,
    settings: &SessionSettings,
) {
    let mut jitter = Jitter::new(settings.seed, scope);
    let mut failures = Backoff::new(settings.retry_first, settings.retry_at_most);
    let mut refusals = Backoff::new(settings.refused_retry_first, settings.refused_retry_at_most);
    let mut told = false;
    loop {
        let wait = match may_watch(client, scope).await {
            Ok(true) => return,
            Ok(false) => {
                let plural = scope.resource.plural();
                let why = format!(
                    "may not list and watch {plural} in the whole cluster; grant list and watch on {plural} to kpulse"
                );
                let lost = Observation::SightLost(scope.clone(), Blindness::Refused(why));
                if !told && out.send(lost).await.is_err() {
                    return;
                }
                told = true;
                refusals.next(&mut jitter)
            }
            Err(error) => {
                tracing::debug!(%scope, %error, "not known whether this may be watched");
                failures.next(&mut jitter)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = out.closed() => return,
        }
    }
}

async fn may_watch(client: &Client, scope: &Scope) -> Result<bool, AccessError> {
    let resource = scope.resource;
    let group = resource.api_version().split_once('/').map_or("", |(group, _)| group);
    for verb in ["list", "watch"] {
        if !may(client, verb, group, resource.plural(), scope.namespace.as_deref()).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
