//! Where a delivery may go: `http://` to the loopback, or to a host that the configuration allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest URL.
const URL_BYTES_MAX: usize = 512;

/// Where a delivery goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) path: String,
    /// Whether only an address of the loopback will do.
    pub(crate) is_loopback: bool,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, or that it is not allowed.
    pub(crate) fn read(url: &str, allowed: &[String]) -> Result<Self, String> {
        if url.len() > URL_BYTES_MAX {
            return Err(format!("a URL has at most {URL_BYTES_MAX} bytes"));
        }
        let is_plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'#');
        if !url.bytes().all(is_plain) {
            return Err("a URL has printable ASCII only, and no fragment".to_owned());
        }
        let rest = url
            .strip_prefix("http://")
            .ok_or("only `http://` is spoken; let a relay of your own speak `https://`")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = host_and_port(authority)?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let is_loopback = is_loopback(&host);
        let is_allowed = allowed.iter().any(|known| *known == host || *known == format!("{host}:{port}"));
        if !is_loopback && !is_allowed {
            return Err("the host is neither the loopback nor allowed by `webhooks.allowed`".to_owned());
        }
        Ok(Self { host, port, path, is_loopback: is_loopback && !is_allowed })
    }

    /// What stands in the `host` header.
    pub(crate) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Whether a connection to this address is one to the target: a name may have come to mean something else.
    pub(crate) fn is_at(&self, address: IpAddr) -> bool {
        !self.is_loopback || address.to_canonical().is_loopback()
    }
}

fn host_and_port(authority: &str) -> Result<(String, u16), String> {
    let malformed = || "the URL has no host, or a port that is none".to_owned();
    if authority.contains('@') {
        return Err("a URL with a user name is not taken".to_owned());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(malformed)?;
            host.parse::<Ipv6Addr>().map_err(|_| malformed())?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("80")).ok_or_else(malformed)?)
        }
        None => authority.rsplit_once(':').unwrap_or((authority, "80")),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    if host.is_empty() || !host.bytes().all(is_plain) {
        return Err(malformed());
    }
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(malformed)?;
    Ok((host.to_ascii_lowercase(), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_go_to_the_loopback_or_where_the_configuration_says() {
        let allowed = ["hooks.example".to_owned(), "other.example:8080".to_owned()];
        for (url, host, port, path) in [
            ("http://127.0.0.1:9000/a?b=c", "127.0.0.1", 9000, "/a?b=c"),
            ("http://localhost", "localhost", 80, "/"),
            ("http://[::1]:81/x", "::1", 81, "/x"),
            ("http://Hooks.Example/x", "hooks.example", 80, "/x"),
            ("http://other.example:8080?q", "other.example", 8080, "/?q"),
        ] {
            let target = Target::read(url, &allowed).expect(url);
            assert_eq!(
                (target.host.as_str(), target.port, target.path.as_str()),
                (host, port, path),
                "{url}"
            );
        }
    }

    #[test]
    fn nobody_is_sent_anywhere_else() {
        let allowed = ["other.example:8080".to_owned()];
        for url in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://169.254.169.254/latest/meta-data",
            "http://other.example/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:99999/",
            "http://0x7f000001/",
            "http://[::ffff:10.0.0.1]/",
            "http:///x",
            "file:///etc/passwd",
            "http://127.0.0.1/\r\nx: y",
            "",
        ] {
            assert!(Target::read(url, &allowed).is_err(), "{url}");
        }
    }

    #[test]
    fn a_name_of_the_loopback_that_leads_elsewhere_is_not_followed() {
        let target = Target::read("http://localhost:1/", &[]).expect("a target");
        assert!(target.is_at(IpAddr::from([127, 0, 0, 1])));
        assert!(!target.is_at(IpAddr::from([10, 0, 0, 1])));
    }
}
