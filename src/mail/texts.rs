//! What mails say, in Korean and English: minijinja templates, of which a site may replace any.
//!
//! A template `KIND.LANG.txt` has the subject on its first line, an empty line, then the text. The
//! HTML part is the same text in `layout.html`, so that the two never say different things: empty
//! lines part paragraphs, lines that begin with `- ` are a list, lines indented by four spaces are
//! set large (codes), `--` begins the foot. A site that wants more writes a `KIND.LANG.html` of its own. An undefined
//! value is an error, and all texts are tried with sample data when they are loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context};
use serde::Serialize;
use serde_json::{Map, Value as Json};

mod built_in;

pub use built_in::KINDS;

/// The languages of mails.
pub const LANGUAGES: [&str; 2] = ["ko", "en"];

/// Most bytes of a site's own template.
const TEMPLATE_BYTES_MAX: u64 = 64 << 10;

/// Most work that one text may cost, in minijinja's units: a loop in a site's own template ends.
const FUEL: u64 = 100_000;

/// Most characters of a subject.
const SUBJECT_CHARS_MAX: usize = 120;

const LAYOUT: &str = "layout.html";

/// What all texts need.
#[derive(Debug, Clone)]
pub struct TextSettings {
    /// The site's name in Korean.
    pub site_ko: String,
    /// The site's name in English.
    pub site_en: String,
    /// The address that people type; empty when there is none to tell.
    pub url: String,
    /// In which times are told.
    pub zone: TimeZone,
    /// Where the site's own templates are.
    pub dir: Option<PathBuf>,
}

impl Default for TextSettings {
    fn default() -> Self {
        Self {
            site_ko: "사물함".to_owned(),
            site_en: "Lockers".to_owned(),
            url: String::new(),
            zone: TimeZone::UTC,
            dir: None,
        }
    }
}

/// A mail's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// A part of a text.
#[derive(Debug, Serialize)]
struct Block {
    /// paragraph, list, large or foot.
    kind: &'static str,
    lines: Vec<String>,
}

/// Every text of the site.
#[derive(Debug)]
pub struct Texts {
    templates: Environment<'static>,
    site: BTreeMap<&'static str, String>,
    url: String,
}

impl Texts {
    /// Loads the built-in texts and the site's own over them, and tries each. An error is a line for
    /// people that names the file.
    pub fn new(settings: &TextSettings) -> Result<Self, String> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_fuel(Some(FUEL));
        let zone = settings.zone.clone();
        templates.add_filter("when", move |state: &State<'_, '_>, text: &str| {
            let at: Timestamp = text.parse().map_err(bad)?;
            Ok::<_, Error>(moment(&at.to_zoned(zone.clone()), &language(state)))
        });
        templates.add_filter("day", |state: &State<'_, '_>, text: &str| {
            let date: Date = text.parse().map_err(bad)?;
            Ok::<_, Error>(day(date, &language(state)))
        });
        templates.add_filter("named", named);
        for (name, source) in built_in::SOURCES {
            templates.add_template(name, source).map_err(|error| error.to_string())?;
        }
        if let Some(dir) = &settings.dir {
            add_own(&mut templates, dir)?;
        }
        let site =
            BTreeMap::from([("ko", settings.site_ko.clone()), ("en", settings.site_en.clone())]);
        let texts = Self { templates, site, url: settings.url.clone() };
        texts.try_all()?;
        Ok(texts)
    }

    /// Whether there is a text for this kind of mail.
    #[must_use]
    pub fn knows(kind: &str) -> bool {
        template_of(kind, "").is_some()
    }

    /// Renders a mail's text; an error names the template.
    pub fn render(
        &self,
        kind: &str,
        language: &str,
        values: &Map<String, Json>,
    ) -> Result<Text, String> {
        let audience = values.get("audience").and_then(Json::as_str).unwrap_or_default();
        let name = template_of(kind, audience)
            .ok_or_else(|| format!("there is no text for mails of the kind {kind}"))?;
        let language = LANGUAGES.into_iter().find(|known| *known == language).unwrap_or("ko");
        let site = self.site.get(language).map_or("", String::as_str);
        let mut all = values.clone();
        all.insert("site".to_owned(), site.into());
        all.insert("url".to_owned(), self.url.clone().into());
        all.insert("language".to_owned(), language.into());
        let whole = self.fill(&format!("{name}.{language}.txt"), &Value::from(Serde(&all)))?;
        let (subject, text) = whole.split_once('\n').unwrap_or((whole.as_str(), ""));
        let (subject, text) = (one_line(subject), text.trim().to_owned() + "\n");
        let own_html = format!("{name}.{language}.html");
        let html = if self.templates.get_template(&own_html).is_ok() {
            self.fill(&own_html, &Value::from(Serde(&all)))?
        } else {
            let blocks = Value::from(Serde(blocks(&text)));
            let values = context! { language, site, blocks, subject => subject.as_str() };
            self.fill(LAYOUT, &values)?
        };
        Ok(Text { subject, text, html })
    }

    fn fill(&self, name: &str, values: &Value) -> Result<String, String> {
        let template = self.templates.get_template(name).map_err(|error| error.to_string())?;
        template.render(values).map_err(|error| {
            let detail = error.detail().unwrap_or_default();
            let line = error.line().unwrap_or_default();
            format!("mail template {name}, line {line}: {}: {detail}", error.kind())
        })
    }

    fn try_all(&self) -> Result<(), String> {
        for kind in KINDS {
            for language in LANGUAGES {
                for sample in built_in::samples(kind) {
                    let text = self.render(kind, language, &sample)?;
                    if text.subject.is_empty() || text.text.trim().is_empty() {
                        return Err(format!("mail template {kind}.{language} says nothing"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The template of a kind: alarms share one for each audience.
fn template_of<'a>(kind: &'a str, audience: &str) -> Option<&'a str> {
    if kind.starts_with("alarm.") {
        return Some(if audience == "renter" { "alarm.renter" } else { "alarm.staff" });
    }
    KINDS.contains(&kind).then_some(kind)
}

/// Adds the templates of a directory; what is no template of ours is refused by name, so that a
/// typing mistake is not silently a default.
fn add_own(templates: &mut Environment<'static>, dir: &Path) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("mail.templates {}: {error}", dir.display());
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let known = built_in::SOURCES.iter().any(|(name, _)| {
            *name == file || name.strip_suffix(".txt") == file.strip_suffix(".html").or(Some("\n"))
        });
        if !known {
            return Err(format!(
                "mail.templates {}: {file} is no template of lockerd: see docs/guide/mail.md",
                dir.display()
            ));
        }
        if entry.metadata().map_err(unreadable)?.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("mail.templates: {file} has more than {TEMPLATE_BYTES_MAX} bytes"));
        }
        let source = std::fs::read_to_string(entry.path()).map_err(|error| {
            format!("mail.templates: {} cannot be read: {error}", entry.path().display())
        })?;
        templates
            .add_template_owned(file.clone(), source)
            .map_err(|error| format!("mail.templates: {file}: {error}"))?;
    }
    Ok(())
}

/// Cuts a text into what the layout shows.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fresh = true;
    for line in text.lines() {
        if line.trim().is_empty() {
            fresh = true;
            continue;
        }
        if line == "--" {
            blocks.push(Block { kind: "foot", lines: Vec::new() });
            fresh = false;
            continue;
        }
        let in_foot = !fresh && blocks.last().is_some_and(|block| block.kind == "foot");
        let (kind, words) = if in_foot {
            ("foot", line)
        } else if let Some(words) = line.strip_prefix("    ") {
            ("large", words.trim())
        } else if let Some(words) = line.strip_prefix("- ") {
            ("list", words)
        } else {
            ("paragraph", line)
        };
        match blocks.last_mut() {
            Some(block) if !fresh && block.kind == kind => block.lines.push(words.to_owned()),
            _ => blocks.push(Block { kind, lines: vec![words.to_owned()] }),
        }
        fresh = false;
    }
    blocks
}

fn one_line(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(SUBJECT_CHARS_MAX).collect::<String>().trim().to_owned()
}

fn bad(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

fn language(state: &State<'_, '_>) -> String {
    state.lookup("language").map_or_else(|| "ko".to_owned(), |value| value.to_string())
}

/// A name in the mail's language: `{"ko": …, "en": …}`, or a plain text as it is.
fn named(state: &State<'_, '_>, name: &Value) -> Result<String, Error> {
    if name.as_str().is_some() {
        return Ok(name.to_string());
    }
    let there = |key: &str| name.get_attr(key).ok().filter(|value| !value.is_undefined());
    there(&language(state))
        .or_else(|| there("ko"))
        .map(|value| value.to_string())
        .ok_or_else(|| bad("this is no name"))
}

fn day(date: Date, language: &str) -> String {
    let weekday = weekday(date.weekday(), language);
    if language == "en" {
        return format!("{weekday} {} {} {}", date.day(), month(date.month()), date.year());
    }
    format!("{}년 {}월 {}일({weekday})", date.year(), date.month(), date.day())
}

fn moment(at: &Zoned, language: &str) -> String {
    let comma = if language == "en" { "," } else { "" };
    format!("{}{comma} {:02}:{:02}", day(at.date(), language), at.hour(), at.minute())
}

const fn weekday(day: Weekday, language: &str) -> &'static str {
    let english = matches!(language.as_bytes(), b"en");
    match (day, english) {
        (Weekday::Monday, false) => "월",
        (Weekday::Tuesday, false) => "화",
        (Weekday::Wednesday, false) => "수",
        (Weekday::Thursday, false) => "목",
        (Weekday::Friday, false) => "금",
        (Weekday::Saturday, false) => "토",
        (Weekday::Sunday, false) => "일",
        (Weekday::Monday, true) => "Mon",
        (Weekday::Tuesday, true) => "Tue",
        (Weekday::Wednesday, true) => "Wed",
        (Weekday::Thursday, true) => "Thu",
        (Weekday::Friday, true) => "Fri",
        (Weekday::Saturday, true) => "Sat",
        (Weekday::Sunday, true) => "Sun",
    }
}

fn month(month: i8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // A civil date's month is 1 to 12.
    usize::try_from(month - 1).ok().and_then(|index| NAMES.get(index)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
