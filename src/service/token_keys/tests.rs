//! Tokens and their keys, with the keys on disk.

use data_encoding::BASE64URL_NOPAD;
use tempfile::TempDir;

use super::*;
use crate::domain::id::MemberId;

const CALLER: Caller = Caller {
    member_id: MemberId(7),
    role: Role::Staff,
    session_id: SessionId(3),
    method: Method::Password,
    strong: true,
};

fn now() -> Timestamp {
    "2026-09-01T00:00:00Z".parse().expect("a time")
}

fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn load(place: &TempDir, at: Timestamp) -> TokenKeys {
    TokenKeys::load(Secrets::new(place.path(), None), at).expect("keys")
}

fn place() -> TempDir {
    tempfile::tempdir().expect("a place")
}

fn token(keys: &TokenKeys, age_s: i64) -> String {
    let issued = now() - SignedDuration::from_secs(age_s);
    keys.issue(CALLER, issued, SignedDuration::from_mins(30)).expect("signed")
}

/// The token with another head or other claims; the signature stays.
fn forged(token: &str, part: usize, change: impl Fn(&mut serde_json::Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let bytes = BASE64URL_NOPAD.decode(parts[part].as_bytes()).expect("its own text");
    let mut value = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut value);
    parts[part] = BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    parts.join(".")
}

#[test]
fn a_token_comes_back_as_its_caller() {
    let place = place();
    let keys = load(&place, now());
    assert_eq!(keys.check(&token(&keys, 0), now()).expect("good"), CALLER);
    let again = load(&place, now());
    assert_eq!(again.check(&token(&keys, 0), now()).expect("the same key"), CALLER);
}

#[test]
fn old_foreign_changed_and_unsigned_tokens_are_refused() {
    let (place, elsewhere) = (place(), place());
    let (keys, foreign) = (load(&place, now()), load(&elsewhere, now()));
    let good = token(&keys, 0);
    let mut bad = vec![token(&keys, 3600), token(&keys, -3600), token(&foreign, 0)];
    bad.push(forged(&token(&foreign, 0), 0, |head| {
        head["kid"] = keys.ring.load().current.name.clone().into();
    }));
    for (key, value) in [("alg", "none"), ("alg", "HS512"), ("typ", "JWT"), ("kid", "x")] {
        bad.push(forged(&good, 0, |head| head[key] = value.into()));
    }
    bad.push(forged(&good, 1, |claims| claims["sub"] = "8".into()));
    bad.push(format!("{}.", good.rsplit_once('.').expect("three parts").0));
    bad.extend(["", ".", "..", "a.b.c"].map(str::to_owned));
    for at in (0..good.len()).step_by(3) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(bytes).expect("ASCII"));
    }
    for bad in bad {
        assert!(keys.check(&bad, now()).is_err(), "{bad}");
    }
}

/// Tokens of this site for another purpose, signed with the very same key.
#[test]
fn a_token_of_another_purpose_is_refused() {
    let place = place();
    let keys = load(&place, now());
    let key = Arc::clone(&keys.ring.load().current);
    let claims = |issuer: &str, audience: &str| Claims {
        iss: issuer.to_owned(),
        aud: audience.to_owned(),
        sub: "7".to_owned(),
        sid: 3,
        role: Role::Admin,
        amr: Method::Password,
        strong: true,
        iat: now().as_second(),
        nbf: now().as_second(),
        exp: later(30).as_second(),
    };
    let mut header = key.header.clone();
    let mut sign = |purpose: Option<&str>, issuer: &str, audience: &str| {
        header.typ = purpose.map(str::to_owned);
        jsonwebtoken::encode(&header, &claims(issuer, audience), &key.encoding).expect("signed")
    };
    assert!(keys.check(&sign(Some(PURPOSE), ISSUER, AUDIENCE), now()).is_ok());
    for bad in [
        sign(Some("JWT"), ISSUER, AUDIENCE),
        sign(None, ISSUER, AUDIENCE),
        sign(Some(PURPOSE), "another", AUDIENCE),
        sign(Some(PURPOSE), ISSUER, "refresh"),
    ] {
        assert!(keys.check(&bad, now()).is_err(), "{bad}");
    }
}

#[test]
fn clocks_may_differ_by_half_a_minute() {
    let place = place();
    let keys = load(&place, now());
    for (age_s, good) in [(-30, true), (-31, false), (1829, true), (1830, false)] {
        assert_eq!(keys.check(&token(&keys, age_s), now()).is_ok(), good, "{age_s}");
    }
}

#[test]
fn the_key_before_is_believed_until_its_tokens_are_dead() {
    let place = place();
    let keys = load(&place, now());
    let before = token(&keys, 0);
    let next = keys.next(now(), Some(SignedDuration::from_mins(31))).expect("a rotation");
    store(&keys.secrets, &next).expect("stored");
    keys.ring.store(Arc::new(next));
    let after = token(&keys, 0);
    // The same after a restart.
    for keys in [&keys, &load(&place, now())] {
        assert!(keys.check(&before, now()).is_ok() && keys.check(&after, now()).is_ok());
    }
    let refusal = keys.next(later(30), Some(SignedDuration::from_mins(31))).err();
    assert_eq!(refusal.map(|error| error.code), Some(Code::KeysRotating));
    let still = |keys: &TokenKeys, at| keys.named(&header_kid(&before), at).is_some();
    assert!(still(&keys, later(30)) && !still(&keys, later(31)));
    assert!(!still(&load(&place, later(31)), later(30)), "a key whose time is over is not loaded");
    let next = keys.next(later(31), Some(SignedDuration::from_mins(31))).expect("now it may");
    assert!(next.current.name != keys.ring.load().current.name);
}

fn header_kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).expect("a head").kid.expect("a name")
}

#[test]
fn at_once_no_token_of_the_key_before_is_believed() {
    let place = place();
    let keys = load(&place, now());
    for _ in 0..2 {
        let before = token(&keys, 0);
        let next = keys.next(now(), None).expect("always allowed");
        store(&keys.secrets, &next).expect("stored");
        keys.ring.store(Arc::new(next));
        for keys in [&keys, &load(&place, now())] {
            assert!(keys.check(&before, now()).is_err());
            assert!(keys.check(&token(keys, 0), now()).is_ok());
        }
    }
}

#[test]
fn keys_that_systemd_hands_over_are_read_and_never_changed() {
    let (place, handed) = (place(), place());
    std::fs::write(handed.path().join(CURRENT), [1; 32]).expect("written");
    std::fs::write(handed.path().join(PREVIOUS), [2; 32]).expect("written");
    let secrets = Secrets::new(place.path(), Some(handed.path().to_path_buf()));
    let keys = TokenKeys::load(secrets, now()).expect("keys");
    let old = Key::new([2; 32]);
    assert!(keys.named(&old.name, later(100_000)).is_some(), "as long as it is there");
    for grace in [None, Some(SignedDuration::from_mins(31))] {
        let refusal = keys.next(now(), grace).err().map(|error| error.code);
        assert_eq!(refusal, Some(Code::KeysElsewhere));
    }
    assert_eq!(std::fs::read_dir(place.path()).expect("readable").count(), 0);
}

#[test]
fn a_file_that_is_no_key_stops_the_start_with_what_to_do() {
    let place = place();
    drop(load(&place, now()));
    for bytes in [vec![1; 31], vec![1; 33], vec![1; 41]] {
        std::fs::write(place.path().join(PREVIOUS), &bytes).expect("written");
        let error = TokenKeys::load(Secrets::new(place.path(), None), now()).err();
        let text = error.expect("no key").to_string();
        assert!(text.contains("token.key.old") && text.contains("remove"), "{text}");
    }
}
