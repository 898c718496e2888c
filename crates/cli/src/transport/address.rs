//! The address of a node.

/// `http://host:port`, with an optional path in front of every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Reads an address. TLS is not spoken: the node listens on this machine, and from elsewhere a tunnel or a proxy ends it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return Err(
                "https is not spoken here; use a tunnel or a proxy on this machine, and http to that"
                    .to_owned(),
            );
        }
        let Some(rest) = text.strip_prefix("http://") else {
            return Err(format!("{text:?} has no http:// in front"));
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_good = |c: char| c.is_ascii_graphic() && !"@?#\\\"<>^`{|}".contains(c);
        if host.is_empty() || !host.chars().all(is_good) || !path.chars().all(is_good) {
            return Err(format!("{text:?} is no address like http://127.0.0.1:8710"));
        }
        let port = match host.strip_prefix('[') {
            Some(v6) => v6.split_once(']').map(|(_, port)| port.strip_prefix(':')),
            None => Some(host.split_once(':').map(|(_, port)| port)),
        };
        match port {
            Some(None) => {}
            Some(Some(port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => {}
            _ => return Err(format!("the port of {text:?} is no number from 1 to 65535")),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The address of a path below it.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_with_a_host() {
        let good = ["http://127.0.0.1:8710", "http://[::1]:80", "http://node.example", "http://a:1/prefix"];
        for text in good {
            assert_eq!(Address::parse(&format!("{text}/")).map(|address| address.0), Ok(text.to_owned()));
        }
        let bad = [
            "",
            "a:1",
            "https://a",
            "http://",
            "http://a:0",
            "http://a:x",
            "http://u@a:1",
            "http://a b",
            "http://[::1:80",
        ];
        for text in bad {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
