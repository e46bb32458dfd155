"""How fast, and how right: benchmarks, and simulation-based calibration."""
