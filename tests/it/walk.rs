//! The walk of docs/guide/walk.md, command by command, against the demo: a guide that is not true is
//! worse than none.
//!
//! Its `sh` blocks are one script, run in order; the `text` block after one is what it must answer,
//! without regard to line breaks. `…` stands for anything.

use std::path::Path;
use std::process::Command;

use crate::support::demo::Demo;
use crate::support::process::run;

/// Stands between the answers of two steps.
const BETWEEN: &str = "=== next step ===";

/// A block of commands with what it answers.
#[derive(Debug, Default)]
struct Step {
    /// Where it begins in the guide.
    line: usize,
    commands: String,
    answer: String,
}

/// The steps of a guide, in order.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut within = None;
    for (number, line) in guide.lines().enumerate() {
        if line.starts_with("```") {
            within = if within.is_some() { None } else { line.strip_prefix("```") };
            if within == Some("sh") {
                steps.push(Step { line: number + 1, ..Step::default() });
            }
            continue;
        }
        let Some(step) = steps.last_mut() else { continue };
        let text = match within {
            Some("sh") => &mut step.commands,
            Some("text") => &mut step.answer,
            _ => continue,
        };
        text.push_str(line);
        text.push('\n');
    }
    steps
}

/// Whether an answer is what the guide says.
fn fits(said: &str, answer: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let (said, answer) = (bare(said), bare(answer));
    let mut parts = said.split('…');
    let Some(mut rest) = parts.next().and_then(|first| answer.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[test]
fn the_walk_of_the_guide_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/walk.md");
    let steps = steps(&std::fs::read_to_string(path).expect("the guide"));
    let told = steps.iter().filter(|step| !step.answer.is_empty()).count();
    assert!(told >= 15, "only {told} steps say what they answer");

    let demo = Demo::with(&["--begins-at", "2026-09-01T10:00"]);
    let script = demo.place.path().join("walk.sh");
    let text: Vec<String> =
        steps.iter().map(|step| format!("{}\necho '{BETWEEN}'\n", step.commands)).collect();
    std::fs::write(&script, text.concat()).expect("written");
    let address = |key: &str| demo.told[key].as_str().expect("a URL").to_owned();
    let mut shell = Command::new("sh");
    shell.arg(&script).env("url", address("url")).env("sim", address("sim_url"));
    let done = run(&mut shell, "").ok();

    let answers: Vec<&str> = done.out.split(BETWEEN).collect();
    assert_eq!(answers.len(), steps.len() + 1, "{done:?}");
    for (step, answer) in steps.iter().zip(answers) {
        let Step { line, commands, answer: said } = step;
        assert!(
            fits(said, answer),
            "docs/guide/walk.md, line {line}:\n{commands}\nsays:\n{said}\nbut it answers:\n{answer}\n{}",
            done.err
        );
    }
    assert_eq!(done.err, "");
}

#[test]
fn an_answer_fits_only_what_is_said_of_it() {
    let answer = "{\"a\":1,\"b\":[2,3],\n\"c\":null}\n";
    for said in
        [answer, "{\"a\":1,…}", "{…\"b\":[2,\n 3],…}", "{\"a\":…,\"b\":[…,3],\"c\":null}", "…"]
    {
        assert!(fits(said, answer), "{said}");
    }
    for said in ["", "{\"a\":1}", "{\"a\":2,…}", "{…\"b\":[3],…}", "{…\"c\":null,…}", "…\"c\""]
    {
        assert!(!fits(said, answer), "{said}");
    }
}
