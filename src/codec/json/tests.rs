//! Tests of the json notation.
