//! Any bytes in any chunks while any call waits for its answer: nothing panics, the buffer stays
//! bounded, no more bytes are judged than there are, and nothing passes without integrity.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lockerd::bus::codec::{FRAME_BYTES_MAX, Parsed, codec};
use lockerd::bus::scanner::{BUFFER_BYTES, Scanner};
use lockerd_fuzz::{Setting, chunks, rules};

fuzz_target!(|data: &[u8]| {
    let Some((setting, bytes)) = Setting::read(data) else { return };
    let (codec, family) = (codec(setting.family), setting.family.name());
    let mut scanner = Scanner::new(codec, &setting.call, setting.echo);
    let mut pushed = Vec::new();
    for chunk in chunks(bytes) {
        pushed.extend_from_slice(chunk);
        let heard = scanner.push(chunk).or_else(|| scanner.look_further());
        assert!(scanner.buffered() < BUFFER_BYTES);
        assert!(heard.is_none() || rules::holds_somewhere(family, &pushed), "{heard:?}");
    }
    for at in 0..pushed.len() {
        let rest = &pushed[at..pushed.len().min(at + BUFFER_BYTES)];
        for parsed in [codec.parse(rest, &setting.call), codec.parse_at_rest(rest, &setting.call)] {
            match parsed {
                Parsed::NeedMore => assert!(rest.len() < FRAME_BYTES_MAX),
                Parsed::Skip { bytes, .. } => assert!((1..=rest.len()).contains(&bytes)),
                Parsed::Reply { bytes, .. }
                | Parsed::Refused { bytes, .. }
                | Parsed::Discard { bytes, .. } => {
                    assert!(rules::holds(family, &rest[..bytes]), "{parsed:?}");
                }
            }
        }
    }
});
