"""What the reconciliation asks, by subject. Each function returns its broken lines, with an id to look at."""
