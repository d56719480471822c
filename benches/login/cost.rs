//! What an authenticated request pays for being authenticated.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use lockerd::app::App;
use lockerd::clock::Clock;
use lockerd::config::Config;

use crate::say;

/// Checks of a token.
const CHECKS: u32 = 200_000;

/// Checks one access token again and again, in this process.
pub fn run(data_dir: &Path) -> anyhow::Result<()> {
    let text = format!("data_dir = '{}'\n[http]\nlisten = '127.0.0.1:0'\n", data_dir.display());
    let config = Config::parse(&text, "the benchmark", [])?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let clock = Clock::system(config.zone()?);
    let app = runtime.block_on(App::build(&config, clock))?;
    let services = std::sync::Arc::clone(app.services());
    let tokens = runtime.block_on(services.issue_student_tokens())?;
    let began = Instant::now();
    for number in 0..CHECKS {
        let (_, token) = &tokens[number as usize % tokens.len()];
        black_box(services.authenticate_until(black_box(token))?);
    }
    let each = began.elapsed() / CHECKS;
    services.store.close();
    say(&format!(
        "an access token is checked in {:.2} µs, without the database",
        each.as_secs_f64() * 1e6
    ))
}
