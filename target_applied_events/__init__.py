"""Singer target that delivers records to the Applied Labs events endpoint."""
