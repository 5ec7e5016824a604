//! The configuration file as a tree in which every key and value knows its place, so that a fault found later can
//! be shown where the user wrote it.

use std::fmt;

use figment::value::{Dict, Empty, Num, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, RenderOptions, SnippetMode, Spanned, UserMessageFormatter};

use super::key_path::KeyPath;
use super::problem::{ConfigError, ConfigProblem};

/// A YAML file: its name, its text and what stands where. It has no `Debug` output, since its text may hold addresses.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) name: String,
    text: String,
    root: Option<Spanned<Node>>,
}

/// What stands at one place of the file.
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Self>>),
    Block(Vec<(Spanned<String>, Spanned<Self>)>),
}

/// A place in the file: line and column count from one, the length in characters may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) length: u64,
}

/// Which part of a setting is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
}

/// A key that stands twice in one block.
#[derive(Debug)]
pub(crate) struct Duplicate {
    pub(crate) path: KeyPath,
    pub(crate) place: Place,
    pub(crate) first_line: u64,
}

impl Document {
    /// Reads a text; one without content is an empty block. Fails where it is not YAML, or something else than keys.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let document = Self { name: name.to_owned(), text: text.to_owned(), root: None };
        let options = serde_saphyr::options! {
            // All of a file's duplicates are told, not only the first.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
            // A parser that hands over comments takes no more than 96 of them in a row; people leave out whole pages.
            emit_comments: false,
        };
        match serde_saphyr::from_str_with_options::<Option<Spanned<Node>>>(text, options) {
            Err(error) => Err(document.not_yaml(&error)),
            Ok(Some(root)) if !matches!(root.value, Node::Block(_)) => Err(document.no_block(&root)),
            Ok(root) => Ok(Self { root, ..document }),
        }
    }

    /// What a text that is not a file says; nothing if it is not YAML.
    pub(crate) fn parse_value(text: &str) -> Option<Value> {
        serde_saphyr::from_str::<Spanned<Node>>(text).ok().map(|root| root.value.plain())
    }

    /// The line with this number, counted from one.
    pub(crate) fn line(&self, number: u64) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.text.lines().nth(index)
    }

    /// Everything in the file, without places. Of a key that stands twice the first counts.
    pub(crate) fn values(&self) -> Value {
        self.root.as_ref().map_or_else(|| Value::from(Dict::new()), |root| root.value.plain())
    }

    /// Where a setting stands. Nothing if the file does not have it.
    pub(crate) fn place(&self, path: &KeyPath, part: Part) -> Option<Place> {
        let Found { key, node, by_alias } = self.find(path)?;
        match (part, key, &node.value) {
            // Of a key without a value only the key can be shown.
            (Part::Key, Some(key), _) | (Part::Value, Some(key), Node::Scalar(Value::Empty(..))) => Some(place(key)),
            // What an alias brought along stands where it was written; the alias itself, where it is.
            _ => Some(place(if by_alias { node.defined } else { node.referenced }).cropped(&node.value)),
        }
    }

    /// A scalar as the user wrote it: `0123`, where YAML reads a number.
    pub(crate) fn written(&self, path: &KeyPath) -> Option<&str> {
        let Found { node, .. } = self.find(path)?;
        let span = node.defined.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        matches!(node.value, Node::Scalar(_)).then(|| self.text.get(start..end).map(str::trim))?
    }

    /// Every key that stands twice in its block.
    pub(crate) fn duplicates(&self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        if let Some(root) = &self.root {
            root.value.duplicates(&KeyPath::default(), &mut found);
        }
        found
    }

    /// The fault in the words of the parser.
    fn not_yaml(&self, error: &serde_saphyr::Error) -> ConfigError {
        let mut options = RenderOptions::new(&UserMessageFormatter);
        options.snippets = SnippetMode::Off;
        let text = error.without_snippet().render_with_options(options);
        // The place is told in our own way.
        let fault = text.rsplit_once(" at line ").map_or(text.as_str(), |(fault, _)| fault);
        let remedy = "look at this line and those before it: indentation, brackets, quotes";
        let problem = ConfigProblem::of_file(&self.name, fault, remedy);
        let problem = match error.location() {
            Some(location) => problem.at(self, place(location)),
            None => problem,
        };
        ConfigError { problems: vec![problem] }
    }

    fn no_block(&self, root: &Spanned<Node>) -> ConfigError {
        let fault = "expected keys at the top of the file";
        let remedy = "start with a key, for example `cluster: {name: prod-eu}`";
        let problem = ConfigProblem::of_file(&self.name, fault, remedy);
        ConfigError { problems: vec![problem.at(self, place(root.referenced).cropped(&root.value))] }
    }

    fn find(&self, path: &KeyPath) -> Option<Found<'_>> {
        let root = Found { key: None, node: self.root.as_ref()?, by_alias: false };
        path.steps().iter().try_fold(root, |found, step| found.child(step))
    }
}

/// A node on the way to a place: its key if it has one, and whether an alias further out brought it there.
struct Found<'a> {
    key: Option<Location>,
    node: &'a Spanned<Node>,
    by_alias: bool,
}

impl<'a> Found<'a> {
    fn child(&self, step: &str) -> Option<Self> {
        let by_alias = self.by_alias || self.node.referenced != self.node.defined;
        match &self.node.value {
            Node::Scalar(_) => None,
            Node::List(items) => {
                let node: &'a Spanned<Node> = items.get(step.parse::<usize>().ok()?)?;
                Some(Self { key: None, node, by_alias })
            }
            Node::Block(entries) => {
                let (key, node) = entries.iter().find(|(key, _)| key.value == step)?;
                let merged = key.referenced != key.defined;
                Some(Self { key: Some(key.defined), node, by_alias: by_alias || merged })
            }
        }
    }
}

impl Node {
    fn plain(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(|item| item.value.plain()).collect::<Vec<_>>().into(),
            // From the back, so that the first of two equal keys stays.
            Self::Block(entries) => {
                let entries = entries.iter().rev();
                entries.map(|(key, node)| (key.value.clone(), node.value.plain())).collect::<Dict>().into()
            }
        }
    }

    fn walk(&self, path: &KeyPath, visit: &mut dyn FnMut(&KeyPath, &Self)) {
        visit(path, self);
        match self {
            Self::Scalar(_) => {}
            Self::List(items) => {
                for (position, item) in items.iter().enumerate() {
                    item.value.walk(&path.child(position.to_string()), visit);
                }
            }
            Self::Block(entries) => {
                for (key, node) in entries {
                    node.value.walk(&path.child(&key.value), visit);
                }
            }
        }
    }

    fn duplicates(&self, root: &KeyPath, found: &mut Vec<Duplicate>) {
        self.walk(root, &mut |path, node| {
            let Self::Block(entries) = node else { return };
            for (position, (key, _)) in entries.iter().enumerate() {
                if let Some((first, _)) = entries.iter().take(position).find(|(first, _)| first.value == key.value) {
                    found.push(Duplicate {
                        path: path.child(&key.value),
                        place: place(key.referenced),
                        first_line: first.referenced.line(),
                    });
                }
            }
        });
    }
}

impl Place {
    /// Blocks and lists are pointed at where they begin, not along all of their text.
    fn cropped(self, node: &Node) -> Self {
        match node {
            Node::Scalar(_) => self,
            Node::List(_) | Node::Block(_) => Self { length: 1, ..self },
        }
    }
}

fn place(location: Location) -> Place {
    Place { line: location.line(), column: location.column(), length: location.span().len() }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(node: D) -> Result<Self, D::Error> {
        node.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Num::from(value).into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(Num::from(value).into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(Num::from(value).into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(Num::from(value).into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(Num::from(value).into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Empty::Unit.into()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Empty::None.into()))
    }

    fn visit_some<D: Deserializer<'de>>(self, node: D) -> Result<Node, D::Error> {
        node.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut block: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = block.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Block(entries))
    }
}
