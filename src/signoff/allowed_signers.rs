//! Strict reading of OpenSSH `allowed_signers` files (`ssh-keygen(1)`, "ALLOWED SIGNERS"): every line is an entry that
//! OpenSSH would accept and that means somebody, or a problem with its number.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use ssh_key::HashAlg;

use super::public_key;

/// A line that lets somebody sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowedSigner {
    /// From 1.
    pub line: usize,
    pub principals: Vec<String>,
    /// Empty: any namespace.
    pub namespaces: Vec<String>,
    pub valid_after: Option<Timestamp>,
    pub valid_before: Option<Timestamp>,
    pub cert_authority: bool,
    /// The key's type and SHA-256 fingerprint.
    pub key_type: String,
    pub fingerprint: String,
    /// The key itself, `ssh-ed25519 AAAA…`.
    pub key: String,
}

impl AllowedSigner {
    /// What this entry says that a declared key cannot: each a lowercase fragment.
    pub fn not_honoured(&self, namespace: &str) -> Vec<String> {
        let mut found = Vec::new();
        if self.cert_authority {
            found.push("`cert-authority` is not honoured: name the people's own keys".to_owned());
        }
        if !self.namespaces.is_empty() && !self.namespaces.iter().any(|known| known == namespace) {
            found.push(format!("its `namespaces` do not allow `{namespace}`"));
        }
        if self.valid_after.is_some() || self.valid_before.is_some() {
            found.push(
                "`valid-after` and `valid-before` are not honoured: a declared key counts until it is removed".into(),
            );
        }
        let pattern = |principal: &&String| principal.contains(['*', '?', '!']);
        found.extend(self.principals.iter().filter(pattern).map(|who| format!("`{who}` is a pattern, not a person")));
        found
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// A lowercase fragment.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Domains that stand for nobody (RFC 2606, RFC 6761).
const PLACEHOLDERS: &[&str] = &["example.com", "example.org", "example.net", "example", "invalid", "localhost"];

/// Reads a whole file as of `now`: the lines without a problem, and all problems. Times without a `Z` are taken as UTC.
pub fn parse(text: &str, now: Timestamp) -> (Vec<AllowedSigner>, Vec<Problem>) {
    let (mut signers, mut found) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let mut problems = Vec::new();
        let signer = entry(index + 1, content, now, &mut problems);
        if let (Some(signer), true) = (signer, problems.is_empty()) {
            signers.push(signer);
        }
        found.extend(problems.into_iter().map(|message| Problem { line: index + 1, message }));
    }
    (signers, found)
}

fn entry(line: usize, content: &str, now: Timestamp, problems: &mut Vec<String>) -> Option<AllowedSigner> {
    let mut fields = fields(content, ' ');
    let first = fields.remove(0);
    let principals: Vec<String> = unquoted(&first).split(',').map(str::to_owned).collect();
    for principal in &principals {
        problems.extend(placeholder(principal));
    }
    let mut signer = AllowedSigner {
        line,
        principals,
        namespaces: Vec::new(),
        valid_after: None,
        valid_before: None,
        cert_authority: false,
        key_type: String::new(),
        fingerprint: String::new(),
        key: String::new(),
    };
    let options = fields.iter().take_while(|field| !is_key_type(field)).count();
    if options > 1 && options < fields.len() {
        problems.push("separates its options by spaces; OpenSSH wants commas".into());
    }
    for options in fields.drain(..options) {
        for option in self::fields(&options, ',') {
            problems.extend(take_option(&mut signer, &option, now).err());
        }
    }
    let [key_type, data, ..] = fields.as_slice() else {
        problems.push("has no key: wanted `principals [options] type key`".into());
        return None;
    };
    let key = public_key::read(key_type, data).map_err(|problem| problems.push(problem)).ok()?;
    signer.key_type = key.algorithm().to_string();
    signer.fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    signer.key = format!("{key_type} {data}");
    Some(signer)
}

/// Splits at separators outside double quotes; runs of spaces count once.
fn fields(text: &str, separator: char) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        let c = if c == '\t' { ' ' } else { c };
        quoted ^= c == '"';
        if c == separator && !quoted {
            fields.push(String::new());
        } else if let Some(field) = fields.last_mut() {
            field.push(c);
        }
    }
    if separator == ' ' {
        fields.retain(|field| !field.is_empty());
    }
    if fields.is_empty() { vec![String::new()] } else { fields }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn is_key_type(field: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| field.starts_with(start))
}

fn placeholder(principal: &str) -> Option<String> {
    if principal.is_empty() {
        return Some("has an empty principal".into());
    }
    let domain = principal.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let nobody = PLACEHOLDERS.iter().any(|end| domain == *end || domain.ends_with(&format!(".{end}")));
    nobody.then(|| format!("`{principal}` is a placeholder: `{domain}` belongs to nobody"))
}

fn take_option(signer: &mut AllowedSigner, option: &str, now: Timestamp) -> Result<(), String> {
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let text = || match value.map(|value| (value, unquoted(value))) {
        Some((value, inner)) if value.len() == inner.len() + 2 && !inner.is_empty() => Ok(inner),
        _ => Err(format!("`{name}` wants a value in quotes, such as `{name}=\"…\"`")),
    };
    match name.to_ascii_lowercase().as_str() {
        "cert-authority" if value.is_none() => signer.cert_authority = true,
        "cert-authority" => return Err("`cert-authority` takes no value".into()),
        "namespaces" => signer.namespaces = text()?.split(',').map(str::to_owned).collect(),
        "valid-after" => {
            let (from, spelling) = stamp(name, text()?)?;
            signer.valid_after = Some(from);
            if from > now {
                return Err(format!("is not valid before {from}{spelling}"));
            }
            return not_openssh(&spelling);
        }
        "valid-before" => {
            let (until, spelling) = stamp(name, text()?)?;
            signer.valid_before = Some(until);
            if until <= now {
                return Err(format!("expired at {until}{spelling}"));
            }
            return not_openssh(&spelling);
        }
        _ => return Err(format!("`{}` is no option that OpenSSH knows", crate::text::escaped(name))),
    }
    Ok(())
}

/// The time that an option names, and what is wrong with how it is written.
fn stamp(name: &str, text: &str) -> Result<(Timestamp, String), String> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if let Some(time) = openssh(text).and_then(utc) {
        return Ok((time, String::new()));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        let right = time.strftime("%Y%m%d%H%M%SZ");
        return Ok((
            time,
            format!("; `{name}=\"{text}\"` must be written `{name}=\"{right}\"` for OpenSSH to read it"),
        ));
    }
    let text = crate::text::escaped(text);
    Err(format!("`{name}=\"{text}\"` is not a time: wanted `YYYYMMDD[HHMM[SS]][Z]`, such as `20270131Z`"))
}

fn not_openssh(spelling: &str) -> Result<(), String> {
    spelling.strip_prefix("; ").map_or(Ok(()), |problem| Err(problem.to_owned()))
}

/// `YYYYMMDD[HHMM[SS]][Z]`.
fn openssh(text: &str) -> Option<DateTime> {
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits[..4].parse().ok()?;
    DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn read(text: &str) -> (Vec<AllowedSigner>, Vec<Problem>) {
        parse(text, "2026-11-22T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn good_lines_are_entries() {
        let text = format!(
            "# people\n\nann@citadel.dev {KEY} a comment\n\
             \"bob@citadel.dev,*@ops.citadel.dev\" cert-authority,namespaces=\"git,file\",valid-after=\"20250101Z\",\
             valid-before=\"20270101120000Z\" {KEY}\n"
        );
        let (signers, problems) = read(&text);
        assert_eq!(problems, []);
        assert_eq!(signers.len(), 2);
        let bob = &signers[1];
        assert_eq!((bob.line, bob.cert_authority), (4, true));
        assert_eq!(bob.principals, ["bob@citadel.dev", "*@ops.citadel.dev"]);
        assert_eq!(bob.namespaces, ["git", "file"]);
        assert_eq!(bob.valid_before.unwrap().to_string(), "2027-01-01T12:00:00Z");
        assert_eq!(bob.fingerprint, "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
    }

    #[test]
    fn every_problem_of_a_line_is_told() {
        let check = |line: &str, expected: &[&str]| {
            let (signers, problems) = read(line);
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert_eq!(messages, expected, "{line}");
            assert_eq!(signers, [], "{line}");
        };
        check("", &[]);
        check("ann@citadel.dev", &["has no key: wanted `principals [options] type key`"]);
        check("ann@citadel.dev ssh-ed25519", &["has no key: wanted `principals [options] type key`"]);
        check("ann@citadel.dev ssh-ed25519 !!!!", &["the `ssh-ed25519` key is not base64"]);
        check(
            "ann@citadel.dev ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XF",
            &["the `ssh-ed25519` key is damaged: Base64 encoding error: invalid Base64 length"],
        );
        check(
            &format!("ann@citadel.dev {}", KEY.replace("ssh-ed25519", "ssh-rsa")),
            &["the `ssh-rsa` key is base64 of 51 bytes that are no SSH key: one starts with its type, `AAAAB3NzaC1y…`"],
        );
        check(
            &format!("ann@example.com,b@sub.example.org {KEY}"),
            &[
                "`ann@example.com` is a placeholder: `example.com` belongs to nobody",
                "`b@sub.example.org` is a placeholder: `sub.example.org` belongs to nobody",
            ],
        );
        check(&format!("ann@citadel.dev valid-before=\"20250101\" {KEY}"), &["expired at 2025-01-01T00:00:00Z"]);
        check(
            &format!("ann@citadel.dev valid-after=\"20300101\" {KEY}"),
            &["is not valid before 2030-01-01T00:00:00Z"],
        );
        check(
            &format!("ann@citadel.dev valid-before=\"2030-01-01T00:00:00Z\" {KEY}"),
            &[
                "`valid-before=\"2030-01-01T00:00:00Z\"` must be written `valid-before=\"20300101000000Z\"` for OpenSSH to read it",
            ],
        );
        check(
            &format!("ann@citadel.dev valid-before=\"tomorrow\" {KEY}"),
            &["`valid-before=\"tomorrow\"` is not a time: wanted `YYYYMMDD[HHMM[SS]][Z]`, such as `20270131Z`"],
        );
        check(
            &format!("ann@citadel.dev namespace=\"git\",namespaces=git {KEY}"),
            &[
                "`namespace` is no option that OpenSSH knows",
                "`namespaces` wants a value in quotes, such as `namespaces=\"…\"`",
            ],
        );
    }

    #[test]
    fn a_file_of_placeholders_is_seen_through() {
        // Keys of 32 raw bytes or of plain words, as published checkouts carry them.
        let (signers, problems) = read(
            "one@example.com namespaces=\"git\" ssh-ed25519 MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n\
             two@example.com namespaces=\"git\" sk-ssh-ed25519@openssh.com MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n\
             three@example.com namespaces=\"git\" valid-before=\"2025-01-01T00:00:00Z\" ssh-ed25519 cGxhY2Vob2xkZXI=\n",
        );
        assert_eq!(signers, []);
        assert_eq!(
            problems[0].to_string(),
            "line 1: `one@example.com` is a placeholder: `example.com` belongs to nobody"
        );
        let of = |line: usize| problems.iter().filter(|problem| problem.line == line).count();
        assert_eq!((of(1), of(2), of(3)), (2, 2, 4));
    }

    #[test]
    fn nothing_panics() {
        let text = format!("\"a,b\" namespaces=\"x\",valid-after=\"20250101Z\" {KEY} c");
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            read(&text[..end]);
            read(&text[end..]);
        }
        read("\" \" , = \"\"=\" é=é ,,, \"");
        read("a valid-after=\"éééé\" é");
        read("a valid-after=\"99999999Z\" b");
    }
}
