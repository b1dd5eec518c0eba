//! How each provider says no: status, body and event, as their SDKs expect them. It never repeats anything of a request,
//! except the name of a missing field, which is ours.

use super::Ending;
use super::Event;
use super::Whole;
use super::quote;

/// Whose error shape an answer has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    OpenAi,
    Anthropic,
}

impl Dialect {
    pub(super) fn refuse(self, status: u16, message: &str) -> Whole {
        let (openai, code, anthropic) = kind(status);
        let body = match self {
            Self::OpenAi => openai_body(message, openai, "null", code),
            Self::Anthropic => anthropic_body(message, anthropic),
        };
        let retry_after = matches!(status, 429 | 529).then_some(1);
        Whole { status, retry_after, body, ending: Ending::Finish }
    }

    pub(super) fn refuse_parameter(self, field: &str) -> Whole {
        let body = match self {
            Self::OpenAi => {
                let message = format!("Missing required parameter: '{field}'.");
                openai_body(&message, "invalid_request_error", &quote(field), r#""missing_required_parameter""#)
            }
            Self::Anthropic => anthropic_body(&format!("{field}: Field required"), "invalid_request_error"),
        };
        Whole { status: 400, retry_after: None, body, ending: Ending::Finish }
    }

    /// The error in the middle of a stream.
    pub(super) fn event(self, message: &str) -> Event {
        match self {
            Self::OpenAi => Event::data(&openai_body(message, "server_error", "null", "null"), false),
            Self::Anthropic => Event::named("error", &anthropic_body(message, "overloaded_error"), false),
        }
    }
}

/// A status as OpenAI's type and code (as JSON), and as Anthropic's type.
fn kind(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        401 => ("invalid_request_error", r#""invalid_api_key""#, "authentication_error"),
        403 => ("invalid_request_error", r#""unsupported_country_region_territory""#, "permission_error"),
        404 => ("invalid_request_error", r#""model_not_found""#, "not_found_error"),
        413 => ("invalid_request_error", "null", "request_too_large"),
        429 => ("requests", r#""rate_limit_exceeded""#, "rate_limit_error"),
        503 | 529 => ("server_error", r#""overloaded""#, "overloaded_error"),
        500.. => ("server_error", "null", "api_error"),
        _ => ("invalid_request_error", "null", "invalid_request_error"),
    }
}

fn openai_body(message: &str, kind: &str, parameter: &str, code: &str) -> String {
    let message = quote(message);
    format!(r#"{{"error":{{"message":{message},"type":"{kind}","param":{parameter},"code":{code}}}}}"#)
}

fn anthropic_body(message: &str, kind: &str) -> String {
    let message = quote(message);
    format!(
        r#"{{"type":"error","error":{{"type":"{kind}","message":{message}}},"request_id":"req_011CMockMockMockMockMock"}}"#
    )
}
