"""The database: connections, transactions, retries, dialects and schema. Knows no feature of the engine."""
