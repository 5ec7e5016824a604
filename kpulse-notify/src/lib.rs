//! Everything that speaks to people's channels. It knows no Kubernetes, and decides nothing about what is told.
//!
//! On the line from the cluster to people this is the last stage: a
//! [`Notification`](kpulse_core::Notification) comes in, a [`Receipt`](kpulse_core::Receipt) goes back.
//!
//! - [`settings`]: which channels the configuration names, and what keeps them from being set up;
//! - [`secrets`]: values that are used and never printed;
//! - [`lane`]: a task per channel that hands over one message at a time and answers with a receipt;
//! - [`retry`]: when to try again, as a pure function;
//! - [`notifier`]: the end of the line, one attempt at one channel;
//! - [`channels`]: a file for each kind;
//! - [`http`]: the one way out over HTTP;
//! - [`heartbeat`]: a sign of life for a service that waits for it;
//! - [`log_tail`]: what a container said last, and what of it a chat shows;
//! - [`redact`](mod@redact): what looks like a secret, masked in all that others wrote;
//! - [`text`]: a message in words;
//! - [`trial`]: whether messages reach a channel;
//! - [`example`]: messages to look at.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use kpulse_notify::lane::{self, Limits};
//! use kpulse_notify::{Channels, Http, HttpSettings, Secrets, example, install_crypto, wall_clock};
//!
//! install_crypto(); // once, at the start of the program
//! let channels: Channels = serde_json::from_str(r#"{"stdout": {}}"#).unwrap();
//! let secrets = Secrets::read_dir("/etc/kpulse/secrets".as_ref()).unwrap();
//! let http = Http::new(HttpSettings::default(), wall_clock()).unwrap();
//!
//! let (receipts, mut answers) = tokio::sync::mpsc::channel(16);
//! for (name, settings) in channels.iter() {
//!     let source = settings.notifier(name, &secrets, &http); // a fault is shown, and mended by `replace`
//!     let lane = lane::spawn(name.clone(), source, receipts.clone(), wall_clock(), Limits::default());
//!     lane.send(example::firing()).unwrap();
//!     let receipt = answers.recv().await.unwrap();
//!     assert_eq!(receipt.id, example::firing().id);
//!     lane.close().await;
//! }
//! # });
//! ```

pub mod channels;
pub mod example;
pub mod heartbeat;
pub mod http;
pub mod lane;
pub mod log_tail;
pub mod notifier;
pub mod redact;
pub mod retry;
pub mod secrets;
pub mod settings;
pub mod starter;
pub mod text;
pub mod trial;

mod card;
mod clock;
mod endpoint;
mod links;
mod living;
mod markup;
mod retry_after;

pub use clock::{Clock, wall_clock};
pub use http::{Http, HttpSettings, install_crypto};
pub use lane::LaneHandle;
pub use links::Links;
pub use notifier::{Accepted, DeliveryError, Notifier};
pub use secrets::{MissingSecret, Secrets, SecretsError};
pub use settings::{ChannelSettings, Channels, Problem, SetupError, Traits};
