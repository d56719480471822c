//! Tampered tokens, each made from a good one.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lockerd::service::secrets::Secrets;
use lockerd::service::token_keys::TokenKeys;
use serde_json::{Value, json};

fn decoded(part: &str) -> Value {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// The same object with one member changed, or dropped for null.
fn with(value: &Value, key: &str, to: Value) -> Value {
    let mut changed = value.clone();
    let object = changed.as_object_mut().expect("an object");
    if to.is_null() {
        object.remove(key);
    } else {
        object.insert(key.to_owned(), to);
    }
    changed
}

/// Whatever a forger without the key may try, and what has expired; with what was done.
pub(super) fn tampered(good: &str, data_dir: &Path) -> Vec<(String, String)> {
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("three parts") };
    let (header, body) = (decoded(head), decoded(claims));
    let mut list = forged(head, &body, signature);
    list.extend(beheaded(&header, claims, signature));
    list.extend(signed_by_others(&header, &body));
    list.extend(damaged(good));
    list.push(("expired".to_owned(), signed_for(&body, data_dir, SignedDuration::from_hours(1))));
    list.push((
        "not yet good".to_owned(),
        signed_for(&body, data_dir, -SignedDuration::from_hours(1)),
    ));
    list
}

/// Changed claims under the old signature.
fn forged(head: &str, body: &Value, signature: &str) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut put = |how: &str, token: String| list.push((how.to_owned(), token));
    for (key, to) in [
        ("sub", json!("1")),
        ("sub", json!("999999")),
        ("sub", json!(1)),
        ("sid", json!(1)),
        ("sid", json!(999_999)),
        ("role", json!("staff")),
        ("role", json!("root")),
        ("amr", json!("roster")),
        ("strong", json!(true)),
        ("exp", json!(4_102_444_800_i64)),
        ("nbf", json!(0)),
        ("iat", json!(0)),
        ("iss", json!("elsewhere")),
        ("aud", json!("refresh")),
        ("exp", Value::Null),
        ("aud", Value::Null),
        ("jku", json!("http://127.0.0.1/keys")),
    ] {
        put(
            &format!("{key} = {to}"),
            format!("{head}.{}.{signature}", encoded(&with(body, key, to))),
        );
    }
    list
}

/// Another header under the old signature, and none.
fn beheaded(header: &Value, claims: &str, signature: &str) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut put = |how: &str, token: String| list.push((how.to_owned(), token));
    for (key, to) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("HS384")),
        ("alg", json!("HS512")),
        ("alg", json!("RS256")),
        ("alg", json!("ES256")),
        ("alg", json!("")),
        ("alg", Value::Null),
        ("typ", json!("JWE")),
        ("kid", json!("../../../dev/null")),
        ("kid", json!("0")),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("crit", json!(["exp"])),
    ] {
        put(
            &format!("header {key} = {to}"),
            format!("{}.{claims}.{signature}", encoded(&with(header, key, to))),
        );
    }
    let unsigned = encoded(&with(header, "alg", json!("none")));
    put("unsigned", format!("{unsigned}.{claims}."));
    list
}

/// Signatures by other keys.
fn signed_by_others(header: &Value, body: &Value) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = Vec::new();
    let kid = header["kid"].as_str().map(str::to_owned);
    for (how, key) in
        [("no key", &b""[..]), ("zeros", &[0; 32]), ("a word", b"secret"), ("lockerd", b"lockerd")]
    {
        let header = Header {
            kid: kid.clone(),
            typ: header["typ"].as_str().map(str::to_owned),
            ..Header::new(Algorithm::HS256)
        };
        let signed = jsonwebtoken::encode(&header, body, &EncodingKey::from_secret(key));
        list.push((format!("signed with {how}"), signed.expect("signed")));
    }
    list
}

/// Whatever may happen to a token on its way.
fn damaged(good: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("three parts") };
    let mut list: Vec<(String, String)> = Vec::new();
    let mut put = |how: &str, token: String| list.push((how.to_owned(), token));
    put("no signature", format!("{head}.{claims}."));
    put("two parts", format!("{head}.{claims}"));
    put("four parts", format!("{good}.{signature}"));
    put("five parts", format!("{good}..{signature}"));
    put("only dots", "..".to_owned());
    let flip = |at: usize| {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    for at in [
        0,
        head.len() / 2,
        head.len() + 2,
        head.len() + claims.len() / 2,
        good.len() - 20,
        good.len() - 1,
    ] {
        put(&format!("letter {at} changed"), flip(at));
    }
    put("cut short", good[..good.len() - 1].to_owned());
    put("one letter more", format!("{good}A"));
    put("padded", format!("{good}="));
    put("parts exchanged", format!("{claims}.{head}.{signature}"));
    put("said twice", format!("{good} {good}"));
    put("empty", String::new());
    put("very long", format!("{head}.{}.{signature}", "A".repeat(6_000)));
    list
}

/// Signed with the site's own key, but for another time.
fn signed_for(body: &Value, data_dir: &Path, ago: SignedDuration) -> String {
    let caller = lockerd::service::tokens::Caller {
        member_id: body["sub"].as_str().expect("text").parse().expect("a number"),
        role: lockerd::domain::member::Role::Admin,
        session_id: lockerd::domain::id::SessionId(body["sid"].as_i64().expect("a number")),
        method: lockerd::service::tokens::Method::Password,
        strong: false,
    };
    let keys = TokenKeys::load(Secrets::new(data_dir, None), now()).expect("the key");
    keys.issue(caller, now() - ago, SignedDuration::from_mins(30)).expect("signed")
}

fn now() -> Timestamp {
    lockerd::clock::Clock::system(jiff::tz::TimeZone::UTC).now()
}
