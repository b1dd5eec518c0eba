//! Verdicts about names, whole and as they come.

use proptest::prelude::ProptestConfig;
use proptest::prop_assert_eq;
use proptest::prop_assume;
use proptest::proptest;

use super::Name;
use super::ToolVerdict;
use super::Tools;
use crate::limits;

fn names(list: &str) -> Vec<Name> {
    list.split_whitespace().map(|name| Name::new(name).unwrap()).collect()
}

/// Lists of names with spaces between them.
fn tools(allow: Option<&str>, deny: &str) -> Tools {
    Tools::new(allow.map(names), names(deny), true)
}

#[test]
fn a_name_is_a_name_in_its_normal_form() {
    for text in ["rm", "get_*", "*", "mcp__server__tool", "git.commit/x-1", "größe", "取得"] {
        assert_eq!(Name::new(text).map(|name| name.written()).as_deref(), Some(text));
    }
    let long = "a".repeat(limits::TOOL_NAME_BYTES_MAX + 1);
    for text in ["", "**", "a*b", "*a", "a b", " a", "a\n", "a\u{200b}", "\u{ff52}m", "gro\u{308}ße", "a\u{7f}", &long]
    {
        assert_eq!(Name::new(text), None, "{text:?}");
    }
}

#[test]
fn deny_wins_and_an_allow_list_leaves_out_every_other_name() {
    let open = tools(None, "");
    assert!(open.is_empty() && open.decide(b"rm") == ToolVerdict::Allow && !open.may_become(b""));
    let lists = tools(Some("get_* search"), "get_secret* rm");
    let only = tools(None, "get_secret* rm");
    let long = "get_".repeat(100);
    let cases = [
        // (name, with both lists, with the deny list alone)
        ("get_weather", true, true),
        ("get_", true, true),
        ("get", false, true),
        ("search", true, true),
        ("searches", false, true),
        ("Search", false, true),
        ("get_secret", false, false),
        ("get_secrets", false, false),
        ("get_secre\u{200b}t", false, false),
        ("get_\u{ff53}ecret", false, false),
        ("GET_SECRET", false, true),
        ("rm", false, false),
        ("r\u{2060}m\u{feff}", false, false),
        ("rmdir", false, true),
        ("sear\u{200b}ch", false, true),
        ("", false, true),
        (&long, false, false),
    ];
    for (name, both, denied) in cases {
        let verdict = |allowed| if allowed { ToolVerdict::Allow } else { ToolVerdict::Block };
        assert_eq!(lists.decide(name.as_bytes()), verdict(both), "{name:?}");
        assert_eq!(only.decide(name.as_bytes()), verdict(denied), "{name:?}");
    }
    let told = Tools::new(None, names("rm"), false);
    assert_eq!([told.decide(b"rm"), told.decide(b"ls")], [ToolVerdict::Warn, ToolVerdict::Allow]);
    assert_eq!(tools(None, "*").decide(b"ls"), ToolVerdict::Block);
    assert_eq!(tools(None, "x\u{fffd}y").decide(b"x\xffy"), ToolVerdict::Block);
}

#[test]
fn a_name_is_held_back_only_while_another_verdict_can_come() {
    let deny = tools(None, "exec* rm");
    let allow = tools(Some("get_* search"), "get_secret*");
    let cases: &[(&Tools, &str, bool)] = &[
        (&deny, "", true),
        (&deny, "g", false),
        (&deny, "e", true),
        (&deny, "exe", true),
        // A mark may still make it another letter.
        (&deny, "exec", true),
        (&deny, "exec_", false),
        (&deny, "exec\u{327}", false),
        (&deny, "exef", false),
        (&deny, "e\u{200b}", true),
        (&deny, "rm", true),
        (&deny, "rmd", false),
        (&deny, "r\u{200b}m", true),
        (&allow, "", true),
        (&allow, "g", true),
        (&allow, "get_", true),
        (&allow, "get_w", false),
        (&allow, "get_s", true),
        (&allow, "get_sx", false),
        (&allow, "get_secret_", false),
        (&allow, "x", false),
        (&allow, "search", true),
        (&allow, "searchx", false),
        (&allow, "s\u{200b}", false),
    ];
    for (tools, prefix, expected) in cases {
        assert_eq!(tools.may_become(prefix.as_bytes()), *expected, "{prefix:?}");
    }
    assert!(!deny.may_become("\u{200b}".repeat(limits::TOOL_NAME_BYTES_MAX).as_bytes()));
    // The first byte of a character of two.
    assert!(deny.may_become(b"exec\xc3") && !deny.may_become(b"g\xc3"));
}

/// What the verdict is by the words of the documentation: the naive twin.
fn naive(allow: Option<&str>, deny: &str, name: &str) -> ToolVerdict {
    let fits =
        |pattern: &str, name: &str| pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start));
    let visible: String = name.chars().filter(|character| *character != '\u{200b}').collect();
    let normal = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize(&visible);
    let allowed = allow.is_none_or(|allow| allow.split_whitespace().any(|pattern| fits(pattern, name)));
    let denied = deny.split_whitespace().any(|pattern| fits(pattern, &normal));
    if allowed && !denied { ToolVerdict::Allow } else { ToolVerdict::Block }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_verdict_is_the_naive_one(
        allow in proptest::option::of("[abé]{1,3}\\*?"),
        deny in "[abé]{1,3}\\*?",
        name in "[abée\u{301}\u{200b}\u{ff41}]{0,5}",
    ) {
        let tools = tools(allow.as_deref(), &deny);
        prop_assert_eq!(tools.decide(name.as_bytes()), naive(allow.as_deref(), &deny, &name));
    }

    #[test]
    fn nothing_changes_a_verdict_that_is_settled(
        allow in proptest::option::of("[abéç]{1,3}\\*?"),
        deny in "[abcéç]{1,3}\\*?",
        prefix in "[abceé\u{301}\u{327}\u{200b}\u{ff41}]{0,4}",
        rest in "[abceé\u{301}\u{327}\u{200b}\u{ff41}]{0,4}",
        cut in 0..4_usize,
    ) {
        let tools = tools(allow.as_deref(), &deny);
        let name = format!("{prefix}{rest}");
        // What comes of a stream are whole characters: a JSON string has no halves.
        let come = &name.as_bytes()[..name.floor_char_boundary(prefix.len() + cut)];
        if !tools.may_become(come) {
            prop_assert_eq!(tools.decide(come), tools.decide(name.as_bytes()), "{:?} {:?}", come, name);
        }
    }

    #[test]
    fn an_ascii_name_waits_only_where_another_verdict_is_near(
        allow in proptest::option::of("[ab]{1,3}\\*?"),
        deny in "[ab]{1,3}",
        prefix in "[ab]{0,4}",
    ) {
        // A policy whose deny list takes all of its allow list is refused.
        prop_assume!(allow.as_deref() != Some(&*deny));
        // Names of ASCII, as all are in practice, and entries that end: it waits for nothing that cannot come.
        let tools = tools(allow.as_deref(), &deny);
        let mut reachable = vec![prefix.clone()];
        for length in 0..5 {
            let longer: Vec<String> = reachable.iter().filter(|name| name.len() == prefix.len() + length)
                .flat_map(|name| ["a", "b", "z"].map(|next| format!("{name}{next}"))).collect();
            reachable.extend(longer);
        }
        let now = tools.decide(prefix.as_bytes());
        let other = reachable.iter().any(|name| tools.decide(name.as_bytes()) != now);
        prop_assert_eq!(tools.may_become(prefix.as_bytes()), other);
    }
}
