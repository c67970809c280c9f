//! What is served by HTTP: `/` a page for people, `/metrics` for Prometheus, `/health` and
//! `/ready` for whoever starts and stops processes.
//!
//! Only GET and HEAD, nothing of a request is used but its path, and nothing can be changed here.
//! There is no login: the address should be one that only those reach who may see who is
//! connected. A client has so long to send its request and to read the answer; whatever goes
//! wrong ends this connection and nothing else.

mod html;
mod page;
mod ready;

use std::convert::Infallible;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::TextEncoder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use ready::Readiness;

use super::{House, tables};
use crate::config::Metrics;

/// How long a client may take to send the head of a request, the next one included.
const REQUEST: Duration = Duration::from_secs(30);
/// How long a connection may last.
const CONNECTION: Duration = Duration::from_secs(600);
/// The longest head of a request, in bytes.
const HEAD: usize = 16 << 10;

const TEXT: &str = "text/plain; charset=utf-8";

/// Accepts clients for as long as it is polled.
pub(super) async fn serve(listener: StdListener, metrics: Metrics, house: Arc<House>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the page's listener was lost"),
    };
    let room = Arc::new(Semaphore::new(metrics.clients));
    loop {
        match listener.accept().await {
            // Who finds no room is closed at once.
            Ok((client, _)) => {
                if let Ok(place) = room.clone().try_acquire_owned() {
                    tokio::spawn(serve_client(client, house.clone(), place));
                }
            }
            Err(error) => {
                tracing::error!(%error, "the page cannot be served to a client");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_client(client: TcpStream, house: Arc<House>, _place: OwnedSemaphorePermit) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let house = house.clone();
        async move {
            let answer = answer(&house, request.method(), request.uri().path());
            Ok::<_, Infallible>(answer.await)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(client), service);
    match tokio::time::timeout(CONNECTION, connection).await {
        Ok(Ok(())) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the page broke off"),
    }
}

async fn answer(house: &Arc<House>, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let text = "Only GET and HEAD are answered.\n";
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, text.to_owned());
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match path {
        "/" => {
            // For the next time that the page is asked for.
            let asking = house.clone();
            tokio::spawn(async move { ready::refresh(&asking).await });
            let page = page::page(house);
            let mut response = respond(StatusCode::OK, "text/html; charset=utf-8", page);
            // Nothing is loaded, whatever text a name may hold.
            let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
            let headers = response.headers_mut();
            headers.insert(CONTENT_SECURITY_POLICY, policy);
            response
        }
        "/metrics" => {
            let families = tables::status::families(house);
            match TextEncoder::new().encode_to_string(&families) {
                Ok(text) => respond(StatusCode::OK, "text/plain; version=0.0.4", text),
                Err(error) => {
                    tracing::error!(%error, "the counters cannot be written");
                    let text = "The counters cannot be written; see the log.\n".to_owned();
                    respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text)
                }
            }
        }
        "/health" => respond(StatusCode::OK, TEXT, "alive\n".to_owned()),
        "/ready" => {
            let (is_ready, text) = ready::ready(house).await;
            let status = match is_ready {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            respond(status, TEXT, text)
        }
        "/favicon.ico" => respond(StatusCode::NO_CONTENT, TEXT, String::new()),
        _ => {
            let text = "There is / (for people), /metrics, /health and /ready.\n".to_owned();
            respond(StatusCode::NOT_FOUND, TEXT, text)
        }
    }
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}
