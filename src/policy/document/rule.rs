//! One `[[rule]]`, and what rules may not say together.

use std::collections::HashMap;

use regex_syntax::ParserBuilder;
use regex_syntax::hir;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use toml::de::DeTable;

use super::Defaults;
use super::Rule;
use super::value::Reader;
use super::value::Value;
use super::value::shown;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Role;
use crate::inspect::detector::DETECTORS;
use crate::inspect::detector::Detector;
use crate::inspect::detector::Severity;
use crate::inspect::scan::Find;
use crate::inspect::scan::Finder;
use crate::inspect::scan::Validator;
use crate::limits;
use crate::policy::Action;
use crate::policy::Placeholder;
use crate::policy::Scope;
use crate::policy::Unread;
use crate::policy::Uuid;
use crate::policy::code::Code;
use crate::policy::compile;
use crate::policy::key;
use crate::policy::places;
use crate::policy::places::Places;

const ACTIONS: [Action; 5] = [Action::Allow, Action::Warn, Action::Redact, Action::Tokenise, Action::Block];
const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
/// Those that a policy can name; text that is nobody's has no word.
const ROLES: [Role; 4] = [Role::System, Role::User, Role::Assistant, Role::Tool];
/// Longest word of a placeholder.
const PLACEHOLDER_BYTES_MAX: usize = 32;

/// A finder as it is written, and what its detector says.
struct Found {
    line: usize,
    finder: Finder,
    detector: Option<&'static Detector>,
}

/// None only together with a mistake.
pub(super) fn read(reader: &mut Reader, value: &Value<'_>, defaults: &Defaults) -> Option<Rule> {
    let line = reader.line(&value.span());
    let table = reader.table("rule", value)?;
    let id = id(reader, table, line);
    reader.rule = id;
    reader.know(table, key::RULE);
    let found = found(reader, table, line);
    let detector = found.as_ref().and_then(|found| found.detector);
    let code = code(reader, table, line, found.is_some(), detector);
    let said = action(reader, table);
    if table.get("action").is_none() && defaults.action.is_none() {
        reader.fault_at(line, "action: missing, want it here or in [defaults]");
    }
    let action = said.or(defaults.action);
    let shadow = shadow(reader, table, action, defaults);
    let severity =
        severity(reader, table).or(defaults.severity).unwrap_or(detector.map_or(Severity::Medium, |row| row.severity));
    let places = held(reader, table, line, defaults);
    if action == Some(Action::Tokenise) {
        tokenises(reader, table, line, places);
    }
    let placeholder = placeholder(reader, table, action, code.as_ref(), detector, defaults);
    let found = found?;
    Some(Rule {
        line,
        finder_line: found.line,
        id: id?,
        code: code?,
        severity,
        action: action?,
        shadow,
        finder: found.finder,
        places: places?,
        placeholder: placeholder?,
    })
}

fn id(reader: &mut Reader, table: &DeTable<'_>, line: usize) -> Option<Uuid> {
    let want = "a UUID, such as 0192f0c1-2345-7abc-8def-00000000002a";
    let Some(value) = table.get("id") else {
        reader.fault_at(line, format!("id: missing, want {want}"));
        return None;
    };
    let text = reader.text("id", value, want)?;
    // The nil UUID stands in events that no rule causes.
    Uuid::parse(text).filter(|id| *id != Uuid::default()).or_else(|| reader.want("id", value, want))
}

fn code(
    reader: &mut Reader,
    table: &DeTable<'_>,
    line: usize,
    found: bool,
    detector: Option<&Detector>,
) -> Option<Code> {
    let want = "two to four words of A-Z, 0-9 and `_`, joined by dots, 48 bytes at most";
    let Some(value) = table.get("code") else {
        if found && detector.is_none() {
            reader.fault_at(line, format!("code: missing, want {want}"));
        }
        return detector.and_then(|row| Code::new(row.code));
    };
    let text = reader.text("code", value, want)?;
    Code::new(text).or_else(|| reader.want("code", value, want))
}

fn shadow(reader: &mut Reader, table: &DeTable<'_>, action: Option<Action>, defaults: &Defaults) -> bool {
    let said =
        table.get("mode").and_then(|value| Some((value, reader.word("mode", value, &[false, true], mode_label)?)));
    match said {
        Some((value, true)) if action == Some(Action::Allow) => {
            reader.fault(&value.span(), "mode: a rule that allows has nothing to do in the shadow");
            true
        }
        Some((_, shadow)) => shadow,
        None => defaults.shadow && action != Some(Action::Allow),
    }
}

/// What is put back in an answer was taken out of the request, so only there it can be.
fn tokenises(reader: &mut Reader, table: &DeTable<'_>, line: usize, places: Option<Places>) {
    if places.is_some_and(|places| places.scopes().any(|scope| scope == Scope::Response)) {
        let at = ["scope", "action"].into_iter().find_map(|name| table.get(name));
        let text = "action: contradictory rule, `tokenise` is for requests only, and the scope holds `response`";
        reader.fault_at(at.map_or(line, |value| reader.line(&value.span())), text);
    }
    if let Some(value) = table.get("numbered") {
        reader.fault(&value.span(), "numbered: has no effect, since what is tokenised is always numbered");
    }
}

/// Where the rule holds.
fn held(reader: &mut Reader, table: &DeTable<'_>, line: usize, defaults: &Defaults) -> Option<Places> {
    let given = |name: &str| table.get(name).is_some();
    let scopes = scopes(reader, table);
    let parts = parts(reader, table);
    let layers = table.get("layers").map(|value| reader.words("layers", value, &places::LAYERS, Layer::label));
    let roles = table.get("roles").map(|value| reader.words("roles", value, &ROLES, places::role_label));
    if given("scope") && scopes.is_none()
        || given("where") && parts.is_none()
        || layers == Some(None)
        || roles == Some(None)
    {
        return None;
    }
    let layers = layers.flatten().unwrap_or_else(|| places::LAYERS.to_vec());
    let roles = roles.flatten().unwrap_or_else(|| places::ROLES.to_vec());
    let (scopes, parts) = (scopes.as_ref().unwrap_or(&defaults.scopes), parts.as_ref().unwrap_or(&defaults.parts));
    for part in parts.iter().filter(|_| given("where")) {
        if !Places::new(scopes, &[*part], &layers, &roles).meets(Places::possible()) {
            let text = format!("where: nothing in `{}` has these roles and layers", part.label());
            reader.fault_at(table.get("where").map_or(line, |value| reader.line(&value.span())), text);
            return None;
        }
    }
    let places = Places::new(scopes, parts, &layers, &roles);
    if !places.meets(Places::possible()) {
        reader.fault_at(line, "nothing stands where this rule holds: see where, layers and roles");
        return None;
    }
    Some(places)
}

fn placeholder(
    reader: &mut Reader,
    table: &DeTable<'_>,
    action: Option<Action>,
    code: Option<&Code>,
    detector: Option<&Detector>,
    defaults: &Defaults,
) -> Option<Placeholder> {
    for name in ["placeholder", "numbered"] {
        if let Some(value) = table.get(name)
            && action.is_some_and(|action| !action.replaces())
        {
            reader
                .fault(&value.span(), format!("{name}: has no effect, since the action is not `redact` or `tokenise`"));
        }
    }
    let numbered = table.get("numbered").map(|value| reader.boolean("numbered", value));
    let word = match table.get("placeholder") {
        Some(value) => {
            let want = "1 to 32 of A-Z, 0-9 and `_`, without brackets";
            let text = reader.text("placeholder", value, want)?;
            if !is_placeholder(text) {
                return reader.want("placeholder", value, want);
            }
            text
        }
        None => match (detector, code) {
            (Some(row), _) => row.placeholder,
            (None, code) => {
                let last = code?.as_str().rsplit('.').next().unwrap_or_default();
                last.get(..PLACEHOLDER_BYTES_MAX).unwrap_or(last)
            }
        },
    };
    let numbered = action == Some(Action::Tokenise) || numbered.flatten().unwrap_or(defaults.numbered);
    Some(Placeholder { word: word.into(), numbered })
}

fn is_placeholder(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=PLACEHOLDER_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// What the rule looks for: exactly one of three keys, and what may stand beside it.
fn found(reader: &mut Reader, table: &DeTable<'_>, line: usize) -> Option<Found> {
    let kinds: Vec<&str> =
        ["detector", "pattern", "literals"].into_iter().filter(|name| table.get(*name).is_some()).collect();
    let [kind] = kinds.as_slice() else {
        let found = if kinds.is_empty() { "none".to_owned() } else { kinds.join(" and ") };
        reader.fault_at(line, format!("found {found}, want exactly one of detector, pattern and literals"));
        return None;
    };
    let value = table.get(*kind)?;
    let finder_line = reader.line(&value.span());
    let mut detector = None;
    let find = match *kind {
        "detector" => {
            detector = Some(row(reader, value)?);
            detector.map(|row| Find::Detector(row.name.to_owned()))
        }
        "pattern" => pattern(reader, value),
        _ => literals(reader, table, value),
    };
    for name in ["case_sensitive", "whole_words"].into_iter().filter(|_| *kind != "literals") {
        if let Some(value) = table.get(name) {
            reader.fault(&value.span(), format!("{name}: is for literals only"));
        }
    }
    let validator = validator(reader, table, find.as_ref());
    let context = match table.get("context") {
        Some(value) => {
            reader.texts("context", value, limits::POLICY_CONTEXT_WORDS_MAX, 2, limits::POLICY_CONTEXT_BYTES_MAX)
        }
        None => Some(Vec::new()),
    };
    let entropy_min = entropy(reader, table);
    let mut context: Vec<String> = context?.iter().map(|word| word.to_lowercase()).collect();
    context.sort();
    context.dedup();
    Some(Found {
        line: finder_line,
        finder: Finder { find: find?, context, validator: validator?, entropy_min: entropy_min? },
        detector,
    })
}

fn row(reader: &mut Reader, value: &Value<'_>) -> Option<&'static Detector> {
    let want = "the name of a built-in detector";
    let name = reader.text("detector", value, want)?;
    let row = DETECTORS.iter().find(|row| row.name == name);
    if row.is_none() {
        let names: Vec<&str> = DETECTORS.iter().map(|row| row.name).collect();
        reader.fault(&value.span(), format!("detector: found {}, want one of {}", shown(name), names.join(", ")));
    }
    row
}

fn pattern(reader: &mut Reader, value: &Value<'_>) -> Option<Find> {
    let want = format!("a regular expression of 1 to {} bytes", limits::POLICY_PATTERN_BYTES_MAX);
    let text = reader.text("pattern", value, &want)?;
    if !(1..=limits::POLICY_PATTERN_BYTES_MAX).contains(&text.len()) {
        return reader.want("pattern", value, &want);
    }
    Some(Find::Pattern(text.to_owned()))
}

fn literals(reader: &mut Reader, table: &DeTable<'_>, value: &Value<'_>) -> Option<Find> {
    let (least, most) = (limits::POLICY_LITERAL_BYTES_MIN, limits::POLICY_LITERAL_BYTES_MAX);
    let texts = reader.texts("literals", value, limits::POLICY_LITERALS_MAX, least, most);
    let mut flag = |name: &str| table.get(name).map_or(Some(false), |value| reader.boolean(name, value));
    let (case_sensitive, whole_words) = (flag("case_sensitive"), flag("whole_words"));
    Some(Find::Literals { texts: texts?, case_sensitive: case_sensitive?, whole_words: whole_words? })
}

/// The inner option is the answer; none for the outer one only together with a mistake.
#[expect(clippy::option_option, reason = "not given and not understood are two things")]
fn validator(reader: &mut Reader, table: &DeTable<'_>, find: Option<&Find>) -> Option<Option<Validator>> {
    let Some(value) = table.get("validator") else { return Some(None) };
    let validator = reader.word("validator", value, &[Validator::Luhn, Validator::Iban], validator_label)?;
    match find {
        Some(Find::Pattern(text)) if !may_hold_digit(text) => {
            reader.fault(&value.span(), "validator: the pattern matches no digit, so no match can pass");
        }
        Some(Find::Detector(_) | Find::Literals { .. }) => {
            reader.fault(&value.span(), "validator: is for a pattern only")
        }
        _ => {}
    }
    Some(Some(validator))
}

#[expect(clippy::option_option, reason = "not given and not understood are two things")]
fn entropy(reader: &mut Reader, table: &DeTable<'_>) -> Option<Option<f32>> {
    let Some(value) = table.get("entropy") else { return Some(None) };
    let want = "a number from 0 to 8";
    match reader.number("entropy", value, want)? {
        bits if (0.0..=8.0).contains(&bits) => Some(Some(bits)),
        _ => reader.want("entropy", value, want),
    }
}

/// Whether some match of an expression could hold a digit; so it is said of one that is not valid, which is told elsewhere.
fn may_hold_digit(pattern: &str) -> bool {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    parsed.is_ok_and(|hir| hir::visit(&hir, Digits(false)) == Ok(false)).then_some(()).is_none()
}

/// Visits an expression (on the heap, not by recursion) for a digit.
struct Digits(bool);

impl hir::Visitor for Digits {
    type Output = bool;
    type Err = ();

    fn finish(self) -> Result<bool, ()> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, hir: &Hir) -> Result<(), ()> {
        self.0 |= match hir.kind() {
            HirKind::Literal(literal) => literal.0.iter().any(u8::is_ascii_digit),
            HirKind::Class(hir::Class::Bytes(class)) => {
                class.ranges().iter().any(|range| range.start() <= b'9' && range.end() >= b'0')
            }
            HirKind::Class(hir::Class::Unicode(class)) => {
                class.ranges().iter().any(|range| range.start() <= '9' && range.end() >= '0')
            }
            _ => false,
        };
        Ok(())
    }
}

/// The same id twice, and rules that earlier ones with the same finder leave nothing to decide about.
pub(super) fn contradictions(reader: &mut Reader, rules: &[Rule]) {
    let mut ids = HashMap::with_capacity(rules.len());
    let mut decided: HashMap<String, Vec<(Places, usize)>> = HashMap::with_capacity(rules.len());
    for rule in rules {
        reader.rule = Some(rule.id);
        if let Some(line) = ids.insert(rule.id, rule.line) {
            reader.fault_at(rule.line, format!("id: the rule at line {line} has it too"));
        }
        let before = decided.entry(compile::identity(&rule.finder)).or_default();
        let held = rule.places.and(Places::possible());
        let left = before.iter().fold(held, |left, (places, _)| left.without(*places));
        let first = before.iter().find(|(places, _)| places.meets(held));
        if let Some((_, line)) = first.filter(|_| left.is_empty()) {
            let text = format!(
                "can never decide: the rule at line {line} looks for the same and holds wherever this one does"
            );
            reader.fault_at(rule.line, text);
        } else {
            before.push((rule.places, rule.line));
        }
    }
    reader.rule = None;
}

pub(super) fn action(reader: &mut Reader, table: &DeTable<'_>) -> Option<Action> {
    reader.word("action", table.get("action")?, &ACTIONS, Action::label)
}

pub(super) fn severity(reader: &mut Reader, table: &DeTable<'_>) -> Option<Severity> {
    reader.word("severity", table.get("severity")?, &SEVERITIES, Severity::label)
}

pub(super) fn scopes(reader: &mut Reader, table: &DeTable<'_>) -> Option<Vec<Scope>> {
    reader.words("scope", table.get("scope")?, &places::SCOPES, Scope::label)
}

pub(super) fn parts(reader: &mut Reader, table: &DeTable<'_>) -> Option<Vec<Part>> {
    reader.words("where", table.get("where")?, &places::PARTS, Part::label)
}

pub(super) const fn unread_label(unread: Unread) -> &'static str {
    match unread {
        Unread::Forward => "forward",
        Unread::Refuse => "refuse",
    }
}

pub(super) const fn mode_label(shadow: bool) -> &'static str {
    if shadow { "shadow" } else { "enforce" }
}

pub(super) const fn numbered_label(numbered: bool) -> &'static str {
    if numbered { "numbered" } else { "fixed" }
}

const fn validator_label(validator: Validator) -> &'static str {
    match validator {
        Validator::Luhn => "luhn",
        Validator::Iban => "iban",
    }
}
