//! A control server of its own for each test, and a client that speaks plainly.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::id::TownId;
use townwatch_protocol::signed_call::{Call, Purpose};

/// What the callers of the tests sign with.
pub fn key() -> SigningKey {
    SigningKey::of([7; 32])
}
/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    pub child: Child,
    pub url: String,
    dir: PathBuf,
    client: ureq::Agent,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::spawn(variables, Stdio::null())
    }

    /// One whose log can be read: the lines of a kind so far.
    pub fn start_logged(variables: &[(&str, &str)]) -> (Self, impl Fn(&str) -> Vec<Value>) {
        let mut server = Self::spawn(variables, Stdio::piped());
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (stderr, kept) = (server.child.stderr.take().unwrap(), lines.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                kept.lock().unwrap().extend(serde_json::from_str::<Value>(&line).ok());
            }
        });
        let of_kind =
            move |kind: &str| lines.lock().unwrap().iter().filter(|line| line["log"] == kind).cloned().collect();
        (server, of_kind)
    }

    fn spawn(variables: &[(&str, &str)], stderr: Stdio) -> Self {
        let dir = std::env::temp_dir().join(format!("townwatch-test-{}", unique()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_townwatch-control"))
            .envs([("CONTROL_PORT", "0"), ("CONTROL_WORK_DIR", dir.to_str().unwrap())])
            .env("CONTROL_PUBLIC_KEY", key().public().to_string())
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        let client = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { child, url, dir, client }
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        let headers = signed("GET", path, "");
        self.with_headers(path, &headers.each_ref().map(|(name, value)| (*name, value.as_str())))
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let headers = signed("POST", path, body);
        self.post_with(path, &headers.each_ref().map(|(name, value)| (*name, value.as_str())), body)
    }

    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = self.client.post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body).unwrap())
    }

    pub fn with_headers(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call().unwrap())
    }

    /// Orders a run; `order` adds to what every order has.
    #[allow(clippy::needless_pass_by_value)] // a literal at every call
    pub fn order(&self, agent: &str, run: &str, order: Value) -> (u16, Value) {
        let mut body = json!({"agent_id": agent, "run_id": run, "rig_id": "rig", "name": "n", "role": "polecat"});
        body.as_object_mut().unwrap().extend(order.as_object().unwrap().clone());
        self.post("/agents/start", &body.to_string())
    }

    /// Runs a shell script as a plain process.
    pub fn shell(&self, agent: &str, script: &str) {
        let order = json!({"runtime": "process", "command": ["sh", "-c", script]});
        assert_eq!(self.order(agent, &format!("run-of-{agent}"), order).0, 200);
    }

    pub fn events_of(&self, agent: &str) -> Vec<Value> {
        self.get(&format!("/agents/{agent}/events")).1["events"].as_array().unwrap().clone()
    }

    /// All events of an agent once there is one that satisfies.
    pub fn events_until(&self, agent: &str, satisfies: impl Fn(&Value) -> bool) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let events = self.events_of(agent);
            if events.iter().any(&satisfies) {
                return events;
            }
            assert!(begun.elapsed() < PATIENCE, "it did not come: {events:#?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All events of an agent once its run has ended, and the data of the end.
    pub fn ended(&self, agent: &str) -> (Vec<Value>, Value) {
        let events = self.events_until(agent, |event| event["event"] == "agent.exited");
        let exits = events.iter().filter(|event| event["event"] == "agent.exited").count();
        let last = events.last().unwrap();
        assert_eq!((exits, &last["event"]), (1, &json!("agent.exited")), "one end, and nothing after it");
        let exit = last["data"].clone();
        (events, exit)
    }

    /// Waits for the end of a run whose events do not fit one answer.
    pub fn settled(&self, agent: &str) {
        until("the run ends", || !self.get(&format!("/agents/{agent}/status")).1["exit"].is_null());
    }

    pub fn epoch(&self) -> String {
        self.get("/events?limit=1").1["epoch"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The headers of a call of the tests' town.
pub fn signed(method: &str, path: &str, body: &str) -> [(&'static str, String); 2] {
    signed_by("town", method, path, body)
}

pub fn signed_by(town: &str, method: &str, path: &str, body: &str) -> [(&'static str, String); 2] {
    let town_id = TownId::parse(town).unwrap();
    let call = Call { town_id: &town_id, method, target: path };
    let purpose = Purpose::of_path(path.split('?').next().unwrap()).unwrap_or(Purpose::Look);
    let authorization = call.sign(&key(), purpose, body.as_bytes(), townwatch_host::now(), nonce());
    [("Authorization", authorization), ("Townwatch-Town", town.to_owned())]
}

pub fn nonce() -> [u8; 16] {
    *uuid::Uuid::now_v7().as_bytes()
}

fn answer(response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let mut text = String::new();
    response.into_body().into_reader().read_to_string(&mut text).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The texts that a process printed, by the stream.
pub fn texts(events: &[Value], stream: &str) -> Vec<String> {
    let texts = events.iter().filter(|event| event["data"]["stream"] == stream);
    texts.map(|event| event["data"]["text"].as_str().unwrap().to_owned()).collect()
}

/// Whether a process lives; one that nobody has waited for yet does not.
pub fn lives(process_id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
