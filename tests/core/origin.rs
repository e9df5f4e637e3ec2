//! Origins: whose pages may ask with a cookie or a ticket.

use townwatch_protocol::error::Code;
use townwatch_town::access::auth::CredentialKind;
use townwatch_town::access::origin::check_origin;

#[test]
fn origins() {
    let allowed = ["https://watch.example".to_owned()];
    let own = "http://localhost:8787";
    for (origin, credential, good) in [
        (Some("http://localhost:8787"), CredentialKind::Cookie, true),
        (Some("http://127.0.0.1:8787"), CredentialKind::Cookie, true),
        (Some("https://watch.example"), CredentialKind::Ticket, true),
        (None, CredentialKind::Ticket, true),
        (None, CredentialKind::Bearer, true),
        (None, CredentialKind::Cookie, false),
        (Some("null"), CredentialKind::Ticket, false),
        (Some(""), CredentialKind::Bearer, false),
        (Some("http://localhost:8788"), CredentialKind::Cookie, false),
        (Some("http://127.0.0.1"), CredentialKind::Cookie, false),
        (Some("https://localhost:8787"), CredentialKind::Cookie, false),
        (Some("http://localhost.evil.example:8787"), CredentialKind::Ticket, false),
        (Some("https://watch.example.evil.example"), CredentialKind::Ticket, false),
        (Some("https://watch.example:8443"), CredentialKind::Ticket, false),
    ] {
        let outcome = check_origin(origin, own, &allowed, credential);
        assert_eq!(
            outcome.as_ref().map_err(|refusal| refusal.code),
            if good { Ok(&()) } else { Err(Code::OriginNotAllowed) },
            "{origin:?} {credential:?}"
        );
    }
    assert!(check_origin(Some("https://a.example"), "https://a.example", &[], CredentialKind::Cookie).is_ok());
}

#[test]
fn a_refused_origin_is_told_what_to_set_where() {
    let own = "http://127.0.0.1:8787";
    let message = |origin| check_origin(Some(origin), own, &[], CredentialKind::Cookie).unwrap_err().message;
    let (host, list) = ("`proxy_set_header Host $http_host;`", "into the setting ALLOWED_ORIGINS");
    // Which of the two would help, by what differs.
    for (origin, by_host, by_list) in [
        ("http://watch.example", true, true),
        ("http://127.0.0.1:8080", true, true),
        ("https://127.0.0.1:8787", false, true),
        ("https://watch.example", false, true),
        ("null", false, false),
        ("", false, false),
    ] {
        let said = message(origin);
        assert!(said.contains(&format!("{origin:?}")), "{said}");
        assert_eq!((said.contains(host), said.contains(list)), (by_host, by_list), "{said}");
    }
    assert!(message(&"x".repeat(10_000)).len() < 500);
}
