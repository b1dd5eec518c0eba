//! What works in a policy but is likely not meant, or costs more than it seems to: the warnings of `policy check`.

use super::Action;
use super::Policy;
use super::compile;
use super::document::Document;
use super::document::Mistake;
use super::document::Rule;
use super::places::Places;
use crate::limits;

/// How long before its end a policy is worth a word, seconds.
const SOON_SECONDS: u64 = 7 * 24 * 3600;

/// One line for each, by line. `policy` is what `document` compiles to, `now` Unix seconds.
#[must_use]
pub fn advice(document: &Document, policy: &Policy, now: u64) -> Vec<Mistake> {
    let mut advice = Vec::new();
    let mut say = |line, text: &str| advice.push(Mistake { line, rule: None, text: text.to_owned() });
    match document.not_after {
        Some(until) if until < now => say(1, "its time is over: see not_after"),
        Some(until) if until < now.saturating_add(SOON_SECONDS) => {
            say(1, "its time is over in less than seven days: see not_after")
        }
        _ => {}
    }
    if document.not_before.is_some_and(|from| from > now) {
        say(1, "it does not hold yet: see not_before");
    }
    if document.rules.is_empty() {
        say(1, "it has no rules: nothing is looked for");
    }
    let mut tell = |rule: &Rule, text: String| advice.push(Mistake { line: rule.line, rule: Some(rule.id), text });
    let (_, finders) = compile::finders(document);
    for (at, deciders) in finders.iter().enumerate() {
        let rules = || deciders.iter().filter_map(|(_, index)| document.rules.get(*index as usize));
        if policy.scanner().is_slow(at)
            && let Some(rule) = rules().next()
        {
            let text = format!(
                "pattern: is slow, since no literal of some bytes stands in each of its matches; it runs over every byte, and a request \
                 with more than {} bytes of text is refused",
                limits::SLOW_LANE_BYTES_MAX
            );
            tell(rule, text);
        }
        let mut below = Places::NONE;
        for rule in rules().collect::<Vec<_>>().into_iter().rev() {
            if rule.action == Action::Allow && !below.meets(rule.places) {
                tell(rule, "never acts: it allows what no rule below it looks for".to_owned());
            }
            below = below.with(rule.places);
        }
    }
    for rule in &document.rules {
        if rule.shadow {
            tell(rule, format!("is in shadow mode: it tells, and does not {}", rule.action.label()));
        }
    }
    advice.sort_by_key(|each| each.line);
    advice
}

#[cfg(test)]
mod tests {
    use super::advice;
    use crate::policy::Origin;
    use crate::policy::compile::compile;
    use crate::policy::document::Document;

    #[test]
    fn what_is_likely_not_meant_is_said() {
        let head = "version = 1\ntenant = 'a'\nnot_before = 2026-11-01T00:00:00Z\nnot_after = 2026-11-30T00:00:00Z\n";
        let rule = |id: u8, rest: &str| {
            format!("[[rule]]\nid = '00000000-0000-0000-0000-0000000000{id:02}'\ncode = 'A.B'\n{rest}\n")
        };
        let text = [
            head,
            &rule(1, "literals = ['abc']\naction = 'allow'\nroles = ['user']"),
            &rule(2, "literals = ['abc']\naction = 'block'"),
            &rule(3, "literals = ['abcd']\naction = 'allow'"),
            &rule(4, "literals = ['abce']\naction = 'block'\nmode = 'shadow'"),
            &rule(5, "literals = ['abcf']\naction = 'warn'\nscope = ['response']"),
        ]
        .concat();
        let said = |text: &str, now| {
            let document = Document::parse(text).unwrap();
            let policy = compile(&document, Origin::Unsigned, [0; 32]).unwrap();
            advice(&document, &policy, now).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let rules = [
            "line 16: rule 00000000-0000-0000-0000-000000000003: never acts: it allows what no rule below it looks for",
            "line 21: rule 00000000-0000-0000-0000-000000000004: is in shadow mode: it tells, and does not block",
        ];
        let day = 86_400;
        let (from, until) = (1_793_491_200, 1_795_996_800);
        assert_eq!(said(&text, from), rules);
        let first = |now| said(&text, now).swap_remove(0);
        assert_eq!(first(from - 1), "line 1: it does not hold yet: see not_before");
        assert_eq!(first(until - 6 * day), "line 1: its time is over in less than seven days: see not_after");
        assert_eq!(first(until + 1), "line 1: its time is over: see not_after");
        assert_eq!(said("version = 1\ntenant = 'a'\n", 0), ["line 1: it has no rules: nothing is looked for"]);
    }
}
