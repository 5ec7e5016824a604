//! A list, page by page, for what is asked once rather than watched: one page at a time is held in memory.

use std::time::Duration;

use kube::core::params::ListParams;
use kube::core::request::Request;
use kube::{Client, Error};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::explain::explain;

/// Objects in a page.
const PAGE: u32 = 250;
/// How long the server may take for one.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a page cannot be had.
#[derive(Debug)]
pub(crate) struct PageError {
    /// What the API server answered, if it did.
    pub(crate) code: Option<u16>,
    /// In words.
    pub(crate) why: String,
}

impl PageError {
    fn silent(why: String) -> Self {
        Self { code: None, why }
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        let code = if let Error::Api(status) = &error { Some(status.code) } else { None };
        Self { code, why: explain(&error) }
    }
}

/// What is left of a list after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// That was the last page.
    Nothing,
    /// There are more, and so many if the server says so.
    More(Option<u64>),
}

/// A list that is being read.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    path: &'a str,
    params: ListParams,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
    remaining_item_count: Option<u64>,
}

impl<'a> Pages<'a> {
    /// Everything at `path` that the field selector fits. Nothing is asked yet.
    pub(crate) fn new(client: &'a Client, path: &'a str, fields: Option<&str>) -> Self {
        let params = ListParams { field_selector: fields.map(str::to_owned), ..ListParams::default().limit(PAGE) };
        Self { client, path, params }
    }

    /// In larger pages.
    pub(crate) fn limit(mut self, objects: u32) -> Self {
        self.params = self.params.limit(objects);
        self
    }

    /// Only what the label selector fits.
    pub(crate) fn labels(mut self, selector: Option<&str>) -> Self {
        self.params.label_selector = selector.map(str::to_owned);
        self
    }

    /// Hands over the objects of the next page. Where that fails, the same page may be asked for again.
    pub(crate) async fn next(&mut self, mut take: impl FnMut(&RawValue)) -> Result<Left, PageError> {
        let request =
            Request::new(self.path).list(&self.params).map_err(|error| PageError::silent(error.to_string()))?;
        let answer = timeout(PAGE_TIMEOUT, self.client.request_text(request)).await;
        let text =
            answer.map_err(|_| PageError::silent(format!("no answer within {} s", PAGE_TIMEOUT.as_secs())))??;
        let page: Page<'_> =
            serde_json::from_str(&text).map_err(|_| PageError::silent("the answer is no list".to_owned()))?;
        page.items.into_iter().for_each(&mut take);
        Ok(match page.metadata.next.filter(|next| !next.is_empty()) {
            Some(next) => {
                self.params.continue_token = Some(next);
                Left::More(page.metadata.remaining_item_count)
            }
            None => Left::Nothing,
        })
    }

    /// Begins again with the first page.
    pub(crate) fn rewind(&mut self) {
        self.params.continue_token = None;
    }
}

/// Hands over everything at `path` that the field selector fits; or says why it cannot be listed.
pub(crate) async fn each(
    client: &Client,
    path: &str,
    selector: Option<&str>,
    mut take: impl FnMut(&RawValue),
) -> Result<(), String> {
    let mut pages = Pages::new(client, path, selector);
    while pages.next(&mut take).await.map_err(|error| error.why)? != Left::Nothing {}
    Ok(())
}
