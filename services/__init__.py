"""The four services. Each is messages in, events out, in one transaction; none imports another."""
