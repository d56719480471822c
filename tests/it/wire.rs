//! Hardware in the loop: the real binary on pseudo-terminals and gateways, every family of boards,
//! every fault of the protocol page (§8).
//!
//! One server drives a line of each kind at the same time (`rig`, `lines`), so that a test takes as
//! long as its slowest line. Each test ends with the simulator's own verdict on the client; what a
//! fault itself makes the client do is excused by name, and nothing else.

mod away;
mod boards;
mod echo;
mod lines;
mod openings;
mod polls;
mod restart;
mod rig;
