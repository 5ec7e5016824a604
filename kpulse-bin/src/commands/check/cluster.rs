//! `kpulse check --cluster`: whether the cluster answers, which rights are missing, and whether the secrets are there.

use std::fmt::Write;

use futures::StreamExt;
use kpulse_notify::Secrets;
use kpulse_watch::access::{Attempt, allows};
use kpulse_watch::look::server_version;
use kpulse_watch::{ConnectOptions, Connection, connect, secret};

use crate::cli::CheckArgs;
use crate::config::Config;
use crate::rbac::Rights;

/// The Secret that every manifest mounts, and none creates.
const SECRET: &str = "kpulse-secrets";
/// So many rights are asked for at the same time.
const AT_ONCE: usize = 8;

/// What the cluster says.
pub(super) struct Findings {
    /// In lines for a person, below those on the configuration.
    pub(super) text: String,
    /// Whether kpulse would work there.
    pub(super) is_good: bool,
    /// The values of the Secret, where it could be read.
    pub(super) secrets: Option<Secrets>,
}

/// Asks the cluster. A configuration that is not good needs no rights.
pub(super) async fn ask(args: &CheckArgs, config: Option<&Config>, wants_secrets: bool) -> Findings {
    let mut findings = Findings { text: String::new(), is_good: true, secrets: None };
    let connection = match connect(&ConnectOptions::from(args.cluster.clone())).await {
        Ok(connection) => connection,
        Err(error) => {
            findings.bad("API server", &crate::words(&error.into()));
            return findings;
        }
    };
    match server_version(&connection.client).await {
        Ok(version) => findings.good("API server", &format!("{} answers: Kubernetes {version}", connection.server_url)),
        Err(error) => {
            findings.bad("API server", &format!("{}: {error}", connection.server_url));
            return findings;
        }
    }
    if let Some(config) = config {
        findings.ask_for_rights(args, &connection, config).await;
    }
    if wants_secrets {
        findings.look_for_secrets(args, &connection).await;
    }
    findings
}

impl Findings {
    fn good(&mut self, what: &str, text: &str) {
        // Writing to a String cannot fail.
        let _infallible = writeln!(self.text, "  {what:10}  {text}");
    }

    fn bad(&mut self, what: &str, text: &str) {
        self.good(what, text);
        self.is_good = false;
    }

    async fn ask_for_rights(&mut self, args: &CheckArgs, own: &Connection, config: &Config) {
        let client = match &args.acting_as {
            Some(user) => match own.acting_as(user) {
                Ok(connection) => connection.client,
                Err(error) => return self.bad("rights", &error.to_string()),
            },
            None => own.client.clone(),
        };
        let attempts = Rights::of(config).attempts(&args.namespace);
        let asked = attempts.iter().map(|attempt| allows(&client, attempt));
        let answers: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut missing: Vec<&Attempt> = Vec::new();
        for (attempt, answer) in attempts.iter().zip(answers) {
            match answer {
                Ok(true) => {}
                Ok(false) => missing.push(attempt),
                Err(error) => return self.bad("rights", &error.to_string()),
            }
        }
        let whose = args.acting_as.as_ref().map_or_else(String::new, |user| format!(" to {user}"));
        if missing.is_empty() {
            self.good("rights", &format!("all {} that it takes are granted{whose}", attempts.len()));
            return;
        }
        self.bad("rights", &format!("{} of {} are not granted{whose}:", missing.len(), attempts.len()));
        for attempt in missing {
            self.good("", &format!("  {attempt}"));
        }
        self.good("", "= grant them: kpulse rbac --config FILE | kubectl apply -f -");
    }

    async fn look_for_secrets(&mut self, args: &CheckArgs, connection: &Connection) {
        match secret::read(&connection.client, &args.namespace, SECRET).await {
            Ok(Some(values)) => {
                let secrets: Secrets = values.into_iter().collect();
                let keys: Vec<&str> = secrets.keys().collect();
                let held = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
                self.good("secrets", &format!("Secret {}/{SECRET} holds {held}", args.namespace));
                self.secrets = Some(secrets);
            }
            Ok(None) => self.good("secrets", &format!("there is no Secret {}/{SECRET}", args.namespace)),
            Err(error) => self.good("secrets", &error.to_string()),
        }
    }
}
