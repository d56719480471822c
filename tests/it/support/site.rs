//! A site set up through the command line, as on a real machine, and served by `lockerd serve`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::demo;
use super::http::Client;
use super::process::{Done, Process, lockerd, run};

/// The password of every account that has one.
pub const PASSWORD: &str = "correct horse battery staple";

/// Bus, board and lock.
type Channel = (String, u8, u8);

/// What a site is to be.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Bank number to its lockers: number and channel.
    banks: BTreeMap<i64, Vec<(i64, Option<Channel>)>>,
    students: usize,
    hold_seconds: Option<u32>,
    staff: Vec<(String, i64)>,
    admin: bool,
    clock: Option<String>,
    http: String,
    alarms: String,
    mail: String,
    buses: String,
    policy: String,
}

impl Plan {
    /// Adds lockers without electric locks. Banks are numbered from 1, without gaps.
    pub fn lockers(mut self, bank: i64, ids: impl IntoIterator<Item = i64>) -> Self {
        self.banks.entry(bank).or_default().extend(ids.into_iter().map(|id| (id, None)));
        self
    }

    /// Adds a locker on a lock board.
    pub fn wired(mut self, bank: i64, id: i64, (bus, board, lock): (&str, u8, u8)) -> Self {
        let channel = Some((bus.to_owned(), board, lock));
        self.banks.entry(bank).or_default().push((id, channel));
        self
    }

    /// Adds students; see [`Site::student`].
    pub fn students(mut self, count: usize) -> Self {
        self.students = count;
        self
    }

    /// How long holds last.
    pub fn hold_seconds(mut self, seconds: u32) -> Self {
        self.hold_seconds = Some(seconds);
        self
    }

    /// Adds a line of policy to every bank.
    pub fn policy(mut self, line: &str) -> Self {
        self.policy += line;
        self.policy.push('\n');
        self
    }

    /// Adds a member of staff for a bank.
    pub fn staff(mut self, id: &str, bank: i64) -> Self {
        self.staff.push((id.to_owned(), bank));
        self
    }

    /// Adds the admin `ADMIN`.
    pub fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// Sets the lines of `[clock]`; without them a battery clock vouches for the time, whatever the
    /// machine of the tests says.
    pub fn clock(mut self, lines: &str) -> Self {
        self.clock = Some(lines.to_owned());
        self
    }

    /// Adds lines to `[http]`.
    pub fn http(mut self, lines: &str) -> Self {
        self.http += lines;
        self
    }

    /// Adds lines to `[alarms]`.
    pub fn alarms(mut self, lines: &str) -> Self {
        self.alarms += lines;
        self
    }

    /// Adds `[mail]` with these lines.
    pub fn mail(mut self, lines: &str) -> Self {
        self.mail = format!("[mail]\n{lines}");
        self
    }

    /// Adds `[[bus]]` tables.
    pub fn bus(mut self, text: &str) -> Self {
        self.buses += text;
        self
    }

    fn site_file(&self) -> String {
        let mut text = String::new();
        for (bank, lockers) in &self.banks {
            let _ = write!(
                text,
                "[[location]]\nname_ko = '정보관 {bank}층'\n[[location.bank]]\nname_ko = '사물함'\n"
            );
            if let Some(seconds) = self.hold_seconds {
                let _ = writeln!(text, "hold_seconds = {seconds}");
            }
            text += &self.policy;
            for (id, channel) in lockers {
                let _ = writeln!(text, "[[location.bank.locker]]\nid = {id}");
                if let Some((bus, board, lock)) = channel {
                    let _ = writeln!(text, "bus = '{bus}'\nboard = {board}\nlock = {lock}");
                }
            }
        }
        // Wide enough for any day on which the tests may run.
        text + "[[term]]\nname_ko = '학기'\nopens_at = '2020-01-01T00:00:00'\n\
                closes_at = '2090-01-01T00:00:00'\nstarts_on = '2020-01-01'\n\
                ends_on = '2090-12-31'\n"
    }

    fn roster(&self) -> String {
        let rows = (0..self.students)
            .map(|n| format!("{},{},{}\n", student_id(n), student_name(n), student_phone(n)));
        rows.fold("student_id,name,phone\n".to_owned(), |text, row| text + &row)
    }
}

/// What the n-th student types to log in.
pub fn student(n: usize) -> Value {
    json!({
        "student_id": student_id(n), "name": student_name(n), "phone_number": student_phone(n)
    })
}

/// The id of the n-th student.
pub fn student_id(n: usize) -> String {
    format!("2024{n:06}")
}

/// The name of the n-th student.
pub fn student_name(n: usize) -> String {
    const SYLLABLES: [char; 10] = ['가', '나', '다', '라', '마', '바', '사', '아', '자', '차'];
    let digit = |power: usize| SYLLABLES[n / 10_usize.pow(u32::try_from(power).unwrap_or(0)) % 10];
    format!("김{}{}{}", digit(2), digit(1), digit(0))
}

/// The phone number of the n-th student.
pub fn student_phone(n: usize) -> String {
    format!("0107{n:07}")
}

/// A site on disk, served or not.
pub struct Site {
    place: TempDir,
    students: usize,
    process: Option<Process>,
    address: Option<SocketAddr>,
}

impl Site {
    /// Sets a site up and serves it.
    #[track_caller]
    pub fn start(plan: &Plan) -> Self {
        let mut site = Self::prepare(plan);
        site.serve();
        site
    }

    /// Sets a site up without serving it.
    #[track_caller]
    pub fn prepare(plan: &Plan) -> Self {
        Self::prepare_in(tempfile::tempdir().expect("a temporary place"), plan)
    }

    /// Sets a site up in a given place, where the links of its buses may be already.
    #[track_caller]
    pub fn prepare_in(place: TempDir, plan: &Plan) -> Self {
        let site = Self { place, students: plan.students, process: None, address: None };
        let data = site.data_dir();
        let config = format!(
            "data_dir = '{}'\n[clock]\n{}[http]\nlisten = '127.0.0.1:0'\n{}[auth]\nroster_login = 'full'\n\
             [log]\nfilter = 'info'\n[alarms]\n{}{}{}",
            data.display(),
            plan.clock.as_deref().unwrap_or("rtc = true\n"),
            plan.http,
            plan.alarms,
            plan.mail,
            plan.buses
        );
        std::fs::write(site.config(), config).expect("written");
        if plan.admin {
            site.command(&["init", "--password-stdin"], PASSWORD).ok();
        } else {
            std::fs::DirBuilder::new().mode(0o700).create(&data).expect("made");
        }
        let file = site.path("site.toml");
        std::fs::write(&file, plan.site_file()).expect("written");
        site.command(&["bank", "import", &file.display().to_string()], "").ok();
        if plan.students > 0 {
            let file = site.path("roster.csv");
            std::fs::write(&file, plan.roster()).expect("written");
            site.command(&["member", "import", &file.display().to_string()], "").ok();
        }
        for (id, bank) in &plan.staff {
            let add = ["member", "add", "--role", "staff", "--name", "김직원", "--id", id];
            let rest = ["--bank", &bank.to_string(), "--password-stdin"];
            site.command(&[&add[..], &rest[..]].concat(), PASSWORD).ok();
        }
        site
    }

    /// A path in the site's place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data_dir().join("lockerd.db")
    }

    /// Runs a command with this site's configuration.
    #[track_caller]
    pub fn command(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = lockerd();
        command.args(arguments).arg("--config").arg(self.config());
        run(command.current_dir(self.place.path()), input)
    }

    /// The command that serves the site.
    pub fn serve_command(&self) -> Command {
        let mut command = lockerd();
        command.arg("serve").arg("--config").arg(self.config());
        command.current_dir(self.place.path());
        command
    }

    /// Serves the site.
    #[track_caller]
    pub fn serve(&mut self) {
        self.serve_by(self.serve_command());
    }

    /// Serves the site by a command of the test's own.
    #[track_caller]
    pub fn serve_by(&mut self, command: Command) {
        let mut process = Process::start(command, &self.path("log"));
        let line = process.line();
        let url = line.strip_prefix("lockerd listens on ").expect("where it listens");
        self.address = Some(demo::address(&json!(url)));
        self.process = Some(process);
    }

    /// The process.
    #[track_caller]
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the site is served")
    }

    /// Ends the server as a power cut would end the program.
    #[track_caller]
    pub fn kill(&mut self) {
        self.process().kill();
        self.process = None;
    }

    /// Ends the server in order.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process().signal(rustix::process::Signal::TERM);
        let status = self.process().ended();
        assert!(status.success(), "{status}: {}", self.process().log());
        self.process = None;
    }

    /// Somebody at the door.
    #[track_caller]
    pub fn nobody(&self) -> Client {
        Client::nobody(self.address.expect("the site is served"))
    }

    /// The n-th student, logged in.
    #[track_caller]
    pub fn student(&self, n: usize) -> Client {
        assert!(n < self.students, "the plan has {} students", self.students);
        self.nobody().log_in(&student(n))
    }

    /// The first `count` students, logged in.
    #[track_caller]
    pub fn crowd(&self, count: usize) -> Vec<Client> {
        (0..count).map(|n| self.student(n)).collect()
    }

    /// An account with a password, logged in.
    #[track_caller]
    pub fn account(&self, id: &str) -> Client {
        self.nobody().log_in(&json!({ "id": id, "password": PASSWORD }))
    }

    /// The same person at a server that was started again, perhaps on another port.
    pub fn again(&self, client: &Client) -> Client {
        Client { address: self.nobody().address, token: client.token.clone() }
    }

    /// What `lockerd check` finds.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        let done = self.command(&["check", "--json"], "");
        let told: Value = serde_json::from_str(&done.out).expect("a line of JSON");
        assert_eq!(told["clean"] == json!(true), done.code == Some(0), "{done:?}");
        let lines = told["findings"].as_array().expect("a list").iter();
        lines.map(|line| line.as_str().expect("text").to_owned()).collect()
    }

    /// Demands that `lockerd check` finds nothing.
    #[track_caller]
    pub fn demand_clean(&self) {
        assert_eq!(self.findings(), Vec::<String>::new());
    }

    /// A connection to the database beside the server's own.
    #[track_caller]
    pub fn sql(&self) -> rusqlite::Connection {
        open(&self.database())
    }

    /// One number out of the database.
    #[track_caller]
    pub fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).expect(sql)
    }
}

#[track_caller]
fn open(path: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(path).expect("the database is there");
    conn.busy_timeout(super::PATIENCE).expect("settable");
    conn
}
