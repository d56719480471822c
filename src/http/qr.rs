//! QR codes as SVG: for authenticator apps and for the addresses that kiosks show.
//!
//! One path of dark runs on white, scaled by whoever shows it; no script, no style, nothing loaded.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

/// Light modules around the code (ISO/IEC 18004 §5.3.8).
const BORDER: i32 = 4;

/// The code of a text; `None` for one that is too long for a code.
pub(super) fn svg(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = code.size() + 2 * BORDER;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let length = (x..code.size()).take_while(|at| code.get_module(*at, y)).count();
            let length = i32::try_from(length).unwrap_or(1);
            if length > 0 {
                let _ = write!(path, "M{},{}h{length}v1h-{length}z", x + BORDER, y + BORDER);
            }
            x += length.max(1);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0,0h{side}v{side}h-{side}z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dark modules that a path draws.
    fn drawn(svg: &str) -> Vec<(i32, i32)> {
        let path = svg.rsplit("d=\"").next().and_then(|rest| rest.split('"').next());
        let mut dark = Vec::new();
        for run in path.expect("a path").split('M').filter(|run| !run.is_empty()) {
            let (x, rest) = run.split_once(',').expect("a place");
            let (y, rest) = rest.split_once('h').expect("a row");
            let (length, _) = rest.split_once('v').expect("a length");
            let number = |text: &str| text.parse::<i32>().expect("a number");
            dark.extend((0..number(length)).map(|step| (number(x) + step, number(y))));
        }
        dark
    }

    #[test]
    fn what_is_drawn_is_the_code_and_nothing_else() {
        let text = "https://lockers.ac.kr/p/1#c=123456";
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).expect("short");
        let wanted: Vec<(i32, i32)> = (0..code.size())
            .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
            .filter(|(x, y)| code.get_module(*x, *y))
            .map(|(x, y)| (x + BORDER, y + BORDER))
            .collect();
        assert_eq!(drawn(&svg(text).expect("short")), wanted);
        assert!(svg(&"x".repeat(5_000)).is_none());
    }
}
