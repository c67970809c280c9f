"""Codecs for plain Python values, a module each."""
