//! Integration tests: the real binary on loopback, against simulated boards on pseudo-terminals.
//!
//! Each test starts what it needs (`support`) and shares nothing with the others, so they run in
//! parallel. Where time must be turned (`hold`), the same parts run inside the test process on a
//! clock that is moved by hand.

mod alarms;
mod authorisation;
mod bad_input;
mod cli;
mod commissioning;
mod crash;
mod degraded;
mod durability;
mod flow;
mod hold;
mod live;
mod mass_opening;
mod opening;
mod race;
mod returning;
mod routes;
mod shortages;
mod simulator;
mod support;
mod wire;
