//! Errors of requests, in words for people, and without anything of an object in them.

use kube::core::Status;

use crate::wire::NoAnswer;

/// What an error says, at most a few hundred characters long.
pub(crate) fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => explain_status(status),
        // The decoder's own words quote what it could not read.
        kube::Error::SerdeError(error) => {
            format!("the API server sent something unreadable (line {}, column {})", error.line(), error.column())
        }
        kube::Error::FromUtf8(_) => "the API server sent something that is not text".to_owned(),
        error => match causes(error).find_map(|cause| cause.downcast_ref::<NoAnswer>()) {
            Some(silent) => format!("the API server is silent: {silent}"),
            None => format!("cannot speak to the API server: {}", innermost(error)),
        },
    }
}

/// What the API server says by a status.
pub(crate) fn explain_status(status: &Status) -> String {
    // Where the answer was no Status, kube puts the whole page of some proxy here.
    if status.reason == "Failed to parse error data" || status.message.is_empty() {
        return format!("the API server answered {}", status.code);
    }
    let message: String = status.message.chars().take(300).collect();
    format!("the API server answered {}: {message}", status.code)
}

fn causes(error: &kube::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let outermost: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(outermost), |error| error.source())
}

/// The last two links of a chain of errors say what happened; the first ones, only that something did.
fn innermost(error: &kube::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if let Some(outer) = said.last_mut().filter(|outer| outer.contains(&text)) {
            *outer = text;
        } else {
            said.push(text);
        }
    }
    let from = said.len().saturating_sub(2);
    said.get(from..).unwrap_or_default().join(": ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_not_quoted() {
        let secret = serde_json::from_str::<u8>("\"hunter2\"").unwrap_err();
        assert!(secret.to_string().contains("hunter2"));
        let text = explain(&kube::Error::SerdeError(secret));
        assert_eq!(text, "the API server sent something unreadable (line 1, column 9)");
    }

    #[test]
    fn a_proxys_page_is_not_quoted() {
        let page = Status::failure("<html>", "Failed to parse error data").with_code(502);
        assert_eq!(explain_status(&page), "the API server answered 502");
    }

    #[test]
    fn the_innermost_causes_are_said() {
        let refused = std::io::Error::other("Connection refused");
        let error = kube::Error::Service(Box::new(refused));
        assert_eq!(explain(&error), "cannot speak to the API server: Connection refused");
    }
}
