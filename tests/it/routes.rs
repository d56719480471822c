//! Every route of the access table, walked on the real server: it is reachable, takes its method
//! only, and refuses whom it must refuse.

use lockerd::http::access::{Access, ROUTES};
use serde_json::json;

use crate::support::demo::Demo;

/// A path with a value for each parameter.
pub fn concrete(path: &str) -> String {
    path.replace("{locker_id}", "101")
        .replace("{bank_id}", "1")
        .replace("{location_id}", "1")
        .replace("{term_id}", "1")
        .replace("{alarm_id}", "1")
        .replace("{member_id}", "1")
        .replace("{kiosk_id}", "1")
        .replace("{operation_id}", "01900000-0000-7000-8000-000000000000")
        .replace("{mass_opening_id}", "01900000-0000-7000-8000-000000000000")
        .replace("{rental_id}", "1")
        .replace("{bulk_end_id}", "01900000-0000-7000-8000-000000000000")
        .replace("{scan_id}", "01900000-0000-7000-8000-000000000000")
        .replace("{proof_id}", "east-0")
        .replace("{job}", "prune")
        .replace("{waiting_id}", "1")
        .replace("{reservation_id}", "1")
        .replace("{key}", "a-key")
        .replace("{kind}", "log_in")
        .replace("{subject}", "member:1")
        .replace("{member_id}", "1")
        .replace("{session_id}", "999999")
        .replace("{mail_id}", "1")
        .replace("{audit_id}", "1")
        .replace("{case_id}", "1")
        .replace("{penalty_id}", "1")
        .replace("{number}", "1")
        .replace("{slug}", "locker_taken")
        .replace("{bus}", "east")
        .replace("{address}", "0")
}

/// A body that a route of staff takes, so that the refusal is about who asks.
fn body(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("rotate") => "{}",
        Some("collect") => r#"{"items":[{"description":"x"}],"storage":"x"}"#,
        Some("hand-back") => r#"{"to":"x"}"#,
        Some("log-out-everybody" | "free" | "seal" | "unseal" | "drop" | "waive") => {
            r#"{"reason":"x"}"#
        }
        Some("mechanical-key" | "acknowledge") => r#"{"note":"x"}"#,
        Some("rentals") => r#"{"locker_id":101,"member_id":1,"term_id":1,"reason":"x"}"#,
        _ if path.starts_with("/api/v1/waiting/") => r#"{"reason":"x"}"#,
        Some("maintenance") => r#"{"on":true,"reason":"x"}"#,
        _ => r#"{"reason":"x","bank_id":1}"#,
    }
}

#[test]
fn every_route_is_reachable_and_refuses_whom_it_must() {
    let demo = Demo::start();
    let student = demo.gildong();
    let garbage = demo.nobody.with_token("garbage");
    for route in ROUTES {
        let (name, path) = (format!("{} {}", route.method, route.path), concrete(route.path));
        assert!(!path.contains('{'), "{name}: give its parameter a value");
        let reply = demo.nobody.call(route.method, &path, &[], "");
        if matches!(route.access, Access::Public) {
            assert_ne!(reply.code(), "not_found", "{name}");
            assert!(!matches!(reply.status, 405 | 500..), "{name}: {reply:?}");
            let reply = garbage.call(route.method, &path, &[], "");
            assert_ne!(reply.code(), "unauthenticated", "{name} is public");
        } else if route.access == Access::Kiosk {
            // Whoever is logged in is no kiosk.
            for somebody in [&demo.nobody, &garbage, &student] {
                let reply = somebody.call(route.method, &path, &[], "");
                reply.refused(401, "kiosk_unknown");
                let challenge = reply.header("www-authenticate");
                assert!(challenge.is_some_and(|it| it.starts_with("Kiosk")), "{name}");
            }
        } else {
            reply.refused(401, "unauthenticated");
            assert!(reply.header("www-authenticate").is_some_and(|it| it.starts_with("Bearer")));
            garbage.call(route.method, &path, &[], "").refused(401, "unauthenticated");
        }
        // Logging out would end the walk.
        if !path.contains("/logout") {
            let reply = student.call(route.method, &path, &[], "");
            assert_ne!(reply.code(), "not_found", "{name}");
            assert_ne!(reply.code(), "unauthenticated", "{name}");
            assert!(!matches!(reply.status, 405 | 500..), "{name}: {reply:?}");
            if matches!(route.access, Access::Staff | Access::Admin) {
                let json = ["Content-Type: application/json"];
                let reply = student.call(route.method, &path, &json, body(route.path));
                assert!(matches!(reply.status, 403 | 404), "{name}: {reply:?}");
            }
        }
    }
}

#[test]
fn who_asks_comes_before_what_is_asked() {
    let demo = Demo::start();
    for path in ["/api/v1/buses/east/boards/999/exchanges", "/api/v1/buses/NO!/exchanges"] {
        demo.nobody.get(path).refused(401, "unauthenticated");
        demo.gildong().get(path).refused(422, "invalid");
    }
}

#[test]
fn every_route_takes_its_own_methods_only() {
    let demo = Demo::start();
    let student = demo.gildong();
    for route in ROUTES {
        let path = concrete(route.path);
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let known = ROUTES.iter().any(|it| it.path == route.path && it.method == method);
            // A parameter also matches a literal of its neighbour: lockers/me is no number.
            if !known {
                let reply = student.call(method, &path, &["Content-Type: application/json"], "{}");
                assert_eq!(reply.status, 405, "{method} {path}: {}", reply.text());
                reply.refused(405, "method_not_allowed");
            }
        }
    }
}

#[test]
fn every_code_has_a_page_and_unknown_addresses_have_none() {
    let demo = Demo::start();
    let page = demo.nobody.get("/problems/locker_taken").expect(200).json();
    assert_eq!((&page["code"], &page["status"]), (&"locker_taken".into(), &409.into()));
    demo.nobody.get("/problems/nonsense").refused(404, "not_found");
    for path in ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/lockers", "/etc/passwd", "/api"]
    {
        demo.nobody.get(path).refused(404, "not_found");
    }
    for id in ["x", "0", "-1", "1.5", "99999999999999999999", "%31%30"] {
        let reply = demo.gildong().get(&format!("/api/v1/lockers/{id}"));
        assert_eq!(reply.status, 404, "{id}: {}", reply.text());
    }
}

#[test]
fn the_api_describes_itself_without_the_internet() {
    let demo = Demo::start();
    let document = demo.nobody.get("/api/openapi.json").expect(200).json();
    assert!(document["openapi"].as_str().is_some_and(|it| it.starts_with("3.1")), "{document}");
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/v1/")) {
        let method = route.method.to_ascii_lowercase();
        assert!(document["paths"][route.path][&method].is_object(), "{method} {}", route.path);
    }
    let listed = document["paths"].as_object().expect("paths");
    for (path, methods) in listed {
        for method in methods.as_object().expect("methods").keys() {
            let known = |it: &&lockerd::http::access::Route| {
                it.path == path && it.method.eq_ignore_ascii_case(method)
            };
            assert!(ROUTES.iter().any(|it| known(&it)), "{method} {path} is not in the table");
        }
    }
    let page = demo.nobody.get("/api/swagger/").expect(200);
    assert!(page.header("content-type").is_some_and(|it| it.starts_with("text/html")));
    // The browser itself is told to load from here only.
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        let reply = demo.nobody.get(&format!("/api/swagger/{file}")).expect(200);
        assert!(reply.body.len() > 100, "{file}");
    }
    demo.nobody.get("/api/swagger/nothing.js").refused(404, "not_found");
}

#[test]
fn a_question_that_cannot_be_read_is_that_and_not_another_method() {
    let demo = Demo::start();
    let told = json!({ "id": "ADMIN", "password": "demo-admin-password" });
    let admin = demo.nobody.log_in(&told);
    // The same address takes a PUT as well.
    admin.get("/api/v1/banks/1/layout?format=toml&format=toml").refused(400, "bad_request");
    admin.get("/api/v1/banks/1/layout").expect(200);
}
