//! One connection: a ticket, a WebSocket, acknowledgements and signs of life.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde::Deserialize;
use townwatch_protocol::id::TownId;
use tungstenite::client::{IntoClientRequest, uri_mode};
use tungstenite::handshake::HandshakeError;
use tungstenite::stream::{MaybeTlsStream, Mode};
use tungstenite::{Error, Message, WebSocket};

use super::ConnectionEnd;
use super::view::View;
use crate::server::{CONNECT_MAX, Server};

/// The time between two pings to the server.
const PING: Duration = Duration::from_secs(30);
/// The silence after which a connection counts as dead, 45 s: the 30 s between two pings and half of that again.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The time limit of a read, after which the clock is checked.
const TICK: Duration = Duration::from_secs(1);
/// The close code of a stream that has ended as it should.
const NORMAL_CLOSURE: u16 = 1000;

pub(super) struct TailConnection {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
}

impl TailConnection {
    /// Asks for a ticket, and opens the stream that the view needs next.
    pub(super) fn open(server: &Server, town: &TownId, view: &View) -> Result<Self, ConnectionEnd> {
        #[derive(Deserialize)]
        struct TicketAnswer {
            data: Ticket,
        }
        #[derive(Deserialize)]
        struct Ticket {
            url: String,
        }
        let path = match &view.agent {
            Some(agent) => format!("/api/towns/{town}/container/agents/{agent}/stream-ticket"),
            None => format!("/api/towns/{town}/stream-ticket"),
        };
        let answer = server.post(&path, "{}")?;
        let ticket = serde_json::from_str::<TicketAnswer>(&answer)
            .map_err(|error| ConnectionEnd::Refused(format!("{} answers what is no ticket: {error}", server.base)))?
            .data;
        // `http` becomes `ws` and `https` `wss`.
        let address = format!("{}{}{}", server.base.replacen("http", "ws", 1), ticket.url, view.query());
        let lost = |problem: String| ConnectionEnd::Lost(format!("cannot reach {} ({problem})", server.base));
        let request = address.into_client_request().map_err(|error| lost(error.to_string()))?;
        let tcp = connect(request.uri()).map_err(|error| lost(error.to_string()))?;
        tcp.set_read_timeout(Some(CONNECT_MAX)).map_err(|error| lost(error.to_string()))?;
        let same = tcp.try_clone().map_err(|error| lost(error.to_string()))?; // the other one goes behind TLS
        let socket = match tungstenite::client_tls(request, tcp) {
            Ok((socket, _)) => socket,
            Err(HandshakeError::Failure(Error::Http(answer))) => {
                let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
                return Err(server.failure(answer.status().as_u16(), None, &body).into());
            }
            Err(HandshakeError::Failure(error)) => return Err(lost(error.to_string())),
            Err(HandshakeError::Interrupted(_)) => return Err(lost("no answer in time".to_owned())),
        };
        same.set_read_timeout(Some(TICK)).map_err(|error| lost(error.to_string()))?;
        Ok(Self { socket })
    }

    /// Shows frames until the connection ends.
    pub(super) fn follow(&mut self, view: &mut View) -> ConnectionEnd {
        // The first ping at once: a socket that never said a word is not closed at once when the server closes it.
        let (mut pinged, mut heard) = (None::<Instant>, Instant::now());
        loop {
            if pinged.is_none_or(|pinged| pinged.elapsed() >= PING) {
                pinged = Some(Instant::now());
                if let Err(error) = self.socket.send(Message::text(r#"{"type":"ping"}"#)) {
                    return lost(&error);
                }
            }
            if heard.elapsed() >= SILENCE_MAX {
                return ConnectionEnd::Lost("the connection is silent".to_owned());
            }
            match self.socket.read() {
                Ok(Message::Text(text)) => match view.take(&text) {
                    Ok(None) => {}
                    Ok(Some(id)) => {
                        if let Err(error) = self.socket.send(Message::text(format!(r#"{{"type":"ack","id":{id}}}"#))) {
                            return lost(&error);
                        }
                    }
                    Err(end) => return end,
                },
                Ok(Message::Close(frame)) => {
                    let _ = self.socket.flush(); // our half of the goodbye; the server may be gone already
                    let (code, reason) =
                        frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    if code == NORMAL_CLOSURE && view.until_exit {
                        return ConnectionEnd::RunEnded;
                    }
                    return ConnectionEnd::Lost(format!("the server closed the connection ({code} {reason})"));
                }
                Ok(_) => {}
                Err(Error::Io(error))
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                {
                    continue;
                }
                Err(error) => return lost(&error),
            }
            heard = Instant::now(); // after showing it: a terminal may take its time, which is no silence of the server's
        }
    }
}

fn lost(error: &Error) -> ConnectionEnd {
    ConnectionEnd::Lost(format!("the connection was lost ({error})"))
}

/// Connects to the first address of the host that answers: `localhost` often has two, of which one answers.
fn connect(uri: &tungstenite::http::Uri) -> io::Result<TcpStream> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(match uri_mode(uri) {
        Ok(Mode::Tls) => 443,
        _ => 80,
    });
    let mut problem = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                tcp.set_write_timeout(Some(CONNECT_MAX))?;
                return Ok(tcp);
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn encrypted_connections_are_built_in() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("wss://{}/stream", listener.local_addr().unwrap());
        let request = address.into_client_request().unwrap();
        let tcp = connect(request.uri()).unwrap();
        drop(listener.accept().unwrap());
        // It gets as far as to miss the other side's half of the handshake.
        match tungstenite::client_tls(request, tcp) {
            Err(HandshakeError::Failure(Error::Io(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}
