"""API keys, as requests come with them: what their texts say, and what they stand for."""
