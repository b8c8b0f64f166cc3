//! What a secret looks like: by the name it has, or by its own form.
//!
//! A name alone is not enough: a value that is short, one plain word, or stands for another is a placeholder
//! or a default of a laptop, and to call it a secret would cost more trust than it saves.

/// What kind of secret a value is, in words; `None` for what is none.
pub fn secret(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim();
    // Long enough to have any word in it by chance: it is asked for first.
    if value.starts_with("-----BEGIN ") && value.contains("PRIVATE KEY-----") && !value.contains("...") {
        return Some("a private key");
    }
    if is_placeholder(value) {
        return None;
    }
    if let Some(token) = token(value) {
        return Some(token);
    }
    if let Some(password) = url_password(value) {
        return is_strong(password).then_some("a password within a URL");
    }
    let kind = named(name)?;
    let place = value.contains("://") || value.starts_with(['/', '.', '~']);
    (!place && is_strong(value)).then_some(kind)
}

/// What the last words of a name say that it holds: `DB_PASSWORD`, `apiKey`, `client-secret`.
fn named(name: &str) -> Option<&'static str> {
    let words = words(name);
    let last = words.last()?.as_str();
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map_or("", String::as_str);
    match last {
        "password" | "passwd" | "passphrase" | "pwd" | "pass" => Some("a password"),
        "secret" | "credential" | "credentials" => Some("a secret"),
        "token" => Some("a token"),
        "apikey" | "secretkey" | "accesskey" | "privatekey" | "signingkey" | "encryptionkey" => Some("a key"),
        "key" => ["api", "secret", "access", "private", "signing", "encryption", "auth", "master", "license"]
            .contains(&before)
            .then_some("a key"),
        last if last.ends_with("password") => Some("a password"),
        _ => None,
    }
}

/// `dbPassword`, `DB_PASSWORD`, `db.password` → db, password.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for c in name.chars() {
        let starts = c.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit());
        let inside = before.is_some_and(char::is_alphanumeric) && !starts;
        if c.is_alphanumeric() {
            match words.last_mut().filter(|_| inside) {
                Some(word) => word.extend(c.to_lowercase()),
                None => words.push(c.to_lowercase().collect()),
            }
        }
        before = Some(c);
    }
    words
}

/// Whether a value stands for another, or for nothing.
fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let marks = ["${", "$(", "{{", "}}", "<", ">", "***", "...", "…", "%("];
    let elsewhere =
        ["vault:", "secret:", "secrets:", "ssm:", "arn:", "op://", "ref+", "env:", "file:", "sops:", "enc["];
    let fillers = [
        "example",
        "changeme",
        "change-me",
        "change_me",
        "change me",
        "changeit",
        "placeholder",
        "replace",
        "redacted",
        "dummy",
        "your-",
        "your_",
        "insert",
        "todo",
        "xxxx",
        "0000",
        "1234",
        "default",
        "test",
        "sample",
    ];
    let variable = value
        .strip_prefix('$')
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    variable
        || marks.iter().any(|mark| value.contains(mark))
        || elsewhere.iter().any(|prefix| lower.starts_with(prefix))
        || fillers.iter().any(|word| lower.contains(word))
        // It names itself instead of saying anything.
        || ["password", "passwd", "secret", "token", "passphrase"].iter().any(|word| lower.contains(word))
}

/// Whether a value is neither a short nor a plain word: eight characters of two kinds at least.
fn is_strong(value: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '.' | ',' | ':'),
    ];
    let letters = value.chars().any(char::is_alphabetic);
    let spaces = value.contains(char::is_whitespace);
    value.chars().count() >= 8
        && letters
        && !spaces
        && kinds.iter().filter(|kind| value.chars().any(kind)).count() >= 2
}

/// Tokens that say themselves whose they are: their first letters, their least length, what they are.
const TOKENS: &[(&str, usize, &str)] = &[
    ("AKIA", 20, "an access key of AWS"),
    ("ASIA", 20, "an access key of AWS"),
    ("ghp_", 40, "a token of GitHub"),
    ("gho_", 40, "a token of GitHub"),
    ("ghs_", 40, "a token of GitHub"),
    ("github_pat_", 40, "a token of GitHub"),
    ("glpat-", 20, "a token of GitLab"),
    ("xoxb-", 24, "a token of Slack"),
    ("xoxp-", 24, "a token of Slack"),
    ("sk_live_", 24, "a key of Stripe"),
    ("rk_live_", 24, "a key of Stripe"),
    ("AIza", 39, "a key of Google"),
    ("SG.", 60, "a key of SendGrid"),
    ("npm_", 40, "a token of npm"),
    ("hvs.", 28, "a token of Vault"),
];

fn token(value: &str) -> Option<&'static str> {
    // Three parts of which the first two are JSON in base64.
    let mut parts = value.split('.');
    let jwt = [parts.next(), parts.next()].iter().all(|p| p.is_some_and(|p| p.starts_with("eyJ")));
    if jwt && parts.next().is_some_and(|signature| signature.len() >= 20) && parts.next().is_none() {
        return Some("a signed token");
    }
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let fits =
        |(prefix, length, _): &&(&str, usize, &str)| value.starts_with(prefix) && value.len() >= *length;
    TOKENS.iter().filter(|_| plain).find(fits).map(|(.., what)| *what)
}

/// The password of `scheme://user:password@host`.
fn url_password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}
