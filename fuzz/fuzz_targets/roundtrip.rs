//! Any call encoded: it is one intact frame, opens the one lock it names or nothing, and is known
//! when it comes back. And the reply to a status is found behind any noise in any chunks, unless the
//! noise itself is an intact frame, alone or with what follows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lockerd::bus::codec::{Mismatch, Parsed, Request, codec};
use lockerd::bus::explain;
use lockerd::bus::scanner::{Echo, Heard, Scanner};
use lockerd_fuzz::rules::{self, Effect, effect, holds};
use lockerd_fuzz::{Setting, chunks, status_reply};

fuzz_target!(|data: &[u8]| {
    let Some((setting, rest)) = Setting::read(data) else { return };
    let Setting { family, call, echo } = setting;
    let codec = codec(family);
    let Ok(frame) = codec.encode(&call) else { return };
    let sent = frame.bytes();
    assert!(holds(family.name(), sent));
    let said = explain(family, sent);
    assert!(said.error.is_none() && said.frames.len() == 1, "{said:?}");
    let expected = match call.request {
        Request::Pulse { lock, .. } | Request::On { lock } => {
            Effect::Opens { board: call.address, lock }
        }
        _ => Effect::None,
    };
    assert_eq!(effect(family.name(), sent), expected, "{sent:02X?}");
    match codec.parse_at_rest(sent, &call) {
        Parsed::Discard { bytes, why: Mismatch::Echo }
        | Parsed::Reply { bytes, like_request: true, .. } => assert_eq!(bytes, sent.len()),
        other => panic!("{call:?}: {other:?}"),
    }

    let Some((data, noise)) = rest.split_first_chunk::<12>() else { return };
    if call.request != Request::Status {
        return;
    }
    let reply = status_reply(family, &call, data);
    let Parsed::Reply { bytes, reply: expected, .. } = codec.parse_at_rest(&reply, &call) else {
        panic!("{call:?} {reply:02X?}")
    };
    assert_eq!(bytes, reply.len());
    let noise: Vec<_> = chunks(noise).map(<[u8]>::to_vec).collect();
    let all = [noise.concat(), reply.clone()].concat();
    let length = all.len() - reply.len();
    if (0..length).any(|at| rules::begins_intact(family.name(), &all[at..])) {
        return;
    }
    let mut scanner = Scanner::new(codec, &call, echo);
    // On a line known to echo, our own request comes first.
    let echoed = if echo == Echo::Present { sent.to_vec() } else { Vec::new() };
    let line = [&echoed].into_iter().chain(&noise).chain([&reply]);
    let mut heard = line.into_iter().find_map(|chunk| scanner.push(chunk));
    heard = heard.or_else(|| scanner.look_further());
    let Some(Heard::Reply { reply: found, .. }) = heard else { panic!("{heard:?} {all:02X?}") };
    assert_eq!(found, expected, "{all:02X?}");
});
