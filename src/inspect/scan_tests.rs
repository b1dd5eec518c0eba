//! The scanner as a whole: what it finds, what it leaves, and how much work that is.
#![expect(clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

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

fn pattern(expression: &str) -> Finder {
    finder(Find::Pattern(expression.to_owned()))
}

fn literals(texts: &[&str]) -> Finder {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    finder(Find::Literals { texts, case_sensitive: false, whole_words: false })
}

fn all() -> Vec<Finder> {
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
fn positives() -> Vec<(&'static str, String, bool)> {
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
