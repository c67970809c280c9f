"""Codecs whose values are files in a store, a module each."""
