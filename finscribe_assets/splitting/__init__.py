"""Who may be in train, validation and test, and the manifest that says so for every batch so far."""
