//! A list, page by page, for what is asked once rather than watched: one page at a time is held in memory.

use std::time::Duration;

use kube::Client;
use kube::core::params::ListParams;
use kube::core::request::Request;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::explain::explain;

/// Objects in a page.
const PAGE: u32 = 250;
/// How long the server may take for one.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// Hands over everything at `path` that the field selector fits; or says why it cannot be listed.
pub(crate) async fn each(
    client: &Client,
    path: &str,
    selector: Option<&str>,
    mut take: impl FnMut(&RawValue),
) -> Result<(), String> {
    let mut params = ListParams::default().limit(PAGE);
    if let Some(selector) = selector {
        params = params.fields(selector);
    }
    loop {
        let request = Request::new(path).list(&params).map_err(|error| error.to_string())?;
        let answer = timeout(PAGE_TIMEOUT, client.request_text(request)).await;
        let text = answer.map_err(|_| format!("no answer within {} s", PAGE_TIMEOUT.as_secs()))?;
        let text = text.map_err(|error| explain(&error))?;
        let page: Page<'_> = serde_json::from_str(&text).map_err(|_| "the answer is no list".to_owned())?;
        page.items.into_iter().for_each(&mut take);
        match page.metadata.next.filter(|next| !next.is_empty()) {
            Some(next) => params = params.continue_token(&next),
            None => return Ok(()),
        }
    }
}
