//! Authenticator apps, kiosks and the codes that they show, for sites inside the test process.

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use lockerd::domain::totp::Secret;
use lockerd::service::site::SiteFile;
use serde_json::{Value, json};

use super::http::{Client, Reply};
use super::inside::Inside;

/// A step of a code, in milliseconds.
pub const STEP_MS: u64 = 30_000;

/// An authenticator app.
pub struct Authenticator(Secret);

impl Authenticator {
    /// Reads what enrolling answered.
    #[track_caller]
    pub fn of(enrolled: &Value) -> Self {
        let text = enrolled["secret_base32"].as_str().expect("a secret");
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).expect("base32");
        Self(Secret::from_slice(&bytes).expect("160 bits"))
    }

    /// What it shows at a time.
    pub fn code_at(&self, now: Timestamp) -> String {
        self.0.code_at(now)
    }

    /// What it shows now.
    pub fn code(&self, site: &Inside) -> String {
        self.code_at(site.clock.now())
    }

    /// What it shows in the next step, to which the clock is turned.
    pub fn next_code(&self, site: &Inside) -> String {
        site.pass(STEP_MS);
        self.code(site)
    }
}

/// Sets an app up for somebody who has just logged in; the app and the recovery codes.
#[track_caller]
pub fn enrol(client: &Client, now: Timestamp) -> (Authenticator, Vec<String>) {
    let app = Authenticator::of(&client.post("/api/v1/auth/totp").expect(201).json());
    let code = json!({ "code": app.code_at(now) });
    let confirmed = client.post_json("/api/v1/auth/totp/confirm", &code).expect(200).json();
    let codes = confirmed["recovery_codes"].as_array().expect("a list").iter();
    (app, codes.map(|code| code.as_str().expect("text").to_owned()).collect())
}

/// A paired kiosk.
#[derive(Clone)]
pub struct Kiosk {
    /// Its number.
    pub id: i64,
    /// Its credential.
    pub credential: String,
    /// Somebody at the door, to send its requests.
    pub door: Client,
}

impl Kiosk {
    /// Has staff make a kiosk for these banks and pairs it.
    #[track_caller]
    pub fn pair(staff: &Client, name: &str, banks: &[i64]) -> Self {
        let wish = json!({ "name": name, "bank_ids": banks });
        let made = staff.post_json("/api/v1/kiosks", &wish).expect(201).json();
        let door = Client::nobody(staff.address);
        let code = json!({ "code": made["pairing_code"] });
        let paired = door.post_json("/api/v1/kiosk/pair", &code).expect(200).json();
        assert_eq!(paired["kiosk_id"], made["kiosk_id"]);
        Self {
            id: made["kiosk_id"].as_i64().expect("a number"),
            credential: paired["credential"].as_str().expect("a credential").to_owned(),
            door,
        }
    }

    /// Sends a request with its credential.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        let line = format!("Authorization: Kiosk {}", self.credential);
        let mut lines = vec![line.as_str()];
        if !body.is_empty() {
            lines.push("Content-Type: application/json");
        }
        self.door.call(method, path, &lines, body)
    }

    /// The code that it shows for a bank.
    #[track_caller]
    pub fn code(&self, bank: i64) -> String {
        let shown = self.call("GET", "/api/v1/kiosk/presence", "").expect(200).json();
        let banks = shown["banks"].as_array().expect("a list");
        let shown = banks.iter().find(|it| it["bank_id"] == bank).expect("the bank");
        shown["code"].as_str().expect("a code").to_owned()
    }

    /// Tries to sign somebody in.
    #[track_caller]
    pub fn try_sign_in(&self, id: &str, code: &str) -> Reply {
        let body = json!({ "id": id, "code": code }).to_string();
        self.call("POST", "/api/v1/kiosk/sign-in", &body)
    }

    /// Signs somebody in.
    #[track_caller]
    pub fn sign_in(&self, id: &str, code: &str) -> Client {
        let reply = self.try_sign_in(id, code).expect(200).json();
        self.door.with_token(reply["access_token"].as_str().expect("a token"))
    }
}

/// Opens a locker with the code that a kiosk shows.
#[track_caller]
pub fn open_with(client: &Client, locker: i64, code: &str) -> Reply {
    let path = format!("/api/v1/lockers/{locker}/open");
    client.post_json(&path, &json!({ "presence_code": code }))
}

/// Wires every locker to a bus that is not there: an opening that is let through is accepted and
/// then ends as unreachable.
#[track_caller]
pub fn wire(site: &Inside) {
    let mut file: SiteFile = site.services.export_layout(None).expect("its own");
    let banks = file.locations.iter_mut().flat_map(|location| &mut location.banks);
    for locker in banks.flat_map(|bank| &mut bank.lockers) {
        let number = u8::try_from(locker.id % 50).expect("small");
        locker.bus = Some("nowhere".to_owned());
        locker.board = Some(u8::try_from(locker.id / 50).expect("small"));
        locker.lock = Some(number + 1);
    }
    site.run(site.services.update_site(file, None, None)).expect("taken");
}

/// Another bank, as lines of the site file behind the terms.
pub fn second_bank(lockers: impl IntoIterator<Item = i64>) -> String {
    let head = "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '사물함'\n";
    let line = |id: i64| format!("[[location.bank.locker]]\nid = {id}\n");
    lockers.into_iter().fold(head.to_owned(), |text, id| text + &line(id))
}
