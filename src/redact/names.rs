//! Which names tell that what they name is a credential.

/// Whoever has these letters in their name holds a credential.
const TELLING_LETTERS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "accountkey",
    "encryptionkey",
    "privatekey",
    "sharedkey",
    "signingkey",
    "authorization",
    "amzsignature",
    "setcookie",
];

/// These wherever they are a word of the name: `DB_PASS`, but not `COMPASS`.
const TELLING_WORDS: [&str; 4] = ["pass", "pwd", "creds", "cookie"];

/// These too, where names are chosen with care, as those of environment variables are: `TLS_KEY`.
/// In a log or in a table a key is anything.
const CAREFUL_WORDS: [&str; 4] = ["key", "keys", "auth", "pat"];

/// A name that ends in one of these is about a credential and holds none: `TOKEN_FILE`.
const HARMLESS_ENDS: [&str; 18] = [
    "file", "path", "dir", "mode", "name", "type", "ttl", "version", "url", "count", "length",
    "size", "seconds", "minutes", "enabled", "policy", "expiry", "domain",
];

/// Every name that tells has one of these in it.
const STEMS: [&[u8]; 10] = [
    b"pass",
    b"pwd",
    b"pat",
    b"secret",
    b"token",
    b"cred",
    b"key",
    b"auth",
    b"cookie",
    b"signature",
];

/// What names tell, with what an admin adds and takes away.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Letters of names that tell too.
    extra: Vec<String>,
    /// Letters of whole names that do not.
    exempt: Vec<String>,
}

/// How much a name has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// It is a name of an environment variable, an annotation or a flag.
    Chosen,
    /// It is a word in a log, or a field of an application's data.
    Anywhere,
}

impl Names {
    /// With more names, and without some; `None` where one has no letters.
    pub fn new(extra: &[String], exempt: &[String]) -> Option<Names> {
        let all = |names: &[String]| names.iter().map(|name| letters(name)).collect::<Vec<_>>();
        let names = Names { extra: all(extra), exempt: all(exempt) };
        let has_empty = names.extra.iter().chain(&names.exempt).any(String::is_empty);
        (!has_empty).then_some(names)
    }

    /// Whether a name may tell. Nearly every name does not, and this costs little.
    pub fn may_tell(&self, name: &[u8]) -> bool {
        !self.extra.is_empty()
            || (0..name.len()).any(|at| {
                let begins = |stem: &&[u8]| {
                    name.len() - at >= stem.len()
                        && name[at..at + stem.len()].eq_ignore_ascii_case(stem)
                };
                // Most letters begin no stem.
                matches!(name[at] | 0x20, b'a' | b'c' | b'k' | b'p' | b's' | b't')
                    && STEMS.iter().any(begins)
            })
    }

    /// Whether a thing of this name is likely to hold a credential.
    pub fn tell(&self, name: &str, care: Care) -> bool {
        let letters = letters(name);
        if self.exempt.contains(&letters) {
            return false;
        }
        if self.extra.iter().any(|extra| letters.contains(extra.as_str())) {
            return true;
        }
        let words: Vec<String> = words(name).collect();
        if words.last().is_some_and(|end| HARMLESS_ENDS.contains(&end.as_str())) {
            return false;
        }
        let has = |telling: &[&str]| words.iter().any(|word| telling.contains(&word.as_str()));
        TELLING_LETTERS.iter().any(|telling| letters.contains(telling))
            || has(&TELLING_WORDS)
            || (care == Care::Chosen && has(&CAREFUL_WORDS))
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The words of `some_name`, `some-name`, `SOME_NAME` and `someName`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let mut words = vec![String::new()];
        let mut after_lower = false;
        for c in part.chars() {
            if c.is_ascii_uppercase() && after_lower {
                words.push(String::new());
            }
            after_lower = c.is_ascii_lowercase();
            let word = words.last_mut().expect("it starts with one word");
            word.push(c.to_ascii_lowercase());
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tell_of_a_credential() {
        let names = Names::default();
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "GITHUB_TOKEN",
            "githubToken",
            "API_KEY",
            "apiKey",
            "APIKEY",
            "TLS_KEY",
            "aws-secret-access-key",
            "CREDENTIALS",
            "BASIC_AUTH",
            "Authorization",
            "Set-Cookie",
        ] {
            assert!(names.tell(name, Care::Chosen), "{name}");
            assert!(names.may_tell(name.as_bytes()), "{name}");
        }
        for name in [
            "PATH",
            "MONKEY",
            "keyboard",
            "AUTHOR",
            "HOSTNAME",
            "COMPASS",
            "TOKEN_FILE",
            "token_count",
            "PASSWORD_POLICY",
            "",
        ] {
            assert!(!names.tell(name, Care::Chosen), "{name}");
        }
        for name in ["key", "cacheKey", "auth", "pat"] {
            assert!(names.tell(name, Care::Chosen) && !names.tell(name, Care::Anywhere), "{name}");
        }
    }

    #[test]
    fn every_word_that_tells_has_a_stem() {
        let names = Names::default();
        let words = TELLING_LETTERS.iter().chain(&TELLING_WORDS).chain(&CAREFUL_WORDS);
        words.for_each(|word| assert!(names.may_tell(word.as_bytes()), "{word}"));
        assert!(!names.may_tell(b"hostname"));
    }

    #[test]
    fn an_admin_adds_names_and_takes_some_away() {
        let (extra, exempt) = (["customer_ssn".to_owned()], ["PUBLIC_TOKEN".to_owned()]);
        let names = Names::new(&extra, &exempt).expect("good names");
        assert!(names.tell("newCustomerSSN", Care::Anywhere));
        assert!(!names.tell("public-token", Care::Chosen) && names.tell("token", Care::Anywhere));
        assert!(Names::new(&["-".to_owned()], &[]).is_none());
    }
}
