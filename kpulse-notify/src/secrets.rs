//! Secrets: values by key, which can be used but not printed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Holds every secret by its key. Its `Debug` output shows the keys only.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, SecretString>,
}

/// A key that the configuration names and the secrets do not hold. It may still appear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("secret {key} is missing: add the key {key} to the Secret that is mounted as the secrets directory")]
pub struct MissingSecret {
    /// The key.
    pub key: String,
}

/// The secrets directory could not be read.
#[derive(Debug, thiserror::Error)]
#[error("secrets: {}: {source}", path.display())]
pub struct SecretsError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Secrets {
    /// Reads a directory as Kubernetes mounts a Secret: each file is a key and its value, without the line ends that
    /// follow it. Directories and entries that start with `..` are passed over; a missing directory holds nothing.
    ///
    /// # Errors
    ///
    /// When something is there and cannot be read as text.
    pub fn read_dir(path: &Path) -> Result<Self, SecretsError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| SecretsError { path, source }
        };
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            entries => entries.map_err(at(path))?,
        };
        let mut values = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(at(path))?;
            // A name that is not text cannot be named in the configuration.
            let Ok(key) = entry.file_name().into_string() else { continue };
            if key.starts_with("..") {
                continue;
            }
            if let Some(value) = read(&entry.path()).map_err(at(&entry.path()))? {
                values.insert(key, value);
            }
        }
        Ok(Self { values })
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn get(&self, key: &str) -> Result<&SecretString, MissingSecret> {
        self.values.get(key).ok_or_else(|| MissingSecret { key: key.to_owned() })
    }

    /// Every key there is, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Puts the value of `KEY` where `text` says `$KEY`. A key is a capital letter or `_`, then capitals, digits and `_`;
    /// any other `$` stands for itself.
    ///
    /// # Errors
    ///
    /// When there is no such key.
    pub fn expand(&self, text: &str) -> Result<SecretString, MissingSecret> {
        let mut parts = text.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (key, rest) = part.split_at(key_length(part));
            if key.is_empty() {
                expanded.push('$');
            } else {
                expanded.push_str(self.get(key)?.expose_secret());
            }
            expanded.push_str(rest);
        }
        Ok(expanded.into())
    }
}

/// A file's text; nothing for a directory, or for a file that was swapped away meanwhile.
fn read(path: &Path) -> io::Result<Option<SecretString>> {
    let text = fs::metadata(path).and_then(|found| found.is_file().then(|| fs::read_to_string(path)).transpose());
    match text {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => Ok(text?.map(|text| text.trim_end_matches(['\r', '\n']).into())),
    }
}

/// How many bytes at the start of `text` are a key: `[A-Z_][A-Z0-9_]*`.
fn key_length(text: &str) -> usize {
    let follows = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit();
    match text.bytes().next() {
        Some(first) if !first.is_ascii_digit() => text.bytes().take_while(follows).count(),
        _ => 0,
    }
}

impl<K: Into<String>, V: Into<SecretString>> FromIterator<(K, V)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect() }
    }
}

/// Whether a reload found other secrets. Not for comparing what a stranger sent: it takes longer the more is equal.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(|((key, value), (other_key, other))| {
                key == other_key && value.expose_secret() == other.expose_secret()
            })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")?;
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A setting in which people may have written a secret: an address, a header's value. It is used and compared, but
/// not printed.
#[derive(Clone)]
pub struct Masked(SecretString);

impl Masked {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn shown(&self) -> String {
        const HIDDEN: &str = "[not shown]";
        let text = self.expose();
        if let Some((scheme, rest)) = text.split_once("://") {
            let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            // Before an `@` stands a password.
            let host = host.rsplit('@').next().unwrap_or_default();
            let path = if path.is_empty() { String::new() } else { format!("/{HIDDEN}") };
            return format!("{scheme}://{host}{path}");
        }
        let is_name =
            |word: &str| word.strip_prefix('$').is_some_and(|key| key_length(key) == key.len() && !key.is_empty());
        let is_open = |word: &str| is_name(word) || matches!(word, "Bearer" | "Basic" | "Token");
        if text.split_whitespace().all(is_open) { text.to_owned() } else { HIDDEN.to_owned() }
    }
}

impl From<&str> for Masked {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for Masked {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Text;

        /// What is no text is refused without being repeated, as serde's own errors would.
        impl Visitor<'_> for Text {
            type Value = Masked;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Masked, E> {
                Ok(Masked(text.into()))
            }

            fn visit_bool<E: de::Error>(self, _value: bool) -> Result<Masked, E> {
                Err(E::custom("a text is needed here: put the value in quotes"))
            }

            fn visit_i64<E: de::Error>(self, _value: i64) -> Result<Masked, E> {
                self.visit_bool(true)
            }

            fn visit_u64<E: de::Error>(self, _value: u64) -> Result<Masked, E> {
                self.visit_bool(true)
            }

            fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Masked, E> {
                self.visit_bool(true)
            }
        }

        value.deserialize_any(Text)
    }
}

/// As much of it as may be shown, for people to look at: of an address where it leads to, of a text that is nothing but
/// names of secrets all of it. It cannot be read again.
impl Serialize for Masked {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.shown())
    }
}

impl PartialEq for Masked {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[not shown]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        [("TOKEN", "s3cr3t"), ("_X9", "nine"), ("EMPTY", "")].into_iter().collect()
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let expanded = secrets().expand(text);
        let expanded = expanded.as_ref().map(|value| value.expose_secret()).map_err(|missing| missing.key.as_str());
        assert_eq!(expanded, expect, "{text}");
    }

    #[test]
    fn a_key_in_a_text_is_replaced_by_its_value() {
        check("", Ok(""));
        check("plain", Ok("plain"));
        check("Bearer $TOKEN", Ok("Bearer s3cr3t"));
        check("$TOKEN:$_X9", Ok("s3cr3t:nine"));
        check("$TOKENs", Ok("s3cr3ts"));
        check("a$EMPTY.b", Ok("a.b"));
        check("$TOKEN$TOKEN", Ok("s3cr3ts3cr3t"));
    }

    #[test]
    fn a_dollar_that_names_no_key_stands_for_itself() {
        check("5$ and $5 and $lower and ${TOKEN}", Ok("5$ and $5 and $lower and ${TOKEN}"));
        check("$$TOKEN $é", Ok("$s3cr3t $é"));
    }

    #[test]
    fn a_missing_key_is_named() {
        check("$TOKEN $NOT_THERE", Err("NOT_THERE"));
        check("$TOKEN2", Err("TOKEN2"));
        assert_eq!(secrets().get("NOPE").map(|_| ()).map_err(|missing| missing.key), Err("NOPE".to_owned()));
    }

    #[test]
    fn debug_output_shows_keys_only() {
        assert_eq!(format!("{:?}", secrets()), r#"Secrets{"EMPTY", "TOKEN", "_X9"}"#);
        assert_eq!(format!("{:?}", Masked::from("https://h/token")), "[not shown]");
    }

    #[test]
    fn of_what_may_be_secret_only_what_is_not_is_written() {
        for (text, shown) in [
            ("https://hooks.example/T0/B0/xyz", "https://hooks.example/[not shown]"),
            ("https://user:pass@hooks.example:8443?token=1", "https://hooks.example:8443/[not shown]"),
            ("http://alertmanager:9093", "http://alertmanager:9093"),
            ("hooks.example/T0", "[not shown]"),
            ("Bearer $TOKEN", "Bearer $TOKEN"),
            ("Bearer abc", "[not shown]"),
            ("$TOKENs3cr3t", "[not shown]"),
            ("", ""),
        ] {
            assert_eq!(serde_json::to_value(Masked::from(text)).unwrap(), shown, "{text}");
        }
    }

    #[test]
    fn other_secrets_are_seen_to_differ() {
        let other: Secrets = [("TOKEN", "other"), ("_X9", "nine"), ("EMPTY", "")].into_iter().collect();
        assert_eq!(secrets(), secrets());
        assert_ne!(secrets(), other);
        assert_ne!(secrets(), Secrets::default());
    }

    /// A directory of its own, gone at the end of the test.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("kpulse-notify-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_mounted_secret_is_read_as_kubernetes_lays_it_out() {
        let Dir(path) = &Dir::new("mounted");
        let data = path.join("..2026_11_22_17_00_00.1");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("TOKEN"), "s3cr3t\r\n\n").unwrap();
        fs::write(data.join("SPACED"), " a b \n").unwrap();
        std::os::unix::fs::symlink("..2026_11_22_17_00_00.1", path.join("..data")).unwrap();
        for key in ["TOKEN", "SPACED", "GONE"] {
            std::os::unix::fs::symlink(format!("..data/{key}"), path.join(key)).unwrap();
        }
        fs::create_dir(path.join("directory")).unwrap();
        let secrets = Secrets::read_dir(path).unwrap();
        assert_eq!(secrets.keys().collect::<Vec<_>>(), ["SPACED", "TOKEN"]);
        assert_eq!(secrets.get("TOKEN").unwrap().expose_secret(), "s3cr3t");
        assert_eq!(secrets.get("SPACED").unwrap().expose_secret(), " a b ");
    }

    #[test]
    fn a_missing_directory_holds_nothing_and_a_bad_one_is_named() {
        let Dir(path) = &Dir::new("bad");
        assert_eq!(Secrets::read_dir(&path.join("nowhere")).unwrap(), Secrets::default());
        fs::write(path.join("BINARY"), b"\xff\xfe").unwrap();
        let error = Secrets::read_dir(path).unwrap_err();
        assert_eq!(error.path, path.join("BINARY"));
        assert!(error.to_string().starts_with("secrets: ") && error.to_string().contains("BINARY"), "{error}");
        assert!(Secrets::read_dir(&path.join("BINARY")).is_err());
    }
}
