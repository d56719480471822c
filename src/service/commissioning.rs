//! c
pub mod paper;
