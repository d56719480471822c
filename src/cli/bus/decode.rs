//! `lockerd bus decode`: reads a frame aloud.

use anyhow::bail;
use serde_json::{Value, json};

use super::{say, say_json};
use crate::bus::codec::hex;
use crate::bus::{Explanation, explain};
use crate::domain::channel::Family;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DecodeArgs {
    /// The board family.
    family: Family,
    /// The bytes in hexadecimal, with or without spaces.
    #[arg(required = true, value_name = "HEX")]
    hex: Vec<String>,
    /// Print what it means as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DecodeArgs) -> anyhow::Result<()> {
    let bytes = parse_hex(&args.hex)?;
    let explanation = explain(args.family, &bytes);
    if args.json {
        say_json(&as_json(&explanation))?;
    } else {
        describe(&explanation);
    }
    match explanation.error {
        None => Ok(()),
        Some(error) => bail!("rejected: {error}"),
    }
}

fn describe(explanation: &Explanation) {
    if !explanation.leading.is_empty() {
        let leading = hex(&explanation.leading);
        say(format!("skipped {} leading bytes: {leading}", explanation.leading.len()));
    }
    for frame in &explanation.frames {
        let bytes = hex(&frame.bytes);
        say(format!("{bytes}\n  {}: {}", frame.direction.name(), frame.meaning));
    }
}

fn as_json(explanation: &Explanation) -> Value {
    let frames: Vec<Value> = explanation
        .frames
        .iter()
        .map(|frame| {
            json!({
                "offset": frame.offset,
                "bytes": hex(&frame.bytes),
                "direction": frame.direction.name(),
                "meaning": frame.meaning,
            })
        })
        .collect();
    json!({
        "leading": hex(&explanation.leading),
        "frames": frames,
        "error": explanation.error,
    })
}

fn parse_hex(parts: &[String]) -> anyhow::Result<Vec<u8>> {
    let text: String = parts.concat().chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace("0x", "").replace("0X", "");
    data_encoding::HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| {
        anyhow::anyhow!("{text:?} is not hexadecimal: write bytes like 02 00 30 03 35")
    })
}
