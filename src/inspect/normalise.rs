//! Folding and decoding: what a text says once its wrapping is taken off, with a map back to the original bytes.
