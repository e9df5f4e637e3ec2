//! What the document says of one route.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use townwatch_protocol::error::Code;
use townwatch_town::route::{Responder, Route};

use super::schemas::PLACE;

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// The operator.
    Operator,
    /// An agent, too.
    Agent,
    /// Whoever has a ticket, too.
    Ticket,
}

/// One route, in the making.
pub(super) struct Operation {
    tag: &'static str,
    access: Access,
    summary: &'static str,
    description: Option<&'static str>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
    codes: Vec<Code>,
}

impl Operation {
    pub(super) fn new(tag: &'static str, access: Access, summary: &'static str) -> Self {
        let (description, parameters, body) = (None, Vec::new(), None);
        Self { tag, access, summary, description, parameters, body, answers: Map::new(), codes: Vec::new() }
    }

    /// What more there is to know.
    pub(super) fn says(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// What its query, or a header, may name.
    pub(super) fn asks(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self.may(&[Code::InvalidRequest])
    }

    /// What its body has to be.
    pub(super) fn takes(self, schema: &Value) -> Self {
        self.body(schema, true)
    }

    /// What its body has to be if there is one.
    pub(super) fn may_take(self, schema: &Value) -> Self {
        self.body(schema, false)
    }

    fn body(self, schema: &Value, required: bool) -> Self {
        self.content(&json!({"application/json": {"schema": schema}}), required)
    }

    /// What its body has to be, by its content's types.
    pub(super) fn takes_content(self, content: &Value) -> Self {
        self.content(content, true)
    }

    fn content(mut self, content: &Value, required: bool) -> Self {
        self.body = Some(json!({"required": required, "content": content}));
        self.may(&[Code::InvalidRequest, Code::TooLarge, Code::UnsupportedMediaType])
    }

    /// Its success, in the envelope.
    pub(super) fn gives(self, status: u16, what: &str, data: &Value) -> Self {
        let schema = json!({
            "type": "object",
            "properties": {"success": {"const": true}, "data": data},
            "required": ["success", "data"],
        });
        self.answers(status, what, &json!({"application/json": {"schema": schema}}))
    }

    /// A success outside the envelope, by its content's type; or another type of content of the same success.
    pub(super) fn answers(mut self, status: u16, what: &str, content: &Value) -> Self {
        let answer = self.answers.entry(status.to_string()).or_insert_with(|| json!({"description": what}));
        for (kind, schema) in content.as_object().into_iter().flatten() {
            answer["content"][kind] = schema.clone();
        }
        self
    }

    /// Failures beside those that follow from the rest.
    pub(super) fn may(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// The operation as it stands in the document. Its failures are shared with others: `responses` has them.
    pub(super) fn to_json(
        &self,
        route: &Route,
        (method, pattern): (&str, &str),
        responses: &mut Map<String, Value>,
    ) -> Value {
        let mut answers = self.answers.clone();
        for (status, codes) in self.failures(route, method, pattern) {
            let name = codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join("Or");
            answers.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
            responses.entry(name).or_insert_with(|| failure(&codes));
        }
        let debug = format!("{route:?}");
        let name = debug.split('(').next().unwrap_or_default();
        let mut operation = json!({
            "operationId": format!("{}{}", name[..1].to_lowercase(), &name[1..]),
            "tags": [self.tag],
            "summary": self.summary,
            "responses": answers,
        });
        if let Some(description) = self.description {
            operation["description"] = description.into();
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.clone().into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.clone();
        }
        match self.access {
            Access::Operator => {} // as the document says for all
            Access::Open => operation["security"] = json!([]),
            Access::Agent => operation["security"] = json!([{"operator": []}, {"session": []}, {"agent": []}]),
            Access::Ticket => operation["security"] = json!([{"ticket": []}, {"operator": []}, {"session": []}]),
        }
        operation
    }

    /// Its failures by status, each in the order of the contract's table.
    fn failures(&self, route: &Route, method: &str, pattern: &str) -> BTreeMap<u16, Vec<Code>> {
        let mut codes = self.codes.clone();
        if pattern.starts_with("/api/") {
            codes.extend([Code::NotConfigured, Code::Internal]);
        }
        if self.access != Access::Open {
            // Too many wrong keys, and an account that does not say whether a session lasts.
            codes.extend([Code::Unauthorized, Code::TokenExpired, Code::RateLimited, Code::TownUnavailable]);
            if *route != Route::WhoAmI {
                codes.push(Code::Forbidden);
            }
            if method != "GET" || self.access == Access::Ticket {
                codes.push(Code::OriginNotAllowed);
            }
        }
        if pattern.contains('{') {
            codes.extend([Code::InvalidRequest, Code::NotFound]);
        }
        if self.access == Access::Agent {
            codes.push(Code::TokenRevoked);
        }
        // The agent of a picture is looked up in its rig.
        if route.responder() != Responder::Worker || matches!(route, Route::PutImage(..)) {
            codes.push(Code::TownUnavailable);
            if method != "GET" || self.access == Access::Ticket {
                codes.push(Code::StoreFull);
            }
        }
        let mut failures: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in Code::ALL.iter().filter(|code| codes.contains(code)) {
            failures.entry(code.status()).or_default().push(*code);
        }
        failures
    }
}

fn failure(codes: &[Code]) -> Value {
    let words: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.name(), code.what())).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let mut response = json!({
        "description": words.join("\n"),
        "content": {"application/json": {"schema": {
            "allOf": [
                {"$ref": format!("{PLACE}Failure")},
                {"properties": {"error": {"properties": {"code": {"enum": names}}}}},
            ],
        }}},
    });
    if codes.iter().any(|code| matches!(code, Code::RateLimited | Code::TooManyViewers | Code::TownUnavailable)) {
        response["headers"] = json!({"Retry-After": {
            "description": "After how many seconds to try again; with `rate_limited`, `too_many_viewers` and \
                `town_unavailable`.",
            "schema": {"type": "integer", "minimum": 0},
        }});
    }
    response
}
