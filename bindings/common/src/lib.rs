//! The one engine that every binding calls.
