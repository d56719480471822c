//! Every text in both languages, hostile values, times, and texts of a site's own.

use serde_json::json;

use super::*;

fn loaded(dir: Option<&Path>) -> Result<Texts, String> {
    let zone = TimeZone::get("Asia/Seoul").expect("bundled");
    Texts::new(&TextSettings { zone, dir: dir.map(Path::to_path_buf), ..TextSettings::default() })
}

fn values(value: &Json) -> Map<String, Json> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn every_kind_speaks_both_languages_in_text_and_html_and_leaves_no_brace() {
    let texts = loaded(None).expect("the built-in texts are sound");
    let mut subjects = std::collections::BTreeSet::new();
    for kind in KINDS {
        for sample in built_in::samples(kind) {
            let [ko, en] = LANGUAGES.map(|it| texts.render(kind, it, &sample).expect("renderable"));
            assert_ne!(ko.text, en.text, "{kind}");
            for (language, it) in [("ko", &ko), ("en", &en)] {
                for part in [&it.subject, &it.text, &it.html] {
                    for mark in ["{{", "}}", "{%", "%}", "undefined"] {
                        assert!(!part.contains(mark), "{kind} {language}: {mark} in {part}");
                    }
                }
                let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
                assert!(hangul(&ko.subject) && hangul(&ko.text), "{kind}");
                assert!(it.subject.chars().count() <= 60, "{kind}: {}", it.subject);
                assert!(it.text.lines().all(|line| line.len() < 500), "{kind}");
                assert!(it.html.contains(&format!("<html lang=\"{language}\">")), "{kind}");
                assert!(!it.html.contains("http"), "{kind} loads something: {}", it.html);
                assert!(!it.html.contains("<script"), "{kind}");
            }
            // The greeting names a person; nothing else of the English text is Korean.
            let english = en.text.replace("홍길동", "").replace("이직원", "").replace("관리자", "");
            let english = english.replace("분실 신고", "").replace("정보관 1층", "");
            let english = english.replace("경첩 수리", "");
            assert!(!english.chars().any(|c| ('가'..='힣').contains(&c)), "{kind}: {english}");
            subjects.insert(ko.subject);
        }
    }
    assert!(subjects.len() >= KINDS.len(), "two kinds of mail look the same: {subjects:?}");
}

#[test]
fn a_code_is_set_large_and_everything_is_escaped() {
    let texts = loaded(None).expect("sound");
    let name = "<img src=x onerror=alert(1)>&\"";
    let text = texts
        .render(
            "password_reset",
            "ko",
            &values(&json!({ "name": name, "minutes": 10, "code": "1<2" })),
        )
        .expect("renderable");
    assert!(text.text.contains(name), "plain text is as it is: {}", text.text);
    assert!(!text.html.contains("<img"), "{}", text.html);
    assert!(text.html.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;"), "{}", text.html);
    assert!(text.html.contains("font-size:28px") && text.html.contains(">1&lt;2</p>"));
    assert!(text.html.contains("자동으로 보내졌습니다"), "the foot is there: {}", text.html);
    assert!(!text.html.contains("--"), "{}", text.html);
}

#[test]
fn a_subject_is_one_line_whatever_a_value_holds() {
    let texts = loaded(None).expect("sound");
    let bank = format!("a\r\nBcc: x@y.kr{}", "z".repeat(500));
    let sample = values(&json!({ "name": "가", "bank": bank }));
    let text = texts.render("staff_of_bank", "en", &sample).expect("renderable");
    assert!(!text.subject.contains(['\r', '\n']), "{:?}", text.subject);
    let place = tempfile::tempdir().expect("a place");
    std::fs::write(place.path().join("test.ko.txt"), "A{{ name }}\n\nB").expect("written");
    let own = loaded(Some(place.path())).expect("sound");
    let sample = values(&json!({ "name": format!("x\r\nBcc: y{}", "z".repeat(500)) }));
    let text = own.render("test", "ko", &sample).expect("renderable");
    // The line ends where the value's does; what follows is text, not a header.
    assert_eq!(text.subject, "Ax");
    assert!(text.text.starts_with("Bcc"), "{}", text.text);
}

#[test]
fn times_and_days_are_told_in_the_sites_zone_and_language() {
    let texts = loaded(None).expect("sound");
    let alarm = &built_in::samples("alarm.staff")[0];
    let ko = texts.render("alarm.forced_open", "ko", alarm).expect("renderable");
    assert!(ko.text.contains("2026년 3월 2일(월) 09:05"), "{}", ko.text);
    assert!(ko.text.contains("정보관 1층 사물함"), "{}", ko.text);
    let en = texts.render("alarm.forced_open", "en", alarm).expect("renderable");
    assert!(en.text.contains("Mon 2 Mar 2026, 09:05"), "{}", en.text);
    assert!(en.text.contains("IT Hall 1F"), "{}", en.text);
    let rental = &built_in::samples("rental_confirmed")[0];
    let ko = texts.render("rental_confirmed", "ko", rental).expect("renderable");
    assert!(ko.text.contains("2026년 6월 19일(금)까지"), "{}", ko.text);
}

#[test]
fn a_call_for_staff_says_where_and_why() {
    let texts = loaded(None).expect("sound");
    let calls = built_in::samples("alarm.staff");
    let calls: Vec<_> = calls.iter().filter(|it| it["kind"] == "help").collect();
    let [at_locker, at_kiosk] = calls[..] else { panic!("{calls:?}") };
    let ko = texts.render("alarm.help", "ko", at_locker).expect("renderable");
    assert!(ko.subject.contains("직원 호출: 사물함 101번"), "{}", ko.subject);
    assert!(ko.text.contains("까닭: 문이 안 열림"), "{}", ko.text);
    let en = texts.render("alarm.help", "en", at_kiosk).expect("renderable");
    assert!(en.subject.contains("Call for staff: IT Hall"), "{}", en.subject);
    assert!(!en.text.contains("Why") && en.text.contains("IT Hall 1F"), "{}", en.text);
    // One that an older version wrote knows of no reason.
    let mut older = built_in::samples("alarm.staff")[0].clone();
    older.remove("reason");
    texts.render("alarm.forced_open", "ko", &older).expect("renderable");
}

#[test]
fn the_daily_mail_names_everything_that_was_forgotten_in_its_language() {
    let texts = loaded(None).expect("sound");
    let daily = &built_in::samples("daily")[0];
    let ko = texts.render("daily", "ko", daily).expect("renderable").text;
    let en = texts.render("daily", "en", daily).expect("renderable").text;
    for what in built_in::PRUNED {
        assert!(!ko.contains(&format!(" {what}:")), "{what}: {ko}");
    }
    for name in ["연체 기록: 120건", "대기 기록: 120건"] {
        assert!(ko.contains(name), "{ko}");
    }
    for name in ["overdue cases and reminders: 120", "places in waiting lists: 120"] {
        assert!(en.contains(name), "{en}");
    }
}

#[test]
fn a_missing_value_and_an_unknown_kind_are_errors_with_names() {
    let texts = loaded(None).expect("sound");
    let error =
        texts.render("sign_up_code", "ko", &values(&json!({ "name": "가" }))).expect_err("no code");
    assert!(error.contains("sign_up_code.ko.txt"), "{error}");
    let error = texts.render("nonsense", "ko", &Map::new()).expect_err("unknown");
    assert!(error.contains("nonsense"), "{error}");
    assert!(Texts::knows("alarm.jammed") && !Texts::knows("nonsense"));
}

#[test]
fn a_site_replaces_texts_and_its_mistakes_are_named_at_the_start() {
    let place = tempfile::tempdir().expect("a place");
    let write = |name: &str, text: &str| {
        std::fs::write(place.path().join(name), text).expect("written");
    };
    write("password_changed.ko.txt", "바뀜\n\n{{ name }} 님!\n");
    write("password_changed.ko.html", "<b>{{ name }}</b>");
    let dir = Some(place.path());
    let own = loaded(dir).expect("sound");
    let sample = values(&json!({ "name": "<가>" }));
    let ko = own.render("password_changed", "ko", &sample).expect("renderable");
    assert_eq!((ko.subject.as_str(), ko.text.as_str()), ("바뀜", "<가> 님!\n"));
    assert_eq!(ko.html, "<b>&lt;가&gt;</b>");
    let en = own.render("password_changed", "en", &sample).expect("renderable");
    assert!(en.subject.contains("password"), "the other language stays: {}", en.subject);
    for (name, text, says) in [
        ("password_changd.ko.txt", "x\n\ny", "password_changd.ko.txt is no template"),
        ("password_changed.en.txt", "{{ nmae }}", "password_changed.en.txt"),
        ("password_changed.en.txt", "{% if %}", "password_changed.en.txt"),
        ("password_changed.en.txt", "", "says nothing"),
        ("password_changed.en.txt", "a\n\n{% for i in range(99999) %}{{ i }}{% endfor %}", "fuel"),
    ] {
        write(name, text);
        let error = loaded(dir).expect_err(text);
        assert!(error.contains(says), "{text:?}: {error}");
        std::fs::remove_file(place.path().join(name)).expect("removed");
    }
}
