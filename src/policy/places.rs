//! The set of places that a rule holds at, as one number: a bit for each combination of scope, part, layer and role.

use super::Scope;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Place;
use crate::extract::Role;

/// Both, in the order of their bits.
pub const SCOPES: [Scope; 2] = [Scope::Request, Scope::Response];
/// All, in the order of their bits.
pub const PARTS: [Part; 4] = [Part::Headers, Part::Body, Part::Url, Part::Tools];
/// All, in the order of their bits.
pub const LAYERS: [Layer; 3] = [Layer::PreTemplate, Layer::PostTemplate, Layer::ToolCall];
/// All, in the order of their bits.
pub const ROLES: [Role; 5] = [Role::None, Role::System, Role::User, Role::Assistant, Role::Tool];

const _: () = assert!(SCOPES.len() * PARTS.len() * LAYERS.len() * ROLES.len() <= u128::BITS as usize);

/// The word in a policy's `roles`; text that is nobody's has none there.
#[must_use]
pub const fn role_label(role: Role) -> &'static str {
    match role {
        Role::None => "none",
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

/// A set of (scope, place).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Places(u128);

impl Places {
    /// No place.
    pub const NONE: Self = Self(0);

    /// Every combination of what is listed.
    #[must_use]
    pub fn new(scopes: &[Scope], parts: &[Part], layers: &[Layer], roles: &[Role]) -> Self {
        let mut set = Self::NONE;
        for &scope in scopes {
            for &part in parts {
                for &layer in layers {
                    for &role in roles {
                        set.0 |= bit(scope, Place { part, layer, role });
                    }
                }
            }
        }
        set
    }

    /// Every place that a text can stand at: header fields and URLs are nobody's words and no tool's, tools are a layer of their own.
    #[must_use]
    pub fn possible() -> Self {
        let plain = [Layer::PreTemplate, Layer::PostTemplate];
        Self::new(&SCOPES, &[Part::Headers, Part::Url], &plain, &[Role::None])
            .with(Self::new(&SCOPES, &[Part::Body], &LAYERS, &ROLES))
            .with(Self::new(&SCOPES, &[Part::Tools], &[Layer::ToolCall], &ROLES))
    }

    /// Whether it holds this place.
    #[must_use]
    pub const fn holds(self, scope: Scope, place: Place) -> bool {
        self.0 & bit(scope, place) != 0
    }

    /// The scopes that it holds something of.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        SCOPES.into_iter().filter(move |scope| self.meets(Self::new(&[*scope], &PARTS, &LAYERS, &ROLES)))
    }

    /// The parts that it holds something of.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        PARTS.into_iter().filter(move |part| self.meets(Self::new(&SCOPES, &[*part], &LAYERS, &ROLES)))
    }

    /// The layers that it holds something of.
    pub fn layers(self) -> impl Iterator<Item = Layer> {
        LAYERS.into_iter().filter(move |layer| self.meets(Self::new(&SCOPES, &PARTS, &[*layer], &ROLES)))
    }

    /// The roles that it holds something of.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        ROLES.into_iter().filter(move |role| self.meets(Self::new(&SCOPES, &PARTS, &LAYERS, &[*role])))
    }

    /// Whether both hold some place.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this one only.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

const fn bit(scope: Scope, place: Place) -> u128 {
    let index = ((scope as u32 * 4 + place.part as u32) * 3 + place.layer as u32) * 5 + place.role as u32;
    1 << index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_bit_of_its_own() {
        let mut seen = Places::NONE;
        for scope in SCOPES {
            for part in PARTS {
                for layer in LAYERS {
                    for role in ROLES {
                        let place = Place { part, layer, role };
                        let one = Places::new(&[scope], &[part], &[layer], &[role]);
                        assert!(!seen.holds(scope, place) && one.holds(scope, place));
                        assert_eq!(seen.and(one), Places::NONE);
                        seen = seen.with(one);
                    }
                }
            }
        }
        assert_eq!(seen, Places::new(&SCOPES, &PARTS, &LAYERS, &ROLES));
        assert!(seen.without(seen).is_empty());
    }
}
