//! Takes what channels send and shows what arrived.
