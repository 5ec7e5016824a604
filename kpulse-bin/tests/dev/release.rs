//! `deploy/release.sh`: what a release attaches. And the workflow that runs it.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::checkout::Checkout;
use super::{read, root};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const IMAGE: &str = "registry.example/team/kpulse";

/// Keeps the chart it is to package.
const HELM: &str = "#!/bin/sh\ncp -R \"$2\" \"$STUBS/chart\"\necho chart >\"$8/kpulse-$4.tgz\"\n";

fn release(checkout: &Checkout, version: &str) -> Output {
    checkout.program("stubs/helm", HELM);
    checkout
        .command("../deploy/release.sh", &[IMAGE, version, checkout.path("dist").to_str().unwrap()])
        .output()
        .unwrap()
}

#[test]
fn a_release_names_the_image_it_is_released_with() {
    let checkout = Checkout::new(&[]);
    let output = release(&checkout, VERSION);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dist = |name: &str| fs::read_to_string(checkout.path("dist").join(name)).unwrap();
    let manifest = dist("kpulse.yaml");
    assert!(manifest.contains(&format!("image: {IMAGE}:{VERSION}\n")), "{manifest}");
    assert_eq!(manifest.lines().count(), read("deploy/kpulse.yaml").lines().count());
    let values: Value =
        serde_saphyr::from_str(&fs::read_to_string(checkout.path("stubs/chart/values.yaml")).unwrap()).unwrap();
    assert_eq!(values["image"]["repository"], IMAGE);
    assert_eq!(dist("install.sh"), read("deploy/install.sh"));
    let sums = dist("SHA256SUMS");
    let named: Vec<&str> = sums.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    let chart = format!("kpulse-{VERSION}.tgz");
    assert_eq!(named, ["config.example.yaml", "install.sh", &chart, "kpulse.yaml"]);
}

#[test]
fn a_release_of_another_version_is_refused() {
    let checkout = Checkout::new(&[]);
    let output = release(&checkout, "99.0.0");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("raise the version in Cargo.toml first"), "{said}");
    assert!(!checkout.path("dist/kpulse.yaml").exists());
}

/// Each file that a step of a workflow runs or builds is there.
#[test]
fn the_workflows_run_what_is_there() {
    for workflow in ["ci", "release"] {
        let text = read(&format!(".github/workflows/{workflow}.yml"));
        let words = text.split(|c: char| c.is_whitespace() || "()`\"'".contains(c));
        let paths: Vec<&str> = words
            .filter(|word| {
                ["dev/", "deploy/", ".ci/"].iter().any(|place| word.starts_with(place)) && !word.contains('*')
            })
            .collect();
        assert!(!paths.is_empty(), "{workflow}");
        for path in paths {
            assert!(root().join(path).exists(), "{workflow}.yml runs {path}, which is not there");
        }
    }
    let release = read(".github/workflows/release.yml");
    let version =
        release.lines().find_map(|line| line.trim().strip_prefix("version=$(sed -n '")?.split("' Cargo").next());
    let output = Command::new("sed").args(["-n", version.unwrap()]).arg(root().join("Cargo.toml")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), VERSION);
}
