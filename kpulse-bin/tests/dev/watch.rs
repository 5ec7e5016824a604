//! `dev/watch.sh`, what `just dev` runs: what makes it build, and what it leaves behind.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::checkout::Checkout;
use super::read;

const PATIENCE: Duration = Duration::from_secs(30);

/// Says that it was started, and runs until it is ended.
const PROGRAM: &str = "#!/bin/sh\necho \"$(basename \"$0\") $*\" >>\"$STUBS/calls\"\nexec sleep 300\n";

struct Watch {
    checkout: Checkout,
    script: Child,
}

impl Watch {
    /// In a checkout with every file of `dev/inputs`; cargo does as the rule says.
    fn start(rule: (&str, u8, &str)) -> Self {
        let checkout = Checkout::new(&["cargo"]).rule(rule.0, rule.1, rule.2);
        for path in read("dev/inputs").lines().filter(|line| line.starts_with(['.', 'C', 'k']) && *line != "Cargo.toml")
        {
            let file =
                if path.contains("Cargo") || path.ends_with(".toml") { path.to_owned() } else { format!("{path}/a") };
            checkout.write(&file, b"");
        }
        checkout.write("kpulse-testkit/src/sink.rs", b"");
        checkout.write("kpulse-testkit/src/bin/echo-sink.rs", b"");
        for program in ["kpulse", "echo-sink"] {
            checkout.program(&format!("target/debug/{program}"), PROGRAM);
        }
        let script = checkout.command("watch.sh", &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { checkout, script }
    }

    /// How often something was started.
    fn count(&self, call: &str) -> usize {
        self.checkout.calls().iter().filter(|line| line.starts_with(call)).count()
    }

    #[track_caller]
    fn wait_for(&self, call: &str, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.count(call) < count {
            assert!(Instant::now() < end, "{call} was not called {count} times: {:?}", self.checkout.calls());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Ok(None) = self.script.try_wait() {
            let _ended = Command::new("kill").arg(self.script.id().to_string()).status();
            let _waited = self.script.wait();
        }
    }
}

#[test]
fn a_save_builds_and_starts_anew_and_the_sink_stays() {
    let mut watch = Watch::start(("cargo*", 0, ""));
    watch.wait_for("kpulse demo --sink http://127.0.0.1:8081 --http 127.0.0.1:8080", 1);
    watch.checkout.write("kpulse-notify/src/channels/slack.rs", b"changed");
    watch.wait_for("kpulse demo", 2);
    for idle in
        ["README.md", "kpulse-notify/tests/contract.rs", "kpulse-core/src/tracker/tests.rs", "kpulse-core/src/a.swp"]
    {
        watch.checkout.write(idle, b"changed");
    }
    watch.checkout.write("kpulse-notify/templates/email.html", b"changed");
    watch.wait_for("kpulse demo", 3);
    assert_eq!(watch.count("cargo build"), 3, "{:?}", watch.checkout.calls());
    assert_eq!(watch.count("echo-sink"), 1, "it would forget what it shows");
    watch.checkout.write("kpulse-testkit/src/sink.rs", b"changed");
    watch.wait_for("echo-sink", 2);
    let script = watch.script.id().to_string();
    let children = Command::new("ps").args(["--no-headers", "-o", "pid", "--ppid", &script]).output().unwrap();
    let children = String::from_utf8(children.stdout).unwrap();
    assert!(Command::new("kill").arg(&script).status().unwrap().success());
    watch.script.wait().unwrap();
    for child in children.split_whitespace() {
        let end = Instant::now() + PATIENCE;
        while fs::exists(format!("/proc/{child}")).unwrap() {
            assert!(Instant::now() < end, "process {child} was left behind");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn what_ran_goes_on_while_nothing_can_be_built() {
    let watch = Watch::start(("cargo*", 0, ""));
    watch.wait_for("kpulse demo", 1);
    watch.checkout.write("stubs/rules", b"cargo*|101|\n");
    watch.checkout.write("kpulse-core/src/a", b"broken");
    watch.wait_for("cargo build", 2);
    watch.checkout.write("stubs/rules", b"");
    watch.checkout.write("kpulse-core/src/a", b"mended");
    watch.wait_for("kpulse demo", 2);
    assert_eq!((watch.count("cargo build"), watch.count("kpulse demo")), (3, 2));
}
