//! Finds the awaited reply in what a line delivers, whatever stands around it. No I/O, no time.
//!
//! Bytes come in any chunks into a buffer of fixed size. Noise, broken frames, other boards' frames
//! and our own echo are dropped and counted. A frame cut short by noise must not hide the reply
//! behind it: after a quiet time [`Scanner::look_further`] searches on without giving up the start.
//! On a line with echo the request's own bytes come first: they are stripped and compared, and what
//! differs is a collision. While the echo is not known, a reply that is byte for byte the request
//! proves nothing, and each hit says so.

use crate::bus::codec::{Call, Codec, Frame, Mismatch, Parsed, Refusal, Reply, Skipped};

/// Size of the receive buffer: more than the longest frame.
pub const BUFFER_BYTES: usize = 64;

/// Whether the adapter hears itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Echo {
    /// Not seen a reply yet that could tell.
    #[default]
    Unknown,
    /// A read was answered without its own bytes before it.
    Absent,
    /// Our own request came back. Stands until the port is opened anew.
    Present,
}

/// What was counted while waiting for one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Bytes that belong to no frame.
    pub noise_bytes: u32,
    /// Frames of the awaited shape with a wrong checksum or end mark.
    pub bad_checksum: u32,
    /// Intact frames of other boards.
    pub wrong_address: u32,
    /// The last board that spoke out of turn.
    pub stranger: Option<u8>,
    /// Intact frames of the right board that answer something else.
    pub mismatched: u32,
    /// Intact frames with which a board told of a change by itself.
    pub unsolicited: u32,
    /// Bytes of our own that came back.
    pub echo_bytes: u32,
    /// Expected echoes that came back different or not at all: somebody talked into our request.
    pub collisions: u32,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.noise_bytes, "bytes of noise"),
            (self.bad_checksum, "bad checksums"),
            (self.wrong_address, "frames of other boards"),
            (self.mismatched, "answers to something else"),
            (self.unsolicited, "frames nobody asked for"),
            (self.echo_bytes, "bytes of our own echo"),
            (self.collisions, "collisions"),
        ];
        let seen = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> = seen.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(if words.is_empty() { "nothing" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

/// What ended the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The board answered. `proven` is false when an echo would have looked the same.
    Reply {
        /// What it says.
        reply: Reply,
        /// Whether only the board can have sent it.
        proven: bool,
    },
    /// The board refused.
    Refused(Refusal),
}

/// The receive side of one transaction.
pub struct Scanner<'a> {
    codec: &'a dyn Codec,
    call: &'a Call,
    echo: Echo,
    /// The request, as long as its echo is still to come.
    awaited_echo: Option<Frame>,
    buffer: Vec<u8>,
    twins: u32,
    tally: Tally,
}

impl<'a> Scanner<'a> {
    /// Begins to wait for the reply to `call` on a line with the given echo.
    #[must_use]
    pub fn new(codec: &'a dyn Codec, call: &'a Call, echo: Echo) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        let awaited_echo = if echo == Echo::Present { codec.encode(call).ok() } else { None };
        Self { codec, call, echo, awaited_echo, buffer, twins: 0, tally: Tally::default() }
    }

    /// Takes received bytes; returns the reply as soon as it is whole. Bytes behind it are dropped.
    pub fn push(&mut self, mut bytes: &[u8]) -> Option<Heard> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if let Some(heard) = self.advance() {
                return Some(heard);
            }
            // No frame is as long as the buffer, so a full one starts with noise.
            if self.buffer.len() == BUFFER_BYTES {
                self.skip(1, Skipped::Noise);
            }
        }
        None
    }

    /// After a quiet time: takes what may be the whole frame, and looks for a reply behind what may
    /// be a frame cut short.
    pub fn look_further(&mut self) -> Option<Heard> {
        if self.awaited_echo.take().is_some() {
            self.tally.collisions += u32::from(!self.buffer.is_empty());
            if let Some(heard) = self.advance() {
                return Some(heard);
            }
        }
        while let Parsed::Discard { bytes, why } = self.codec.parse_at_rest(&self.buffer, self.call)
        {
            self.discard(bytes, why);
        }
        let hit = (0..self.buffer.len()).find(|at| {
            let parsed = self.codec.parse_at_rest(&self.buffer[*at..], self.call);
            matches!(parsed, Parsed::Reply { .. } | Parsed::Refused { .. })
        })?;
        if hit > 0 {
            self.skip(hit, Skipped::Noise);
        }
        let parsed = self.codec.parse_at_rest(&self.buffer, self.call);
        self.take(parsed).or_else(|| self.advance())
    }

    /// Whether bytes wait for their rest.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// How many bytes wait for their rest; always below [`BUFFER_BYTES`].
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// What was counted; bytes of an unfinished frame count as noise.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let rest = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        Tally { noise_bytes: self.tally.noise_bytes.saturating_add(rest), ..self.tally }
    }

    /// What is now known of the line's echo, given how the wait ended.
    #[must_use]
    pub fn echo(&self, heard: Option<&Heard>) -> Echo {
        let tells = self.twins == 0 && matches!(heard, Some(Heard::Reply { .. }));
        let clean = self.tally == Tally::default();
        match self.echo {
            _ if self.tally.echo_bytes > 0 => Echo::Present,
            Echo::Unknown if tells && clean => Echo::Absent,
            known => known,
        }
    }

    /// Whether an echo was expected and something else came.
    #[must_use]
    pub fn missed_echo(&self) -> bool {
        self.tally.collisions > 0
    }

    /// Strips the request that the adapter heard of itself. False: more bytes are needed to tell.
    fn strip_echo(&mut self) -> bool {
        let Some(sent) = &self.awaited_echo else { return true };
        let sent = sent.bytes();
        let length = sent.len();
        let begins = |at: usize| {
            let rest = &self.buffer[at..];
            sent.starts_with(&rest[..rest.len().min(length)])
        };
        match (0..self.buffer.len()).find(|at| begins(*at)) {
            Some(at) if self.buffer.len() >= at + length => {
                self.awaited_echo = None;
                if at > 0 {
                    self.skip(at, Skipped::Noise);
                }
                self.discard(length, Mismatch::Echo);
            }
            None if self.buffer.len() >= length => {
                self.awaited_echo = None;
                self.tally.collisions += 1;
            }
            // Half an echo, or noise before it.
            Some(_) | None => return false,
        }
        true
    }

    fn advance(&mut self) -> Option<Heard> {
        if !self.strip_echo() {
            return None;
        }
        while !self.buffer.is_empty() {
            let parsed = self.codec.parse(&self.buffer, self.call);
            if parsed == Parsed::NeedMore {
                return None;
            }
            if let Some(heard) = self.take(parsed) {
                return Some(heard);
            }
        }
        None
    }

    /// Drops what was judged, and counts it; returns what ends the wait.
    fn take(&mut self, parsed: Parsed) -> Option<Heard> {
        match parsed {
            Parsed::NeedMore => {}
            Parsed::Skip { bytes, why } => self.skip(bytes, why),
            Parsed::Discard { bytes, why } => self.discard(bytes, why),
            Parsed::Refused { bytes, refusal } => {
                self.drop_front(bytes);
                return Some(Heard::Refused(refusal));
            }
            Parsed::Reply { bytes, reply, like_request } => {
                self.drop_front(bytes);
                self.twins += u32::from(like_request);
                let proven = !like_request || self.echo != Echo::Unknown;
                return Some(Heard::Reply { reply, proven });
            }
        }
        None
    }

    fn skip(&mut self, bytes: usize, why: Skipped) {
        self.drop_front(bytes);
        self.tally.noise_bytes = self.tally.noise_bytes.saturating_add(count(bytes));
        self.tally.bad_checksum += u32::from(why == Skipped::BadChecksum);
    }

    fn discard(&mut self, bytes: usize, why: Mismatch) {
        self.drop_front(bytes);
        match why {
            Mismatch::Address(stranger) => {
                self.tally.wrong_address += 1;
                self.tally.stranger = Some(stranger);
            }
            Mismatch::Echo => self.tally.echo_bytes += count(bytes),
            Mismatch::Command | Mismatch::Lock | Mismatch::Length => self.tally.mismatched += 1,
            Mismatch::Unsolicited => self.tally.unsolicited += 1,
        }
    }

    fn drop_front(&mut self, bytes: usize) {
        // A codec that reported nothing would spin here.
        let bytes = bytes.clamp(1, self.buffer.len());
        self.buffer.drain(..bytes);
    }
}

fn count(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
