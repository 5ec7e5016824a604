//! What a request is about, read from its method and path.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::query::Query;
use super::resources::{Catalogue, Row};

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Health,
    Version,
    CoreVersions,
    Groups,
    Group(String),
    Resources {
        group: String,
        version: String,
    },
    /// The plural of a review; only `create` is served.
    Review(String),
    Call(Call),
    Unknown,
}

/// A verb on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) row: Row,
    pub(crate) verb: &'static str,
    /// Empty across the cluster and for kinds outside namespaces.
    pub(crate) namespace: String,
    /// Empty for the collection.
    pub(crate) name: String,
    /// Empty for the object itself.
    pub(crate) subresource: String,
    /// What follows the subresource, such as the path behind a proxy.
    pub(crate) rest: String,
}

impl Target {
    pub(crate) fn parse(method: &Method, uri: &Uri, query: &Query, catalogue: &Catalogue) -> Self {
        let decoded: Vec<String> = uri
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            ["version"] => Self::Version,
            ["api"] => Self::CoreVersions,
            ["apis"] => Self::Groups,
            ["apis", group] => Self::Group((*group).to_owned()),
            ["api", version] => Self::Resources { group: String::new(), version: (*version).to_owned() },
            ["apis", group, version] => Self::Resources { group: (*group).to_owned(), version: (*version).to_owned() },
            ["apis", "authorization.k8s.io", "v1", review] => Self::Review((*review).to_owned()),
            ["api", version, rest @ ..] => Self::call(method, query, catalogue, ("", version), rest),
            ["apis", group, version, rest @ ..] => Self::call(method, query, catalogue, (group, version), rest),
            _ => Self::Unknown,
        }
    }

    fn call(
        method: &Method,
        query: &Query,
        catalogue: &Catalogue,
        (group, version): (&str, &str),
        rest: &[&str],
    ) -> Self {
        let (namespace, rest) = match rest {
            // `/namespaces/x/status` is about the Namespace itself.
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() && rest != ["status"] => (*namespace, rest),
            rest => ("", rest),
        };
        let Some((plural, rest)) = rest.split_first() else { return Self::Unknown };
        let Some(row) = catalogue.by_path(group, version, plural) else { return Self::Unknown };
        let (name, subresource, rest) = match rest {
            [] => ("", "", String::new()),
            [name] => (*name, "", String::new()),
            [name, subresource, rest @ ..] => (*name, *subresource, rest.join("/")),
        };
        let Some(verb) = verb(method, !name.is_empty(), query.flag("watch")) else { return Self::Unknown };
        Self::Call(Call {
            row,
            verb,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
            rest,
        })
    }
}

impl Call {
    /// `pods`, `pods/log`: as access rules and faults call it.
    pub(crate) fn resource(&self, catalogue: &Catalogue) -> String {
        let plural = catalogue.row(self.row).plural;
        if self.subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{}", self.subresource) }
    }
}

fn verb(method: &Method, named: bool, watches: bool) -> Option<&'static str> {
    match (method.as_str(), named) {
        ("GET" | "HEAD", _) if watches => Some("watch"),
        ("GET" | "HEAD", true) => Some("get"),
        ("GET" | "HEAD", false) => Some("list"),
        ("POST", _) => Some("create"),
        ("PUT", _) => Some("update"),
        ("PATCH", _) => Some("patch"),
        ("DELETE", true) => Some("delete"),
        ("DELETE", false) => Some("deletecollection"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, uri: &str, expect: (&str, &str, &str, &str)) {
        let catalogue = Catalogue::new(Vec::new());
        let uri: Uri = uri.parse().unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let Target::Call(call) = Target::parse(&method, &uri, &Query::of(&uri), &catalogue) else {
            panic!("{uri} is no call");
        };
        let resource = call.resource(&catalogue);
        assert_eq!((call.verb, resource.as_str(), call.namespace.as_str(), call.name.as_str()), expect);
    }

    #[test]
    fn paths() {
        check("GET", "/api/v1/pods", ("list", "pods", "", ""));
        check("GET", "/api/v1/pods?watch=true", ("watch", "pods", "", ""));
        check("GET", "/api/v1/namespaces/shop/pods", ("list", "pods", "shop", ""));
        check("GET", "/api/v1/namespaces/shop/pods/a/log", ("get", "pods/log", "shop", "a"));
        check("GET", "/api/v1/namespaces", ("list", "namespaces", "", ""));
        check("GET", "/api/v1/namespaces/shop", ("get", "namespaces", "", "shop"));
        check("PUT", "/api/v1/namespaces/shop/status", ("update", "namespaces/status", "", "shop"));
        check("PATCH", "/apis/apps/v1/namespaces/shop/deployments/a", ("patch", "deployments", "shop", "a"));
        check("DELETE", "/api/v1/nodes/system%3Aa", ("delete", "nodes", "", "system:a"));
        check("DELETE", "/api/v1/nodes", ("deletecollection", "nodes", "", ""));
        check("GET", "/api/v1/nodes/a/proxy/stats/summary", ("get", "nodes/proxy", "", "a"));
    }
}
