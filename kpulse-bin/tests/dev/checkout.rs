//! A directory that looks like a checkout to the scripts under `dev/`, and commands that only say how they were called.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::root;

/// Writes down how it was called; answers as the first rule says whose pattern fits: `pattern|exit code|what it prints`.
const STUB: &str = r#"#!/bin/sh
call="$(basename "$0") $*"
echo "$call" >>"$STUBS/calls"
while IFS='|' read -r pattern code text; do
    case $call in
    $pattern)
        test -z "$text" || echo "$text"
        exit "$code"
        ;;
    esac
done <"$STUBS/rules"
"#;

pub(crate) struct Checkout {
    directory: PathBuf,
}

/// What a script said and did.
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The commands it called, in order.
    pub(crate) calls: Vec<String>,
}

impl Checkout {
    /// With this checkout's scripts and manifests, and stubs in the place of these commands.
    pub(crate) fn new(stubs: &[&str]) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("kpulse-checkout-{}-{count}", std::process::id()));
        fs::create_dir_all(directory.join("stubs")).unwrap();
        fs::create_dir_all(directory.join("target/image")).unwrap();
        for shared in ["dev", "deploy", "Cargo.toml", "Dockerfile.dev"] {
            symlink(root().join(shared), directory.join(shared)).unwrap();
        }
        let checkout = Self { directory };
        for name in stubs {
            checkout.program(&format!("stubs/{name}"), STUB);
        }
        checkout.write("stubs/rules", b"");
        checkout
    }

    /// A shell script that can be called.
    pub(crate) fn program(&self, path: &str, text: &str) {
        self.write(path, text.as_bytes());
        fs::set_permissions(self.path(path), Permissions::from_mode(0o755)).unwrap();
    }

    /// A call that fits this shell pattern ends with this code and prints this. The first rule that fits holds.
    pub(crate) fn rule(self, pattern: &str, code: u8, prints: &str) -> Self {
        let rules = fs::read_to_string(self.path("stubs/rules")).unwrap();
        self.write("stubs/rules", format!("{rules}{pattern}|{code}|{prints}\n").as_bytes());
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A script of `dev/` with these arguments, to be run.
    pub(crate) fn command(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(Path::new("dev").join(script))
            .args(arguments)
            .current_dir(&self.directory)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("stubs").display()))
            .env("STUBS", self.path("stubs"))
            .env_remove("EXPECTED_REF")
            .env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Runs a script of `dev/` with these arguments.
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        self.ran(&mut self.command(script, arguments))
    }

    /// The same on a machine that has nothing but the stubs and what every system has.
    pub(crate) fn run_alone(&self, script: &str, arguments: &[&str]) -> Ran {
        for tool in
            ["awk", "basename", "cat", "dirname", "echo", "grep", "head", "id", "sed", "sh", "sort", "tr", "uname"]
        {
            let here = ["/usr/bin", "/bin"].iter().map(|place| Path::new(place).join(tool)).find(|path| path.exists());
            if !self.path(&format!("stubs/{tool}")).exists() {
                symlink(here.unwrap(), self.path(&format!("stubs/{tool}"))).unwrap();
            }
        }
        self.ran(self.command(script, arguments).env("PATH", self.path("stubs")))
    }

    fn ran(&self, command: &mut Command) -> Ran {
        let _absent = fs::remove_file(self.path("stubs/calls"));
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            success: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            calls: self.calls(),
        }
    }

    /// The commands that were called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("stubs/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.directory);
    }
}
