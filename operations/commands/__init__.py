"""One file a group of commands. Heavy libraries are imported inside them: `berbagi --help` answers at once."""
