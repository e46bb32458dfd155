"""Reads tables from files, within limits, and checks their columns."""
