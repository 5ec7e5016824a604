//! What `tilt up` and `tilt up -- triggers` amount to, and what they refuse.

use std::path::{Path, PathBuf};

use tiltfile::{Loaded, Local, Start, load};

const K3D: &str = "k3d-kpulse-test";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn tilt_up(context: &str, arguments: &[&str]) -> Result<Loaded, String> {
    load(&root(), &Start { context, arguments })
}

/// The resources that a change of this file sets to work.
fn moved_by(loaded: &Loaded, path: &str) -> Vec<String> {
    let within = |deps: &[String]| deps.iter().any(|dep| path == dep || path.starts_with(&format!("{dep}/")));
    let moves = |local: &Local| within(&local.deps) && !local.ignore.iter().any(|pattern| fits(pattern, path));
    let mut names = Vec::new();
    for (name, resource) in &loaded.resources {
        let image = resource.images.iter().any(|image| within(&image.deps));
        if image || resource.local.as_ref().is_some_and(moves) {
            names.push(name.clone());
        }
    }
    names
}

/// Whether a pattern of `.dockerignore` means this path: `**/name`, where `*` may stand in the name, or a path.
fn fits(pattern: &str, path: &str) -> bool {
    let Some(name) = pattern.strip_prefix("**/") else {
        return path == pattern || path.starts_with(&format!("{pattern}/"));
    };
    path.split('/').any(|part| match name.split_once('*') {
        Some((begin, end)) => part.starts_with(begin) && part.ends_with(end),
        None => part == name,
    })
}

#[test]
fn tilt_up_is_kpulse_and_a_sink() {
    insta::assert_snapshot!(tilt_up(K3D, &[]).unwrap());
}

#[test]
fn triggers_are_added_and_change_nothing_else() {
    let without = tilt_up(K3D, &[]).unwrap();
    let mut with = tilt_up(K3D, &["triggers"]).unwrap();
    let all = with.to_string();
    with.resources.retain(|name, _| !without.resources.contains_key(name));
    with.buttons.retain(|button| with.resources.contains_key(&button.resource));
    let added = with.to_string();
    assert!(added.lines().chain(without.to_string().lines()).all(|line| all.contains(line)));
    assert_eq!(all.lines().count(), added.lines().count() + without.to_string().lines().count());
    insta::assert_snapshot!(added);
}

#[test]
fn a_context_that_is_not_k3d_is_refused_before_anything_runs() {
    for context in ["prod-eu", "kind-kpulse", "minikube", "docker-desktop", "my-k3d-cluster", "k3d", ""] {
        let refused = tilt_up(context, &[]).unwrap_err();
        for said in [format!("\"{context}\", which is not a k3d cluster"), "k3d cluster create kpulse-test".to_owned()]
        {
            assert!(refused.contains(&said), "{context}: {refused}");
        }
    }
}

#[test]
fn what_cannot_be_added_is_refused() {
    let refused = tilt_up(K3D, &["trigger"]).unwrap_err();
    assert!(refused.contains("There is no \"trigger\" to add: tilt up, or tilt up -- triggers."), "{refused}");
}

#[test]
fn every_command_is_for_the_cluster_that_was_chosen() {
    let loaded = tilt_up("k3d-mine", &["triggers"]).unwrap();
    let text = loaded.to_string();
    assert!(!text.contains(K3D));
    let commands = text.lines().filter(|line| {
        ["load.sh", "secret.sh", "trigger.sh"].iter().any(|script| line.contains(&format!("sh dev/{script}")))
    });
    for command in commands {
        assert!(command.ends_with(" k3d-mine"), "{command}");
    }
}

#[test]
fn reading_the_tiltfile_changes_nothing_but_a_directory_of_its_own() {
    assert_eq!(tilt_up(K3D, &["triggers"]).unwrap().ran, ["mkdir -p target/image"]);
}

#[test]
fn images_keep_their_tag_and_are_neither_pushed_nor_patched() {
    let loaded = tilt_up(K3D, &["triggers"]).unwrap();
    let images: Vec<_> = loaded.resources.values().flat_map(|resource| &resource.images).collect();
    assert_eq!(images.len(), 2);
    for image in images {
        assert!(image.reference.ends_with(":dev") && image.left_alone && !image.live_update, "{image:?}");
    }
}

#[test]
fn a_change_sets_to_work_what_is_made_of_it_and_nothing_else() {
    let loaded = tilt_up(K3D, &["triggers"]).unwrap();
    let cases: [(&str, &[&str]); 17] = [
        ("README.md", &[]),
        ("CHANGELOG.md", &[]),
        ("docs/channels.md", &[]),
        ("deploy/config.example.yaml", &[]),
        ("kpulse-bin/tests/agent.rs", &[]),
        ("kpulse-notify/src/channels/slack/tests.rs", &[]),
        ("kpulse-notify/src/channels/slack/snapshots/x.snap", &[]),
        ("kpulse-testkit/src/smtp/tls.rs", &[]),
        ("kpulse-testkit/recordings/oom-loop.jsonl", &[]),
        ("kpulse-notify/src/channels/slack.rs", &["build"]),
        ("kpulse-notify/templates/email.html", &["build"]),
        ("Cargo.lock", &["build"]),
        // The demo within kpulse has the sink as well.
        ("kpulse-testkit/src/sink/page/app.js", &["build", "build-sink"]),
        ("kpulse-testkit/src/bin/echo-sink.rs", &["build-sink"]),
        ("target/image/kpulse", &["kpulse"]),
        ("Dockerfile.dev", &["kpulse", "sink"]),
        (".env.kpulse", &["credentials"]),
    ];
    for (path, expected) in cases {
        assert_eq!(moved_by(&loaded, path), expected, "{path}");
    }
}

#[test]
fn what_is_watched_is_there() {
    let loaded = tilt_up(K3D, &["triggers"]).unwrap();
    let local = loaded.resources.values().filter_map(|resource| resource.local.as_ref()).flat_map(|local| &local.deps);
    let images = loaded.resources.values().flat_map(|resource| &resource.images).flat_map(|image| &image.deps);
    for path in local.chain(images).filter(|path| *path != ".env.kpulse" && !path.starts_with("target/")) {
        assert!(root().join(path).exists(), "{path} does not exist");
    }
}
