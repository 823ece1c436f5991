use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

fn through(text: &str) -> WebProxy {
    WebProxy::Through(text.parse().unwrap())
}

#[test]
fn addresses_as_they_are_typed() {
    for (text, shown) in [
        ("proxy.example.com:3128", "http://proxy.example.com:3128"),
        (" http://proxy ", "http://proxy:80"),
        ("HTTP://10.0.0.1:8080/", "http://10.0.0.1:8080"),
        ("socks5://[2001:db8::1]", "socks5://[2001:db8::1]:1080"),
        ("socks5h://anna:secret@proxy:1", "socks5://proxy:1"),
        ("http://anna:s%40cret@proxy:1", "http://proxy:1"),
    ] {
        let proxy: ProxyAddress = text.parse().unwrap();
        assert_eq!(proxy.to_string(), shown, "{text}");
        assert_eq!(proxy.has_login(), text.contains('@'), "{text}");
    }
    for text in [
        "",
        "https://proxy:1",
        "socks4://proxy",
        "ftp://proxy",
        "http://",
        "two words",
        "http://a:0",
        "a:99999",
    ] {
        assert!(text.parse::<ProxyAddress>().is_err(), "{text}");
    }
}

#[test]
fn a_password_is_shown_nowhere_and_handed_on_whole() {
    for text in ["http://anna:s%40cret@proxy:1", "socks5://anna:s%40cret@proxy:1"] {
        let proxy: ProxyAddress = text.parse().unwrap();
        let said = format!("{proxy} {proxy:?} {:?}", WebProxy::Through(proxy.clone()));
        assert!(!said.contains("anna") && !said.contains("cret"), "{said}");
        let url = proxy.url().unwrap();
        assert_eq!((url.username(), url.password()), ("anna", Some("s%40cret")));
    }
}

#[test]
fn this_machine_is_reached_straight() {
    let proxy = through("http://proxy:3128");
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "a.localhost"] {
        assert_eq!(proxy.toward(host), None, "{host}");
    }
    for host in ["pbx.example.com", "192.0.2.1", "2001:db8::1", "localhost.example.com"] {
        assert!(proxy.toward(host).is_some(), "{host}");
    }
    assert_eq!(WebProxy::Direct.toward("pbx.example.com"), None);
}

/// What comes of it where the proxy answers with this.
async fn told(proxy: &str, answers: &[&[u8]]) -> Result<(), ProxyProblem> {
    let proxy: ProxyAddress = proxy.parse().unwrap();
    let login = proxy.login.as_ref().map(|login| (login.user.as_str(), &login.password));
    let (mut ours, mut theirs) = duplex(4096);
    let answering = async {
        let mut heard = [0; 512];
        for answer in answers {
            assert_ne!(theirs.read(&mut heard).await.unwrap(), 0);
            theirs.write_all(answer).await.unwrap();
        }
        drop(theirs);
    };
    let asking = async {
        match proxy.speaks {
            Speaks::Http => tunnel::connect(&mut ours, "pbx.test", 8887, login).await,
            _ => tunnel::socks(&mut ours, "pbx.test", 8887, login).await,
        }
    };
    tokio::join!(asking, answering).0
}

#[tokio::test]
async fn what_a_web_proxy_says() {
    use ProxyProblem::{Credentials, NoWay, NotUnderstood, Refused, Unreachable};
    for (answer, meant) in [
        ("HTTP/1.1 200 Connection established\r\n\r\n", Ok(())),
        ("HTTP/1.0 200 OK\r\nVia: squid\r\n\r\n", Ok(())),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Err(Credentials)),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html>", Err(Refused)),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Err(NoWay)),
        ("HTTP/1.0 501 Unsupported method ('CONNECT')\r\n\r\n", Err(NotUnderstood)),
        ("HTTP/1.1 405 Method Not Allowed\r\n\r\n", Err(NotUnderstood)),
        ("HTTP/1.1 302 Found\r\nLocation: http://a/\r\n\r\n", Err(NotUnderstood)),
        ("HTTP/1.1 200 OK\r\n\r\n<html>Welcome</html>", Err(NotUnderstood)),
        ("SSH-2.0-OpenSSH\r\n", Err(NotUnderstood)),
        ("HTTP/1.1 200 OK\r\n", Err(NotUnderstood)),
        ("HTTP/1.1 2", Err(NotUnderstood)),
        ("HTTP/1.1 \u{e4}\u{e4}\r\n\r\n", Err(NotUnderstood)),
        ("", Err(Unreachable)),
    ] {
        assert_eq!(told("http://proxy", &[answer.as_bytes()]).await, meant, "{answer:?}");
    }
}

#[tokio::test]
async fn what_a_socks_proxy_says() {
    use ProxyProblem::{Credentials, NoWay, NotUnderstood, Refused};
    let open: &[u8] = &[5, 0];
    let name: &[u8] = &[5, 0, 0, 3, 2, b'a', b'b', 0, 1];
    for (answers, meant) in [
        (vec![open, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]], Ok(())),
        (vec![open, name], Ok(())),
        (vec![open, &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]], Err(Refused)),
        (vec![open, &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]], Err(NoWay)),
        (vec![open, &[5, 0, 0, 9]], Err(NotUnderstood)),
        (vec![open, &[4, 90, 0, 1]], Err(NotUnderstood)),
        (vec![&[5, 0xff]], Err(Credentials)),
        (vec![&[5, 2]], Err(Credentials)),
        (vec![b"HT"], Err(NotUnderstood)),
    ] {
        assert_eq!(told("socks5://proxy", &answers).await, meant, "{answers:?}");
    }
    let login = "socks5://anna:secret@proxy";
    assert_eq!(told(login, &[&[5, 2], &[1, 0], &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]]).await, Ok(()));
    assert_eq!(told(login, &[&[5, 2], &[1, 1]]).await, Err(Credentials));
}
