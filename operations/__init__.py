"""The `berbagi` command: what people type to run, feed and look at the system."""
