//! What `kpulse version` says of the build. The commit is known where whoever builds says it (`KPULSE_COMMIT`): asking
//! git would build everything anew with each commit.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=KPULSE_COMMIT");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let said = Command::new(rustc).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    println!("cargo::rustc-env=KPULSE_RUSTC={}", String::from_utf8_lossy(&said).trim());
    println!("cargo::rustc-env=KPULSE_TARGET={}", std::env::var("TARGET").unwrap_or_default());
}
