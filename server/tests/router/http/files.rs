//! Files under `web-root`.

use super::super::support::{Browser, Client, Response, Server, Setup, get, upgrade};

const INDEX: &str = "<!doctype html><title>chat</title>";

async fn server() -> Server {
    let files = [
        ("index.html", INDEX),
        ("app.js", "export {}"),
        ("style.css", "p {}"),
        ("chat.wasm", "\0asm"),
        ("data.json", "{}"),
        ("icon.svg", "<svg/>"),
        ("below/index.html", "below"),
        ("digits.txt", "0123456789"),
        ("white space.txt", "white"),
        ("module.mjs", "export {}"),
        ("app.webmanifest", "{}"),
        ("immutable/app-BxV2.js", "export {}"),
        ("packed.js", "as it is"),
        ("packed.js.br", "by brotli"),
        ("packed.js.gz", "by gzip"),
    ];
    let setup = Setup::new().field("ws-path", "/chat").web_root(&files);
    setup.start().await
}

async fn ask(server: &Server, path: &str) -> Response {
    Browser::ask(server, &get(path, "")).await
}

#[tokio::test]
async fn files_are_served_with_their_types() {
    let server = server().await;
    for (path, kind, content) in [
        ("/", "text/html", INDEX),
        ("/index.html", "text/html", INDEX),
        ("/app.js", "text/javascript", "export {}"),
        ("/app.js?v=1", "text/javascript", "export {}"),
        ("/style.css", "text/css", "p {}"),
        ("/chat.wasm", "application/wasm", "\0asm"),
        ("/data.json", "application/json", "{}"),
        ("/app.webmanifest", "application/manifest+json", "{}"),
        ("/icon.svg", "image/svg+xml", "<svg/>"),
        ("/below/", "text/html", "below"),
        ("/white%20space.txt", "text/plain", "white"),
    ] {
        let response = ask(&server, path).await;
        assert_eq!((response.status, response.text()), (200, content), "{path}");
        let found = response.header("content-type").unwrap_or_default();
        assert_eq!(found.split(';').next(), Some(kind), "{path}");
    }
    let module = ask(&server, "/module.mjs").await;
    let kind = module.header("content-type").unwrap_or_default();
    assert!(kind.contains("/javascript"), "{kind}");
    assert_eq!(ask(&server, "/nothing").await.status, 404);
}

#[tokio::test]
async fn whatever_is_sent_may_do_little_in_a_browser() {
    let server = server().await;
    for path in ["/", "/icon.svg", "/below/", "/below", "/nothing", "/a%00b"] {
        let response = ask(&server, path).await;
        let policy = response.header("content-security-policy").unwrap_or_default();
        for part in ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|found| found == part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn the_policy_can_be_another_one_or_none() {
    for (policy, expected) in [("default-src 'self'", Some("default-src 'self'")), ("", None)] {
        let setup = Setup::new().web_root(&[("index.html", INDEX)]);
        let server = setup.field("content-security-policy", policy).start().await;
        assert_eq!(ask(&server, "/").await.header("content-security-policy"), expected);
    }
}

#[tokio::test]
async fn browsers_keep_what_never_changes_and_ask_again_for_the_rest() {
    let server = server().await;
    let kept = "public, max-age=31536000, immutable";
    for (path, expected) in [
        ("/immutable/app-BxV2.js", kept),
        ("/immutable/nothing.js", "no-cache"),
        ("/", "no-cache"),
        ("/app.js", "no-cache"),
        ("/immutable", "no-cache"),
        ("/app.js?/immutable/", "no-cache"),
    ] {
        assert_eq!(ask(&server, path).await.header("cache-control"), Some(expected), "{path}");
    }
}

#[tokio::test]
async fn a_compressed_file_beside_the_one_asked_for_is_sent_to_who_can_read_it() {
    let server = server().await;
    for (accepted, encoding, content) in [
        ("gzip, deflate, br, zstd", Some("br"), "by brotli"),
        ("gzip", Some("gzip"), "by gzip"),
        ("identity", None, "as it is"),
    ] {
        let request = get("/packed.js", &format!("Accept-Encoding: {accepted}\r\n"));
        let response = Browser::ask(&server, &request).await;
        assert_eq!((response.status, response.text()), (200, content), "{accepted}");
        assert_eq!(response.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{accepted}");
        assert!(
            response.header("content-type").unwrap_or_default().starts_with("text/javascript"),
            "{accepted}"
        );
    }
    let plain = Browser::ask(&server, &get("/app.js", "Accept-Encoding: br\r\n")).await;
    assert_eq!((plain.text(), plain.header("content-encoding")), ("export {}", None), "there is no other");
    let part = get("/packed.js", "Accept-Encoding: br\r\nRange: bytes=0-1\r\n");
    assert_eq!(Browser::ask(&server, &part).await.text(), "as", "a part is one of the file itself");
    let head = "HEAD /packed.js HTTP/1.1\r\nHost: router.example\r\nAccept-Encoding: br\r\n\r\n";
    assert_eq!(Browser::ask(&server, head).await.header("content-length"), Some("8"));
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let server = server().await;
    // Beside the folder there is the config file, with the key.
    assert!(server.folder().path("config.json").exists());
    for path in [
        "/../config.json",
        "/..%2fconfig.json",
        "/%2e%2e/config.json",
        "/%2e%2e%2fconfig.json",
        "/.%2e/config.json",
        "/below/../../config.json",
        "/below/%2e%2e/%2e%2e/config.json",
        "/..\\config.json",
        "/..%5cconfig.json",
        "//../config.json",
        "/%252e%252e/config.json",
        "/../www/../config.json",
        "/etc/passwd",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/index.html%00.txt",
        "/index.html/../../config.json",
    ] {
        let response = ask(&server, path).await;
        assert!([400, 404].contains(&response.status), "{path}: {response:?}");
        assert!(!response.text().contains("secret-key"), "{path}");
    }
    let response = Browser::ask(&server, "GET ../config.json HTTP/1.1\r\nHost: router.example\r\n\r\n").await;
    assert_eq!(response.status, 400);
}

#[tokio::test]
async fn what_cannot_be_a_file_is_not_found() {
    let server = server().await;
    for path in ["/nothing", "/index.html/below", "/a%00b", "/%ff", &format!("/{}", "a".repeat(300)), "/%zz"]
    {
        assert_eq!(ask(&server, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_folder_without_its_slash_is_redirected_within_the_folder() {
    let server = server().await;
    for path in ["/below", "//router.evil/%2e%2e/below", "//below"] {
        let response = ask(&server, path).await;
        if let Some(location) = response.header("location") {
            assert!(location.starts_with('/') && !location.starts_with("//"), "{path} leads to {location}");
        }
    }
    let response = ask(&server, "/below").await;
    assert_eq!((response.status, response.header("location")), (301, Some("/below/")));
}

#[tokio::test]
async fn head_range_and_caching_hold_for_files() {
    let server = server().await;
    let head = Browser::ask(&server, "HEAD /digits.txt HTTP/1.1\r\nHost: router.example\r\n\r\n").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("10")));

    let part = Browser::ask(&server, &get("/digits.txt", "Range: bytes=2-5\r\n")).await;
    assert_eq!((part.status, part.text()), (206, "2345"));
    assert_eq!(part.header("content-range"), Some("bytes 2-5/10"));
    let beyond = Browser::ask(&server, &get("/digits.txt", "Range: bytes=20-\r\n")).await;
    assert_eq!(beyond.status, 416);

    let full = ask(&server, "/digits.txt").await;
    let date = full.header("last-modified").expect("a date");
    let again = Browser::ask(&server, &get("/digits.txt", &format!("If-Modified-Since: {date}\r\n"))).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn clients_connect_beside_the_files() {
    let server = server().await;
    let mut browser = Browser::connect(&server).await;
    browser.send([get("/", ""), upgrade("/chat", "")].concat()).await;
    assert_eq!(browser.response(false).await.text(), INDEX);
    Client::upgraded(browser).await.register("page").await;
    assert_eq!(Browser::ask(&server, &upgrade("/", "")).await.status, 404, "it has its path");
    assert_eq!(ask(&server, "/chat").await.status, 404, "and no file");
    let post = "POST /index.html HTTP/1.1\r\nHost: router.example\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(Browser::ask(&server, post).await.status, 405);
}
