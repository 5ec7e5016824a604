//! The questions of `kpulse init`, and their answers: from flags and environment, and at a terminal from a person.

use std::io::{self, BufRead, Write};

use anyhow::{bail, ensure};
use kpulse_notify::ChannelSettings;
use kpulse_notify::starter::{Question, questions};
use secrecy::SecretString;

use crate::cli::InitArgs;

/// Everything that must be known.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) cluster: String,
    /// The kind of channel.
    pub(super) kind: String,
    /// What is set of it.
    pub(super) settings: Vec<Setting>,
    /// Values by their keys.
    pub(super) secrets: Vec<(String, SecretString)>,
}

/// One line of a channel's block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    pub(super) is_list: bool,
}

impl Answers {
    /// What flags and environment say, with nobody to ask.
    pub(super) fn said(
        args: &InitArgs,
        context: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let Some(kind) = &args.channel else {
            bail!("nobody can be asked here: say --channel KIND, one of {}", ChannelSettings::KINDS.join(", "));
        };
        let Some(cluster) = args.name.as_deref().or(context) else {
            bail!("nobody can be asked here: say --name NAME, the cluster's name");
        };
        let mut answers = Self::begin(cluster, kind, args)?;
        for question in answers.open() {
            let said = question.secret.and_then(&environment);
            match (said, question.secret) {
                (Some(said), _) => answers.take(question, &said),
                (None, _) if question.optional => {}
                (None, Some(key)) => bail!("{kind}: {}: put it into the environment variable {key}", question.asks),
                (None, None) => bail!("{kind}: {}: say --set {}=…", question.asks, question.setting),
            }
        }
        Ok(answers)
    }

    fn begin(cluster: &str, kind: &str, args: &InitArgs) -> anyhow::Result<Self> {
        let known = ChannelSettings::fields(kind);
        for (name, _) in &args.settings {
            ensure!(known.contains(&name.as_str()), "--set {name}: {kind} has {}", known.join(", "));
        }
        let mut answers =
            Self { cluster: cluster.to_owned(), kind: kind.to_owned(), settings: Vec::new(), secrets: Vec::new() };
        for (name, value) in &args.settings {
            let several = questions(kind).iter().any(|question| question.setting == name && question.several);
            answers.set(name, value, several);
        }
        Ok(answers)
    }

    /// What was not said yet.
    fn open(&self) -> Vec<&'static Question> {
        let is_set = |question: &&Question| self.settings.iter().any(|setting| setting.name == question.setting);
        questions(&self.kind).iter().filter(|question| !is_set(question)).collect()
    }

    fn take(&mut self, question: &Question, answer: &str) {
        match question.secret {
            Some(key) => {
                self.secrets.push((key.to_owned(), answer.into()));
                self.set(question.setting, key, false);
            }
            None => self.set(question.setting, answer, question.several),
        }
    }

    fn set(&mut self, name: &str, value: &str, is_list: bool) {
        let values = if is_list {
            value.split(',').map(|value| value.trim().to_owned()).collect()
        } else {
            vec![value.to_owned()]
        };
        self.settings.push(Setting { name: name.to_owned(), values, is_list });
    }
}

/// A person at a terminal.
pub(super) struct Interview<I, O, H> {
    input: I,
    out: O,
    /// Reads what nobody should see.
    hidden: H,
}

impl<I: BufRead, O: Write, H: Fn(&str) -> io::Result<String>> Interview<I, O, H> {
    pub(super) fn new(input: I, out: O, hidden: H) -> Self {
        Self { input, out, hidden }
    }

    /// Asks for all that flags and environment do not say.
    pub(super) fn hold(
        mut self,
        args: &InitArgs,
        context: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Answers> {
        writeln!(self.out, "Two things must be known: how people call the cluster, and where to tell them.")?;
        writeln!(self.out, "Enter alone takes what stands in brackets.\n")?;
        let cluster = match &args.name {
            Some(name) => name.clone(),
            None => self.ask("Cluster", context, false)?,
        };
        let kind = match &args.channel {
            Some(kind) => kind.clone(),
            None => self.choose_channel()?,
        };
        let mut answers = Answers::begin(&cluster, &kind, args)?;
        for question in answers.open() {
            let from_environment = question.secret.and_then(&environment);
            let answer = match (from_environment, question.secret) {
                (Some(answer), Some(key)) => {
                    writeln!(self.out, "{}: from the environment variable {key}", question.asks)?;
                    answer
                }
                (_, Some(_)) => self.ask_hidden(question)?,
                (_, None) => self.ask(question.asks, None, question.optional)?,
            };
            if !answer.is_empty() {
                answers.take(question, &answer);
            }
        }
        writeln!(self.out)?;
        Ok(answers)
    }

    fn choose_channel(&mut self) -> anyhow::Result<String> {
        let kinds = ChannelSettings::KINDS;
        writeln!(self.out, "Channels: {}", kinds.join(", "))?;
        loop {
            let kind = self.ask("Channel", kinds.first().copied(), false)?;
            if kinds.contains(&kind.as_str()) {
                return Ok(kind);
            }
            writeln!(self.out, "  `{kind}` is none of them")?;
        }
    }

    fn ask(&mut self, asks: &str, default: Option<&str>, optional: bool) -> anyhow::Result<String> {
        loop {
            let brackets = default.map_or_else(String::new, |default| format!(" [{default}]"));
            write!(self.out, "{asks}{brackets}: ")?;
            self.out.flush()?;
            let mut line = String::new();
            ensure!(self.input.read_line(&mut line)? > 0, "the answers ended too soon; nothing was written");
            match (line.trim(), default) {
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) if !optional => writeln!(self.out, "  it cannot do without")?,
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    fn ask_hidden(&mut self, question: &Question) -> anyhow::Result<String> {
        loop {
            self.out.flush()?;
            let answer = (self.hidden)(&format!("{} (not shown): ", question.asks))?;
            match answer.trim() {
                "" if !question.optional => writeln!(self.out, "  it cannot do without")?,
                answer => return Ok(answer.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(words: &str) -> InitArgs {
        let words = ["kpulse", "init"].into_iter().chain(words.split_whitespace());
        match Cli::parse_from(words).command {
            Some(Command::Init(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    fn hold(words: &str, typed: &str, secret: &str) -> (anyhow::Result<Answers>, String) {
        let mut out = Vec::new();
        let interview = Interview::new(typed.as_bytes(), &mut out, |_: &str| Ok(secret.to_owned()));
        let answers = interview.hold(&args(words), Some("k3d-test"), |_| None);
        (answers, String::from_utf8(out).unwrap())
    }

    fn settings(answers: &Answers) -> Vec<(&str, String)> {
        answers.settings.iter().map(|setting| (setting.name.as_str(), setting.values.join("+"))).collect()
    }

    #[test]
    fn a_person_is_asked_for_what_is_not_said() {
        let (answers, said) = hold("", "\nslak\nslack\n", "https://hooks.example/s3cr3t");
        let answers = answers.unwrap();
        assert_eq!((answers.cluster.as_str(), answers.kind.as_str()), ("k3d-test", "slack"));
        assert_eq!(settings(&answers), [("webhook_url_from_secret", "SLACK_WEBHOOK_URL".to_owned())]);
        assert_eq!(answers.secrets[0].1.expose_secret(), "https://hooks.example/s3cr3t");
        assert!(said.contains("Cluster [k3d-test]: ") && said.contains("`slak` is none of them"), "{said}");
        assert!(!said.contains("s3cr3t"), "{said}");
    }

    #[test]
    fn what_may_be_left_empty_is_left_out() {
        let typed = "smtp.example.com\n\nkpulse@example.com\na@example.com, b@example.com\n";
        let (answers, said) = hold("--name prod --channel email", typed, "");
        let expect = [
            ("smtp_host", "smtp.example.com".to_owned()),
            ("from", "kpulse@example.com".to_owned()),
            ("to", "a@example.com+b@example.com".to_owned()),
        ];
        assert_eq!(settings(&answers.unwrap()), expect);
        assert!(said.contains("it cannot do without"), "{said}");
        let (ended, _) = hold("--name prod --channel email", "smtp.example.com\n", "");
        assert_eq!(ended.unwrap_err().to_string(), "the answers ended too soon; nothing was written");
    }

    #[test]
    fn where_nobody_can_be_asked_it_is_said_what_is_missing() {
        let said = |words: &str, environment: &[(&str, &str)]| {
            let value =
                |key: &str| environment.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
            Answers::said(&args(words), None, value).map_err(|error| error.to_string())
        };
        assert!(said("", &[]).unwrap_err().contains("say --channel KIND, one of slack, "));
        assert!(said("--channel slack", &[]).unwrap_err().contains("say --name NAME"));
        let secret = said("--channel slack --name prod", &[]).unwrap_err();
        assert!(secret.ends_with("put it into the environment variable SLACK_WEBHOOK_URL"), "{secret}");
        let setting = said("--channel telegram --name prod", &[("TELEGRAM_BOT_TOKEN", "t")]).unwrap_err();
        assert!(setting.ends_with("say --set chat_id=…"), "{setting}");
        let unknown = said("--channel slack --name prod --set chanel=x", &[]).unwrap_err();
        assert!(unknown.starts_with("--set chanel: slack has webhook_url_from_secret, "), "{unknown}");
        let answers =
            said("--channel telegram --name prod --set chat_id=-100", &[("TELEGRAM_BOT_TOKEN", "t")]).unwrap();
        assert_eq!(settings(&answers)[0], ("chat_id", "-100".to_owned()));
    }
}
