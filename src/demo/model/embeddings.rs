//! OpenAI embeddings, as numbers or as base64 of little-endian floats, which the Python SDK asks for unless told. The
//! vectors depend on the body and the place in it; they mean nothing.

use serde_json::Value;

use super::prompt::Prompt;
use super::quote;

/// The length of a vector where none is asked for: that of the providers' small models.
const DIMENSIONS: usize = 1536;

/// The longest vector and the most inputs, as the providers bound them.
const DIMENSIONS_MAX: usize = 4096;
const INPUTS_MAX: usize = 2048;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn unary(prompt: &Prompt) -> String {
    let asked = prompt.body.get("dimensions").and_then(Value::as_u64).and_then(|asked| usize::try_from(asked).ok());
    let dimensions = asked.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS_MAX);
    let base64 = prompt.body.get("encoding_format").is_some_and(|format| format == "base64");
    let vectors: Vec<String> = (0..inputs(prompt))
        .map(|index| {
            let vector = vector(&prompt.id, index, dimensions);
            let embedding = if base64 { quote(&encode(&vector)) } else { Value::from(vector).to_string() };
            format!(r#"{{"object":"embedding","index":{index},"embedding":{embedding}}}"#)
        })
        .collect();
    format!(
        r#"{{"object":"list","data":[{}],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}}"#,
        vectors.join(","),
        prompt.model_json(),
        prompt.tokens,
        prompt.tokens,
    )
}

/// How many vectors: a text is one, a list of numbers is one (tokens), a list of anything else is one each.
fn inputs(prompt: &Prompt) -> usize {
    match prompt.body.get("input").and_then(Value::as_array) {
        Some(items) if !items.iter().all(Value::is_number) => items.len().min(INPUTS_MAX),
        _ => 1,
    }
}

/// A vector of numbers between -1 and 1, from an xorshift generator.
fn vector(id: &str, index: usize, dimensions: usize) -> Vec<f32> {
    let seed = id.bytes().fold(1 + index as u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The top 16 bits are exact in f32.
        let top = u16::try_from(state >> 48).unwrap_or(0);
        f32::from(top) / 32_768.0 - 1.0
    };
    (0..dimensions).map(|_| next()).collect()
}

/// Base64 (RFC 4648, section 4, with padding) of the floats' little-endian bytes.
fn encode(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
