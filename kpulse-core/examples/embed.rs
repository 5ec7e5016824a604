//! Takes a Pod's JSON on standard input and prints what is wrong with it:
//! `kubectl get pod NAME -o json | cargo run -p kpulse-core --example embed`

use std::io::{Read, Write};

use kpulse_core::Kind;
use kpulse_core::facts::Facts;
use kpulse_core::settings::Monitors;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut json = Vec::new();
    std::io::stdin().read_to_end(&mut json)?;
    let mut out = std::io::stdout().lock();
    let pod = Facts::from_json(Kind::Pod, &json)?;
    let mut found = Vec::new();
    Monitors::default().inspect(&pod, |monitor, findings| found.push((monitor, findings)));
    for (monitor, findings) in found {
        for finding in findings.present {
            writeln!(out, "{monitor}: {} {}: {} ({})", pod.object(), finding.what, finding.cause, finding.reason)?;
        }
    }
    Ok(())
}
