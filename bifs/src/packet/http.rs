//! The lines of HTTP messages.

use enigma_runtime::release;

/// What a line is. Texts are parts of the line.
#[derive(Debug, PartialEq, Eq)]
pub enum HttpLine<'a> {
    /// A first line of a request: method, target, version.
    Request(&'a [u8], RequestTarget<'a>, (u64, u64)),
    /// A first line of a response: version, status, reason.
    Response((u64, u64), u64, &'a [u8]),
    /// A header field: its name as it stands and its value.
    Field(&'a [u8], &'a [u8]),
    /// The empty line behind the header.
    End,
    /// None of these.
    Wrong,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestTarget<'a> {
    /// `*`.
    Any,
    /// A path that begins with a slash.
    Path(&'a [u8]),
    /// Of `http` or `https`: is it the latter, host, port, path.
    Absolute(bool, &'a [u8], Option<u64>, &'a [u8]),
    /// Another scheme and what follows its colon.
    Scheme(&'a [u8], &'a [u8]),
    /// Anything else.
    Other(&'a [u8]),
}

/// Methods that are atoms.
pub const METHODS: [&str; 7] = ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE"];

/// Header fields whose names are atoms; their places, from 1, are told with them.
pub const FIELDS: [&str; 52] = [
    "Cache-Control",
    "Connection",
    "Date",
    "Pragma",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "From",
    "Host",
    "If-Modified-Since",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Proxy-Authorization",
    "Range",
    "Referer",
    "User-Agent",
    "Age",
    "Location",
    "Proxy-Authenticate",
    "Public",
    "Retry-After",
    "Server",
    "Vary",
    "Warning",
    "Www-Authenticate",
    "Allow",
    "Content-Base",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Md5",
    "Content-Range",
    "Content-Type",
    "Etag",
    "Expires",
    "Last-Modified",
    "Accept-Ranges",
    "Set-Cookie",
    "Set-Cookie2",
    "X-Forwarded-For",
    "Cookie",
    "Keep-Alive",
    "Proxy-Connection",
];

/// Longest name whose letters are put into the usual case.
const LONGEST_NAME: usize = 50;

/// A name with capitals where they usually stand; the name itself if it is too long.
pub fn usual_name(name: &[u8]) -> Vec<u8> {
    if name.len() > LONGEST_NAME {
        return name.to_vec();
    }
    let mut capital = true;
    name.iter()
        .map(|&c| {
            let first = capital;
            capital = !first && c == b'-';
            if first {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Is a line with its end the first one of a message?
pub fn begins_message(line: &[u8]) -> bool {
    let parsed = parse(line, false);
    matches!(parsed, HttpLine::Request(..) | HttpLine::Response(..))
}

/// Parses a line with its end: a first line, or a header field.
pub fn parse(line: &[u8], field: bool) -> HttpLine<'_> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let parsed = if field {
        header_field(text)
    } else if let Some(rest) = text.strip_prefix(b"HTTP/") {
        response(rest)
    } else {
        request(text)
    };
    parsed.unwrap_or(HttpLine::Wrong)
}

fn is_space(c: u8) -> bool {
    c == b' ' || c == b'\t'
}

/// May it stand in a name?
fn is_token(c: u8) -> bool {
    !(c <= b' ' || c >= 128 || b"()<>@,;:\\\"/[]?={}".contains(&c))
}

fn skip_spaces(b: &[u8]) -> &[u8] {
    let n = b.iter().take_while(|&&c| is_space(c)).count();
    &b[n..]
}

/// At least one space or tab.
fn spaces(b: &[u8]) -> Option<&[u8]> {
    is_space(*b.first()?).then(|| skip_spaces(b))
}

fn split_while(b: &[u8], f: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    b.split_at(b.iter().take_while(|&&c| f(c)).count())
}

/// At least one digit; the number as 32 bits hold it.
fn digits(b: &[u8]) -> Option<(u64, &[u8])> {
    let (d, rest) = split_while(b, |c| c.is_ascii_digit());
    if d.is_empty() {
        return None;
    }
    let n = d.iter().fold(0u64, |n, c| {
        n.saturating_mul(10).saturating_add(u64::from(c - b'0'))
    });
    Some((n.min(i32::MAX as u64), rest))
}

fn version(b: &[u8]) -> Option<((u64, u64), &[u8])> {
    let (major, b) = digits(b)?;
    let (minor, b) = digits(b.strip_prefix(b".")?)?;
    Some(((major, minor), b))
}

fn response(b: &[u8]) -> Option<HttpLine<'_>> {
    let (version, b) = version(b)?;
    let b = spaces(b)?;
    // A status that is missing is told as 0.
    let (status, b) = match digits(b) {
        Some(d) => d,
        None if b.is_empty() => (0, b),
        None => return None,
    };
    if b.first().is_some_and(|&c| !is_space(c)) {
        return None;
    }
    Some(HttpLine::Response(version, status, skip_spaces(b)))
}

fn request(b: &[u8]) -> Option<HttpLine<'_>> {
    let (method, b) = split_while(b, is_token);
    let (target, b) = split_while(spaces(b)?, |c| !is_space(c));
    if target.is_empty() {
        return None;
    }
    let target = self::target(target)?;
    let b = skip_spaces(b);
    if b.is_empty() {
        return Some(HttpLine::Request(method, target, (0, 9)));
    }
    let (version, _) = version(b.strip_prefix(b"HTTP/")?)?;
    Some(HttpLine::Request(method, target, version))
}

fn target(b: &[u8]) -> Option<RequestTarget<'_>> {
    if b == b"*" {
        return Some(RequestTarget::Any);
    }
    // Any other single character counts as a path too.
    if b.first() == Some(&b'/') || b.len() == 1 {
        return Some(RequestTarget::Path(b));
    }
    for (prefix, secure) in [(&b"http://"[..], false), (b"https://", true)] {
        if b.len() >= prefix.len() && b[..prefix.len()].eq_ignore_ascii_case(prefix) {
            return absolute(secure, &b[prefix.len()..]);
        }
    }
    Some(match b.iter().position(|&c| c == b':') {
        Some(i) => RequestTarget::Scheme(&b[..i], &b[i + 1..]),
        None => RequestTarget::Other(b),
    })
}

fn absolute(secure: bool, b: &[u8]) -> Option<RequestTarget<'_>> {
    let (place, path) = split_while(b, |c| c != b'/');
    let path = if path.is_empty() { &b"/"[..] } else { path };
    let bracketed = match place.iter().position(|&c| c == b']') {
        Some(i) if release::hosts_in_brackets() && place[0] == b'[' => i,
        _ => 0,
    };
    let colon = place[bracketed..].iter().position(|&c| c == b':');
    let (host, port) = match colon.map(|i| bracketed + i) {
        Some(i) => {
            let port = digits(&place[i + 1..]).filter(|d| d.1.is_empty());
            (&place[..i], port.map(|d| d.0))
        }
        None => (place, None),
    };
    Some(RequestTarget::Absolute(secure, host, port, path))
}

fn header_field(b: &[u8]) -> Option<HttpLine<'_>> {
    if b.is_empty() {
        return Some(HttpLine::End);
    }
    let (name, rest) = split_while(b, is_token);
    let value = rest.strip_prefix(b":")?;
    Some(HttpLine::Field(name, skip_spaces(value)))
}
