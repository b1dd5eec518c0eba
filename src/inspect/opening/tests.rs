//! What is not yet decided begins at an opening or behind it: held against the inspector itself, at every place of cutting.
#![expect(clippy::string_slice, reason = "tests")]

use proptest::prelude::*;

use super::Openings;
use crate::inspect::Finding;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::inspector::Views;
use crate::inspect::normalise::View;
use crate::inspect::scan::Finder;
use crate::inspect::scan::Scanner;
use crate::inspect::scan_tests::all;
use crate::inspect::scan_tests::literals;
use crate::inspect::scan_tests::pattern;
use crate::inspect::scan_tests::positives;

fn finders() -> Vec<Finder> {
    let mut finders = all();
    finders.push(pattern(r"\bEMP-[0-9]{6}\b"));
    finders.push(pattern(r"[a-z]{2,20}@corp\.internal"));
    finders.push(pattern(r"(?:alpha|beta) ?(?:one|two){1,3}"));
    finders.push(literals(&["project bluebird", "Größe XL", "blue"]));
    finders
}

struct Bench {
    scanner: Scanner,
    openings: Openings,
    views: Views,
    view: View,
}

impl Bench {
    fn new() -> Self {
        let finders = finders();
        Self {
            scanner: Scanner::new(&finders).expect("finders"),
            openings: Openings::new(&finders, |_| true),
            views: Views::default(),
            view: View::default(),
        }
    }

    /// What is found, and where what is undecided begins.
    fn read(&mut self, text: &str) -> (Vec<Finding>, usize) {
        let mut work = Work::default();
        let mut findings = Vec::new();
        let bytes = text.as_bytes();
        let text = Text { bytes, key: b"" };
        inspector::inspect(&self.scanner, text, &mut work, &mut self.views, &mut findings).expect("little work");
        let opening = self.openings.earliest(bytes, &mut self.view).unwrap_or(bytes.len());
        let awaited = work.awaited.earliest(|_| true).map_or(bytes.len(), |start| start as usize);
        let mut open = opening.min(awaited);
        while let Some(across) = findings.iter().find(|f| (f.start as usize) < open && (f.end as usize) > open) {
            open = across.start as usize;
        }
        (findings, open)
    }

    /// At every place of cutting: what is decided then is what is found in the end.
    fn check(&mut self, text: &str) {
        let (whole, _) = self.read(text);
        for cut in (1..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let (front, open) = self.read(&text[..cut]);
            let decided = |findings: &[Finding]| {
                findings.iter().filter(|finding| (finding.start as usize) < open).copied().collect::<Vec<_>>()
            };
            assert_eq!(decided(&front), decided(&whole), "{:?} | {:?} open at {open}", &text[..cut], &text[cut..]);
        }
    }
}

#[test]
fn every_positive_is_open_until_it_is_decided() {
    let mut bench = Bench::new();
    for (_, text, _) in positives() {
        for (before, after) in [("", ""), ("Well, ", " it is."), ("(", ")."), ("my card ssn phone is ", ", thanks")] {
            let text = format!("{before}{text}{after}");
            bench.check(&text);
        }
    }
}

#[test]
fn prose_is_hardly_ever_open() {
    let mut openings = Openings::new(&finders(), |at| at != 0 && at < 12);
    let text = "Sure, here is what you asked for: the quick brown fox jumps over the lazy dog, and then it goes \
        home. There are two more things to say about this, but they can wait until tomorrow morning. Thanks!";
    let mut view = View::default();
    // Where a model cuts: before a space.
    let ends: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let open: Vec<&str> = ends
        .iter()
        .filter_map(|end| openings.earliest(&text.as_bytes()[..*end], &mut view).map(|start| &text[start..*end]))
        .collect();
    assert!(open.len() * 10 <= ends.len(), "{open:?} of {}", ends.len());
    openings = Openings::new(&finders(), |_| false);
    assert!(openings.is_empty());
    assert_eq!(openings.earliest(b"4111 1111", &mut view), None);
}

#[test]
fn what_is_open_by_hand() {
    let openings = Openings::new(&finders(), |_| true);
    let mut view = View::default();
    // Text, and what of it is open.
    let cases: &[(&str, &str)] = &[
        ("the card is 4111 1111 11", "4111 1111 11"),
        ("the card is 4111 1111 11 ", "4111 1111 11 "),
        ("call +", "+"),
        ("call +49 30", "+49 30"),
        ("call (212) 5", "(212) 5"),
        ("in 2024, ", ""),
        ("in 2024,", "2024,"),
        ("DE89 3704", "DE89 3704"),
        ("write to jane.doe", "jane.doe"),
        ("write to jane.doe@ac", "jane.doe@ac"),
        ("the key is AKIAQ3", "AKIAQ3"),
        ("the key is sk-proj-a", "sk-proj-a"),
        ("-----BEGIN RSA PRI", "-----BEGIN RSA PRI"),
        ("about EMP-12", "EMP-12"),
        ("the Project Blue", "Project Blue"),
        ("a \u{ff14}\u{ff11}\u{ff11}\u{ff11} \u{ff11}", "\u{ff14}\u{ff11}\u{ff11}\u{ff11} \u{ff11}"),
        ("a 4\u{200b}111\u{200b}", "4\u{200b}111\u{200b}"),
        ("a 4111&#4", "4111&#4"),
        ("a 4111%2", "4111%2"),
        (r"a jane@acme.com\.", r"jane@acme.com\."),
        (r"the end\. ", ""),
        ("a NDExMSAxMTEx", "NDExMSAxMTEx"),
    ];
    for (text, expected) in cases {
        let start = openings.earliest(text.as_bytes(), &mut view).unwrap_or(text.len());
        assert_eq!(&text[start..], *expected, "{text:?}");
    }
}

fn fragment() -> impl Strategy<Value = String> {
    let values: Vec<String> = positives().into_iter().map(|(_, text, _)| text).collect();
    let part = prop::sample::select(values.clone()).prop_flat_map(|value| {
        let length = value.len();
        (Just(value), 0..=length).prop_map(|(value, cut)| value.get(..cut).unwrap_or(&value).to_owned())
    });
    let words = &[
        "the card",
        "phone",
        "ssn ",
        "my ",
        "is ",
        ", ",
        ". ",
        " ",
        "\n",
        "-",
        "--",
        "(",
        ")",
        "+",
        "1",
        "22",
        "333",
        "4444",
        "a",
        "DE",
        "x@",
        "@",
        ".com",
        "AKIA",
        "sk-",
        "eyJ",
        ".",
        "EMP-",
        "123456",
        "alpha onetwo",
        "project ",
        "bluebird",
        "2024-11-25",
        "10.1.2.3",
        "v1.2.3.4",
        "tel ",
        "bob@corp.internal",
        "%",
        "&",
        "\\",
        "account ",
    ];
    prop_oneof![
        3 => prop::sample::select(values),
        2 => part,
        6 => prop::sample::select(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()),
    ]
}

#[test]
fn what_is_decided_stays() {
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    let bench = std::cell::RefCell::new(Bench::new());
    let parts = prop::collection::vec(fragment(), 1..6);
    let run = prop::test_runner::TestRunner::new(config).run(&parts, |parts| {
        bench.borrow_mut().check(&parts.concat());
        Ok(())
    });
    assert_eq!(run, Ok(()));
}
