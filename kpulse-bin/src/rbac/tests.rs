use serde_json::Value;

use super::*;

fn rights(config: &str) -> Rights {
    Rights::of(&Config::from_str(config, "test").unwrap().config)
}

fn account() -> Account {
    Account { namespace: "ops".to_owned(), name: "kpulse".to_owned() }
}

/// The roles as a line each: where, and who may do what.
#[track_caller]
fn check(config: &str, expect: &[&str]) {
    let line = |grant: &Grant| {
        let place = match &grant.reach {
            Reach::Cluster => "everywhere".to_owned(),
            Reach::Namespace(namespace) => format!("in {namespace}"),
            Reach::Own => "at home".to_owned(),
        };
        let rules = grant.rules.iter().map(|rule| {
            let Rule { group, resources, names, verbs } = rule;
            let group = if group.is_empty() { String::new() } else { format!("{group}/") };
            let names = if names.is_empty() { String::new() } else { format!(" {}", names.join(",")) };
            format!("{} {group}{}{names}", verbs.join(","), resources.join(","))
        });
        format!("kpulse{} {place}: {}", grant.suffix, rules.collect::<Vec<_>>().join("; "))
    };
    let lines: Vec<String> = rights(config).grants.iter().map(line).collect();
    assert_eq!(lines, expect, "{config}");
}

/// All monitors off but these.
fn only(monitors: &str) -> String {
    let off = kpulse_core::monitors::MonitorName::ALL
        .iter()
        .filter(|name| !monitors.contains(name.as_str()))
        .filter(|name| **name != kpulse_core::monitors::MonitorName::Blindness)
        .map(|name| format!("  {name}: {{enabled: false}}\n"));
    format!("monitors:\n{}{monitors}", off.collect::<String>())
}

const HOME: &str = "kpulse-state at home: create configmaps; get,update configmaps kpulse-state";

#[test]
fn the_defaults_need_what_all_monitors_need() {
    check(
        "{}",
        &[
            "kpulse everywhere: list,watch namespaces,nodes,persistentvolumeclaims,pods,events; \
             list,watch apps/deployments,statefulsets,daemonsets; list,watch autoscaling/horizontalpodautoscalers; \
             list,watch batch/cronjobs,jobs; list,watch policy/poddisruptionbudgets; get pods/log",
            "kpulse-tls everywhere: list,watch secrets",
            "kpulse-kubelet everywhere: list nodes; get nodes/stats",
            HOME,
        ],
    );
}

#[test]
fn a_monitor_that_is_off_needs_nothing() {
    check(&only(""), &["kpulse everywhere: list,watch namespaces", HOME]);
    check(
        &only("  hpa_at_max: {enabled: true}\n"),
        &["kpulse everywhere: list,watch namespaces; list,watch autoscaling/horizontalpodautoscalers", HOME],
    );
    check(
        &only("  tls_cert_expiry: {enabled: true}\n"),
        &["kpulse everywhere: list,watch namespaces", "kpulse-tls everywhere: list,watch secrets", HOME],
    );
    check(
        &only("  pvc_usage: {enabled: true}\n"),
        &[
            "kpulse everywhere: list,watch namespaces,persistentvolumeclaims",
            "kpulse-kubelet everywhere: list nodes; get nodes/stats",
            HOME,
        ],
    );
}

#[test]
fn logs_are_read_only_where_messages_quote_them() {
    for off in ["enabled: false", "include_recent_logs: false", "max_log_lines: 0"] {
        let rights = rights(&format!("monitors: {{pod_crashes: {{{off}}}}}"));
        assert!(!format!("{rights:?}").contains("pods/log"), "{off}");
    }
}

#[test]
fn the_proxy_is_granted_only_to_who_asks_for_it() {
    assert!(!format!("{:?}", rights("{}")).contains("proxy"));
    check(
        &format!("kubelet: {{via_api_server: true}}\n{}", only("  node_disk: {enabled: true}\n")),
        &[
            "kpulse everywhere: list,watch namespaces,nodes",
            "kpulse-kubelet everywhere: list nodes; get nodes/proxy",
            HOME,
        ],
    );
}

#[test]
fn named_namespaces_need_roles_only() {
    let config = format!("namespaces: {{include: [shop, blog]}}\n{}", only("  pvc_pending: {enabled: true}\n"));
    check(
        &config,
        &[
            "kpulse in blog: list,watch persistentvolumeclaims",
            "kpulse in shop: list,watch persistentvolumeclaims",
            HOME,
        ],
    );
    let whole = rights("namespaces: {include: [shop, blog]}");
    assert_eq!(whole.beyond, ["namespaces", "nodes", "nodes/stats"]);
    let text = whole.granted_to(&account()).to_string();
    assert!(text.contains("in no namespace: namespaces, nodes, nodes/stats."), "{text}");
    assert!(!text.contains("Cluster"), "{text}");
    assert_eq!(text.matches("\nkind: Role\n").count(), 5, "two in each of the two, and the one at home:\n{text}");
}

#[test]
fn each_role_is_bound_to_the_account() {
    let text = rights("namespaces: {include: ['1', blog]}").granted_to(&account()).to_string();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let (roles, bindings): (Vec<&Value>, Vec<&Value>) =
        documents.iter().partition(|document| !document["kind"].as_str().unwrap().ends_with("Binding"));
    assert_eq!(roles.len(), bindings.len());
    for (role, binding) in roles.into_iter().zip(bindings) {
        assert_eq!(role["metadata"], binding["metadata"]);
        assert!(role["metadata"]["namespace"].is_string(), "{role}");
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        assert_eq!(binding["roleRef"]["kind"], role["kind"]);
        let account = serde_json::json!({"kind": "ServiceAccount", "namespace": "ops", "name": "kpulse"});
        assert_eq!(binding["subjects"], serde_json::json!([account]));
    }
}
