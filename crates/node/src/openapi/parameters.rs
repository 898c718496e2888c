//! What stands in the path of a request.

use protocol::query;
use serde_json::{Value, json};

/// The parts in braces.
pub(super) fn in_path(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parameter = |name: &str| {
        let (description, schema) = match name {
            "account" => (
                "An address, or a label of this node.",
                json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
            ),
            "height" => ("A height.", json!({ "type": "integer", "minimum": 0 })),
            "figure" => {
                let figures: Vec<&str> = query::FIGURES.iter().map(|known| known.figure).collect();
                ("The name of a figure.", json!({ "type": "string", "enum": figures }))
            }
            "key" => (
                "The key of an entry, such as `account/0x..` or `pool/3`; it has slashes in it.",
                json!({ "type": "string", "minLength": 1, "maxLength": 256 }),
            ),
            "id" if path.starts_with("/v1/operations/") => {
                ("The id of an operation.", json!({ "type": "string", "pattern": "^0x[0-9a-f]{64}$" }))
            }
            _ => (
                "A number, or a label of this node.",
                json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
            ),
        };
        let mut parameter = json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema });
        // What the demo has, and every other ledger that has begun.
        parameter["example"] = match name {
            "account" => "alice".into(),
            "height" => 0.into(),
            "figure" => "pool_worst_case".into(),
            "key" => "pool/0".into(),
            _ if path.starts_with("/v1/operations/") => format!("0x{}", "0".repeat(64)).into(),
            _ => "0".into(),
        };
        parameter
    };
    names.map(parameter).collect()
}
