//! Who must be told what, and why.

pub(crate) mod owed;
pub mod route;
pub use route::Route;
