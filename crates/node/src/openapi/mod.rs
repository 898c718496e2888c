//! `openapi.json` and `docs/reference/api.md`, made from the route table and the types. Only tests know this module: what the node serves is
//! the committed file, and a test holds it against what is made here.
//!
//! To write both anew: `SURETY_BLESS=1 cargo test -p node openapi`.

mod parameters;
mod shapes;
mod tests;
mod vaults;

pub(crate) use shapes::Wish;

use protocol::query::explain::Explained;
use protocol::{Event, Kind, query};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::account::{DatedExit, DatedNotice, Entries};
use crate::api::{
    Pinned, blocks, events, explain, lists, operations, prepare, preview, proofs, records, slashes, webhooks,
};
use crate::http::problem::{Code, Written};
use crate::routes::{ROUTES, Route};
use crate::topics::Told;

/// Makes the description.
pub(super) struct Book {
    generator: SchemaGenerator,
    extra: Map<String, Value>,
}

/// What a route takes and gives.
#[derive(Default)]
struct Shape {
    query: Option<Value>,
    headers: Vec<Value>,
    body: Option<Value>,
    /// Status, content type, schema.
    answers: Vec<(u16, &'static str, Option<Value>)>,
}

const JSON: &str = "application/json";

impl Book {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self { generator: settings.into_generator(), extra: Map::new() }
    }

    fn of<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// The whole description.
    pub(super) fn write(mut self) -> Value {
        let mut paths = Map::new();
        for route in ROUTES {
            let described = self.route(route);
            let methods = paths.entry(route.path).or_insert_with(|| json!({}));
            methods[route.method] = described;
        }
        self.add_operations();
        let problem = self.of::<Written<'static>>();
        let mut schemas = self.generator.take_definitions(true);
        schemas.append(&mut self.extra);
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Surety",
                "version": crate::app::VERSION,
                "description": "Everything that a ledger of shared security answers and takes. Amounts are decimal texts of base units; `decimals` says by asset how people write them. \
                                Errors are RFC 9457 problems.",
                "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": {
                    "Problem": {
                        "description": "What failed, why, and what to do. The codes are those of `Problem.code`; a refusal of the rules has the name of the operation and the refusal.",
                        "content": { "application/problem+json": { "schema": problem } },
                    },
                },
            },
        })
    }

    fn route(&mut self, route: &Route) -> Value {
        let shape = self.shape(route);
        let mut parameters = parameters::in_path(route.path);
        parameters.extend(shape.query.map(|query| self.query_parameters(&query)).unwrap_or_default());
        parameters.extend(shape.headers);
        let mut responses = Map::new();
        for (status, kind, schema) in shape.answers {
            let mut response = json!({ "description": route.summary });
            if let Some(schema) = schema {
                response["content"] = json!({ kind: { "schema": schema } });
            }
            responses.insert(status.to_string(), response);
        }
        responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        let mut described = json!({
            "operationId": route.name,
            "summary": route.summary,
            "tags": [route.tag],
            "responses": responses,
        });
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(body) = shape.body {
            let mut content = json!({ "schema": body });
            if let Some(example) = example_of(route.name) {
                content["example"] = example;
            }
            described["requestBody"] = json!({ "required": true, "content": { JSON: content } });
        }
        described
    }

    /// The fields of a struct as parameters of a query.
    fn query_parameters(&mut self, query: &Value) -> Vec<Value> {
        let name = query["$ref"].as_str().and_then(|path| path.rsplit('/').next()).expect("a named struct");
        let definition = self.generator.definitions().get(name).expect("a definition").clone();
        let fields = definition["properties"].as_object().cloned().unwrap_or_default();
        let parameter = |(name, schema): (&String, &Value)| {
            let mut schema = schema.clone();
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            without_null(&mut schema);
            json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
        };
        fields.iter().map(parameter).collect()
    }

    /// With `as_of`, and `decimals` where assets are named.
    fn dated(&mut self, schema: Value) -> Value {
        let dated = self.of::<shapes::Dated>();
        json!({ "allOf": [schema, dated] })
    }

    fn answer<T: JsonSchema>(&mut self) -> Vec<(u16, &'static str, Option<Value>)> {
        let schema = self.of::<T>();
        vec![(200, JSON, Some(self.dated(schema)))]
    }

    fn plain<T: JsonSchema>(&mut self) -> Vec<(u16, &'static str, Option<Value>)> {
        vec![(200, JSON, Some(self.of::<T>()))]
    }

    fn list(&mut self, items: Value) -> Vec<(u16, &'static str, Option<Value>)> {
        let list = json!({
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": { "type": "array", "items": items },
                "next": { "type": ["string", "null"], "description": "The cursor of the next page; none on the last." },
            },
        });
        vec![(200, JSON, Some(self.dated(list)))]
    }

    fn paged<T: JsonSchema>(&mut self) -> Shape {
        let items = self.of::<T>();
        Shape { query: Some(self.of::<lists::Paging>()), answers: self.list(items), ..Shape::default() }
    }

    fn one<T: JsonSchema>(&mut self) -> Shape {
        Shape { query: Some(self.of::<Pinned>()), answers: self.answer::<T>(), ..Shape::default() }
    }

    /// One thing, with proofs if they are asked for.
    fn proven<T: JsonSchema>(&mut self) -> Shape {
        let dated = self.of::<shapes::Dated>();
        self.proven_at::<T>(&dated)
    }

    fn proven_at<T: JsonSchema>(&mut self, moment: &Value) -> Shape {
        let all = json!({ "allOf": [self.of::<T>(), self.of::<shapes::Proven>(), moment] });
        let (query, answers) = (Some(self.of::<proofs::Proving>()), vec![(200, JSON, Some(all))]);
        Shape { query, answers, ..Shape::default() }
    }

    fn entries<T: JsonSchema>(&mut self) -> Shape {
        Shape { query: Some(self.of::<Entries>()), ..self.proven::<T>() }
    }

    fn text(kind: &'static str) -> Shape {
        Shape { answers: vec![(200, kind, Some(json!({ "type": "string" })))], ..Shape::default() }
    }

    fn shape(&mut self, route: &Route) -> Shape {
        match route.tag {
            "Node" => self.node_shape(route.name),
            "Operations" => self.operation_shape(route.name),
            "Blocks and events" => self.block_shape(route.name),
            "Accounts" => self.account_shape(route.name),
            "Records" => self.record_shape(route.name),
            "Vaults" => self.vault_shape(route.name),
            _ => self.other_shape(route.name),
        }
    }

    fn node_shape(&mut self, name: &str) -> Shape {
        let shape = |answers| Shape { answers, ..Shape::default() };
        match name {
            "page" | "errors" => Self::text("text/html"),
            "robots" => Self::text("text/plain"),
            "metrics" => Self::text("application/openmetrics-text"),
            "livez" => shape(self.plain::<shapes::Live>()),
            "readyz" => shape(self.plain::<shapes::Ready>()),
            "version" => shape(self.plain::<shapes::Version>()),
            "openapi" => shape(vec![(200, JSON, Some(json!({ "type": "object" })))]),
            "genesis" => shape(self.plain::<shapes::GenesisAnswer>()),
            "labels" => shape(self.plain::<shapes::Labels>()),
            "status" => self.one::<shapes::Status>(),
            _ => panic!("{name} is not described"),
        }
    }

    fn operation_shape(&mut self, name: &str) -> Shape {
        match name {
            "prepare" => Shape {
                body: Some(self.of::<prepare::Asked>()),
                answers: self.answer::<shapes::Prepared>(),
                ..Shape::default()
            },
            "simulate" => Shape {
                body: Some(self.of::<preview::Unsigned>()),
                answers: self.answer::<preview::Preview>(),
                ..Shape::default()
            },
            "submit" => {
                let answers = vec![
                    (200, JSON, Some(self.of::<shapes::Submitted>())),
                    (202, JSON, Some(self.of::<shapes::Accepted>())),
                ];
                let (signed, bytes) = (self.of::<shapes::Signed>(), self.of::<shapes::Bytes>());
                let body = Some(json!({ "oneOf": [signed, bytes] }));
                Shape { query: Some(self.of::<operations::Sending>()), body, answers, ..Shape::default() }
            }
            "operation" => Shape {
                query: Some(self.of::<operations::Lookup>()),
                answers: self.plain::<shapes::Found>(),
                ..Shape::default()
            },
            _ => panic!("{name} is not described"),
        }
    }

    fn block_shape(&mut self, name: &str) -> Shape {
        match name {
            "blocks" => self.paged::<shapes::Summary>(),
            "block" => {
                let mut answers = self.plain::<shapes::BlockAnswer>();
                answers.push((304, JSON, None));
                Shape { query: Some(self.of::<blocks::Part>()), answers, ..Shape::default() }
            }
            "events" => {
                let _listed_for_readers = self.of::<Told>();
                let schema = json!({
                    "type": "string",
                    "description": "`id` is a place in the sequence, `event` a topic, `data` a `Told` as JSON; `begun` says where the stream begins, \
                                    `lagged` that it ends because the client did not keep up.",
                });
                let last = json!({
                    "name": "last-event-id", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 64 },
                    "description": "The id of the last event that was seen; the stream goes on after it.",
                });
                let answers = vec![(200, "text/event-stream", Some(schema))];
                Shape {
                    query: Some(self.of::<events::Wanted>()),
                    headers: vec![last],
                    answers,
                    ..Shape::default()
                }
            }
            "entry" => {
                let entry = self.of::<shapes::EntryAnswer>();
                let (entry, proof) = (self.dated(entry), self.of::<shapes::EntryProof>());
                let answers = vec![(200, JSON, Some(json!({ "anyOf": [entry, proof] })))];
                Shape { query: Some(self.of::<proofs::Proving>()), answers, ..Shape::default() }
            }
            _ => panic!("{name} is not described"),
        }
    }

    fn account_shape(&mut self, name: &str) -> Shape {
        match name {
            "accounts" => self.paged::<query::AccountDetail>(),
            "account" => self.proven::<query::AccountDetail>(),
            "positions" => self.proven::<shapes::OfAccount<query::PositionView>>(),
            "rewards" => self.entries::<query::EarningsAnswer>(),
            "exposure" => self.entries::<query::ExposureAnswer>(),
            "exits" => {
                let _named = self.of::<DatedExit>();
                self.proven::<vaults::Exits>()
            }
            "notices" => self.one::<shapes::OfAccount<DatedNotice>>(),
            "nonces" => self.one::<shapes::Nonces>(),
            "history" => self.paged::<shapes::Past>(),
            "exits_ics" => Shape { query: Some(self.of::<Pinned>()), ..Self::text("text/calendar") },
            "notices_rss" => Shape { query: Some(self.of::<Pinned>()), ..Self::text("application/rss+xml") },
            _ => panic!("{name} is not described"),
        }
    }

    fn record_shape(&mut self, name: &str) -> Shape {
        let filtered = |query: Value, mut shape: Shape| {
            shape.query = Some(query);
            shape
        };
        match name {
            "assets" => self.paged::<query::AssetDetail>(),
            "asset" => {
                // Its decimals are its own, not a map by asset.
                let moment = self.of::<shapes::Moment>();
                self.proven_at::<query::AssetDetail>(&moment)
            }
            "operators" => self.paged::<query::OperatorDetail>(),
            "operator" => self.proven::<query::OperatorDetail>(),
            "pools" => self.paged::<query::PoolDetail>(),
            "pool" => self.proven::<query::PoolDetail>(),
            "services" => self.paged::<query::ServiceDetail>(),
            "service" => self.proven::<query::ServiceDetail>(),
            "sets" => self.paged::<query::SetDetail>(),
            "set" => self.proven::<query::SetDetail>(),
            "table" => filtered(self.of::<records::TableOf>(), self.proven::<query::TableView>()),
            "requests" => filtered(self.of::<records::RequestsOf>(), self.paged::<query::RequestDetail>()),
            "request" => self.proven::<query::RequestDetail>(),
            "slashes" => filtered(self.of::<slashes::SlashesOf>(), self.paged::<slashes::SlashCase>()),
            "slash" => self.one::<slashes::SlashCase>(),
            "streams" => filtered(self.of::<records::StreamsOf>(), self.paged::<query::StreamDetail>()),
            "stream" => self.proven::<query::StreamDetail>(),
            "chain" => self.one::<query::ChainView>(),
            "pods" => self.paged::<query::PodDetail>(),
            "pod" => self.proven::<query::PodDetail>(),
            "network" => self.one::<protocol::view::NetworkView>(),
            "parameters" => self.one::<query::LedgerView>(),
            "figures" => Shape { answers: self.plain::<shapes::Figures>(), ..Shape::default() },
            "explain" => filtered(self.of::<explain::Of>(), self.proven::<Explained>()),
            _ => panic!("{name} is not described"),
        }
    }

    fn other_shape(&mut self, name: &str) -> Shape {
        match name {
            "webhooks" => Shape { answers: self.plain::<shapes::Hooks>(), ..Shape::default() },
            "add_webhook" => Shape {
                body: Some(self.of::<webhooks::NewHook>()),
                answers: vec![(201, JSON, Some(self.of::<webhooks::HookView>()))],
                ..Shape::default()
            },
            "remove_webhook" => Shape { answers: vec![(204, JSON, None)], ..Shape::default() },
            "rpc" => {
                let call = self.of::<shapes::Call>();
                let body = json!({ "anyOf": [call, { "type": "array", "minItems": 1, "maxItems": 50, "items": call }] });
                let answered = self.of::<shapes::Called>();
                let schema = json!({ "anyOf": [answered, { "type": "array", "items": answered }] });
                let answers = vec![(200, JSON, Some(schema)), (204, JSON, None)];
                Shape { body: Some(body), answers, ..Shape::default() }
            }
            _ => panic!("{name} is not described"),
        }
    }

    /// Every kind of operation with its name in `op`, and one schema that is any of them.
    fn add_operations(&mut self) {
        let (mut all, mut wishes) = (Vec::new(), Vec::new());
        let _events = self.of::<Event>();
        for kind in Kind::ALL {
            let reference = kind.schema(&mut self.generator).to_value();
            let name =
                reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).expect("a named type");
            let mut fields = self.generator.definitions().get(name).expect("a definition").clone();
            fields["type"] = "object".into();
            if fields["properties"].is_null() {
                fields["properties"] = json!({});
            }
            fields["properties"]["op"] = json!({ "const": kind.name() });
            match fields["required"].as_array_mut() {
                Some(required) => required.insert(0, "op".into()),
                None => fields["required"] = json!(["op"]),
            }
            let (name, wish) = (format!("{name}Operation"), format!("{name}Wish"));
            let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
            let filled = FILLED_IN.iter().find(|(filled, _)| *filled == kind.name());
            wishes.push(match filled {
                Some((_, filled)) => {
                    self.extra.insert(wish.clone(), without_required(&fields, filled));
                    json!({ "$ref": format!("#/components/schemas/{wish}") })
                }
                None => reference.clone(),
            });
            all.push(reference);
            self.extra.insert(name, fields);
        }
        let wish = json!({ "description": "An operation, without what the node fills in.", "oneOf": wishes });
        self.extra.insert("Wish".to_owned(), wish);
        let operation =
            json!({ "description": "An operation: its name in `op`, and its fields.", "oneOf": all });
        self.extra.insert("Operation".to_owned(), operation);
    }
}

/// What the node fills in before an operation is signed or simulated, by kind.
const FILLED_IN: [(&str, &[&str]); 3] =
    [("delegate", &["mandate", "worst_case"]), ("consent", &["terms"]), ("join_set", &["terms"])];

/// Fields of which some may be left out.
fn without_required(fields: &Value, names: &[&str]) -> Value {
    let mut fields = fields.clone();
    if let Some(required) = fields.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| !names.iter().any(|name| field == name));
    }
    fields
}

/// A parameter that is left out is not `null`.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let choices: Vec<Value> = choices.iter().filter(|choice| choice["type"] != "null").cloned().collect();
        if let [only] = choices.as_slice() {
            *schema = only.clone();
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("default");
    }
}

/// A body that the demo takes.
fn example_of(name: &str) -> Option<Value> {
    let delegate = json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": "1000" });
    match name {
        "prepare" | "simulate" => Some(json!({ "account": "alice", "operation": delegate })),
        "rpc" => Some(json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] })),
        "add_webhook" => Some(
            json!({ "url": "http://127.0.0.1:9/", "secret": "a secret of yours", "topics": ["slashed"] }),
        ),
        _ => None,
    }
}

/// `docs/reference/api.md`.
pub(super) fn reference() -> String {
    let mut text = String::from(include_str!("reference_head.txt"));
    let mut tag = "";
    for route in ROUTES {
        if route.tag != tag {
            tag = route.tag;
            text.push_str(&format!("\n### {tag}\n\n| Route | For |\n|---|---|\n"));
        }
        text.push_str(&format!("| `{} {}` | {} |\n", route.method.to_uppercase(), route.path, route.summary));
    }
    text.push_str("\n## Errors\n\n| Code | Status | Means | Do |\n|---|---|---|---|\n");
    for code in Code::ALL {
        let (name, status) = (code.name(), code.status().as_u16());
        text.push_str(&format!("| `{name}` | {status} | {} | {} |\n", code.title(), code.remedy()));
    }
    text
}
