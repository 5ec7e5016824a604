//! An API server in this process.
