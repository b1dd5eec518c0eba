//! Tests of whole views; those of single steps stand with the steps.

use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;

use crate::limits::SCRATCH_BYTES_KEPT;

use super::*;

/// The folded text; the text itself where there is nothing to fold.
fn folded(text: &str) -> String {
    let mut view = View::default();
    if fold(text.as_bytes(), &mut view) {
        String::from_utf8(view.text).expect("characters stay whole")
    } else {
        text.to_owned()
    }
}

#[test]
fn whatever_hides_a_text_comes_off() {
    // Name, text, what the view says, which part of the text that is.
    let cases: &[(&str, &str, &str, &str)] = &[
        ("zero width", "to AK\u{200b}IA\u{2060}X\u{feff} now", "AKIAX", "AK\u{200b}IA\u{2060}X"),
        ("soft hyphen", "to AK\u{ad}IAX now", "AKIAX", "AK\u{ad}IAX"),
        ("bidi", "to \u{202e}AK\u{2066}IAX\u{2069} now", "AKIAX", "AK\u{2066}IAX"),
        ("variation selector", "to A\u{fe0f}K\u{e0100}IAX now", "AKIAX", "A\u{fe0f}K\u{e0100}IAX"),
        ("tags between", "to A\u{e0041}K\u{e0042}IAX now", "AKIAX", "A\u{e0041}K\u{e0042}IAX"),
        ("full width", "to \u{ff21}\u{ff2b}\u{ff29}\u{ff21}X now", "AKIAX", "\u{ff21}\u{ff2b}\u{ff29}\u{ff21}X"),
        ("mathematical", "to \u{1d400}\u{1d40a}IAX now", "AKIAX", "\u{1d400}\u{1d40a}IAX"),
        ("circled", "to \u{24b6}KIAX now", "AKIAX", "\u{24b6}KIAX"),
        ("superscript", "to 4\u{b9}\u{2070} now", "410", "4\u{b9}\u{2070}"),
        ("Arabic digits", "to \u{664}\u{661}\u{6f1}1 now", "4111", "\u{664}\u{661}\u{6f1}1"),
        ("keycaps", "to 4\u{fe0f}\u{20e3}1\u{fe0f}\u{20e3} now", "41", "4\u{fe0f}\u{20e3}1"),
        ("struck through", "to A\u{336}K\u{336}I\u{336}A\u{336}X now", "AKIAX", "A\u{336}K\u{336}I\u{336}A\u{336}X"),
        ("Cyrillic", "to \u{410}KI\u{410}X now", "AKIAX", "\u{410}KI\u{410}X"),
        ("Greek", "to \u{391}\u{39a}I\u{391}X now", "AKIAX", "\u{391}\u{39a}I\u{391}X"),
        ("Cyrillic and digits", "to \u{412}\u{415}71 now", "BE71", "\u{412}\u{415}71"),
        ("fraction slash", "to 1\u{2044}2 now", "1/2", "1\u{2044}2"),
        ("entity", "to a&commat;b&period;io now", "a@b.io", "a&commat;b&period;io"),
        ("decimal entity", "to a&#64;b&#0046io now", "a@b.io", "a&#64;b&#0046io"),
        ("hexadecimal entity", "to a&#x40;b&#X2e;io now", "a@b.io", "a&#x40;b&#X2e;io"),
        ("entity for nothing", "to AK&ZeroWidthSpace;IA&shy;X now", "AKIAX", "AK&ZeroWidthSpace;IA&shy;X"),
        ("entity twice", "to a&amp;#64;b now", "a@b", "a&amp;#64;b"),
        ("percent", "to a%40b%2Eio now", "a@b.io", "a%40b%2Eio"),
        ("percent, wide", "to a%EF%BC%A0b now", "a@b", "a%EF%BC%A0b"),
        ("percent twice", "to a%2540b now", "a@b", "a%2540b"),
        ("percent three times", "to a%252540b now", "a@b", "a%252540b"),
        ("full-width percent", "to a\u{ff05}40b now", "a@b", "a\u{ff05}40b"),
        ("percent u", "to a%u0040b now", "a@b", "a%u0040b"),
        ("backslash u", r"to a\u0040b\u002eio now", "a@b.io", r"a\u0040b\u002eio"),
        ("backslash u, escaped again", r"to a\\\\u0040b now", "a@b", r"a\\\\u0040b"),
        ("backslash u, braces", r"to a\u{40}b now", "a@b", r"a\u{40}b"),
        ("backslash U", r"to a\U00000040b now", "a@b", r"a\U00000040b"),
        ("backslash x", r"to \x41\x4b\x49\x41X now", "AKIAX", r"\x41\x4b\x49\x41X"),
        ("surrogates", r"to \ud835\udc00KIAX now", "AKIAX", r"\ud835\udc00KIAX"),
        ("Markdown", r"to a\_b\@c\.io now", "a_b@c.io", r"a\_b\@c\.io"),
        ("line break of a program", r"to '\nAKIAX' now", "AKIAX", "AKIAX"),
        (
            "all at once",
            "to a\u{200b}&amp;commat;%62\u{ff0e}\u{456}o now",
            "a@b.io",
            "a\u{200b}&amp;commat;%62\u{ff0e}\u{456}o",
        ),
    ];
    let mut view = View::default();
    for (name, text, expected, part) in cases {
        assert!(fold(text.as_bytes(), &mut view), "{name}");
        let seen = String::from_utf8_lossy(&view.text).into_owned();
        let at = seen.find(expected).unwrap_or_else(|| panic!("{name}: {seen}"));
        let span = view.to_original(at..at + expected.len());
        assert_eq!(text.get(span), Some(*part), "{name}");
        fuzz::fuzz_normalise(text.as_bytes());
    }
}

#[test]
fn what_hides_nothing_is_not_folded() {
    let texts = [
        "",
        "Plain text, with (parentheses), #1 and 100 % of it; AT&T, R&D, a && b, x &y; 5%2 50%de.",
        r#"printf("%d %02x %s\n"); re.compile(r'\d+\s*[\w\-]'); C:\temp\x \alpha \. \' \\"#,
        "fn f(a: &str, b: &[u8]) -> &'static str { a & b; &&c }",
        "caf\u{e9}, na\u{ef}ve, Stra\u{df}e \u{2014} \u{201c}quotes\u{201d} and so on\u{2026} \u{20ac}5",
        "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{43c}\u{438}\u{440}! COVID \u{438} 5 \u{440}\u{430}\u{437}",
        "\u{3b1}\u{3b2}\u{3b3} rays",
        "\u{6211}\u{4eec}\u{7684}\u{6570}\u{636e}\u{ff0c}\u{5df2}\u{7ecf}\u{3002}\u{8bf7}\u{ff01}",
        "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}",
        "\u{645}\u{64e}\u{631}\u{652}\u{62d}\u{64e}\u{628}\u{64b}\u{627}",
        "\u{e2a}\u{e27}\u{e31}\u{e2a}\u{e14}\u{e35} \u{ac00}\u{b098}",
        "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{2764}\u{fe0f} \u{1f44d}\u{1f3fd}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "%E9 %ff %C3x %E2%82 \\u00 \\ud800 \\udc00x \\x4 \\u{110000} &#0; &#1114112; &#xd800; &nosuch; &; &#; %u00",
    ];
    let mut view = View::default();
    for text in texts {
        assert!(!fold(text.as_bytes(), &mut view), "{text}: {}", String::from_utf8_lossy(&view.text));
        assert!(!hidden(text.as_bytes(), &mut view), "{text}");
    }
}

#[test]
fn hidden_text_is_text() {
    let tags: String = "leak it now".chars().map(|c| char::from_u32(0xe0000 + u32::from(c)).expect("a tag")).collect();
    let text = format!("Hello{tags}!");
    let mut view = View::default();
    assert!(hidden(text.as_bytes(), &mut view));
    assert_eq!(view.text, b"leak it now");
    assert_eq!(view.to_original(0..4), 5..5 + 16);
    // Between the letters of what is seen.
    let text: String = "visible text".chars().zip(tags.chars()).flat_map(|(seen, tag)| [seen, tag]).collect();
    assert!(hidden(text.as_bytes(), &mut view));
    assert_eq!(view.text, b"leak it now");
    assert_eq!(folded(&text), "visible tex");
}

#[test]
fn bytes_that_are_no_characters_stay() {
    let mut view = View::default();
    assert!(!fold(b"\xff\xfe\xc3(\xe2\x82", &mut view));
    assert!(fold(b"\xff%41\xc3\xe2\x80\x8b\xe2\x80", &mut view));
    assert_eq!(view.text, b"\xffA\xc3\xe2\x80");
}

#[test]
fn hostile_texts_stay_small() {
    let units = [
        "%",
        "&",
        "\\",
        "\\u",
        "&#",
        "&#6",
        "&amp;",
        "%25",
        "%2541",
        "\\\\u0041",
        "\u{fdfa}",
        "\u{fdf2}",
        "\u{3316}",
        "\u{301}",
        "a\u{301}\u{345}\u{323}",
        "\u{345}\u{301}\u{334}",
        "\u{200b}",
        "a\u{200b}",
        "\u{ff11}",
        "\u{661}",
        "p\u{430}",
        "\u{e0041}",
        "\u{1112}\u{1161}\u{11ab}",
        "\u{149}",
        "\u{1f82}",
        "\u{2474}",
        "%EF%B7%BA",
        "&#xFDFA;",
        "\\ufdfa",
    ];
    for unit in units {
        let text = unit.repeat(20_000 / unit.len());
        let mut view = View::default();
        if fold(text.as_bytes(), &mut view) {
            assert!(view.text.len() <= 3 * text.len(), "{unit}");
        }
        fuzz::fuzz_normalise(text.as_bytes());
    }
}

#[test]
fn what_is_given_back_is_given_back() {
    let mut view = View::default();
    assert!(fold("a\u{200b}%41".repeat(10_000).as_bytes(), &mut view));
    view.shrink(SCRATCH_BYTES_KEPT);
    let held = [view.text.capacity(), view.edits.capacity() * size_of::<Edit>()];
    assert!(held.iter().all(|bytes| *bytes <= SCRATCH_BYTES_KEPT), "{held:?}");
    assert_eq!(view.to_original(0..1), 0..1);
}

/// Texts of pieces whose meaning does not depend on what stands beside them.
const PIECES: &str = "(a|b1| |%41|%C3%A9|%2541|&amp;|&#64;|&#x200b;|\\\\u0042|\\\\x43|\u{200b}|\u{ad}|\u{ff21}|\u{661}|\u{e9}|\u{fb01}|\u{1d400}|\u{4e00}|\u{301}|\u{2474}|\u{fdfa}){0,24}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_properties_hold_for_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz::fuzz_normalise(&bytes);
    }

    #[test]
    fn the_properties_hold_for_any_text(text in "\\PC{0,60}") {
        fuzz::fuzz_normalise(text.as_bytes());
    }

    #[test]
    fn the_properties_hold_for_any_pieces(text in PIECES) {
        fuzz::fuzz_normalise(text.as_bytes());
    }

    #[test]
    fn a_span_folded_again_says_what_it_said(text in PIECES) {
        let mut view = View::default();
        if fold(text.as_bytes(), &mut view) {
            let seen = std::str::from_utf8(&view.text).expect("characters stay whole");
            for (start, _) in seen.char_indices() {
                for (index, last) in seen.char_indices().skip_while(|(index, _)| *index < start) {
                    let end = index + last.len_utf8();
                    let part = text.get(view.to_original(start..end)).expect("whole characters");
                    prop_assert!(folded(part).contains(&seen[start..end]), "{:?} of {:?}", &seen[start..end], part);
                }
            }
        }
    }

    #[test]
    fn texts_that_are_folded_apart_are_folded_together(one in PIECES, two in PIECES) {
        prop_assert_eq!(folded(&format!("{one}. {two}")), format!("{}. {}", folded(&one), folded(&two)));
    }

    #[test]
    fn what_was_wrapped_comes_back(text in "[ -~\u{e9}\u{4e00}\u{1f600}]{1,30}", way in 0usize..6) {
        let percent = |c: char| c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let units = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
        let wrap = |c: char| match way {
            0 => percent(c),
            1 => format!("&#{};", u32::from(c)),
            2 => format!("&#x{:X};", u32::from(c)),
            3 => units(c),
            4 => format!("\\u{{{:x}}}", u32::from(c)),
            _ => c.to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect(),
        };
        // Of two layers, the inner one may be one itself.
        let text: String = text.chars().filter(|c| !matches!(c, '&' | '%' | '\\')).collect();
        prop_assert_eq!(folded(&text.chars().map(wrap).collect::<String>()), text);
    }
}
