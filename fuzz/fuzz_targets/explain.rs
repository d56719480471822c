//! Any bytes read aloud as any family: every named frame is intact and stands where it is said to
//! stand, in order; bytes are accepted only when all behind the leading ones are frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lockerd::bus::explain;
use lockerd::domain::channel::Family;
use lockerd_fuzz::rules;

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let family = Family::ALL[usize::from(*first) % Family::ALL.len()];
    let said = explain(family, bytes);
    let mut end = said.leading.len();
    assert!(bytes.starts_with(&said.leading));
    for frame in &said.frames {
        assert!(frame.offset >= end, "in order and apart");
        end = frame.offset + frame.bytes.len();
        assert_eq!(bytes[frame.offset..end], frame.bytes);
        assert!(rules::holds(family.name(), &frame.bytes), "{frame:?}");
        assert!(!frame.meaning.is_empty());
    }
    if said.error.is_none() {
        let framed: usize = said.frames.iter().map(|frame| frame.bytes.len()).sum();
        assert!(!said.frames.is_empty());
        assert_eq!(said.leading.len() + framed, bytes.len());
    }
});
