//! Who must be told what, and why.

pub mod route;
pub use route::Route;
