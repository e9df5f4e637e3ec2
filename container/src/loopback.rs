//! HTTP to a server that an agent runs on this machine: no names, no TLS, and one connection for each request.
//! Everything has a time limit, because a server that is just starting may accept a connection and never answer.

use std::net::SocketAddr;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time limit of one request, unless the caller names another, 10 s.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);
/// The size of one answer, 64 MiB; a larger one is an error. A session of 322 calls has 0.7 MB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A server, with the user and password that it expects.
#[derive(Debug, Clone)]
pub struct LoopbackServer {
    address: SocketAddr,
    /// The value of the header `Authorization`.
    authorization: String,
}

/// A server's answer.
#[derive(Debug)]
pub struct LoopbackResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl LoopbackResponse {
    /// The answer's text, if it is a success; otherwise the problem, for a person.
    pub fn success(&self) -> Result<&str, String> {
        let text = str::from_utf8(&self.body).map_err(|error| error.to_string())?;
        if (200..300).contains(&self.status) {
            return Ok(text);
        }
        Err(format!("status {}: {}", self.status, townwatch_agents::summary::line(text)))
    }
}

impl LoopbackServer {
    /// Makes the client of a server that expects this user and password.
    pub fn new(address: SocketAddr, user: &str, password: &str) -> Self {
        Self { address, authorization: format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))) }
    }

    /// Sends a request with GET.
    pub async fn get(&self, path: &str, limit: Duration) -> Result<LoopbackResponse, String> {
        self.call(Method::GET, path, None, limit).await
    }

    /// Sends a request with POST and a JSON body.
    pub async fn post(
        &self,
        path: &str,
        body: &serde_json::Value,
        limit: Duration,
    ) -> Result<LoopbackResponse, String> {
        self.call(Method::POST, path, Some(body.to_string()), limit).await
    }

    /// Opens a stream, whose body arrives as it is written.
    pub async fn open(&self, path: &str, limit: Duration) -> Result<Incoming, String> {
        let opening = async {
            let response = self.send(Method::GET, path, None).await?;
            let status = response.status().as_u16();
            if status == 200 { Ok(response.into_body()) } else { Err(format!("GET {path}: status {status}")) }
        };
        timeout(limit, opening).await.unwrap_or_else(|_| Err(late(path, limit)))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        limit: Duration,
    ) -> Result<LoopbackResponse, String> {
        let calling = async {
            let response = self.send(method, path, body).await?;
            let status = response.status().as_u16();
            let whole = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = whole.map_err(|error| format!("{path}: {error}"))?.to_bytes();
            Ok(LoopbackResponse { status, body })
        };
        timeout(limit, calling).await.unwrap_or_else(|_| Err(late(path, limit)))
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Response<Incoming>, String> {
        let failed = |error: &dyn std::error::Error| format!("{path}: {error}");
        let stream = TcpStream::connect(self.address).await.map_err(|error| failed(&error))?;
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        tokio::spawn(connection); // ends with its request and answer, or when either is dropped
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, &self.authorization);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let request = request.body(body).map_err(|error| failed(&error))?;
        sender.send_request(request).await.map_err(|error| failed(&error))
    }
}

fn late(path: &str, limit: Duration) -> String {
    format!("{path}: no answer within {} s", limit.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_stand_in_the_header_as_basic_wants_them() {
        for (user, password, header) in [("opencode", "pw", "Basic b3BlbmNvZGU6cHc="), ("a", "bb", "Basic YTpiYg==")] {
            assert_eq!(LoopbackServer::new(([127, 0, 0, 1], 1).into(), user, password).authorization, header);
        }
    }
}
