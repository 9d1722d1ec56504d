//! The admin listener: asking for events, health and metrics.
//!
//! With a token configured, every route but the two health probes demands it. Without one (which
//! the configuration allows on loopback only) a request must name this machine as its host, so
//! that a web page which rebinds its own name to 127.0.0.1 cannot read the store.

mod auth;
mod events;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router, middleware};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tidegate_core::secret::Secret;
use tidegate_store::Store;

use crate::http::body::Budget;
use crate::http::context::RequestContext;
use crate::http::problem::Problem;
use crate::metrics::{self, Metrics};

pub(crate) use events::{EventDocument, microseconds, parse_time};

/// What the handlers of the admin listener share.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Metrics,
    pub(crate) token: Option<Arc<Secret>>,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) bodies: Budget,
}

/// The routes of the admin listener.
pub(crate) fn router(admin: Admin) -> Router {
    let guarded = Router::new()
        .route("/v1/events", only_get(get(events::list)))
        .route("/v1/events/{id}", only_get(get(events::show)))
        .route("/v1/events/{id}/raw", only_get(get(events::raw)))
        .route("/metrics", only_get(get(metrics_text)))
        .route_layer(middleware::from_fn_with_state(admin.clone(), auth::require));
    Router::new()
        .merge(guarded)
        .route("/healthz", only_get(get(alive)))
        .route("/readyz", only_get(get(ready)))
        .fallback(nothing_here)
        .with_state(admin)
}

fn only_get(route: MethodRouter<Admin>) -> MethodRouter<Admin> {
    route.fallback(|Extension(context): Extension<RequestContext>| async move {
        context.refuse(&Problem::MethodNotAllowed { allowed: "GET" })
    })
}

async fn nothing_here(Extension(context): Extension<RequestContext>) -> Response {
    let detail = "The API starts at /v1/events; probes are /healthz and /readyz; metrics are at /metrics.";
    context.refuse(&Problem::NotFound { detail: detail.into() })
}

async fn alive() -> &'static str {
    "alive\n"
}

/// Ready means: not draining, the committer works, and the store answers.
async fn ready(State(admin): State<Admin>) -> Response {
    let reason = if admin.draining.load(Ordering::Relaxed) {
        "draining"
    } else if !admin.store.is_serving() {
        "the store cannot commit"
    } else if admin.store.reader().ping().await.is_err() {
        "the store does not answer"
    } else {
        return "ready\n".into_response();
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response()
}

async fn metrics_text(State(admin): State<Admin>) -> Response {
    let text = admin.metrics.encode(&admin.store.queue(), admin.bodies.level());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}
