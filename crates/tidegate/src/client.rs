//! A small HTTP/1.1 client for the demo, the load generator and the tests.
//!
//! One connection, one request at a time, every step under a time limit. It speaks to servers that
//! its user named; it is not the client that deliveries use.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long connecting, or one request with its answer, may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection could not be made.
    #[error("cannot connect to {0}")]
    Connect(SocketAddr, #[source] std::io::Error),
    /// The connection broke, or the answer was not HTTP.
    #[error("the connection broke")]
    Http(#[from] hyper::Error),
    /// No answer within 30 s.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
}

/// One open connection.
pub struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The text of the member `name` of a JSON body; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value[name].as_str().unwrap_or_default().to_owned()
    }
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        let connected = tokio::time::timeout(TIMEOUT, TcpStream::connect(address)).await;
        let stream = connected
            .map_err(|_| ClientError::TimedOut)?
            .map_err(|error| ClientError::Connect(address, error))?;
        // A request is written in one piece and must not wait for more.
        let _ = stream.set_nodelay(true);
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // The task ends with the connection; errors reach the caller through the sender.
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer takes longer than 30 s.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap_or_default();
        if let Ok(host) = HeaderValue::try_from(self.address.to_string()) {
            request.headers_mut().insert(http::header::HOST, host);
        }
        for (name, value) in headers {
            request.headers_mut().append(name, value.clone());
        }
        tokio::time::timeout(TIMEOUT, self.exchange(request)).await.map_err(|_| ClientError::TimedOut)?
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Whether another request can be sent on this connection.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}
