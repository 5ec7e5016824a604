//! A strict reader of Dockerfiles: what it does not know, it refuses.

use std::collections::BTreeMap;

/// One stage of a build.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// An image, or `scratch`.
    pub(crate) from: String,
    /// What other stages call it.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) arguments: BTreeMap<String, String>,
    pub(crate) user: String,
    pub(crate) entrypoint: Vec<String>,
}

/// What changes the file system.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Run(String),
    Copy {
        /// A stage; nothing for the build context.
        from: Option<String>,
        sources: Vec<String>,
        to: String,
    },
}

/// The stages of a Dockerfile, in order.
pub(crate) fn parse(text: &str) -> Result<Vec<Stage>, String> {
    let mut stages: Vec<Stage> = Vec::new();
    for line in logical_lines(text) {
        let (instruction, rest) = line.split_once(' ').ok_or_else(|| format!("{line}: nothing follows"))?;
        if instruction == "FROM" {
            let stage = from(rest, &stages)?;
            stages.push(stage);
            continue;
        }
        let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
        let stage = stages.last_mut().ok_or_else(|| format!("{instruction} before FROM"))?;
        stage.take(instruction, rest.trim(), &names).map_err(|fault| format!("{instruction}: {fault}"))?;
    }
    Ok(stages)
}

/// Without comments, and with what `\` continues on one line.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begun = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(more) => begun.push_str(&format!("{} ", more.trim_end())),
            None => lines.push(std::mem::take(&mut begun) + line),
        }
    }
    lines
}

fn from(rest: &str, before: &[Stage]) -> Result<Stage, String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (image, name) = match words[..] {
        [image, "AS", name] => (image, name),
        [image] => (image, ""),
        _ => return Err(format!("FROM {rest}: expected an image, or `image AS name`")),
    };
    let is_stage = before.iter().any(|stage| stage.name == image);
    let tag = image.split_once(':').map_or("", |(_, tag)| tag);
    if image != "scratch" && !is_stage && (tag.is_empty() || tag == "latest") {
        return Err(format!("FROM {image}: name a version, so that a build of tomorrow is that of today"));
    }
    Ok(Stage { from: image.to_owned(), name: name.to_owned(), ..Stage::default() })
}

impl Stage {
    fn take(&mut self, instruction: &str, rest: &str, stages: &[String]) -> Result<(), String> {
        match instruction {
            "RUN" => {
                let command =
                    rest.split_whitespace().skip_while(|word| word.starts_with("--mount=")).collect::<Vec<_>>();
                self.steps.push(Step::Run(command.join(" ")));
            }
            "COPY" => {
                let step = copy(rest, &self.arguments, stages)?;
                self.steps.push(step);
            }
            "ARG" => {
                let (name, value) = rest.split_once('=').ok_or("has no default")?;
                self.arguments.insert(name.to_owned(), value.to_owned());
            }
            "USER" => rest.clone_into(&mut self.user),
            "ENTRYPOINT" => self.entrypoint = serde_json::from_str(rest).map_err(|error| error.to_string())?,
            "ENV" | "EXPOSE" | "LABEL" | "WORKDIR" => {}
            _ => return Err("is not known here".to_owned()),
        }
        Ok(())
    }
}

fn copy(rest: &str, arguments: &BTreeMap<String, String>, stages: &[String]) -> Result<Step, String> {
    let (flags, mut paths): (Vec<&str>, Vec<&str>) = rest.split_whitespace().partition(|word| word.starts_with("--"));
    let from = match flags[..] {
        [] => None,
        [flag] => Some(flag.strip_prefix("--from=").ok_or_else(|| format!("{flag} is not known here"))?.to_owned()),
        _ => return Err(format!("{flags:?} are not known here")),
    };
    if let Some(missing) = from.as_ref().filter(|from| !stages.contains(from)) {
        return Err(format!("there is no stage {missing} before it"));
    }
    let to = paths.pop().filter(|_| !paths.is_empty()).ok_or("from what, and to where?")?.to_owned();
    let filled = |path: &&str| match path.strip_prefix('$') {
        Some(name) => arguments.get(name).cloned().ok_or_else(|| format!("there is no ARG {name} before it")),
        None => Ok((*path).to_owned()),
    };
    let sources = paths.iter().map(filled).collect::<Result<_, _>>()?;
    Ok(Step::Copy { from, sources, to })
}

#[test]
fn what_it_does_not_know_it_refuses() {
    let refused = |text: &str| parse(text).unwrap_err();
    for (text, fault) in [
        ("FROM alpine", "name a version"),
        ("FROM alpine:latest", "name a version"),
        ("COPY a b", "COPY before FROM"),
        ("FROM alpine:3\nCOPY --from=build a b", "there is no stage build before it"),
        ("FROM alpine:3\nCOPY $PROGRAM /bin/", "there is no ARG PROGRAM before it"),
        ("FROM alpine:3\nCOPY a", "from what, and to where?"),
        ("FROM alpine:3\nADD a b", "is not known here"),
        ("FROM alpine:3\nENTRYPOINT kpulse", "expected"),
    ] {
        assert!(refused(text).contains(fault), "{text}: {}", refused(text));
    }
    let stages = parse("FROM a:1 AS x\nRUN --mount=type=cache,target=/c \\\n  b \\\n  # why\n  c\nFROM scratch\nCOPY --from=x /d /e/\nUSER 1:1\n").unwrap();
    assert_eq!(stages[0].steps, [Step::Run("b c".to_owned())]);
    let copied = Step::Copy { from: Some("x".to_owned()), sources: vec!["/d".to_owned()], to: "/e/".to_owned() };
    assert_eq!((&stages[1].steps[..], stages[1].user.as_str()), (&[copied][..], "1:1"));
}
