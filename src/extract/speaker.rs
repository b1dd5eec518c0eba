//! Who speaks in an object, by a word in it: the pieces that nobody else has are given to that one when the object closes.

use super::Form;
use super::Layer;
use super::Part;
use super::Piece;
use super::Role;

/// Who speaks in an object, by its `role` or `method`.
#[derive(Clone, Copy)]
pub(super) enum Speaker {
    System,
    User,
    Assistant,
    Tool,
    /// Not a role: a request that a tool be called.
    Call,
    /// The same, in a fragment of JSON.
    Arguments,
}

impl Speaker {
    pub(super) fn by_role(role: &[u8]) -> Option<Self> {
        match role {
            b"system" | b"developer" => Some(Self::System),
            b"user" => Some(Self::User),
            b"assistant" => Some(Self::Assistant),
            b"tool" | b"function" => Some(Self::Tool),
            _ => None,
        }
    }

    /// Who speaks in an event of the Responses API, whose deltas all have one key.
    pub(super) fn by_event(name: &[u8]) -> Self {
        match name {
            b"response.function_call_arguments.delta" | b"response.mcp_call_arguments.delta" => Self::Arguments,
            b"response.custom_tool_call_input.delta" | b"response.code_interpreter_call_code.delta" => Self::Call,
            _ => Self::Assistant,
        }
    }

    /// Gives the pieces of an object that nobody has yet to the one who speaks in it.
    pub(super) fn claim(self, pieces: &mut [Piece]) {
        for piece in pieces.iter_mut().filter(|piece| piece.place.role == Role::None) {
            piece.place.role = match self {
                Self::System => Role::System,
                Self::User => Role::User,
                Self::Assistant | Self::Call | Self::Arguments => Role::Assistant,
                Self::Tool => Role::Tool,
            };
            if let Self::Tool | Self::Call | Self::Arguments = self {
                piece.place.part = Part::Tools;
                piece.place.layer = Layer::ToolCall;
            }
            if let (Self::Arguments, Form::Text, true) = (self, piece.form, piece.fragment) {
                piece.form = Form::Json;
            }
        }
    }
}
