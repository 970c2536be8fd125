//! JSON-RPC envelopes: what is sent, and which answer belongs to which request. An id that is missing, doubled or foreign
//! is no answer.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Request, RpcError, Trouble};

/// The body of one request.
pub(super) fn single(id: u64, request: &Request) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": request.method, "params": request.params })
}

/// The body of several requests at once.
pub(super) fn batch(requests: &[(u64, &Request)]) -> Value {
    requests.iter().map(|(id, request)| single(*id, request)).collect()
}

/// Reads the answer to one request.
pub(crate) fn open_single(id: u64, body: &[u8]) -> Result<Value, Trouble> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| not_json())?;
    // A node that cannot even read a request answers with a null id; that is an error all the same.
    let refused = answer["id"].is_null() && !answer["error"].is_null();
    if answer["id"] == json!(id) || refused { result(&answer) } else { Err(foreign()) }
}

/// Reads the answers to a batch, in the order of `ids`; none where the endpoint did not answer with a batch. An endpoint
/// that mixes up one id is believed nothing of the batch.
pub(crate) fn open_batch(ids: &[u64], body: &[u8]) -> Result<Option<Vec<Result<Value, Trouble>>>, Trouble> {
    let Value::Array(answers) = serde_json::from_slice(body).map_err(|_| not_json())? else { return Ok(None) };
    // Some nodes refuse a batch with an error in a list.
    if let ([one], true) = (answers.as_slice(), ids.len() > 1)
        && one["id"].is_null()
        && one["error"].is_object()
    {
        return Ok(None);
    }
    let mut by_id: HashMap<u64, &Value> = HashMap::new();
    for answer in &answers {
        let id = answer["id"].as_u64().filter(|id| ids.contains(id)).ok_or_else(foreign)?;
        if by_id.insert(id, answer).is_some() {
            return Err(Trouble::lasting("answered one request twice"));
        }
    }
    let sorted: Option<Vec<&Value>> = ids.iter().map(|id| by_id.get(id).copied()).collect();
    let sorted = sorted.ok_or_else(|| Trouble::passing("left a request of a batch without an answer"))?;
    Ok(Some(sorted.into_iter().map(result).collect()))
}

fn result(answer: &Value) -> Result<Value, Trouble> {
    match (answer.get("error").filter(|error| !error.is_null()), answer.get("result")) {
        (Some(error), _) => Err(Trouble::Rpc(RpcError {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or("an error without a message").to_owned(),
            data: error.get("data").filter(|data| !data.is_null()).cloned(),
        })),
        (None, Some(result)) => Ok(result.clone()),
        (None, None) => Err(Trouble::lasting("answered with neither a result nor an error")),
    }
}

fn not_json() -> Trouble {
    Trouble::passing("answered with something that is not JSON")
}

fn foreign() -> Trouble {
    Trouble::lasting("answered a request that was not made: foreign id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_asked_id_is_an_answer() {
        let check = |body: &str, expected: Result<Value, &str>| {
            let found = open_single(7, body.as_bytes()).map_err(|trouble| trouble.to_string());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{body}: {found:?}, not {expected:?}"),
            }
        };
        check(r#"{"id":7,"result":"0x1"}"#, Ok(json!("0x1")));
        check(r#"{"id":7,"result":null}"#, Ok(Value::Null));
        check(r#"{"id":7,"result":"0x1","error":null}"#, Ok(json!("0x1")));
        check(r#"{"id":8,"result":"0x1"}"#, Err("foreign id"));
        check(r#"{"id":"7","result":"0x1"}"#, Err("foreign id"));
        check(r#"{"result":"0x1"}"#, Err("foreign id"));
        check(r#"{"id":7}"#, Err("neither"));
        check(r#"{"id":7,"result":"0x1","error":{"code":5,"message":"no"}}"#, Err("error 5: no"));
        check(r#"{"id":null,"error":{"code":-32700,"message":"parse error"}}"#, Err("parse error"));
        check("[]", Err("foreign id"));
        check("<html>", Err("not JSON"));
        check("", Err("not JSON"));
    }

    #[test]
    fn a_batch_is_sorted_by_id() {
        let check = |ids: &[u64], body: &str, expected: &str| {
            let found = match open_batch(ids, body.as_bytes()) {
                Ok(Some(answers)) => answers.into_iter().map(|answer| answer.unwrap().to_string()).collect(),
                Ok(None) => "no batch".to_owned(),
                Err(trouble) => trouble.to_string(),
            };
            assert!(found.contains(expected), "{body}: {found}");
        };
        let (a, b) = (r#"{"id":1,"result":"a"}"#, r#"{"id":2,"result":"b"}"#);
        check(&[1, 2], &format!("[{b},{a}]"), r#""a""b""#);
        check(&[1, 2], &format!("[{a}]"), "without an answer");
        check(&[1, 2], &format!("[{a},{b},{a}]"), "twice");
        check(&[1], &format!("[{a},{b}]"), "foreign id");
        check(&[1, 2], &format!(r#"[{a},{{"result":"b"}}]"#), "foreign id");
        check(&[1, 2], &format!(r#"[{a},{{"id":"2","result":"b"}}]"#), "foreign id");
        check(&[1, 2], &format!(r#"[{a},{{"id":2.0,"result":"b"}}]"#), "foreign id");
        check(&[1, 2], &format!(r#"[{a},{{"id":null,"error":{{"code":-32600,"message":"no"}}}}]"#), "foreign id");
        check(&[1], a, "no batch");
        check(&[1, 2], r#"[{"id":null,"error":{"code":-32600,"message":"no"}}]"#, "no batch");
        check(&[1], "[", "not JSON");
        check(&[1], "nonsense", "not JSON");
        check(&[1], &"[".repeat(100_000), "not JSON");
    }
}
