//! Cuts what a client sends into the frames of one family.
//!
//! Each family says what stands at the start of the buffer; this keeps the rest until more comes
//! or the line falls silent. It never keeps more than it was just given and the longest frame, for
//! every family caps its lengths. One framer per family and line; `line.rs` feeds them.

use super::config::SimFamily;

/// What stands at the start of a receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Too little to tell.
    More,
    /// A frame of this many bytes, integrity checked.
    Frame(usize),
    /// This many bytes belong to no frame.
    Noise(usize),
    /// A broken frame: the board hears nothing more until the line falls silent.
    Broken,
}

/// Cuts the byte stream of one family into frames.
#[derive(Debug)]
pub(super) struct Framer {
    pub(super) family: SimFamily,
    buffer: Vec<u8>,
    deaf: bool,
    /// Bytes were thrown away since the last silence.
    pub(super) bad: bool,
}

impl Framer {
    /// An empty framer.
    pub(super) const fn new(family: SimFamily) -> Self {
        Self { family, buffer: Vec::new(), deaf: false, bad: false }
    }

    /// Whether nothing is waiting for its end.
    pub(super) const fn is_idle(&self) -> bool {
        self.buffer.is_empty() && !self.deaf
    }

    /// Takes received bytes and returns the frames they complete. Never keeps more than it was
    /// just given and the longest frame, for every family caps its lengths.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        if self.deaf {
            return frames;
        }
        self.buffer.extend_from_slice(bytes);
        while !self.buffer.is_empty() {
            match self.family.find_frame(&self.buffer) {
                Found::More => break,
                Found::Frame(len) => frames.push(self.buffer.drain(..len).collect()),
                Found::Noise(len) => {
                    self.bad = true;
                    self.buffer.drain(..len);
                }
                Found::Broken => {
                    self.bad = true;
                    self.deaf = true;
                    self.buffer.clear();
                }
            }
        }
        frames
    }

    /// Drops what was received so far: it was for another family.
    pub(super) fn forget(&mut self) {
        self.deaf = false;
        self.bad = false;
        self.buffer.clear();
    }

    /// The line fell silent: a half frame is thrown away, or taken if it is whole after all.
    pub(super) fn silence(&mut self) -> Option<Vec<u8>> {
        self.deaf = false;
        let rest = std::mem::take(&mut self.buffer);
        if rest.is_empty() {
            return None;
        }
        if self.family.frame_at_silence(&rest) {
            return Some(rest);
        }
        self.bad = true;
        None
    }
}
