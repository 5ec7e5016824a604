//! `tls_cert_expiry` from observation to message.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

/// What `fixtures/tls/make.sh` made.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/tls/", $name, ".pem"))
    };
}

mod copies;
mod due;
mod ends;
mod memory;
mod settings;
mod timeline;
mod unknown;

/// Ends on 5 December 2026, 09:14.
const SHOP: &str = fixture!("shop");
/// The same, issued anew: ends on 3 February 2027.
const RENEWED: &str = fixture!("shop-renewed");
