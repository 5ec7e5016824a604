//! The first page of help: commands by what they are for, in the order in which a newcomer needs them.

use std::fmt::Write;

use clap::Command;

/// Every command, by what it is for.
const GROUPS: &[(&str, &[&str])] = &[
    ("See", &["demo", "scan", "status"]),
    ("Quiet", &["silence", "unsilence"]),
    ("Set up", &["init", "check", "test-channel", "test-route", "rbac"]),
    ("Run", &["run"]),
    ("Look back", &["record", "replay"]),
    ("The program", &["version", "completions", "help"]),
];

const EXAMPLES: &str = "\
Start here:
  kpulse demo                  watch a cluster break and heal that is not there
  kpulse scan                  what is broken in your cluster now
  kpulse init                  write a configuration and its secrets, and send a test
  kpulse run --config kpulse.yaml --secrets secrets --namespace default

`kpulse COMMAND --help` says more of each, with examples.";

const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}
{before-help}
Options of run:
{options}{after-help}";

/// The command line with its commands in groups.
pub(super) fn grouped(command: Command) -> Command {
    let groups = groups(&command);
    command.help_template(TEMPLATE).before_help(groups).after_help(EXAMPLES)
}

fn groups(command: &Command) -> String {
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (title, names) in GROUPS {
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "\n{title}:");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or_else(|| "Say more of a command".to_owned(), ToString::to_string);
            let _infallible = writeln!(text, "  {name:width$}  {about}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_is_in_one_group() {
        let command = Cli::command();
        let mut known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        known.push("help");
        known.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, known);
    }

    #[test]
    fn every_command_teaches_by_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.clone().render_long_help().to_string();
            let example = format!("  kpulse {}", command.get_name());
            assert!(help.contains(&example), "`kpulse {} --help` shows no example", command.get_name());
        }
    }
}
