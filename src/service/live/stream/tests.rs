//! The stream against a plain model: whoever catches up, resumes or starts anew sees the same.

use proptest::prelude::*;
use serde_json::Value;

use super::super::topic::Audience;
use super::*;
use crate::domain::id::BankId;

fn scope(bank: i64) -> Scope {
    Scope { topic: Topic::Lockers, bank: Some(BankId(bank)), audience: Audience::Members }
}

fn change(bank: i64, key: ItemKey, value: Option<u32>) -> Change {
    let json = value.map(|value| format!("{{\"key\":{key},\"value\":{value}}}"));
    Change { scope: scope(bank), key, json }
}

type Picture = BTreeMap<(i64, u64), u64>;

/// A client: it knows nothing but what it was told.
#[derive(Debug, Clone, Default)]
struct Client {
    version: u64,
    picture: Picture,
    /// Versions of the changes it took in.
    heard: Vec<u64>,
}

impl Client {
    fn take_group(&mut self, group: &Value) {
        let bank = group["bank"].as_i64().expect("a bank");
        for item in group["items"].as_array().expect("items") {
            let key = item["key"].as_u64().expect("a key");
            self.picture.insert((bank, key), item["value"].as_u64().expect("a value"));
        }
    }

    fn start(stream: &Stream, hears: impl Fn(&Scope) -> bool) -> Self {
        let mut client = Self { version: stream.head(), ..Self::default() };
        let text = stream.snapshot(Topic::Lockers, hears);
        for group in serde_json::from_str::<Vec<Value>>(&text).expect("JSON") {
            client.take_group(&group);
        }
        client
    }

    /// Takes one batch in; true when there was nothing more.
    fn catch_up(&mut self, stream: &Stream, hears: impl Fn(&Scope) -> bool) -> Option<bool> {
        let batch = stream.since(self.version, hears)?;
        for piece in &batch.pieces {
            let piece: Value = serde_json::from_str(piece).expect("JSON");
            let version = piece["version"].as_u64().expect("a version");
            assert!(version > self.version, "heard twice");
            self.heard.push(version);
            self.take_group(&piece);
        }
        assert!(batch.version >= self.version);
        self.version = batch.version;
        Some(batch.version == stream.head())
    }
}

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(i64, u8, u32)>),
    Listen(usize),
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let items = prop::collection::vec((1_i64..4, 0_u8..6, 0_u32..1000), 1..8);
    prop_oneof![
        6 => items.prop_map(Step::Publish),
        5 => (0_usize..4).prop_map(Step::Listen),
        1 => Just(Step::Reset),
    ]
}

proptest! {
    /// Four clients, the first hearing everything and the others one bank each, listen now and
    /// then; whenever one has caught up, it sees what is, and each change was heard at most once.
    #[test]
    fn whoever_catches_up_sees_what_is(steps in prop::collection::vec(step(), 1..120)) {
        let mut stream = Stream::default();
        let mut truth = Picture::new();
        let mut clients = vec![Client::default(); 4];
        let bank = |client: usize| i64::try_from(client).expect("small");
        let hears = |client: usize, scope: &Scope| {
            client == 0 || scope.bank == Some(BankId(bank(client)))
        };
        for step in steps {
            match step {
                Step::Publish(items) => {
                    let changes = items.iter().map(|(bank, key, value)| {
                        truth.insert((*bank, u64::from(*key)), u64::from(*value));
                        change(*bank, ItemKey::from(*key), Some(*value))
                    });
                    prop_assert!(stream.publish(changes.collect()));
                }
                Step::Reset => {
                    let all = truth.iter().map(|((bank, key), value)| {
                        change(*bank, ItemKey::from(*key), u32::try_from(*value).ok())
                    });
                    stream.reset(all.collect());
                }
                Step::Listen(who) => {
                    let client = &mut clients[who];
                    loop {
                        match client.catch_up(&stream, |scope| hears(who, scope)) {
                            Some(true) => break,
                            Some(false) => {}
                            None => *client = Client::start(&stream, |scope| hears(who, scope)),
                        }
                    }
                    let mut wanted = truth.clone();
                    wanted.retain(|(of, _), _| who == 0 || *of == bank(who));
                    prop_assert_eq!(&client.picture, &wanted);
                    prop_assert!(client.heard.is_sorted());
                }
            }
        }
    }
}

#[test]
fn the_history_is_bounded_and_its_edge_is_exact() {
    const LAST: u64 = KEPT_MAX as u64 + 1_000;
    let mut stream = Stream::default();
    for value in 0..u32::try_from(LAST).expect("small") {
        assert!(stream.publish(vec![change(1, 1, Some(value))]));
    }
    let all = |_: &Scope| true;
    let oldest = LAST - KEPT_MAX as u64;
    assert!(stream.since(oldest - 1, all).is_none(), "forgotten");
    assert!(stream.since(LAST + 1, all).is_none(), "of another life");
    let mut client = Client { version: oldest, ..Client::default() };
    while client.catch_up(&stream, all) == Some(false) {}
    assert_eq!(client.heard, (oldest + 1..=LAST).collect::<Vec<_>>(), "none lost, none doubled");
    assert_eq!(stream.since(LAST, all).expect("kept").pieces, Vec::<Arc<str>>::new());
}

#[test]
fn long_changes_push_older_ones_out_and_come_in_several_batches() {
    let mut stream = Stream::default();
    let long = |key| Change {
        scope: scope(1),
        key,
        json: Some(format!("{{\"key\":{key},\"value\":1,\"text\":\"{}\"}}", "x".repeat(40_000))),
    };
    for key in 0..100 {
        stream.publish(vec![long(key)]);
    }
    assert!(stream.bytes <= KEPT_BYTES_MAX);
    assert!(stream.keeps(100) && stream.keeps(80) && !stream.keeps(50));
    let batch = stream.since(95, |_| true).expect("kept");
    assert_eq!((batch.version, batch.pieces.len()), (96, 1));
}

#[test]
fn what_is_over_is_told_once_and_then_forgotten() {
    let mut stream = Stream::default();
    stream.publish(vec![change(1, 7, Some(1)), change(1, 8, Some(1))]);
    assert!(!stream.publish(vec![change(1, 7, None)]), "nobody is told");
    let client = Client::start(&stream, |_| true);
    assert_eq!(client.picture.into_keys().collect::<Vec<_>>(), [(1, 8)]);
    stream.publish(vec![change(1, 8, None)]);
    assert_eq!(stream.snapshot(Topic::Lockers, |_| true), "[]");
    assert_eq!(stream.head(), 1);
}
