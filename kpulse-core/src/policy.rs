//! Who must be told what, and why.

pub(crate) mod inhibit;
pub(crate) mod owed;
mod reason;
pub mod route;
pub mod silence;
pub use reason::Reason;
pub use route::Route;
pub use silence::Silence;
