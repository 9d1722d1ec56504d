//! Who may use the admin listener.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Uri};
use subtle::ConstantTimeEq;
use tidegate_core::secret::Secret;

use super::Admin;
use crate::http::context::RequestContext;
use crate::http::problem::Problem;

/// Lets a request through that carries the token, or that is local where no token is configured.
pub(super) async fn require(
    State(admin): State<Admin>,
    Extension(context): Extension<RequestContext>,
    request: Request,
    next: Next,
) -> Response {
    let refused = match &admin.token {
        Some(token) if carries(request.headers(), token) => None,
        Some(_) => Some(Problem::AdminTokenRequired),
        None if names_this_machine(request.headers(), request.uri()) => None,
        None => Some(Problem::HostNotLocal),
    };
    match refused {
        None => next.run(request).await,
        Some(problem) => context.refuse(&problem),
    }
}

fn carries(headers: &HeaderMap, token: &Secret) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((scheme, presented)) = value.as_bytes().split_at_checked(7) else { return false };
    scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(presented.ct_eq(token.expose()))
}

fn names_this_machine(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(authority) = host.to_str().ok().and_then(|host| host.parse::<http::uri::Authority>().ok())
    else {
        return false;
    };
    let same_as_target = uri.host().is_none_or(|target| target == authority.host());
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let local = name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    same_as_target && local
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_very_token_opens() {
        let token = Secret::new("s3cret");
        for good in ["Bearer s3cret", "bearer s3cret"] {
            assert!(carries(&headers(AUTHORIZATION, &[good]), &token), "{good}");
        }
        for bad in ["", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Basic s3cret"] {
            assert!(!carries(&headers(AUTHORIZATION, &[bad]), &token), "{bad}");
        }
        assert!(!carries(&headers(AUTHORIZATION, &["Bearer s3cret", "Bearer s3cret"]), &token));
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        let uri = Uri::from_static("/v1/events");
        for good in
            ["localhost", "localhost:8081", "127.0.0.1:1", "127.9.9.9", "[::1]:8081", "[::ffff:127.0.0.1]"]
        {
            assert!(names_this_machine(&headers(HOST, &[good]), &uri), "{good}");
        }
        for bad in
            ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "0.0.0.0"]
        {
            assert!(!names_this_machine(&headers(HOST, &[bad]), &uri), "{bad}");
        }
        assert!(!names_this_machine(
            &headers(HOST, &["localhost"]),
            &Uri::from_static("http://evil.example/")
        ));
    }
}
