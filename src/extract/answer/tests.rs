//! Answers of every API, whole and streamed.
