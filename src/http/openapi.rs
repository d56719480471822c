//! The API document (OpenAPI 3.1, made from the types) and Swagger UI, both from the binary.

use std::sync::{Arc, OnceLock};

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};
use utoipa_swagger_ui::Config;
use warp::http::StatusCode;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION,
};

use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::problem::Problem;
use super::{OrRoute, Routes};
use super::{
    alarms, audit, auth, bank_admin, bank_map, banks, buses, clock, commissioning, exports,
    extensions, health, help, histories, jobs, keys, kiosk, kiosks, layouts, limits, live,
    locations, locker_admin, lockers, mailbox, mails, mass_openings, me, member_sessions, members,
    opening_list, openings, operations, overdue, own_account, penalties, presence, public_site,
    rentals, reservations, retention, returns, roles, sessions, sign_up, statistics, terms, totp,
    waiting,
};
use crate::service::error::Code;

/// Swagger UI has one inline style of its own; this is its hash. Everything else comes from files.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "lockerd",
        description = "Campus lockers: claim, open, return. Every refusal is a problem document \
            (RFC 9457) with a stable `code`; see /problems/{code}. Changes take an \
            `Idempotency-Key` header: a repeat with the same key gets the first answer.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        auth::handle_log_in,
        auth::handle_log_in_or_register,
        auth::handle_me,
        sessions::handle_refresh,
        sessions::handle_log_out,
        totp::handle_prove,
        totp::handle_second_step,
        totp::handle_find,
        totp::handle_enrol,
        totp::handle_remove,
        totp::handle_confirm,
        totp::handle_renew,
        totp::handle_reset,
        kiosks::handle_list,
        kiosks::handle_add,
        kiosks::handle_change,
        kiosks::handle_revoke,
        kiosks::handle_pairing_code,
        kiosks::handle_end_session,
        kiosks::handle_one_time_code,
        kiosk::handle_pair,
        kiosk::handle_find,
        kiosk::handle_heartbeat,
        kiosk::handle_presence,
        kiosk::handle_sign_in,
        kiosk::handle_sign_out,
        presence::handle_opening,
        presence::handle_rotate,
        sign_up::handle_sign_up,
        sign_up::handle_resend,
        sign_up::handle_confirm,
        sign_up::handle_notice,
        own_account::handle_password,
        own_account::handle_forgot,
        own_account::handle_reset,
        own_account::handle_email,
        own_account::handle_confirm_email,
        limits::handle_list,
        limits::handle_release,
        sessions::handle_log_out_everywhere,
        sessions::handle_list,
        sessions::handle_end,
        member_sessions::handle_list,
        member_sessions::handle_end_all,
        member_sessions::handle_end,
        member_sessions::handle_log_out_everybody,
        keys::handle_rotate,
        public_site::handle_site,
        lockers::handle_list,
        public_site::handle_summary,
        lockers::handle_mine,
        lockers::handle_find,
        lockers::handle_hold,
        lockers::handle_confirm,
        lockers::handle_release_hold,
        extensions::handle_extend_hold,
        extensions::handle_extend,
        extensions::handle_swap,
        waiting::handle_find,
        waiting::handle_join,
        waiting::handle_leave,
        waiting::handle_list,
        waiting::handle_remove,
        returns::handle_release,
        returns::handle_free,
        returns::handle_replace,
        returns::handle_list,
        returns::handle_shortages,
        overdue::handle_list,
        overdue::handle_export,
        overdue::handle_find,
        overdue::steps::handle_seal,
        overdue::steps::handle_unseal,
        overdue::steps::handle_collect,
        overdue::steps::handle_hand_back,
        overdue::steps::handle_drop,
        penalties::handle_list,
        penalties::handle_waive,
        penalties::handle_mine,
        rentals::list::handle_list,
        rentals::list::handle_export,
        rentals::list::handle_find,
        rentals::handle_assign,
        rentals::handle_move,
        rentals::handle_end,
        rentals::handle_change,
        rentals::bulk::handle_begin,
        rentals::bulk::handle_list,
        rentals::bulk::handle_find,
        histories::handle_locker,
        histories::handle_member,
        histories::handle_mine,
        opening_list::handle_list,
        exports::handle_alarms,
        exports::handle_openings,
        exports::handle_returns,
        exports::handle_shortages,
        exports::handle_penalties,
        exports::handle_waiting,
        exports::handle_mails,
        exports::handle_locks,
        exports::handle_lockers,
        statistics::handle_occupancy,
        statistics::handle_rush,
        statistics::handle_openings,
        statistics::handle_overdue,
        statistics::handle_waits,
        lockers::handle_open,
        banks::handle_hold_any,
        reservations::handle_reserve,
        reservations::handle_mine,
        reservations::handle_cancel,
        reservations::handle_check_in,
        reservations::handle_replace,
        locations::handle_list,
        locations::handle_add,
        locations::handle_change,
        locations::handle_retire,
        bank_admin::handle_list,
        bank_admin::handle_add,
        bank_admin::handle_find,
        bank_admin::handle_change,
        bank_admin::handle_retire,
        bank_admin::handle_find_policy,
        bank_admin::handle_put_policy,
        bank_map::handle_map,
        bank_map::handle_put_map,
        bank_map::handle_calendar,
        locker_admin::handle_list,
        locker_admin::handle_add,
        locker_admin::handle_change,
        locker_admin::handle_retire,
        locker_admin::handle_put_service,
        locker_admin::handle_service_history,
        locker_admin::handle_notes,
        locker_admin::handle_add_note,
        terms::handle_list,
        terms::handle_add,
        terms::handle_change,
        terms::handle_retire,
        buses::handle_list,
        buses::handle_exchanges,
        buses::handle_other_exchanges,
        buses::handle_locks,
        layouts::handle_export,
        layouts::handle_import,
        commissioning::handle_scan,
        commissioning::handle_find_scan,
        commissioning::handle_cancel_scan,
        commissioning::handle_address,
        commissioning::handle_list_proofs,
        commissioning::handle_start_proof,
        commissioning::handle_find_proof,
        commissioning::handle_delete_proof,
        commissioning::handle_step,
        commissioning::handle_apply,
        commissioning::handle_report,
        commissioning::handle_labels,
        alarms::handle_list,
        alarms::handle_find,
        alarms::handle_acknowledge,
        alarms::handle_it_was_me,
        alarms::handle_mine,
        help::handle_ask,
        help::handle_ask_at_kiosk,
        alarms::handle_mechanical_key,
        alarms::handle_maintenance,
        openings::handle_find,
        mass_openings::handle_start,
        mass_openings::handle_list,
        mass_openings::handle_find,
        mass_openings::handle_cancel,
        operations::handle_find,
        me::handle_data,
        me::handle_change,
        me::handle_delete,
        members::handle_list,
        members::handle_find,
        members::handle_reveal,
        members::handle_export,
        members::roster::handle_import,
        members::change::handle_create,
        members::change::handle_change,
        members::change::handle_delete,
        members::change::handle_role,
        members::change::handle_banks,
        members::change::handle_disable,
        members::change::handle_enable,
        members::change::handle_reset,
        roles::handle_make_code,
        roles::handle_claim,
        roles::handle_list,
        roles::handle_remove,
        retention::handle_find,
        mails::handle_list,
        mails::handle_test,
        mails::handle_retry,
        mails::handle_delete,
        audit::handle_list,
        audit::handle_head,
        audit::handle_verify,
        audit::handle_export,
        audit::handle_find,
        mailbox::handle_list,
        mailbox::handle_find,
        health::handle_health,
        clock::handle_find,
        clock::handle_confirm,
        jobs::handle_list,
        jobs::handle_run,
        live::handle_socket,
    ),
    modifiers(&Bearer, &OperationIds, &Refusals)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let kiosk = ApiKeyValue::with_description(
            "Authorization",
            "`Kiosk CREDENTIAL`, as pairing gave it; browsers send the cookie `lockerd_kiosk`",
        );
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(kiosk));
        components.add_security_scheme("kiosk", scheme);
    }
}

/// Gives each operation a name of its own, which programs that are made from the document need: the
/// handlers' names are alike in many files.
struct OperationIds;

impl Modify for OperationIds {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ] {
                let Some(operation) = operation else { continue };
                operation.operation_id = Some(operation_id(method, path));
            }
        }
    }
}

/// `post`, `/api/v1/lockers/{locker_id}/hold`: `post_lockers_locker_id_hold`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// What every refusal looks like (RFC 9457), and the data that some carry.
#[derive(ToSchema)]
#[expect(dead_code, reason = "described here, written by problem::finish")]
struct ProblemDocument {
    /// `/problems/CODE`: what this code means.
    r#type: String,
    /// The code in a sentence.
    title: String,
    /// The status.
    status: u16,
    /// What happened and what to do, for people.
    detail: String,
    /// The address that was asked.
    instance: String,
    /// Stable: programs choose by it.
    code: String,
    /// Under which the server's log has it.
    request_id: String,
}

/// Refusals that every request may meet: a wrong host, an overloaded or failing site.
const REFUSED_ALWAYS: [u16; 3] = [404, 421, 503];
/// Those of routes that want to know who asks.
const REFUSED_UNKNOWN: [u16; 2] = [401, 403];
/// Those of routes that take a body or change something.
const REFUSED_CHANGES: [u16; 9] = [400, 408, 409, 411, 413, 415, 422, 429, 507];
/// Those of routes that read their parameters from the address.
const REFUSED_QUESTIONS: [u16; 2] = [400, 422];

/// Writes down for each operation what it may refuse with, and that a refusal is a document.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.schemas.insert("Problem".to_owned(), ProblemDocument::schema());
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.get].into_iter().flatten() {
                declare(operation, &REFUSED_QUESTIONS);
            }
            let changing = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in changing.into_iter().flatten() {
                declare(operation, &REFUSED_CHANGES);
            }
        }
    }
}

fn declare(operation: &mut Operation, more: &[u16]) {
    let unknown: &[u16] = if operation.security.is_some() { &REFUSED_UNKNOWN } else { &[] };
    for status in [&REFUSED_ALWAYS, unknown, more].concat() {
        let empty = || RefOr::T(utoipa::openapi::Response::new("Refused."));
        operation.responses.responses.entry(status.to_string()).or_insert_with(empty);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let refused = status.starts_with(['4', '5']);
        if response.description.is_empty() {
            // OpenAPI 3.1 demands one of every response.
            if refused { "Refused." } else { "Done." }.clone_into(&mut response.description);
        }
        if refused && response.content.is_empty() {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content.insert("application/problem+json".to_owned(), RefOr::T(problem));
        }
    }
}

/// The document as JSON, made once.
#[must_use]
pub fn document() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| Document::openapi().to_json().unwrap_or_default())
}

pub(super) fn routes() -> Routes {
    let json = path!("api" / "openapi.json").and(warp::get()).map(|| {
        let mut response = document().into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    });
    // The pages name their files relative to the directory, so the slash at the end matters:
    // `path!` with an end takes both, and the tail tells them apart.
    let config = Arc::new(Config::from("/api/openapi.json").validator_url("none"));
    let swagger =
        path("api").and(path("swagger")).and(warp::get()).and(path::full()).and(path::tail()).map(
            move |full: path::FullPath, tail: path::Tail| {
                if tail.as_str().is_empty() && !full.as_str().ends_with('/') {
                    return redirect("/api/swagger/");
                }
                swagger_file(tail.as_str(), &config)
            },
        );
    json.boxed().or_route(swagger.boxed())
}

fn redirect(to: &'static str) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn swagger_file(name: &str, config: &Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(name, Arc::clone(config)) {
        Ok(Some(file)) => {
            let mut response = Response::new(file.bytes.into_owned().into());
            let headers = response.headers_mut();
            if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
                headers.insert(CONTENT_TYPE, content_type);
            }
            if file.gzpipped {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SWAGGER_POLICY));
            response
        }
        Ok(None) => Problem::new(Code::NotFound, "Swagger UI has no such file").into_response(),
        Err(error) => {
            tracing::error!(area = "http", %error, "Swagger UI could not be served");
            Problem::new(Code::Internal, "something went wrong on our side; it was logged")
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::http::access::ROUTES;

    #[test]
    fn the_document_and_the_access_table_list_the_same_routes() {
        let document: Value = serde_json::from_str(document()).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let mut documented = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for method in methods.as_object().expect("methods").keys() {
                documented.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let mut listed: Vec<String> = ROUTES
            .iter()
            .filter(|route| route.path.starts_with("/api/v1/"))
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        documented.sort();
        listed.sort();
        assert_eq!(documented, listed);
    }
    #[test]
    fn each_operation_has_a_name_of_its_own() {
        assert_eq!(operation_id("get", "/api/v1/lockers/{locker_id}"), "get_lockers_locker_id");
        let document: Value = serde_json::from_str(document()).expect("JSON");
        let operations = document["paths"].as_object().expect("paths").values();
        let mut names: Vec<&str> = operations
            .flat_map(|methods| methods.as_object().expect("methods").values())
            .map(|operation| operation["operationId"].as_str().expect("a name"))
            .collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
