//! Certificates, as a TLS Secret holds them: when each begins and ends, whom it is for and who issued it.
//!
//! Nothing is verified: whether a chain is trusted is for its clients to say. What is read is what people need to
//! know before it ends.

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name as DistinguishedName;
use x509_cert::time::Time;

use crate::Name;

/// The API server takes no Secret with more data than this.
const LARGEST: usize = 1 << 20;
/// So many certificates of one chain are read; what comes after is a bundle of roots that somebody put there.
const LONGEST: usize = 32;
/// So many names of one certificate are kept.
const NAMES: usize = 8;
/// So much of one name is kept.
const NAME_LENGTH: usize = 100;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// What `tls.crt` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Certificates {
    /// Nothing: somebody made the Secret for another to fill.
    #[default]
    Empty,
    /// A chain of one or more, the server's own certificate first.
    Chain(Vec<Certificate>),
    /// Something that no server could use.
    Unreadable(CertificateFault),
}

/// Why `tls.crt` cannot be read. Nothing of its content is told: it may be a key in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// It is too large to be looked at.
    #[error("tls.crt is larger than 1 MiB")]
    TooLarge,
    /// The entry is not what the API writes.
    #[error("tls.crt is not base64")]
    NotBase64,
    /// There is no PEM block of a certificate.
    #[error("tls.crt holds no PEM certificate")]
    NoCertificate,
    /// A PEM block has no end.
    #[error("certificate {number} in tls.crt is cut off")]
    CutOff {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A PEM block does not hold base64.
    #[error("certificate {number} in tls.crt is not base64")]
    BadPem {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A PEM block does not hold an X.509 certificate.
    #[error("certificate {number} in tls.crt is not an X.509 certificate: {fault}")]
    BadCertificate {
        /// Which one, counted from 1.
        number: usize,
        /// What the decoder says.
        fault: String,
    },
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid. One without an end ends where time does.
    pub not_after: Timestamp,
    /// Its issuer's number for it, in hexadecimal.
    pub serial: Name,
    /// The common name of its subject.
    pub common_name: Option<Name>,
    /// Whom it is for: the first of its alternative names.
    pub names: Vec<Name>,
    /// How many alternative names it has altogether.
    pub name_count: usize,
    /// Who issued it: `Let's Encrypt R11`.
    pub issuer: Name,
    /// What tells it from all others: copies of one certificate have the same.
    pub fingerprint: Name,
}

impl Certificate {
    /// What people call it: its subject's common name, else the first name it is for, else its number.
    #[must_use]
    pub fn name(&self) -> &str {
        self.common_name.as_ref().or(self.names.first()).unwrap_or(&self.serial)
    }
}

/// Reads the entry as the API writes it: base64 of PEM.
impl From<&str> for Certificates {
    fn from(entry: &str) -> Self {
        match read(entry) {
            Ok(chain) if chain.is_empty() => Self::Empty,
            Ok(chain) => Self::Chain(chain),
            Err(fault) => Self::Unreadable(fault),
        }
    }
}

fn read(entry: &str) -> Result<Vec<Certificate>, CertificateFault> {
    if entry.len() > LARGEST / 3 * 4 + 4 {
        return Err(CertificateFault::TooLarge);
    }
    let pem = Base64::decode_vec(entry).map_err(|_| CertificateFault::NotBase64)?;
    let pem = String::from_utf8_lossy(&pem);
    if pem.trim().is_empty() {
        return Ok(Vec::new());
    }
    let chain: Vec<Certificate> =
        Blocks { rest: &pem, number: 0 }.take(LONGEST).map(|block| certificate(&block?)).collect::<Result<_, _>>()?;
    if chain.is_empty() { Err(CertificateFault::NoCertificate) } else { Ok(chain) }
}

/// The PEM blocks of certificates in a text; comments and blocks of any other kind are passed over, as servers do.
struct Blocks<'a> {
    rest: &'a str,
    number: usize,
}

/// What stands between the begin and the end of a block.
struct Block<'a> {
    number: usize,
    body: &'a str,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, CertificateFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (_, after) = self.rest.split_once("-----BEGIN ")?;
            let (label, after) = after.split_once("-----")?;
            self.rest = after;
            if matches!(label, "CERTIFICATE" | "X509 CERTIFICATE") {
                self.number += 1;
                let number = self.number;
                let Some((body, rest)) = after.split_once("-----END ") else {
                    self.rest = "";
                    return Some(Err(CertificateFault::CutOff { number }));
                };
                self.rest = rest;
                return Some(Ok(Block { number, body }));
            }
        }
    }
}

fn certificate(block: &Block<'_>) -> Result<Certificate, CertificateFault> {
    let number = block.number;
    let base64: String = block.body.split_whitespace().collect();
    let der = Base64::decode_vec(&base64).map_err(|_| CertificateFault::BadPem { number })?;
    // `Raw`: serial numbers that are negative or too long are bad manners, not trouble.
    let parsed = CertificateInner::<Raw>::from_der(&der)
        .map_err(|fault| CertificateFault::BadCertificate { number, fault: fault.to_string() })?;
    let tbs = parsed.tbs_certificate();
    // Alternative names that cannot be read are no names; the certificate ends all the same.
    let names = tbs.get_extension::<SubjectAltName>().ok().flatten().map(|(_, SubjectAltName(names))| names);
    let names = names.unwrap_or_default();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(Certificate {
        not_before: timestamp(tbs.validity().not_before),
        not_after: timestamp(tbs.validity().not_after),
        serial: shortened(&hex(tbs.serial_number().as_bytes())),
        common_name: attribute(tbs.subject(), COMMON_NAME),
        names: names.iter().filter_map(alternative_name).take(NAMES).collect(),
        name_count: names.iter().filter_map(alternative_name).count(),
        issuer: issuer(tbs.issuer()),
        fingerprint: hex(&Sha1::digest(&der)).into(),
    })
}

/// The last day of the year 9999, by which certificates say that they never end, is beyond what can be counted.
fn timestamp(time: Time) -> Timestamp {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Organisation and common name, which together say who it was: `Let's Encrypt R11`.
fn issuer(name: &DistinguishedName) -> Name {
    match (attribute(name, ORGANISATION), attribute(name, COMMON_NAME)) {
        (Some(organisation), Some(name)) if !name.starts_with(&*organisation) => {
            shortened(&format!("{organisation} {name}"))
        }
        (_, Some(name)) | (Some(name), None) => name,
        (None, None) => shortened(&name.to_string()),
    }
}

fn attribute(name: &DistinguishedName, wanted: ObjectIdentifier) -> Option<Name> {
    let found = name.iter().find(|attribute| attribute.oid == wanted)?;
    Some(shortened(&text(&found.value))).filter(|text| !text.is_empty())
}

/// Certificates write text in one of a dozen ways; all but one are close enough to UTF-8.
fn text(value: &Any) -> String {
    let bytes = value.value();
    if value.tag() != Tag::BmpString {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let (units, _) = bytes.as_chunks::<2>();
    char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn alternative_name(name: &GeneralName) -> Option<Name> {
    match name {
        GeneralName::DnsName(text) | GeneralName::Rfc822Name(text) | GeneralName::UniformResourceIdentifier(text) => {
            Some(shortened(text.as_str()))
        }
        GeneralName::IpAddress(address) => {
            let bytes = address.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from)).ok()?;
            Some(address.to_string().into())
        }
        _ => None,
    }
}

/// On one line, and not too long for a message: a certificate's author writes what he likes.
fn shortened(text: &str) -> Name {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut letters = text.trim().chars().map(clean);
    let mut short: String = letters.by_ref().take(NAME_LENGTH).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short.into()
}

#[cfg(test)]
mod tests;
