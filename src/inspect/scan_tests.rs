//! The scanner as a whole: what it finds, what it leaves, and how much work that is.
#![expect(clippy::string_slice, reason = "tests")]

use proptest::prelude::*;

use super::Exceeded;
use super::Finding;
use super::Text;
use super::Work;
use super::check;
use super::detector::DETECTORS;
use super::scan::Find;
use super::scan::Finder;
use super::scan::FinderError;
use super::scan::Scanner;
use super::scan::Validator;
use super::token;

use crate::limits;

fn finder(find: Find) -> Finder {
    Finder { find, context: Vec::new(), validator: None, entropy_min: None }
}

fn detector(name: &str) -> Finder {
    finder(Find::Detector(name.to_owned()))
}

pub(super) fn pattern(expression: &str) -> Finder {
    finder(Find::Pattern(expression.to_owned()))
}

pub(super) fn literals(texts: &[&str]) -> Finder {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    finder(Find::Literals { texts, case_sensitive: false, whole_words: false })
}

pub(super) fn all() -> Vec<Finder> {
    DETECTORS.iter().map(|row| detector(row.name)).collect()
}

/// Every scan is done by both twins, which must agree to the byte and to the count of work.
fn scan_in(finders: &[Finder], text: &[u8], key: &[u8]) -> Result<(Vec<Finding>, Work), Exceeded> {
    let run = |scanner: Scanner| {
        let mut work = Work { input: text.len() as u64, ..Work::default() };
        let mut findings = Vec::new();
        let result = scanner.scan(Text { bytes: text, key }, &mut work, &mut findings);
        findings.sort_by_key(|finding| (finding.start, finding.end, finding.finder));
        (result, findings, work.verified, work.slow, work)
    };
    let (result, findings, verified, slow, work) = run(Scanner::new(finders).expect("finders"));
    let twin = run(Scanner::portable(finders).expect("finders"));
    assert_eq!((&result, &findings, verified, slow), (&twin.0, &twin.1, twin.2, twin.3));
    result.map(|()| (findings, work))
}

fn scan(finders: &[Finder], text: &str) -> Vec<(usize, String)> {
    let (findings, _) = scan_in(finders, text.as_bytes(), b"").expect("little work");
    let found = |finding: &Finding| {
        (usize::from(finding.finder), text[finding.start as usize..finding.end as usize].to_owned())
    };
    findings.iter().map(found).collect()
}

/// A token of GitHub with a right checksum, that nobody was ever given.
fn github(prefix: &str, random: &str) -> String {
    assert_eq!(random.len(), 30);
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = check::crc32(random.as_bytes()) as usize;
    let mut tail = Vec::new();
    for _ in 0..6 {
        tail.insert(0, alphabet[rest % 62]);
        rest /= 62;
    }
    let tail = String::from_utf8(tail).expect("ASCII");
    assert!(token::has_checksum(format!("{random}{tail}").as_bytes()));
    format!("{prefix}{random}{tail}")
}

fn aws() -> String {
    ["AKIA", "Q3EGTZ7XM2", "WPLJ5K"].concat()
}

fn jwt() -> String {
    // {"alg":"HS256","typ":"JWT"} and {"sub":"42","fake":true}
    ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", ".", "eyJzdWIiOiI0MiIsImZha2UiOnRydWV9", ".", "AbCdEfGh0123456789_-xyz"]
        .concat()
}

fn openai() -> String {
    ["sk-", "proj-", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6Hd", "T3Blb", "kFJ", "aG5cJ1uVf0Ee7Ki3Lo9Nq2Ws"].concat()
}

fn anthropic() -> String {
    let random = "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1u".repeat(3);
    ["sk-", "ant-", "api03-", &random, "AA"].concat()
}

fn private_key() -> String {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\nZk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1u==\n";
    ["-----BEGIN ", "RSA PRIVATE KEY-----\n", body, "-----END ", "RSA PRIVATE KEY-----"].concat()
}

/// What is to be found, by detector: the match itself, and whether it is confirmed. Each stands for itself, without context.
pub(super) fn positives() -> Vec<(&'static str, String, bool)> {
    let plain: &[(&str, &str, bool)] = &[
        ("email", "jane.doe@acme-corp.com", true),
        ("email", "j@x.io", true),
        ("email", "first_last+tag@mail.sub.acme.co.uk", true),
        ("email", "o%b@acme.museum", true),
        ("email", "JANE@ACME.ORG", true),
        ("email", "ops@db7.prod.internal", false),
        ("card", "4539578763621486", true),
        ("card", "4539 5787 6362 1486", true),
        ("card", "4539-5787-6362-1486", true),
        ("card", "5425233430109903", true),
        ("card", "374245455400126", true),
        ("card", "3742 454554 00126", true),
        ("card", "2223000048410010", true),
        ("card", "6011000991300009", true),
        ("card", "4111 1111 1111 1111", false),
        ("iban", "DE89370400440532013000", true),
        ("iban", "DE89 3704 0044 0532 0130 00", true),
        ("iban", "GB29 NWBK 6016 1331 9268 19", true),
        ("iban", "FR1420041010050500013M02606", true),
        ("iban", "NO9386011117947", true),
        ("iban", "MT84MALT011000012345MTLCAST001S", true),
        ("iban", "gb29nwbk60161331926819", true),
        ("iban", "CH93-0076-2011-6238-5295-7", true),
        ("us_ssn", "536-22-8145", false),
        ("phone", "+49 30 12345678", true),
        ("phone", "+493012345678", true),
        ("phone", "+1 212-555-0187", true),
        ("phone", "+33 1 23 45 67 89", true),
        ("phone", "+44 20 7946 0958", true),
        ("phone", "(212) 555-0187", false),
        ("phone", "212-555-0187", false),
        ("phone", "1-212-555-0187", false),
        ("phone", "212.555.0187", false),
        ("ipv4", "81.2.69.142", false),
        ("ipv4", "8.8.8.8", false),
        ("ipv4", "223.255.255.255", false),
    ];
    let mut all: Vec<_> = plain.iter().map(|(name, text, known)| (*name, (*text).to_owned(), *known)).collect();
    all.push(("aws_access_key", aws(), true));
    all.push(("github_token", github("ghp_", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1"), true));
    all.push(("github_token", github("ghs_", "aG5cJ1uVf0Ee7Ki3Lo9Nq2WsZk3vQ9"), true));
    all.push(("github_token", ["gho_", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uVf0Ee"].concat(), false));
    let fine =
        ["github_pat_", "11ZK3VQ9WL0x7Rt2Mn8Bp4", "_", "Ys6HdaG5cJ1uVf0Ee7Ki3Lo9Nq2WsZk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1"];
    all.push(("github_token", fine.concat(), true));
    all.push(("openai_key", openai(), true));
    all.push(("anthropic_key", anthropic(), true));
    all.push(("private_key", private_key(), true));
    all.push(("jwt", jwt(), true));
    all
}

/// What looks like a match and is none.
fn negatives() -> Vec<(&'static str, String)> {
    let plain: &[(&str, &str)] = &[
        ("email", "git@github.com:owner/repository.git"),
        ("email", "https://user:pass@host.com/path"),
        ("email", "ssh://deploy@host.com/x"),
        ("email", "jane@example.com or joe@example.org"),
        ("email", "x@y.test x@y.invalid x@localhost"),
        ("email", "icon@2x.png"),
        ("email", "@angular/core@17.0.1"),
        ("email", "actions/checkout@v4.1.1"),
        ("email", "a @ b.com, @handle.com, x@.com, x@-a.com, x@a..com, .@a.com"),
        ("email", "user@10.0.0.1"),
        ("card", "4539578763621487"),
        ("card", "order 1234567890123452"),
        ("card", "0.4539578763621486"),
        ("card", "4539578763621486.5"),
        ("card", "x4539578763621486 4539578763621486x"),
        ("card", "45395787636214860"),
        ("card", "4539 5787 6362 1487"),
        ("card", "4539\n5787\n6362\n1486"),
        ("card", "4539-5787-6362-1486-0000"),
        ("card", "356938035643809"),
        ("card", "9780306406157 1705312345678"),
        ("card", "4444444444444448x"),
        ("iban", "DE89370400440532013001"),
        ("iban", "DE8937040044053201300"),
        ("iban", "XX89370400440532013000"),
        ("iban", "aDE89370400440532013000 DE89370400440532013000b"),
        ("us_ssn", "000-12-3456 666-12-3456 900-12-3456 536-00-1234 536-22-0000"),
        ("us_ssn", "123-45-6789 078-05-1120"),
        ("us_ssn", "536228145"),
        ("us_ssn", "536 22 8145"),
        ("us_ssn", "1536-22-8145 536-22-81456 536-22-8145-1 1-536-22-8145"),
        ("phone", "2026-11-25 10:15, 25.11.2026 10"),
        ("phone", "0301234567"),
        ("phone", "123-456-7890 212-155-0187"),
        ("phone", "+0 123456789"),
        ("phone", "212-555-0187-22"),
        ("ipv4", "version 81.2.69.142, v81.2.69.142, Chrome/120.0.6099.109"),
        ("ipv4", "Chrome/81.2.69.142 section 4.14.14.4 § 4.14.14.4"),
        ("ipv4", "10.1.2.3 127.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 0.0.0.0 255.255.255.255"),
        ("ipv4", "192.0.2.1 198.51.100.7 203.0.113.9 100.64.0.1 224.0.0.1"),
        ("ipv4", "81.2.69.256 81.2.69.142.5 5.81.2.69.142 81.02.69.142 081.2.69.142 81.2.69"),
        ("ipv4", "81.2.69.142x x81.2.69.142 81.2.69.1422"),
        ("private_key", "-----BEGIN PRIVATE KEY-----"),
        ("private_key", "if line.startswith('-----BEGIN RSA PRIVATE KEY-----'): return True"),
        ("jwt", "eyJ.eyJ.eyJ eyJhbGci eyJhbGciOiJIUzI1NiJ9 eyJhbGciOiJIUzI1NiJ9."),
        ("jwt", "eyJ0ZXN0IjoxfQ.eyJ0ZXN0IjoxfQ.AAAA"),
    ];
    let mut all: Vec<_> = plain.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let key = private_key();
    all.push(("private_key", key.replace("RSA PRIVATE KEY", "CERTIFICATE")));
    all.push(("private_key", key.replace("RSA PRIVATE KEY", "PUBLIC KEY")));
    all.push(("aws_access_key", ["AKIA", "IOSFODNN7EXAMPLE"].concat()));
    all.push(("aws_access_key", ["AIDA", "Q3EGTZ7XM2WPLJ5K"].concat()));
    all.push(("aws_access_key", format!("{}X x{} {}", aws(), aws(), aws().to_lowercase())));
    all.push(("github_token", ["ghp_", &"x".repeat(36)].concat()));
    all.push(("github_token", ["ghp_", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uVf0E"].concat()));
    all.push(("openai_key", ["sk-", "Zk3vQ9wLx7Rt2Mn8", "T3Blb", "kFJ", "aG5cJ1uVf0Ee7Ki3Lo9Nq2Ws"].concat()));
    all.push(("openai_key", "chatcmpl-9wLx7Rt2Mn8Bp4Ys6HdT3BlbkFJaG5cJ1uVf0Ee7Ki3Lo9Nq2Ws".to_owned()));
    all.push(("anthropic_key", "sk-ant-your-key-here".to_owned()));
    all.push(("anthropic_key", "msg_01Zk3vQ9wLx7Rt2Mn8 toolu_01Zk3vQ9wLx7Rt2Mn8".to_owned()));
    for text in
        ["123e4567-e89b-12d3-a456-426614174000", "d41d8cd98f00b204e9800998ecf8427e", "sha256:4539578763621486ab"]
    {
        all.extend(DETECTORS.iter().map(|row| (row.name, text.to_owned())));
    }
    all
}

#[test]
fn every_positive_is_found_alone_and_exactly() {
    for (name, text, validated) in positives() {
        let (found, _) = scan_in(&[detector(name)], text.as_bytes(), b"").expect("little work");
        let expected = Finding { finder: 0, start: 0, end: u32::try_from(text.len()).unwrap(), validated };
        assert_eq!(found, [expected], "{name}: {text}");
    }
}

#[test]
fn every_positive_is_found_wherever_it_stands() {
    let around = [
        ("", " "),
        (" ", ""),
        ("see ", " now"),
        ("\"", "\""),
        ("(", ")"),
        ("<", ">"),
        ("[", "],"),
        ("值：", "。"),
        ("联系", "谢谢"),
        ("\n", "\n"),
        ("key=", "&x=1"),
        ("{\"a\":\"", "\"}"),
        ("`", "`"),
        ("**", "**"),
        ("|", "|"),
        ("\t", "\r\n"),
        ("", ". Next"),
        ("", ", next"),
    ];
    for (name, text, _) in positives() {
        for (before, after) in around {
            let whole = format!("{before}{text}{after}");
            assert_eq!(scan(&[detector(name)], &whole), [(0, text.clone())], "{name}: {whole}");
        }
    }
}

#[test]
fn every_positive_is_found_at_every_place_of_a_block() {
    for (name, text, _) in positives() {
        let scanner = Scanner::new(&[detector(name)]).expect("a finder");
        for before in (0..140).chain(4080..4180) {
            let whole = format!("{}{text}{}", "~".repeat(before), "~".repeat(before % 7));
            let (mut work, mut found) = (Work { input: whole.len() as u64, ..Work::default() }, Vec::new());
            scanner.scan(Text { bytes: whole.as_bytes(), key: b"" }, &mut work, &mut found).expect("little work");
            let spans: Vec<_> = found.iter().map(|found| (found.start as usize, found.end as usize)).collect();
            assert_eq!(spans, [(before, before + text.len())], "{name}: {text} at {before}");
        }
    }
}

#[test]
fn no_negative_is_found() {
    for (name, text) in negatives() {
        assert_eq!(scan(&[detector(name)], &text), [], "{name}: {text}");
    }
}

#[test]
fn a_match_has_the_shape_of_its_row() {
    for (name, text, _) in positives() {
        let row = DETECTORS.iter().find(|row| row.name == name).expect("a row");
        let shape = regex::bytes::Regex::new(&format!("^(?:(?-u){})$", row.shape)).expect("a shape");
        assert!(shape.is_match(text.as_bytes()), "{name}: {text}");
    }
}

#[test]
fn what_is_doubtful_needs_a_word_near_or_in_the_key() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("us_ssn", "", "SSN: 536228145", &["536228145"]),
        ("us_ssn", "", "social security 536 22 8145", &["536 22 8145"]),
        ("us_ssn", "employeeSsn", "536228145", &["536228145"]),
        ("us_ssn", "lesson", "536228145", &[]),
        ("us_ssn", "", "assn 536228145", &[]),
        ("phone", "", "call 030 1234567 today", &["030 1234567"]),
        ("phone", "", "Tel.: 0301234567", &["0301234567"]),
        ("phone", "phone_number", "0301234567", &["0301234567"]),
        ("phone", "", "电话13812345678", &["13812345678"]),
        ("phone", "", "call on 2026-11-25 10:30", &[]),
        ("phone", "", "hotel 0301234567", &[]),
        ("card", "", "visa 4222222222222", &["4222222222222"]),
        ("card", "", "30569309025904", &[]),
        ("card", "cardNumber", "30569309025904", &["30569309025904"]),
        ("card", "discard", "30569309025904", &[]),
    ];
    for (name, key, text, expected) in cases {
        let (found, _) = scan_in(&[detector(name)], text.as_bytes(), key.as_bytes()).expect("little work");
        let found: Vec<_> = found.iter().map(|found| &text[found.start as usize..found.end as usize]).collect();
        assert_eq!(&found, expected, "{name}: {key}: {text}");
    }
}

#[test]
fn what_cannot_be_built_says_why() {
    let refused = |finder: Finder| Scanner::new(&[detector("email"), finder]).err();
    assert_eq!(refused(detector("e-mail")), Some((1, FinderError::UnknownDetector)));
    assert_eq!(refused(pattern("a*")), Some((1, FinderError::MatchesNothing)));
    assert_eq!(refused(pattern(r"\b")), Some((1, FinderError::MatchesNothing)));
    assert_eq!(refused(pattern("")), Some((1, FinderError::MatchesNothing)));
    assert!(matches!(refused(pattern("a(")), Some((1, FinderError::Pattern(_)))));
    assert!(matches!(refused(pattern("[a&&b]")), Some((1, FinderError::Pattern(_)))));
    assert!(matches!(refused(pattern(r"(?u)\bé\b")), Some((1, FinderError::Pattern(_)))));
    assert_eq!(refused(pattern(r"[ab]*a[ab]{30}")), Some((1, FinderError::PatternTooLarge)));
    assert_eq!(refused(pattern(r"(?u)\w{500}")), Some((1, FinderError::PatternTooLarge)));
    assert_eq!(refused(literals(&["abc", "ab"])), Some((1, FinderError::Literal)));
    assert_eq!(refused(literals(&["abc", &"a".repeat(257)])), Some((1, FinderError::Literal)));
    assert!(Scanner::new(&[]).is_ok());
}

#[test]
fn only_what_has_no_anchor_is_slow() {
    let cases = [
        (r"\bEMP-[0-9]{6}\b", false),
        (r"(?i)employee[ _-]?id", false),
        (r"(?:foo|bar|quux)[0-9]+", false),
        (r"[a-z]+@acme\.org", false),
        (r"(?i)[a-z0-9]{3,8}\.internal", false),
        (r"(?u:geheim|секрет)", false),
        (r"ID[0-9]{5}", false),
        (r"[A-Z]{2}[0-9]{6}", true),
        (r"a[0-9]+", true),
        (r"[0-9]{4}-[0-9]{4}", true),
    ];
    for (expression, slow) in cases {
        let scanner = Scanner::new(&[detector("email"), pattern(expression), literals(&["abc"])]).expect(expression);
        assert_eq!([0, 1, 2].map(|finder| scanner.is_slow(finder)), [false, slow, false], "{expression}");
        assert_eq!([0, 1, 2, 3].map(|finder| scanner.yields(finder)), [true, false, false, false]);
    }
}

/// What a leftmost-longest search finds, by asking the regex crate for every span.
fn naive_pattern(expression: &str, text: &[u8]) -> Vec<(usize, usize)> {
    // `(?-u)` in front, as the scanner reads it.
    let find = regex::bytes::Regex::new(&format!("(?-u:{expression})")).expect("an expression");
    let mut spans = Vec::new();
    let mut from = 0;
    while from <= text.len() {
        let Some(first) = find.find_at(text, from) else { break };
        // The longest that begins there: each end in turn, with the text behind it still there for `\b` and `$`.
        let longest = (first.start() + 1..=text.len())
            .rev()
            .find(|end| exact(expression, text, first.start(), *end))
            .expect("the match itself at least");
        spans.push((first.start(), longest));
        from = longest;
    }
    spans
}

/// Whether the expression matches exactly this span.
fn exact(expression: &str, text: &[u8], start: usize, end: usize) -> bool {
    use regex_automata::Anchored;
    use regex_automata::Input;
    use regex_automata::dfa::Automaton;
    use regex_automata::dfa::dense;
    thread_local!(static KNOWN: std::cell::RefCell<Option<(String, dense::DFA<Vec<u32>>)>> = const { std::cell::RefCell::new(None) });
    KNOWN.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|(known, _)| known != expression) {
            let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false);
            let dfa = dense::Builder::new()
                .syntax(syntax)
                .configure(dense::Config::new().match_kind(regex_automata::MatchKind::All))
                .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
                .build(expression)
                .expect("an automaton");
            *known = Some((expression.to_owned(), dfa));
        }
        let Some((_, dfa)) = known else { return false };
        let input = Input::new(text).span(start..text.len()).anchored(Anchored::Yes);
        let mut state = dfa.start_state_forward(&input).expect("a start");
        for byte in &text[start..end] {
            state = dfa.next_state(state, *byte);
        }
        let last = if end < text.len() { dfa.next_state(state, text[end]) } else { dfa.next_eoi_state(state) };
        dfa.is_match_state(last)
    })
}

/// Expressions with an anchor in front, inside, and nowhere; and what their matches are made of.
const EXPRESSIONS: &[(&str, bool)] = &[
    (r"\bEMP-[0-9]{2,4}\b", true),
    (r"(?i)emp-[0-9]{2}", true),
    (r"EMP-[0-9]+|EMP-[0-9]+-X", true),
    (r"EMP.*end", true),
    (r"(?:EMP|end)[ a-z0-9]{0,5}", true),
    (r"^EMP-?", true),
    (r"(?:abab)+", true),
    (r"EMP[^x]{3}", true),
    (r"[0-9]{2}[a-z ]?", true),
    (r"[a-z]{2}-|-[a-z0-9]{1,3}", true),
    (r"x[0-9a-z]*y?", true),
    (r"(?:x|-)$", true),
    (r"[a-z0-9]+@acme\.org", false),
    (r"\b[0-9]{1,3}-?EMP\b", false),
    (r"[a-z-]*abab[a-z]", false),
    (r"(?:end|x)[0-9]?EMP-", false),
];

fn check_pattern(expression: &str, exactly: bool, text: &[u8]) {
    let (found, _) = match scan_in(&[pattern(expression)], text, b"") {
        Ok(found) => found,
        Err(Exceeded) => panic!("too much work for {expression}"),
    };
    let found: Vec<_> = found.iter().map(|found| (found.start as usize, found.end as usize)).collect();
    let expected = naive_pattern(expression, text);
    if exactly {
        assert_eq!(found, expected, "{expression} in {:?}", String::from_utf8_lossy(text));
    } else {
        for (start, end) in &found {
            assert!(
                exact(expression, text, *start, *end),
                "{expression} in {:?}: {start}..{end}",
                String::from_utf8_lossy(text)
            );
        }
        for (start, end) in &expected {
            let covered = (*start..*end).all(|at| found.iter().any(|(from, to)| (*from..*to).contains(&at)));
            assert!(covered, "{expression} in {:?}: {start}..{end}, {found:?}", String::from_utf8_lossy(text));
        }
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let pieces = [
        "EMP-",
        "emp-",
        "EMP",
        "end",
        "abab",
        "ab",
        "x",
        "y",
        "12",
        "345",
        "-",
        " ",
        "@acme.org",
        "a",
        "\n",
        "-X",
        "_",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn patterns_find_what_the_regex_crate_finds(text in fragments(), which in 0..EXPRESSIONS.len()) {
        let (expression, exactly) = EXPRESSIONS[which];
        check_pattern(expression, exactly, text.as_bytes());
    }
}

#[test]
fn a_match_ends_and_begins_with_whole_characters() {
    assert_eq!(scan(&[pattern(r"key=.{2}")], "key=密码"), [(0, "key=密".to_owned())]);
    assert_eq!(scan(&[pattern(r"(?s-u:.)key=")], "密key="), [(0, "密key=".to_owned())]);
    assert_eq!(scan(&[pattern(r"(?u:密码)[0-9]+")], "其密码123"), [(0, "密码123".to_owned())]);
}

#[test]
fn literals_fold_case_and_keep_to_words_where_asked() {
    let with = |texts: &[&str], case_sensitive, whole_words| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        finder(Find::Literals { texts, case_sensitive, whole_words })
    };
    let found =
        |finder: Finder, text: &str| scan(&[finder], text).into_iter().map(|(_, found)| found).collect::<Vec<_>>();
    let text = "Project Falcon, project falcon, PROJECT FALCONS; xproject falcon";
    let [a, b, c] = ["Project Falcon", "project falcon", "PROJECT FALCON"];
    assert_eq!(found(with(&["project falcon"], false, false), text), [a, b, c, b]);
    assert_eq!(found(with(&["project falcon"], true, false), text), [b, b]);
    assert_eq!(found(with(&["project falcon"], false, true), text), [a, b]);
    assert_eq!(found(with(&["секрет"], false, false), "Секрет СЕКРЕТ секрет"), ["Секрет", "СЕКРЕТ", "секрет"]);
    assert_eq!(found(with(&["abc", "abcdef", "cde"], false, false), "abcdef"), ["abcdef"]);
    assert_eq!(found(with(&["@@@"], true, false), "@@@@"), ["@@@", "@@@"]);
    assert_eq!(found(with(&["abc"], true, false), "ab"), [""; 0]);
}

#[test]
fn many_literals_are_all_found() {
    let texts: Vec<String> = (0..500_u32)
        .map(|index| format!("secret-{}-{index}", char::from(b"abcdefghijklm"[index as usize % 13])))
        .collect();
    let refs: Vec<&str> = texts.iter().map(String::as_str).collect();
    let finders: Vec<Finder> = refs.chunks(50).map(literals).collect();
    for (index, text) in texts.iter().enumerate() {
        let whole = format!("{}{text};", "~".repeat(index % 70));
        let found = scan(&finders, &whole);
        assert!(found.contains(&(index / 50, text.clone())), "{text}");
    }
}

#[test]
fn a_finder_may_ask_for_more() {
    let with = |find: Find, context: &[&str], validator, entropy_min| {
        let context = context.iter().map(|word| (*word).to_owned()).collect();
        Finder { find, context, validator, entropy_min }
    };
    let digits = || Find::Pattern(r"\bACC[0-9]{16}\b".to_owned());
    let text = "ACC4539578763621486 ACC4539578763621487";
    assert_eq!(
        scan(&[with(digits(), &[], Some(Validator::Luhn), None)], text),
        [(0, "ACC4539578763621486".to_owned())]
    );
    assert_eq!(scan(&[with(digits(), &["customer"], None, None)], text), []);
    assert_eq!(scan(&[with(digits(), &["customer"], None, None)], &format!("Customer: {text}")).len(), 2);
    assert_eq!(scan(&[with(digits(), &[], None, Some(4.5))], text), []);
    assert_eq!(scan(&[with(digits(), &[], None, Some(2.0))], text).len(), 2);
    let email = || Find::Detector("email".to_owned());
    assert_eq!(scan(&[with(email(), &["patient"], None, None)], "jane@acme.org"), []);
    assert_eq!(scan(&[with(email(), &["patient"], None, None)], "patient jane@acme.org").len(), 1);
    // Far away is not near.
    assert_eq!(
        scan(&[with(email(), &["patient"], None, None)], &format!("patient {} jane@acme.org", "x ".repeat(40))),
        []
    );
}

/// Inputs that are made to cost: a seed, repeated.
const HOSTILE: &[&str] = &[
    "@",
    "a@",
    "a@a.",
    "a@a@a.com",
    "a.",
    "a-",
    "1",
    "1 ",
    "12 ",
    "1.",
    "1.1.1.1.",
    "1-",
    "1234 ",
    "12345678 ",
    "123456789 ",
    "123456789-",
    "4539578763621486 ",
    "4539 5787 6362 1486 ",
    "4539-5787-",
    "+1 ",
    "+49 1 ",
    "(1) ",
    "(212) ",
    "212-555-",
    "2026-11-25 ",
    "eyJ",
    "eyJ.",
    "eyJhbGciOiJIUzI1NiJ9.",
    "eyJhbGciOiJIUzI1NiJ9.eyJh",
    "AKIA",
    "ASIA ",
    "AKIAQ3EGTZ7XM2WPLJ5",
    "ghp_",
    "gho_a ",
    "github_pat_",
    "T3BlbkFJ",
    "sk-T3BlbkFJ",
    "sk-ant-",
    "sk-ant-api03-",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----A",
    "-----",
    "DE89",
    "DE89 ",
    "DE89 3704 0044 ",
    "FR14-2004-",
    "ssn 123456780 ",
    "call 0301234567 ",
    "card ",
    "tel ",
    "c",
    "falcon",
    "falco",
    "://:",
    "//a:",
    "https://u:p",
    "EMP-",
    "EMP-1",
    "abab",
    "\u{0}",
    "密",
    "密码",
    " ",
    "\n",
    "a1",
    "AB12",
    "0.123456789012345 ",
    "v1.2.3.4 ",
    "\"a\":",
];

fn loaded() -> Vec<Finder> {
    let mut finders = all();
    finders.push(literals(&["project falcon", "falconry"]));
    finders.push(literals(&["internal use only"]));
    finders.push(pattern(r"\bEMP-[0-9]{6}\b"));
    finders
}

#[test]
fn no_input_is_read_too_often() {
    let scanner = Scanner::new(&loaded()).expect("finders");
    let len = 256 * 1024;
    let mut worst = Vec::new();
    for seed in HOSTILE {
        let text: String = seed.chars().cycle().take(len).collect();
        let (mut work, mut found) = (Work { input: text.len() as u64, ..Work::default() }, Vec::new());
        let result = scanner.scan(Text { bytes: text.as_bytes(), key: b"key" }, &mut work, &mut found);
        let full = found.len() == limits::FINDINGS_MAX;
        assert!(result.is_ok() || full, "{seed}: {} bytes read for {}", work.verified, text.len());
        worst.push((work.verified * 10 / text.len() as u64, *seed));
    }
    worst.sort_unstable();
    let (tenths, seed) = worst[worst.len() - 1];
    assert!(tenths <= 60, "{seed}: {tenths} tenths; {worst:?}");
}

#[test]
fn too_much_work_is_said_and_not_done() {
    let text = "EMP a ".repeat(100_000);
    let scanner = Scanner::new(&[pattern(r"EMP[^x]*x")]).expect("a finder");
    let (mut work, mut found) = (Work { input: text.len() as u64, ..Work::default() }, Vec::new());
    assert_eq!(scanner.scan(Text { bytes: text.as_bytes(), key: b"" }, &mut work, &mut found), Err(Exceeded));
    let bound = limits::VERIFIED_BYTES_FACTOR * work.input + limits::VERIFIED_BYTES_SLACK;
    assert!(work.verified <= bound + text.len() as u64 + 1, "stopped within one step");

    let scanner = Scanner::new(&[pattern(r"[0-9][a-z]{3}[0-9]")]).expect("a finder");
    let text = "ab cd ".repeat(20_000);
    let mut work = Work::default();
    let mut count = 0;
    while scanner.scan(Text { bytes: text.as_bytes(), key: b"" }, &mut work, &mut found).is_ok() {
        count += 1;
    }
    assert_eq!(count, limits::SLOW_LANE_BYTES_MAX / (text.len() as u64 + 1));

    let text = "jane@acme.org ".repeat(limits::FINDINGS_MAX + 1);
    let (mut work, mut found) = (Work { input: text.len() as u64, ..Work::default() }, Vec::new());
    let scanner = Scanner::new(&[detector("email")]).expect("a finder");
    assert_eq!(scanner.scan(Text { bytes: text.as_bytes(), key: b"" }, &mut work, &mut found), Err(Exceeded));
    assert_eq!(found.len(), limits::FINDINGS_MAX);
}

#[test]
fn common_text_is_far_from_the_bound() {
    let prose = "The quick brown fox jumps over the lazy dog. In 2024 about 1,200 people (12 %) said so, see https://acme.org/a?b=1. ".repeat(500);
    let csv = (0..3000)
        .map(|row| {
            format!("{row},{},{}\n", 100_000_000 + row * 7919, if row % 20 == 0 { "jane@acme.org" } else { "x" })
        })
        .collect::<String>();
    let ids = (0..6000).map(|row| format!("{}\n", 536_228_145 + row * 977)).collect::<String>();
    let logs = (0..2000)
        .map(|row| {
            format!(
                "{{\"ts\":\"2026-11-25T10:{:02}:00.123Z\",\"ip\":\"10.0.{}.7\",\"t\":{}}}\n",
                row % 60,
                row % 256,
                1_705_312_345_678_u64 + row
            )
        })
        .collect::<String>();
    for (name, text) in [("prose", prose), ("csv", csv), ("ids", ids), ("logs", logs)] {
        let (_, work) = scan_in(&loaded(), text.as_bytes(), b"content").expect(name);
        assert!(work.verified <= 4 * work.input, "{name}: {} for {}", work.verified, work.input);
    }
}
