//! Which of several findings over the same bytes stand: the written rule.
//!
//! 1. Findings of one finder that overlap are one: it covers what each of them covers, and is validated if one of them is.
//! 2. Of two findings of different finders, of which one lies within the other, the weaker gives way:
//!    - an unvalidated one to a validated one (a phone number inside a card number),
//!    - an unvalidated one to a longer unvalidated one (an address inside a longer pattern).
//! 3. A validated finding never gives way, and none gives way to a finding that does not cover all of it: what is removed never
//!    uncovers a byte. So a validated finding inside a longer unvalidated one leaves both.
//! 4. A finding gives way only where both finders yield. A policy's own patterns and literals never do, and nothing gives way to
//!    them: nobody but the policy knows what they stand for. Findings of the same span and the same standing all stay.
//!
//! It allocates nothing, and takes n log n steps for n findings.

use std::cmp::Reverse;

use super::Finding;

/// Applies the rule. Afterwards the findings stand in the order of their start, then of their end, then of their finder.
///
/// `yields` says whether a finder's findings may give way to, and displace, those of others.
pub fn resolve(findings: &mut Vec<Finding>, yields: impl Fn(u16) -> bool) {
    join(findings);
    // Whatever covers a finding comes before it; of one span, the validated come first.
    findings.sort_unstable_by_key(|finding| (finding.start, Reverse(finding.end), !finding.validated, finding.finder));
    let mut sweep = Sweep { any: Reach::default(), validated: Reach::default() };
    findings.retain(|finding| !yields(finding.finder) || sweep.keeps(finding));
    order(findings);
}

/// Applies the first part of the rule alone: overlapping findings of one finder become one. Same order as after [`resolve`].
pub fn merge(findings: &mut Vec<Finding>) {
    join(findings);
    order(findings);
}

fn join(findings: &mut Vec<Finding>) {
    findings.sort_unstable_by_key(|finding| (finding.finder, finding.start, finding.end));
    findings.dedup_by(|next, kept| {
        let one = next.finder == kept.finder && next.start < kept.end;
        if one {
            kept.end = kept.end.max(next.end);
            kept.validated |= next.validated;
        }
        one
    });
}

fn order(findings: &mut [Finding]) {
    findings.sort_unstable_by_key(|finding| (finding.start, finding.end, finding.finder));
}

/// How far the findings before this one reach.
struct Sweep {
    any: Reach,
    validated: Reach,
}

/// The furthest end so far, and the least start of a finding that ends there.
#[derive(Clone, Copy, Default)]
struct Reach {
    start: u32,
    end: u32,
}

impl Reach {
    fn covers(self, finding: &Finding) -> bool {
        self.end >= finding.end
    }

    /// Whether it covers more than the finding. A start that is greater belongs to a later finding, which covers less.
    fn exceeds(self, finding: &Finding) -> bool {
        self.end > finding.end || (self.end == finding.end && self.start < finding.start)
    }

    fn extend(&mut self, finding: &Finding) {
        if finding.end > self.end {
            *self = Self { start: finding.start, end: finding.end };
        }
    }
}

impl Sweep {
    fn keeps(&mut self, finding: &Finding) -> bool {
        let weaker = !finding.validated && (self.validated.covers(finding) || self.any.exceeds(finding));
        self.any.extend(finding);
        if finding.validated {
            self.validated.extend(finding);
        }
        !weaker
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::prelude::any;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    /// From this finder on they do not yield.
    const OWN: u16 = 10;

    fn found(finder: u16, start: u32, end: u32, validated: bool) -> Finding {
        Finding { finder, start, end, validated }
    }

    fn resolved(findings: &[Finding]) -> Vec<Finding> {
        let mut findings = findings.to_vec();
        resolve(&mut findings, |finder| finder < OWN);
        findings
    }

    #[test]
    fn the_rule_case_by_case() {
        let (plain, valid) = (false, true);
        // Name, findings, those that stay (by their place, in the order of the output).
        let cases: &[(&str, &[Finding], &[usize])] = &[
            ("none", &[], &[]),
            ("apart", &[found(1, 5, 9, plain), found(0, 0, 5, plain)], &[1, 0]),
            ("validated over unvalidated", &[found(0, 0, 16, valid), found(1, 3, 13, plain)], &[0]),
            ("the same span, one validated", &[found(0, 0, 16, plain), found(1, 0, 16, valid)], &[1]),
            ("longer over shorter", &[found(0, 0, 16, plain), found(1, 0, 9, plain)], &[0]),
            ("longer by its start", &[found(0, 2, 16, plain), found(1, 0, 16, plain)], &[1]),
            ("the same span and standing", &[found(0, 0, 16, plain), found(1, 0, 16, plain)], &[0, 1]),
            ("validated inside validated", &[found(0, 0, 16, valid), found(1, 2, 9, valid)], &[0, 1]),
            ("validated inside unvalidated", &[found(0, 0, 16, plain), found(1, 2, 9, valid)], &[0, 1]),
            ("partly", &[found(0, 0, 9, valid), found(1, 8, 16, plain)], &[0, 1]),
            ("the policy's own stays", &[found(0, 0, 16, valid), found(OWN, 2, 9, plain)], &[0, 1]),
            ("the policy's own displaces none", &[found(OWN, 0, 16, valid), found(1, 2, 9, plain)], &[0, 1]),
            (
                "covered two deep",
                &[found(0, 0, 20, plain), found(1, 1, 18, valid), found(2, 2, 9, plain), found(3, 18, 20, plain)],
                &[0, 1],
            ),
        ];
        for (name, findings, kept) in cases {
            let expected: Vec<_> = kept.iter().map(|&place| findings[place]).collect();
            assert_eq!(resolved(findings), expected, "{name}");
        }
    }

    #[test]
    fn overlapping_findings_of_one_finder_are_one() {
        let findings = [found(1, 0, 6, false), found(1, 4, 9, true), found(1, 9, 12, false), found(1, 0, 6, false)];
        assert_eq!(resolved(&findings), [found(1, 0, 9, true), found(1, 9, 12, false)]);
    }

    /// The rule, word by word.
    fn naive(findings: &[Finding]) -> Vec<Finding> {
        let mut joined: Vec<Finding> = Vec::new();
        for &finding in findings {
            let mut whole = finding;
            while let Some(place) =
                joined.iter().position(|f| f.finder == whole.finder && f.start < whole.end && whole.start < f.end)
            {
                let other = joined.swap_remove(place);
                whole.start = whole.start.min(other.start);
                whole.end = whole.end.max(other.end);
                whole.validated |= other.validated;
            }
            joined.push(whole);
        }
        let length = |f: &Finding| f.end - f.start;
        let stronger = |a: &Finding, b: &Finding| {
            a.finder != b.finder
                && a.finder < OWN
                && b.finder < OWN
                && a.start <= b.start
                && b.end <= a.end
                && !b.validated
                && (a.validated || length(a) > length(b))
        };
        let mut kept: Vec<_> = joined.iter().filter(|b| !joined.iter().any(|a| stronger(a, b))).copied().collect();
        kept.sort_by_key(|f| (f.start, f.end, f.finder));
        kept
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as_the_naive_twin(raw in proptest::collection::vec((0u16..13, 0u32..40, 1u32..12, any::<bool>()), 0..24)) {
            let findings: Vec<_> = raw.iter().map(|&(finder, start, length, validated)| found(finder, start, start + length, validated)).collect();
            prop_assert_eq!(resolved(&findings), naive(&findings));
        }

        #[test]
        fn no_byte_is_uncovered(raw in proptest::collection::vec((0u16..13, 0u32..40, 1u32..12, any::<bool>()), 0..24)) {
            let findings: Vec<_> = raw.iter().map(|&(finder, start, length, validated)| found(finder, start, start + length, validated)).collect();
            let covered = |all: &[Finding]| (0..64u32).map(|at| all.iter().any(|f| f.start <= at && at < f.end)).collect::<Vec<_>>();
            prop_assert_eq!(covered(&resolved(&findings)), covered(&findings));
        }
    }

    #[test]
    fn many_findings_take_no_time() {
        let mut findings: Vec<_> =
            (0..200_000u32).map(|at| found((at % 10) as u16, at / 2, 400_000 - at, at % 3 == 0)).collect();
        resolve(&mut findings, |_| true);
        assert!(findings.len() <= 10);
    }
}
