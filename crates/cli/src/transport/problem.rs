//! An answer that says no (RFC 9457), as a failure.

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

/// What a status means for the shell, where the code does not say it.
fn exit_of(status: u16, code: &str) -> Exit {
    // A node that stopped at a fault of its storage says so by the code, whatever the status.
    if code == "stopped" || code.starts_with("storage.") || code.starts_with("ledger.") {
        return Exit::Storage;
    }
    if matches!(code, "bad_signature" | "unsigned") {
        return Exit::Key;
    }
    match status {
        404 | 410 => Exit::NotFound,
        409 | 422 => Exit::Refused,
        408 | 504 => Exit::Timeout,
        400..=499 if status != 429 => Exit::Usage,
        _ => Exit::Network,
    }
}

/// The failure that an answer amounts to. Where it has no problem in it, the status is all that is known.
pub(super) fn failure(status: u16, problem: Option<&Value>, request: &str, name: &str) -> Failure {
    let text = |field: &str| {
        let value = problem.and_then(|problem| problem.get(field)).and_then(Value::as_str);
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let code = text("code").unwrap_or_else(|| format!("http.{status}"));
    let title = text("title").unwrap_or_else(|| format!("{name} answered {request} with status {status}"));
    let mut failure = Failure::new(exit_of(status, &code), code, title);
    // Some problems have a cause beside what happened in this case; both are worth a line.
    let why = match (text("detail"), text("cause")) {
        (Some(detail), Some(cause)) if !detail.contains(&cause) => Some(format!("{detail}; {cause}")),
        (detail, cause) => detail.or(cause),
    };
    if let Some(why) = why {
        failure = failure.why(why);
    }
    if let Some(help) = text("remedy").or_else(|| text("hint")) {
        failure = failure.help(help);
    } else if problem.is_none() {
        failure = failure.help("is there a node of surety at that address? surety status says who answers");
    }
    match text("docs").or_else(|| text("type").filter(|link| link != "about:blank")) {
        // The page is the node's.
        Some(docs) if docs.starts_with('/') && name.starts_with("http://") => {
            failure.docs(format!("{name}{docs}"))
        }
        Some(docs) if !docs.starts_with('/') => failure.docs(docs),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_keeps_its_words_and_finds_its_exit() {
        let problem = json!({
            "type": "/docs/errors/delegate.ExceedsFree", "title": "the ledger refuses", "status": 422,
            "detail": "delegation of 5 exceeds free balance 1", "code": "delegate.ExceedsFree", "remedy": "lower the amount",
        });
        let failure = failure(422, Some(&problem), "POST /v1/operations", "http://a:1");
        assert_eq!(
            (failure.exit(), failure.code(), failure.remedy()),
            (Exit::Refused, "delegate.ExceedsFree", Some("lower the amount"))
        );
        let text = failure.to_string();
        assert!(
            text.contains("exceeds free balance 1")
                && text.contains("http://a:1/docs/errors/delegate.ExceedsFree"),
            "{text}"
        );
    }

    #[test]
    fn every_status_has_an_exit() {
        let cases = [
            (400, "", Exit::Usage),
            (404, "", Exit::NotFound),
            (409, "", Exit::Refused),
            (422, "", Exit::Refused),
            (413, "", Exit::Usage),
            (429, "", Exit::Network),
            (500, "", Exit::Network),
            (503, "stopped", Exit::Storage),
            (400, "bad_signature", Exit::Key),
            (504, "", Exit::Timeout),
            (302, "", Exit::Network),
        ];
        for (status, code, exit) in cases {
            let problem = json!({ "code": code });
            assert_eq!(failure(status, Some(&problem), "GET /", "x").exit(), exit, "{status}");
        }
        assert!(failure(502, None, "GET /", "x").remedy().is_some());
    }
}
