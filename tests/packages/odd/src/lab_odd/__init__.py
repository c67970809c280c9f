"""Codecs that a test of chains needs, and some that cannot work."""
