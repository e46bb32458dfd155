"""Tables read from files, within limits, every column checked."""
